"""Use of space: which file system grew since when, and who wrote to its disk meanwhile; pure."""

import re
from collections.abc import Iterable, Mapping

from sysmon.alerts.disk_growth import Rise, UsageHistory, WriteHistory
from sysmon.model import AlertEvent, Resource, Row, Sample, Table

Who = tuple[str, str, str, str, str]
"""The pid of a process, when it started, its name, its user and its unit."""

_DEVICE = "device"
IN_MEMORY = frozenset({"tmpfs", "ramfs", "devtmpfs"})
_PARTITION = re.compile(r"(?P<disk>(?:nvme|mmcblk|nbd|loop|md)\w*?\d)p\d+$|(?P<plain>[a-z]+)\d+$")
_ELSEWHERE = 0.2
"""How much other disks may have written, in part of the growth of a file system, for its writers to be known."""


class SpaceUse:
    """How file systems grow, and who writes meanwhile."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self.writes: WriteHistory[Who] = WriteHistory()
        self._table = next((table for table in tables.values() if table.using(Resource.SPACE)), None)
        self._usage: dict[Row, UsageHistory] = {}
        self._used = 0 if self._table is None else self._table.columns.index(self._table.using(Resource.SPACE)[0])

    def see(self, sample: Sample) -> None:
        """Take a tick."""
        rows = sample.rows.get(self._table.name) if self._table is not None else None
        if not rows or self._table is None:
            return
        width, usage = len(self._table.labels), {}
        for row in rows:
            history = usage[row[:width]] = self._usage.get(row[:width]) or UsageHistory()
            used = row[self._used]
            if isinstance(used, int | float):
                history.add(sample.at, used)
        self._usage = usage

    def find_rise(self, event: AlertEvent) -> Rise | None:
        """Return how the file system of an alert has grown; None where the alert is about several or none."""
        key = self._find_key(event)
        return None if key is None else self._usage[key].find_rise()

    def find_fstype(self, event: AlertEvent) -> str | None:
        """Return the type of the file system of an alert."""
        key = self._find_key(event)
        return None if key is None else self._labels(key).get("fstype")

    def find_writers(self, event: AlertEvent, rise: Rise) -> Mapping[Who, float] | None:
        """Return who wrote how much since a rise began; None where it may have been to another disk."""
        key = self._find_key(event)
        disks = self.writes.disks(rise.since)
        disk = None if key is None else _find_disk(self._labels(key).get(_DEVICE, ""), disks)
        if disk is None or sum(disks.values()) - disks[disk] > _ELSEWHERE * rise.growth:
            return None
        return self.writes.writers(rise.since)

    def _find_key(self, event: AlertEvent) -> Row | None:
        keys = [key for key in self._usage if all(event.labels.get(n, v) == v for n, v in self._labels(key).items())]
        return keys[0] if len(keys) == 1 else None

    def _labels(self, key: Row) -> dict[str, str]:
        names = () if self._table is None else self._table.labels
        return dict(zip(names, map(str, key), strict=True))


def _find_disk(device: str, disks: Iterable[str]) -> str | None:
    """Return the disk that a mounted device is, or is a partition of; None where the name does not tell."""
    name = device.removeprefix("/dev/")
    if name in disks:
        return name
    partition = _PARTITION.match(name)
    disk = None if partition is None else partition["disk"] or partition["plain"]
    return disk if disk is not None and disk in disks else None
