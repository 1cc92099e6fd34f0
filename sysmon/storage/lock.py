"""One writer a data directory: a lock that the kernel gives back however the holder ends."""

import errno
import fcntl
import os
from contextlib import suppress
from pathlib import Path

from sysmon.errors import LockHeldError, StorageError
from sysmon.text.names import printable

FORMAT = 1
"""The version of the layout that this program writes, and the newest that it reads."""

DIRECTORY_MODE = 0o750
FILE_MODE = 0o640


class DataDirectory:
    """A data directory held for writing; release it with `close`."""

    def __init__(self, path: Path) -> None:
        """Make the directory where it is missing and take its lock; raise StorageError where that cannot be done."""
        self.path = path
        self._lock, self._identity = _take(path)

    def hold(self) -> bool:
        """Make sure that others would still meet our lock; begin anew where the directory was moved or deleted.

        Return whether that was so; raise OSError where another writer has it meanwhile, or nothing can be made there.
        """
        try:
            if _identity((self.path / "lock").stat()) == self._identity:
                return False
        except (FileNotFoundError, NotADirectoryError):
            pass
        try:
            lock, identity = _take(self.path)
        except StorageError as error:
            raise OSError(errno.EBUSY, str(error)) from error
        os.close(self._lock)
        self._lock, self._identity = lock, identity
        return True

    def close(self) -> None:
        """Give the lock back; the lock's file stays, so that two can never hold different files of one name."""
        os.close(self._lock)


def holder(path: Path) -> int | None:
    """Return the process id of who holds a lock file, None where nobody does; raise OSError where it cannot be read."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        found = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        return int(found) if found.isdecimal() else 0
    finally:
        os.close(descriptor)
    return None


def open_lock(path: Path) -> int:
    """Open a lock file, take its lock and write our process id into it; raise BlockingIOError where another has it."""
    return _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def wait_for_lock(path: Path) -> int:
    """Do the same, and wait for whoever has it."""
    return _locked(path, fcntl.LOCK_EX)


def _locked(path: Path, operation: int) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    try:
        fcntl.flock(descriptor, operation)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _take(path: Path) -> tuple[int, tuple[int, int]]:
    shown = printable(str(path))
    try:
        make_directory(path)
        lock = open_lock(path / "lock")
    except BlockingIOError as error:
        raise LockHeldError(
            f"{shown} is written by the sysmon with pid {holder(path / 'lock') or 'unknown'}: "
            "end it, or name another directory with --data"
        ) from error
    except OSError as error:
        raise StorageError(f"{shown}: cannot be written ({error.strerror}): name another with --data") from error
    try:
        _settle_format(path / "format")
        return lock, _identity(os.fstat(lock))
    except OSError as error:
        os.close(lock)
        raise StorageError(f"{shown}: cannot be written ({error.strerror}): name another with --data") from error
    except StorageError:
        os.close(lock)
        raise


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _settle_format(path: Path) -> None:
    try:
        found = path.read_text("ascii", errors="replace").strip()
    except FileNotFoundError:
        found = ""
    if not found:
        write_whole(path, f"{FORMAT}\n".encode())
    elif found != str(FORMAT):
        raise StorageError(
            f"{printable(str(path))} says {found[:20]!r}, and this sysmon writes format {FORMAT}: "
            "use the sysmon that wrote it, or name another directory with --data"
        )


def claim(descriptor: int) -> None:
    """Take the lock of an open file, which its descriptor holds until it is closed; raise OSError where one has it."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def make_directory(path: Path) -> None:
    """Make a directory with its parents, whatever the umask says, for good; leave one that exists as it is."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    path.chmod(DIRECTORY_MODE)
    with suppress(PermissionError):  # a parent that may be written, and not listed
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_whole(path: Path, data: bytes) -> None:
    """Write a small file so that it is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
    try:
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    temporary.replace(path)
    sync_directory(path.parent)


def is_watched(data: Path) -> bool:
    """Say whether a `sysmon run` holds a data directory."""
    try:
        with (data / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
