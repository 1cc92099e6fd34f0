"""Output files of commands: replaced as a whole at the end, and pipes and devices written to as they are."""

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from sysmon.datadir.files import Owner
from sysmon.datadir.names import temporary_name
from sysmon.errors import UsageError
from sysmon.storage.files import make_directory, new_file, replacing

_MOST_LINKS = 40
"""Symbolic links in one path after which it leads in a circle, as the kernel counts."""


@contextmanager
def replace_output(target: Path) -> Iterator[BinaryIO]:
    """Open what will become `target` when all goes well; what is no regular file (a pipe, a device) is written to."""
    with ExitStack() as stack:
        try:
            path = follow_links(target)
            if target.exists() and not stat.S_ISREG(target.stat().st_mode):
                file: BinaryIO = stack.enter_context(os.fdopen(_open_special(target), "wb"))
            else:
                # A name of its own: two exports may go to one file, and no lock keeps them apart.
                temporary = temporary_name(f"{path.name}.{secrets.token_hex(4)}")
                descriptor = stack.enter_context(replacing(path, mode=None, owner=Owner.CALLER, temporary=temporary))
                file = stack.enter_context(os.fdopen(descriptor, "wb", closefd=False))
        except OSError as error:
            raise UsageError(f"{target}: cannot be written ({error.strerror}): name another place with -o") from error
        yield file


@contextmanager
def open_new(path: Path) -> Iterator[BinaryIO]:
    """Open a new file, to be moved to its place by the caller; it is synced, and removed where something goes wrong."""
    with ExitStack() as stack:
        try:
            descriptor = stack.enter_context(new_file(path, mode=None, owner=Owner.CALLER))
        except OSError as error:
            raise UsageError(f"{path}: cannot be made ({error.strerror}): name another place with -o") from error
        yield stack.enter_context(os.fdopen(descriptor, "wb", closefd=False))


def make_folder(folder: Path) -> Path:
    """Make a folder for files to go to where there is none; return where it is, without links."""
    try:
        real = follow_links(folder)
        make_directory(real, mode=None)
    except OSError as error:
        raise UsageError(f"{folder}: no folder ({error.strerror}): name another one with -o") from error
    return real


def follow_links(path: Path) -> Path:
    """Return where a path leads in the end, which need not be there yet; raise UsageError for a stranger's link.

    A link leads where its owner wants. So one that is neither ours nor root's is not followed where anybody may put
    links (the kernel's fs.protected_symlinks, which knows nothing of renaming over what a link names), nor as the last
    part of a path.
    """
    rest = list(reversed(path.absolute().parts[1:]))
    at, links = Path("/"), 0
    while rest:
        part = rest.pop()
        if part == "..":
            at = at.parent
            continue
        step = at / part
        about = _look(step)
        if about is None or not stat.S_ISLNK(about.st_mode):
            at = step
            continue
        links += 1
        if links > _MOST_LINKS:
            raise UsageError(f"{path}: its symbolic links lead in a circle: name another place with -o")
        if _is_strangers(about) and (not rest or at.stat().st_mode & stat.S_ISVTX):
            raise UsageError(f"{path}: {step} is a symbolic link of somebody else: name another place with -o")
        aim = step.readlink()
        if aim.is_absolute():
            at = Path("/")
        rest += reversed(aim.parts[1:] if aim.is_absolute() else aim.parts)
    return at


def _look(path: Path) -> os.stat_result | None:
    try:
        return path.lstat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_strangers(about: os.stat_result) -> bool:
    return about.st_uid not in {0, os.geteuid()}


def _open_special(path: Path) -> int:
    """Open a pipe or a device; raise FileExistsError where a regular file has taken its place meanwhile."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
    if stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))
    return descriptor
