"""One writer a data directory: a lock that the kernel gives back however the holder ends."""

import fcntl
import os
from pathlib import Path

from sysmon.errors import LockHeldError, StorageError
from sysmon.names import printable

FORMAT = 1
"""The version of the layout that this program writes, and the newest that it reads."""

DIRECTORY_MODE = 0o750
FILE_MODE = 0o640


class DataDirectory:
    """A data directory held for writing; release it with `close`."""

    def __init__(self, path: Path) -> None:
        """Make the directory where it is missing and take its lock; raise StorageError where that cannot be done."""
        self.path = path
        shown = printable(str(path))
        try:
            make_directory(path)
            self._lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
        except OSError as error:
            raise StorageError(f"{shown}: cannot be written ({error.strerror}): name another with --data") from error
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(self._lock, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._lock)
            raise LockHeldError(
                f"{shown} is written by the sysmon with pid {holder}: end it, or name another directory with --data"
            ) from error
        try:
            os.ftruncate(self._lock, 0)
            os.pwrite(self._lock, f"{os.getpid()}\n".encode(), 0)
            self._settle_format(path / "format")
        except OSError as error:
            os.close(self._lock)
            raise StorageError(f"{shown}: cannot be written ({error.strerror}): name another with --data") from error
        except StorageError:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Give the lock back; the lock's file stays, so that two can never hold different files of one name."""
        os.close(self._lock)

    def _settle_format(self, path: Path) -> None:
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


def make_directory(path: Path) -> None:
    """Make a directory with its parents, whatever the umask says; leave one that exists as it is."""
    if path.is_dir():
        return
    make_directory(path.parent)
    path.mkdir(exist_ok=True)
    path.chmod(DIRECTORY_MODE)


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
