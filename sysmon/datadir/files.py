"""File access in a data directory: regular files only, no links followed, nothing waited for, one owner for all.

Whoever may write a data directory may put anything in a file's place: a FIFO, a device, a link to somebody else's file.
Every open of a file in it goes through here, and so does whatever makes or removes one (`tests/test_file_access.py`).
"""

import errno
import os
import stat
from contextlib import suppress
from enum import Enum, auto
from pathlib import Path

DIRECTORY_MODE = 0o750
FILE_MODE = 0o640
PRIVATE_MODE = 0o600
READABLE_MODE, PASSABLE_MODE = 0o644, 0o755
"""Of files that services and other users read, and of the folders above them."""

_BY_UMASK, _FOLDER_BY_UMASK = 0o664, 0o775
"""What the umask may take from; it never lets everybody write."""

_SAFE = (
    os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
)  # O_NONBLOCK: to open a FIFO would wait for whoever holds its other end
_CHUNK = 256 * 1024
_NO_FILE = "not a regular file"
_REASONS = {errno.ELOOP: "symbolic links are not followed", errno.ENXIO: _NO_FILE}
"""What the kernel's numbers mean here: a link, a FIFO without a reader or a socket."""


class Owner(Enum):
    """Whose a new file or folder is: in a data directory that of the folder it is in, elsewhere who makes it."""

    FOLDER = auto()
    CALLER = auto()


def open_regular(path: Path) -> int:
    """Open a file for reading without ever waiting for it; raise OSError where it is no regular file."""
    return _checked(_open(path, os.O_RDONLY), path)


def read_regular(path: Path, *, most: int) -> bytes:
    """Return what a file holds; raise OSError where it is no regular file, or larger than `most` bytes."""
    descriptor = open_regular(path)
    try:
        data = b""
        while len(data) <= most and (chunk := os.read(descriptor, min(_CHUNK, most + 1 - len(data)))):
            data += chunk
    finally:
        os.close(descriptor)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"it has more than {most} bytes", str(path))
    return data


def open_to_append(path: Path, mode: int = FILE_MODE) -> int:
    """Open a file for reading and for writing at its end; make it where there is none, for the folder's owner."""
    return _open_or_create(path, os.O_RDWR | os.O_APPEND, mode)


def open_to_write(path: Path, mode: int = FILE_MODE) -> int:
    """Do the same for writing anywhere in it."""
    return _open_or_create(path, os.O_RDWR, mode)


def create(path: Path, mode: int | None = FILE_MODE, owner: Owner = Owner.FOLDER) -> int:
    """Make a file that is not there yet, for writing at its end, with just this mode; None leaves it to the umask."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_EXCL
    descriptor = _open(path, flags, _BY_UMASK if mode is None else mode)
    try:
        if owner is Owner.FOLDER:
            give_owner(descriptor, path.parent)
        if mode is not None:
            os.fchmod(descriptor, mode)  # whatever the umask took away
    except OSError:
        os.close(descriptor)
        with suppress(OSError):  # the reason why it failed is what counts
            remove(path)
        raise
    return descriptor


def open_folder(path: Path) -> int:
    """Open a directory, to sync the names in it."""
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)


def make_folder(path: Path, mode: int | None = DIRECTORY_MODE, owner: Owner = Owner.FOLDER) -> bool:
    """Make one directory with just this mode, None leaves it to the umask; return whether it was not there yet."""
    try:
        path.mkdir(_FOLDER_BY_UMASK if mode is None else mode)
    except FileExistsError:
        if not path.is_dir():
            raise
        return False
    try:
        if owner is Owner.FOLDER:
            _give_folder(path)
        if mode is not None:
            path.chmod(mode)  # whatever the umask took away
    except OSError:
        with suppress(OSError):  # the reason why it failed is what counts
            path.rmdir()
        raise
    return True


def refuse_link(path: Path) -> None:
    """Raise OSError for a folder that is a symbolic link: what is written below it would land elsewhere."""
    if path.is_symlink():
        raise OSError(errno.ELOOP, f"{path.name} is a symbolic link, and nothing is written through it", str(path))


def is_regular(path: Path) -> bool:
    """Say whether a name is that of a regular file; a link is none."""
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except FileNotFoundError:
        return False


def set_mode(path: Path, mode: int) -> None:
    """Say who may do what with a regular file."""
    descriptor = open_regular(path)
    try:
        os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)


def remove(path: Path) -> None:
    """Remove the name of a file; a link loses its own name, and what it leads to stays."""
    path.unlink()


def discard(path: Path) -> None:
    """Do the same where the file is there."""
    path.unlink(missing_ok=True)


def rename(path: Path, target: Path) -> None:
    """Give a file another name, in place of what has it."""
    path.replace(target)


def link(path: Path, target: Path) -> None:
    """Give a file a second name; raise FileExistsError where something has it."""
    target.hardlink_to(path)


def give_owner(descriptor: int, folder: Path) -> None:
    """Give an open file the owner and group of a folder, as root has to: its owner could not open it otherwise.

    Raise PermissionError where that may not be done. Where the owner or the group is the folder's own, that will do.
    """
    status, wanted = os.fstat(descriptor), folder.stat()
    if (status.st_uid, status.st_gid) == (wanted.st_uid, wanted.st_gid):
        return
    try:
        os.fchown(descriptor, wanted.st_uid, wanted.st_gid)
    except OSError as error:
        if status.st_uid != wanted.st_uid and status.st_gid != wanted.st_gid:
            reason = f"its folder belongs to user {wanted.st_uid}: do this as that user or root"
            raise PermissionError(errno.EPERM, reason, str(folder)) from error


def _give_folder(path: Path) -> None:
    try:
        descriptor = open_folder(path)
    except PermissionError:  # a umask may forbid to list what was just made
        return
    try:
        give_owner(descriptor, path.parent)
    finally:
        os.close(descriptor)


def _open_or_create(path: Path, flags: int, mode: int) -> int:
    while True:
        with suppress(FileNotFoundError):
            return _checked(_open(path, flags), path, alone=True)
        with suppress(FileExistsError):  # somebody was faster
            os.close(create(path, mode))


def _open(path: Path, flags: int, mode: int = 0) -> int:
    try:
        return os.open(path, flags | _SAFE, mode)
    except OSError as error:
        if error.errno in _REASONS:
            raise OSError(error.errno, _REASONS[error.errno], str(path)) from error
        raise


def _checked(descriptor: int, path: Path, *, alone: bool = False) -> int:
    """Return the descriptor of a regular file, which with `alone` has no other name; close any other."""
    status = os.fstat(descriptor)
    regular = stat.S_ISREG(status.st_mode)
    if regular and not (alone and status.st_nlink > 1):
        return descriptor
    os.close(descriptor)
    if not regular:
        raise OSError(errno.EINVAL, _NO_FILE, str(path))
    raise OSError(errno.EMLINK, "a hard link: the file has another name too", str(path))
