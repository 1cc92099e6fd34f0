"""Atomic file replacement: a file is there whole or not at all, and on the disk with its name. What survives a crash?

One writer at a time uses a path: its caller holds a lock, or gives the temporary file a name of its own.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sysmon.datadir.names import temporary_name

DIRECTORY_MODE = 0o750
FILE_MODE = 0o640
PRIVATE_MODE = 0o600
READABLE_MODE, PASSABLE_MODE = 0o644, 0o755
"""Of files that services and other users read, and of the folders above them."""

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
_BY_UMASK, _FOLDER_BY_UMASK = 0o664, 0o775
"""What the umask may take from; it never lets everybody write."""

_CANNOT_SYNC = {errno.EINVAL, errno.EBADF}
"""What file systems answer that cannot sync a directory, as fsync(2) has it."""


def write_atomic(path: Path, data: bytes, *, mode: int | None = FILE_MODE, overwrite: bool = True) -> None:
    """Write a file that is there whole or not at all.

    Without `overwrite` raise FileExistsError where there is one already, also when it came meanwhile. `mode` is as in
    `replacing`.
    """
    with replacing(path, mode=mode, overwrite=overwrite) as descriptor:
        write_all(descriptor, data)


@contextmanager
def replacing(
    path: Path,
    *,
    mode: int | None = FILE_MODE,
    temporary: str | None = None,
    overwrite: bool = True,
    verify: Callable[[Path], None] = lambda _path: None,
) -> Iterator[int]:
    """Yield the descriptor of a file that takes its place at the end, when all went well.

    It has just this mode, or with None the one that the umask gives to new files. `verify` may look at what was
    written, and raise where that must not take its place.
    """
    made = path.with_name(temporary or temporary_name(path.name))
    with _removed_on_failure(made):
        with _synced(made, mode) as descriptor:
            yield descriptor
        verify(made)
        if overwrite:
            made.replace(path)
        else:
            path.hardlink_to(made)
            made.unlink()
    sync_directory(path.parent)


@contextmanager
def new_file(path: Path, *, mode: int | None = FILE_MODE) -> Iterator[int]:
    """Yield the descriptor of a new file, which is synced at the end, and removed where something goes wrong."""
    with _removed_on_failure(path), _synced(path, mode) as descriptor:
        yield descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the data, in as many writes as it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut; one that may not be listed or synced is left as it is."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except PermissionError:  # it may be written, and not listed
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_directory(path: Path, *, mode: int | None = DIRECTORY_MODE) -> None:
    """Make a directory with its parents, for good; leave one that exists as it is.

    Each has just this mode, or with None the one that the umask gives to new folders.
    """
    if path.is_dir():
        return
    try:
        path.mkdir(_FOLDER_BY_UMASK, exist_ok=True)
    except FileNotFoundError:
        make_directory(path.parent, mode=mode)
        path.mkdir(_FOLDER_BY_UMASK, exist_ok=True)
    if mode is not None:
        path.chmod(mode)  # whatever the umask took away
    sync_directory(path.parent)


@contextmanager
def _synced(path: Path, mode: int | None) -> Iterator[int]:
    descriptor = _create(path, _BY_UMASK if mode is None else mode)
    try:
        if mode is not None:
            os.fchmod(descriptor, mode)  # whatever the umask took away
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: Path, mode: int) -> int:
    try:
        return os.open(path, _NEW, mode)
    except FileExistsError:  # of one that was killed
        path.unlink()
        return os.open(path, _NEW, mode)


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # however it ends, also by Ctrl-C: nothing half written is left behind
        with suppress(OSError):  # the reason why it failed is what counts
            path.unlink()
        raise
