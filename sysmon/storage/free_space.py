"""How much of the disk is left to others? Decides what may still be written; never deletes anything for it."""

import os
from enum import IntEnum
from pathlib import Path

COPIES_EARLIER = 1.25
"""Copies stop while this much more than the bound is free: they are worth least."""

HYSTERESIS = 1.1
"""What was stopped goes on when this much more is free than it takes to stop it."""


class Room(IntEnum):
    """What may be written; events and alerts always may."""

    NO_ROWS = 0
    NO_COPIES = 1
    EVERYTHING = 2


def room(free: int, min_free: int, *, before: Room) -> Room:
    """Return what may be written with so many bytes free, after what was allowed `before`."""
    if free < min_free * (HYSTERESIS if before is Room.NO_ROWS else 1):
        return Room.NO_ROWS
    if free < min_free * COPIES_EARLIER * (1 if before is Room.EVERYTHING else HYSTERESIS):
        return Room.NO_COPIES
    return Room.EVERYTHING


def free_bytes(folder: Path) -> int:
    """Return what users may still write on the file system of a folder (statvfs(3): f_bavail); raise OSError."""
    found = os.statvfs(folder)
    return found.f_bavail * found.f_frsize
