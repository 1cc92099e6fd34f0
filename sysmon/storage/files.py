"""Atomic file replacement: a file is there whole or not at all, and on the disk with its name. What survives a crash?

One writer at a time uses a path: its caller holds a lock, or gives the temporary file a name of its own.
"""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sysmon.datadir.files import (
    DIRECTORY_MODE,
    FILE_MODE,
    Owner,
    create,
    link,
    make_folder,
    open_folder,
    refuse_link,
    remove,
    rename,
)
from sysmon.datadir.names import temporary_name

_CANNOT_SYNC = {errno.EINVAL, errno.EBADF}
"""What file systems answer that cannot sync a directory, as fsync(2) has it."""


def write_atomic(
    path: Path,
    data: bytes,
    *,
    mode: int | None = FILE_MODE,
    owner: Owner = Owner.FOLDER,
    overwrite: bool = True,
) -> None:
    """Write a file that is there whole or not at all.

    Without `overwrite` raise FileExistsError where there is one already, also when it came meanwhile. `mode` and
    `owner` are as in `replacing`.
    """
    with replacing(path, mode=mode, owner=owner, overwrite=overwrite) as descriptor:
        write_all(descriptor, data)


@contextmanager
def replacing(
    path: Path,
    *,
    mode: int | None = FILE_MODE,
    owner: Owner = Owner.FOLDER,
    temporary: str | None = None,
    overwrite: bool = True,
    verify: Callable[[Path], None] = lambda _path: None,
) -> Iterator[int]:
    """Yield the descriptor of a file that takes its place at the end, when all went well.

    It has just this mode, or with None the one that the umask gives to new files, and its owner before it has its
    name. `verify` may look at what was written, and raise where that must not take its place.
    """
    made = path.with_name(temporary or temporary_name(path.name))
    with _removed_on_failure(made):
        with _synced(made, mode, owner) as descriptor:
            yield descriptor
        verify(made)
        if overwrite:
            rename(made, path)
        else:
            link(made, path)
            remove(made)
    sync_directory(path.parent)


@contextmanager
def new_file(path: Path, *, mode: int | None = FILE_MODE, owner: Owner = Owner.FOLDER) -> Iterator[int]:
    """Yield the descriptor of a new file, which is synced at the end, and removed where something goes wrong."""
    with _removed_on_failure(path), _synced(path, mode, owner) as descriptor:
        yield descriptor


def write_all(descriptor: int, data: bytes) -> None:
    """Write all of the data, in as many writes as it takes."""
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(descriptor, rest) :]


def sync_directory(path: Path) -> None:
    """Make the names in a directory survive a power cut; one that may not be listed or synced is left as it is."""
    try:
        descriptor = open_folder(path)
    except PermissionError:  # it may be written, and not listed
        return
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise
    finally:
        os.close(descriptor)


def make_directory(path: Path, *, mode: int | None = DIRECTORY_MODE, below: Path | None = None) -> None:
    """Make a directory with its parents, for good; leave one that exists as it is.

    Each has just this mode, or with None the one that the umask gives to new folders. Those `below` a data directory
    get its owner; raise OSError where one of them is a symbolic link.
    """
    owner = Owner.CALLER
    if below is not None and below in path.parents:
        refuse_link(path)
        make_directory(path.parent, mode=mode, below=below)
        owner = Owner.FOLDER
    if path.is_dir():
        return
    try:
        is_new = make_folder(path, mode, owner)
    except FileNotFoundError:
        make_directory(path.parent, mode=mode)
        is_new = make_folder(path, mode, owner)
    if is_new:
        sync_directory(path.parent)


@contextmanager
def _synced(path: Path, mode: int | None, owner: Owner) -> Iterator[int]:
    descriptor = _create(path, mode, owner)
    try:
        yield descriptor
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _create(path: Path, mode: int | None, owner: Owner) -> int:
    try:
        return create(path, mode, owner)
    except FileExistsError:  # of one that was killed
        remove(path)
        return create(path, mode, owner)


@contextmanager
def _removed_on_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # however it ends, also by Ctrl-C: nothing half written is left behind
        with suppress(OSError):  # the reason why it failed is what counts
            remove(path)
        raise
