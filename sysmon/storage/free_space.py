"""Free disk space: what may still be written while little is left. Nothing is ever deleted for it."""

import os
from enum import IntEnum
from pathlib import Path

COPIES_EARLIER = 1.25
"""Copies stop while this much more than the bound is free: they are worth least."""

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
