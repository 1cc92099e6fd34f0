"""Free disk space: what may still be written while little is left. Nothing is ever deleted for it."""

import errno
import os
from enum import IntEnum
from pathlib import Path

COPIES_EARLIER = 1.25
"""Copies stop while this much more than the bound is free: they are worth least."""

NO_INODES = "no inodes left"
"""What is said of a disk that takes no new file although it has room."""

HYSTERESIS = 1.1
"""What was stopped goes on when this much more is free than it takes to stop it."""


class WriteScope(IntEnum):
    """What may be written; events and alerts always may."""

    NO_ROWS = 0
    NO_COPIES = 1
    EVERYTHING = 2


def decide_write_scope(free: int, min_free: int, *, before: WriteScope) -> WriteScope:
    """Return what may be written with so many bytes free, after what was allowed `before`."""
    if free < min_free * (HYSTERESIS if before is WriteScope.NO_ROWS else 1):
        return WriteScope.NO_ROWS
    if free < min_free * COPIES_EARLIER * (1 if before is WriteScope.EVERYTHING else HYSTERESIS):
        return WriteScope.NO_COPIES
    return WriteScope.EVERYTHING


def free_bytes(folder: Path) -> int:
    """Return what users may still write on the file system of a folder (statvfs(3): f_bavail); raise OSError."""
    status = os.statvfs(folder)
    return status.f_bavail * status.f_frsize


def has_inodes(folder: Path) -> bool:
    """Say whether the file system of a folder takes new files; some have no bound, and say 0 of 0 (statvfs(3))."""
    try:
        status = os.statvfs(folder)
    except OSError:
        return True
    return status.f_favail > 0 or status.f_files == 0


def name_shortage(error: OSError, folder: Path) -> OSError:
    """Return the error of making a file in a folder: the kernel calls a disk full, whatever it lacks."""
    if error.errno == errno.ENOSPC and not has_inodes(folder):
        return OSError(errno.ENOSPC, NO_INODES)
    return error
