"""A file that is there whole or not at all: written beside its place, synced, and moved there at the end."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sysmon.errors import UsageError

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


@contextmanager
def replacing(target: Path) -> Iterator[BinaryIO]:
    """Open what will become `target` when all goes well; what is no regular file (a pipe, a device) is written to."""
    try:
        if target.exists() and not stat.S_ISREG(target.stat().st_mode):
            with target.open("wb") as file:
                yield file
            return
        place = Path(os.path.realpath(target))
        temporary = place.with_name(f".{place.name}.{os.getpid()}.tmp")
        descriptor = os.open(temporary, _NEW, 0o666)
    except OSError as error:
        raise UsageError(f"{target}: cannot be written ({error.strerror}): name another place with -o") from error
    with _removed_on_failure(temporary):
        with _synced(descriptor) as file:
            yield file
        temporary.replace(place)


@contextmanager
def making(temporary: Path) -> Iterator[BinaryIO]:
    """Open a new file, to be moved to its place by the caller; it is synced, and removed where something goes wrong."""
    try:
        descriptor = os.open(temporary, _NEW, 0o666)
    except OSError as error:
        raise UsageError(f"{temporary}: cannot be made ({error.strerror}): name another place with -o") from error
    with _removed_on_failure(temporary), _synced(descriptor) as file:
        yield file


def make_folder(folder: Path) -> None:
    """Make a folder for files to go to where there is none."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{folder}: no folder ({error.strerror}): name another one with -o") from error


@contextmanager
def _synced(descriptor: int) -> Iterator[BinaryIO]:
    with os.fdopen(descriptor, "wb") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _removed_on_failure(temporary: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # also Ctrl-C: nothing half written is left behind
        with suppress(OSError):  # the reason why it failed is what counts
            temporary.unlink()
        raise
