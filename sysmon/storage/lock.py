"""Advisory file locks: one writer a data directory, one maintenance. Who holds a lock?

The kernel gives a lock back however its holder ends.
"""

import errno
import fcntl
import os
import stat
from pathlib import Path

from sysmon.datadir.files import PRIVATE_MODE, give_owner, open_regular, open_to_write, read_regular
from sysmon.datadir.names import DataEntry
from sysmon.errors import BlockedError, LockHeldError, StorageError
from sysmon.storage.files import make_directory, write_atomic
from sysmon.storage.lock_holder import find_holders, find_strangers
from sysmon.text.names import printable

FORMAT = 1
"""The version of the layout that this program writes, and the newest that it reads."""

_LONGEST_VERSION = 100

RUN_LOCK = DataEntry.RUN_LOCK.value
"""What the file in a data directory is called that `sysmon run` locks."""

MAINTENANCE_LOCK = DataEntry.MAINTENANCE_LOCK.value
"""What the file is called that maintenance locks, and a repair."""


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
            if _identity((self.path / RUN_LOCK).stat()) == self._identity:
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
    """Return the process id of who holds the lock of a file, 0 where it does not say; None where nobody holds it.

    Raise OSError where the file is there and cannot be read.
    """
    try:
        descriptor = open_regular(path)
    except FileNotFoundError:
        return None
    except PermissionError:  # the kernel's list is for everybody
        alone = [lock.pid for lock in find_holders(path) if not lock.shared]
        return alone[0] if alone else None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        return int(text) if text.isdecimal() else 0
    finally:
        os.close(descriptor)
    return None


def is_held(path: Path) -> bool:
    """Say whether anybody holds the lock of a file: what cannot be read is nobody's."""
    try:
        return holder(path) is not None
    except OSError:
        return False


def is_recording(data: Path) -> bool:
    """Say whether a `sysmon run` holds a data directory."""
    return is_held(data / RUN_LOCK)


def open_lock(path: Path) -> int:
    """Open a lock file, take its lock and write our process id into it; raise BlockingIOError where another has it."""
    return _locked(path, fcntl.LOCK_EX | fcntl.LOCK_NB)


def wait_for_lock(path: Path) -> int:
    """Do the same, and wait for another sysmon; raise BlockedError where it is somebody else who has it."""
    try:
        return open_lock(path)
    except BlockingIOError:
        refuse_strangers(path)
        return _locked(path, fcntl.LOCK_EX)


def refuse_strangers(path: Path) -> None:
    """Raise BlockedError where somebody holds the lock of a file who is no sysmon: it may last for ever."""
    if strangers := find_strangers(path):
        shown = printable(str(path))
        raise BlockedError(f"{shown} is held by {strangers[0]}, which is no sysmon: nothing was done: end it")


def _locked(path: Path, operation: int) -> int:
    descriptor = open_to_write(path, PRIVATE_MODE)
    try:
        _make_private(descriptor)
        fcntl.flock(descriptor, operation)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        give_owner(descriptor, path.parent)  # nothing is in it but what we wrote, whoever made it
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _take(path: Path) -> tuple[int, tuple[int, int]]:
    try:
        make_directory(path)
        lock = open_lock(path / RUN_LOCK)
    except BlockingIOError as error:
        raise LockHeldError(_describe_held(path)) from error
    except OSError as error:
        raise _unwritable(path, error) from error
    try:
        _narrow(path / MAINTENANCE_LOCK)
        _settle_format(path / DataEntry.FORMAT)
        return lock, _identity(os.fstat(lock))
    except OSError as error:
        os.close(lock)
        raise _unwritable(path, error) from error
    except StorageError:
        os.close(lock)
        raise


def _describe_held(path: Path) -> str:
    """Return who keeps us from writing a data directory, and what to do."""
    shown, way = printable(str(path)), "end it, or name another directory with --data"
    if strangers := find_strangers(path / RUN_LOCK):
        return f"{shown}/{RUN_LOCK} is held by {strangers[0]}, which is no sysmon: {way}"
    return f"{shown} is written by the sysmon with pid {holder(path / RUN_LOCK) or 'unknown'}: {way}"


def _narrow(path: Path) -> None:
    """Let nobody but the owner open a lock file of ours: who may read a file may hold its lock, and stop our work."""
    try:
        descriptor = open_regular(path)
    except OSError:  # there is none, or it is not ours
        return
    try:
        _make_private(descriptor)
    finally:
        os.close(descriptor)


def _make_private(descriptor: int) -> None:
    about = os.fstat(descriptor)
    if about.st_uid == os.geteuid() and stat.S_IMODE(about.st_mode) != PRIVATE_MODE:
        os.fchmod(descriptor, PRIVATE_MODE)


def _unwritable(path: Path, error: OSError) -> StorageError:
    shown = printable(str(error.filename or path))
    return StorageError(f"{shown}: cannot be written ({error.strerror}): name another with --data")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _settle_format(path: Path) -> None:
    try:
        version = read_regular(path, most=_LONGEST_VERSION).decode("ascii", errors="replace").strip()
    except FileNotFoundError:
        version = ""
    if not version:
        write_atomic(path, f"{FORMAT}\n".encode())
    elif version != str(FORMAT):
        raise StorageError(
            f"{printable(str(path))} says {version[:20]!r}, and this sysmon writes format {FORMAT}: "
            "use the sysmon that wrote it, or name another directory with --data"
        )


def claim(descriptor: int) -> None:
    """Take the lock of an open file, which holds until it is closed; raise OSError where another process has it."""
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
