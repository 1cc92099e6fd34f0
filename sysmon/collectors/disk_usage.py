"""File system usage, in bytes and in inodes."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from sysmon.collectors import _mounts
from sysmon.collectors._mount_table import MountTable
from sysmon.collectors._mounts import Mount
from sysmon.collectors._recorded_statvfs import find_recorded
from sysmon.collectors._slow_mounts import Answer, SlowMounts
from sysmon.collectors._statvfs_process import StatvfsProcess
from sysmon.collectors.api import (
    Filter,
    Headline,
    Kind,
    Metric,
    Notice,
    Resource,
    Row,
    Source,
    Table,
    Unit,
    option,
    rates,
)

_STATVFS: Callable[[str], Any] | None = getattr(os, "statvfs", None)  # not on Windows
_NEVER_TOUCHED = "autofs"
_NEGATIVE = 2**63 - 1
"""Where numbers begin that are none: negative ones without a sign, and the largest with one, for `unlimited`."""
_LEFT_OUT = (
    *("tmpfs", "devtmpfs", "ramfs", "overlay"),
    *("squashfs", "erofs", "iso9660", "fuse.snapfuse", "fuse.squashfuse"),  # always full, even where a mount says `rw`
    *("fuse.gvfsd-fuse", "fuse.portal"),  # without a size, and closed to everyone but one user
)


@dataclass(frozen=True, slots=True)
class DiskUsageOptions:
    """Which file systems are watched; those that can be written to and hold data of their own, each once."""

    include: tuple[str, ...] = option((), "mountpoints to watch whatever speaks against them")
    exclude: tuple[str, ...] = option((), "mountpoints to leave out")
    include_fstypes: tuple[str, ...] = option((), "types of file system to watch whatever `exclude_fstypes` says")
    exclude_fstypes: tuple[str, ...] = option(_LEFT_OUT, "types of file system to leave out")


@dataclass(frozen=True, slots=True)
class Space:
    """How one file system is used, in bytes and inodes; `free` is what users may have. Inodes are None without any.

    What cannot be so is None: more free than there is, a number that means that nobody knows.
    """

    total: int | None
    used: int | None
    free: int | None
    inodes: int | None = None
    inodes_free: int | None = None


Place = tuple[Space | None, int | None]
"""The space that was told for a mountpoint, and the device that it is on (st_dev)."""


@dataclass(frozen=True, slots=True)
class DiskUsageReading:
    """The watched mounts, each with its space, or None where it could not be asked; which are stuck, which are back."""

    mounts: tuple[tuple[Mount, Space | None], ...]
    notices: tuple[Notice, ...] = ()


class Asker(Protocol):
    """Asks mounts that may hang, without hanging."""

    def ask(self, mountpoints: Iterable[str]) -> Mapping[str, Answer]:
        """Return what has been answered; a mount without an answer is left out."""

    def take_notices(self) -> tuple[Notice, ...]:
        """Return what has happened to the mounts since the last time."""

    def close(self) -> None:
        """Ask no more."""


class DiskUsageCollector:
    """Reads /proc/self/mountinfo and statvfs(3), psutil on other systems. Mounts of autofs are never touched.

    On Linux, mounts that depend on a server or a FUSE program are asked by another process. A mountpoint on which the
    mount is not found, as below the folder of a host that was started before it, has no numbers.
    """

    Options = DiskUsageOptions
    default_interval: ClassVar[float | None] = 60.0
    table: ClassVar[Table] = Table(
        "disk_usage",
        "Space and inodes, file system by file system.",
        (
            Metric("disk_total_bytes", Kind.GAUGE, Unit.BYTES, "Size of the file system."),
            Metric("disk_used_bytes", Kind.GAUGE, Unit.BYTES, "Space in use.", resource=Resource.SPACE),
            Metric(
                "disk_free_bytes",
                Kind.GAUGE,
                Unit.BYTES,
                "Space that users can still fill.",
                resource=Resource.SPACE,
                remainder=True,
            ),
            Metric(
                "disk_usage_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Used space of what users can have, as df counts.",
                headline=Headline("fullest mount", 70),
                resource=Resource.SPACE,
            ),
            Metric("inode_total", Kind.GAUGE, Unit.NONE, "Files and directories that the file system can hold."),
            Metric("inode_used", Kind.GAUGE, Unit.NONE, "Files and directories that it holds."),
            Metric(
                "inode_free", Kind.GAUGE, Unit.NONE, "Files and directories that can still be made.", remainder=True
            ),
            Metric("inode_usage_percent", Kind.RATIO, Unit.PERCENT, "Used inodes of all inodes."),
        ),
        labels=("mountpoint", "device", "fstype"),
        order=60,
    )

    def __init__(
        self,
        source: Source,
        options: DiskUsageOptions,
        *,
        statvfs: Callable[[str], Any] | None = _STATVFS,
        slow: Asker | None = None,
    ) -> None:
        self._source = source
        self._table = MountTable(source.mountinfo)
        self._below = "" if source.root == Path("/") else str(source.root)
        recorded = find_recorded(source.root)
        if recorded is not None:
            statvfs, slow = recorded, recorded
        self._slow: Asker = slow or SlowMounts(StatvfsProcess, time.monotonic, below=self._below)
        self._near: list[Mount] = []
        self._far: list[Mount] = []
        self._mountpoints = Filter(options.include, options.exclude)
        self._fstypes = Filter(options.include_fstypes, options.exclude_fstypes)
        self._statvfs = statvfs
        self._named: frozenset[tuple[str, str]] = frozenset()
        self._sized: set[str] = set()

    def read(self) -> DiskUsageReading:
        """Ask every watched file system for its space."""
        self._look()
        places = {mount.mountpoint: self._ask(mount.mountpoint) for mount in self._near}
        answers = self._slow.ask([mount.mountpoint for mount in self._far])
        places |= {mount.mountpoint: _read_answer(answers.get(mount.mountpoint)) for mount in self._far}
        watched = [*self._near, *self._far]
        spaces = [
            (mount, None if self._is_elsewhere(mount, places) else places[mount.mountpoint][0]) for mount in watched
        ]
        sized = tuple([(mount, space) for mount, space in spaces if self._worth_a_row(mount, space)])
        self._sized = {mount.mountpoint for mount, space in sized if space or mount.mountpoint in self._sized}
        return DiskUsageReading(sized, self._slow.take_notices())

    def rows(self, before: DiskUsageReading | None, after: DiskUsageReading, seconds: float) -> list[Row]:
        """Return a row for each file system; nothing but labels where it could not be asked."""
        return [_row(mount, space) for mount, space in after.mounts]

    def close(self) -> None:
        """Close the list of mounts, and let the process that asks them end."""
        self._table.close()
        self._slow.close()

    def _look(self) -> None:
        """Find out which mounts to ask, and by whom, where that may have changed."""
        if not self._source.linux:
            partitions = self._source.psutil.disk_partitions(all=False)
            mounts = [Mount(part.mountpoint, part.device, part.fstype) for part in partitions]
            self._near = self._watched(_mounts.find_visible(mounts))
        elif self._table.changed():
            mounts = self._table.mounts()
            slow = _mounts.find_hanging(mounts)
            watched = self._watched(mounts)
            self._near = [mount for mount in watched if mount.mountpoint not in slow]
            self._far = [mount for mount in watched if mount.mountpoint in slow]

    def _watched(self, mounts: list[Mount]) -> list[Mount]:
        again = _mounts.find_duplicates(mounts, self._named)
        watched = [mount for mount in mounts if self._watches(mount, again=mount.mountpoint in again)]
        self._named = frozenset((_mounts.identify(mount), mount.mountpoint) for mount in watched)
        return watched

    def _watches(self, mount: Mount, *, again: bool) -> bool:
        if mount.fstype == _NEVER_TOUCHED:
            return False
        plain = _mounts.holds_data(mount) or not self._source.linux
        wanted_type = self._fstypes.allows(mount.fstype, otherwise=plain)
        return self._mountpoints.allows(mount.mountpoint, otherwise=wanted_type and not again)

    def _ask(self, mountpoint: str) -> Place:
        try:
            if self._statvfs is None:
                usage = self._source.psutil.disk_usage(mountpoint)
                return Space(usage.total, usage.used, usage.free), None
            path = self._below + mountpoint
            answer = self._statvfs(path)
            device = os.stat(path).st_dev if self._statvfs is _STATVFS else None  # noqa: PTH116 - it may be hostile
        except OSError:  # a stale server, an ejected disk, no permission: one mount must not hide the rest
            return None, None
        blocks = (answer.f_blocks, answer.f_bfree, answer.f_bavail)
        return _space(answer.f_frsize, *blocks, answer.f_files, answer.f_ffree), device

    def _is_elsewhere(self, mount: Mount, places: Mapping[str, Place]) -> bool:
        """Say whether the answer for a mountpoint came from the file system around it.

        That is so where both are on one device by st_dev and on two by mountinfo. (btrfs gives each subvolume an st_dev
        that mountinfo does not know, so an st_dev that is unlike the number of its mount says nothing yet.)
        """
        device = places[mount.mountpoint][1]
        if device is None or mount.number is None or _number(device) == mount.number:
            return False
        around = _mounts.find_enclosing(mount, self._table.mounts())
        if around is None or around.number == mount.number:
            return False
        device_around = places.get(around.mountpoint, (None, None))[1]
        return _number(device) == (around.number if device_around is None else _number(device_around))

    def _worth_a_row(self, mount: Mount, space: Space | None) -> bool:
        """Say whether a mount has a size, or cannot tell although it had or must have one, or was asked for by name."""
        if self._mountpoints.includes(mount.mountpoint):
            return True
        if space is None:
            sure = not self._source.linux or _mounts.is_known_to_hold_data(mount)
            return sure or mount.mountpoint in self._sized
        return space.total != 0


def _read_answer(answer: Answer | None) -> Place:
    if not answer:
        return None, None
    unit, blocks, free, available, files, files_free, *device = answer
    return _space(unit, blocks, free, available, files, files_free), device[0] if device else None


def _number(device: int) -> str:
    return f"{os.major(device)}:{os.minor(device)}"


def _space(unit: int, blocks: int, free: int, available: int, files: int, files_free: int) -> Space:
    """Look at what statvfs said before it is believed: a negative number comes as a very large one.

    Less than nothing is left to users where a server counts its reserve so. More free than there is cannot be.
    """
    total = None if blocks >= _NEGATIVE else blocks
    left = 0 if available >= _NEGATIVE else available
    possible = total is not None and free <= total and left <= total
    inodes = None if files >= _NEGATIVE else files or None
    return Space(
        total=None if total is None else total * unit,
        used=(blocks - free) * unit if possible else None,
        free=left * unit if possible else None,
        inodes=inodes,
        inodes_free=files_free if inodes is not None and files_free <= inodes else None,
    )


def _row(mount: Mount, space: Space | None) -> Row:
    labels = (mount.mountpoint or "-", mount.device or "-", mount.fstype or "-")
    if space is None:
        return (*labels, *[None] * 8)
    inodes_used = None
    if space.inodes is not None and space.inodes_free is not None:
        inodes_used = space.inodes - space.inodes_free
    return (
        *labels,
        space.total,
        space.used,
        space.free,
        None if space.used is None or space.free is None else rates.percent(space.used, space.used + space.free),
        space.inodes,
        inodes_used,
        space.inodes_free,
        rates.percent(inodes_used, space.inodes),
    )
