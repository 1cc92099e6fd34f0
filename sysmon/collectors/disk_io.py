"""Disk I/O: throughput, operations, latency and utilisation, disk by disk."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sysmon.collectors._source import read_bytes
from sysmon.collectors.api import (
    Filter,
    Headline,
    KernelFile,
    Kind,
    Metric,
    Resource,
    Row,
    Source,
    Table,
    Unavailable,
    Unit,
    option,
    rates,
)

_SECTOR = 512
_FIELDS = 14
_MS_BITS = 32
_MAPPED = "dm-"
_NAME_HOLDS = 60.0


@dataclass(frozen=True, slots=True)
class DiskIoOptions:
    """Which devices are watched; whole devices unless a partition is included by name."""

    include: tuple[str, ...] = option((), "devices to watch whatever `exclude` says; partitions too, such as sda1")
    exclude: tuple[str, ...] = option(("loop*", "ram*", "zram*", "fd*", "sr*"), "devices to leave out")


@dataclass(frozen=True, slots=True)
class DiskCounters:
    """What one device has done since it appeared.

    `work` is reads, writes, bytes read, bytes written. `times` is milliseconds spent reading, writing, busy, and
    busy times the requests under way; None where the system does not count them.
    """

    work: tuple[int, int, int, int]
    times: tuple[int | None, int | None, int | None, int | None]


@dataclass(frozen=True, slots=True)
class DiskIoReading:
    """The counters of each device."""

    devices: Mapping[str, DiskCounters]


class DiskIoCollector:
    """Reads /proc/diskstats (Documentation/admin-guide/iostats.rst of the kernel); psutil on other systems.

    Devices of the device mapper (LVM, LUKS, multipath) are named as they are mapped: the next start of the machine may
    give the kernel's `dm-0` to another. Both names count for the filters.
    """

    Options = DiskIoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "disk_io",
        "Reading and writing, disk by disk.",
        (
            Metric("disk_read_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "Bytes read.", resource=Resource.IO),
            Metric(
                "disk_write_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "Bytes written.", resource=Resource.IO
            ),
            Metric("disk_read_ops_per_second", Kind.RATE, Unit.PER_SECOND, "Read requests completed."),
            Metric("disk_write_ops_per_second", Kind.RATE, Unit.PER_SECOND, "Write requests completed."),
            Metric("disk_read_time_ms", Kind.GAUGE, Unit.MILLISECONDS, "Mean time a read took, waiting included."),
            Metric("disk_write_time_ms", Kind.GAUGE, Unit.MILLISECONDS, "Mean time a write took, waiting included."),
            Metric(
                "disk_await_ms",
                Kind.GAUGE,
                Unit.MILLISECONDS,
                "Mean time a read or write took; empty when there was none.",
            ),
            Metric(
                "disk_io_util_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Utilisation: time in which at least one request was in flight.",
                headline=Headline("busiest disk", 60),
            ),
            Metric("disk_queue_length", Kind.GAUGE, Unit.NONE, "Mean number of requests in flight."),
        ),
        labels=("device",),
        order=50,
        resource=Resource.IO,
    )

    def __init__(
        self, source: Source, options: DiskIoOptions, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._source = source
        self._monotonic = monotonic
        self._mapped: dict[str, tuple[float, str]] = {}
        self._filter = Filter(options.include, options.exclude)
        self._diskstats = KernelFile(source.proc / "diskstats")
        self._places: dict[str, tuple[str, bool]] = {}

    def read(self) -> DiskIoReading:
        """Read the counters of every watched device."""
        return DiskIoReading(dict(self._kernel_devices() if self._source.linux else self._psutil_devices()))

    def rows(self, before: DiskIoReading | None, after: DiskIoReading, seconds: float) -> list[Row]:
        """Turn counters into rates and means; a device that was reset or is new has none yet."""
        earlier: Mapping[str, DiskCounters] = before.devices if before else {}
        return [_row(name, earlier.get(name), now, seconds) for name, now in after.devices.items()]

    def _kernel_devices(self) -> Iterator[tuple[str, DiskCounters]]:
        """Yield the devices; fields 1 to 11 of iostats.rst follow the two device numbers and the name."""
        lines = [line.split() for line in self._diskstats.require().split(b"\n")]
        by_name = {fields[2].decode("utf-8", "surrogateescape"): fields for fields in lines if len(fields) >= _FIELDS}
        self._mapped = self._find_mappings(by_name)
        before, self._places = self._places, {}
        for name, fields in by_name.items():
            label = self._label(name, by_name) if name in self._mapped else name
            place = before.get(name)
            if place is None or place[0] != label:
                place = (label, self._watches(name, label))
            self._places[name] = place
            if place[1] and (counters := _parse_counters(fields[3:_FIELDS])) is not None:
                yield label, counters

    def _label(self, name: str, devices: Mapping[str, object]) -> str:
        """Return what a mapped device is called: as its mapping, unless that is what the kernel calls another."""
        mapped = self._mapped[name][1]
        return name if mapped in devices else mapped

    def _find_mappings(self, names: Iterable[str]) -> dict[str, tuple[float, str]]:
        mapped = [name for name in names if name.startswith(_MAPPED)]
        now = self._monotonic() if mapped else 0.0
        return {name: self._find_mapped(name, now) for name in mapped}

    def _find_mapped(self, name: str, now: float) -> tuple[float, str]:
        """Return when the name of a mapping was read, and the name; it is read again after a minute."""
        last = self._mapped.get(name)
        if last is not None and now - last[0] < _NAME_HOLDS:
            return last
        try:
            mapped = read_bytes(self._source.sys / "class/block" / name / "dm/name").strip()
        except OSError:  # a /sys that does not tell
            mapped = b""
        return now, mapped.decode("utf-8", "surrogateescape") or name

    def _watches(self, name: str, label: str) -> bool:
        """Decide once for as long as the device is there, and has that label."""
        if self._filter.includes(name) or self._filter.includes(label):
            return True
        return self._filter.allows(name) and self._filter.allows(label) and not self._is_partition(name)

    def _is_partition(self, name: str) -> bool:
        entry = self._source.sys / "class/block" / name.replace("/", "!") / "partition"
        return entry.exists()

    def _psutil_devices(self) -> Iterator[tuple[str, DiskCounters]]:
        devices: Mapping[str, Any] = self._source.psutil.disk_io_counters(perdisk=True, nowrap=False) or {}
        if not devices:
            raise Unavailable("psutil finds no disk counters (on Windows, `diskperf -y` turns them on)")
        for name, disk in devices.items():
            if self._filter.allows(name):
                work = (disk.read_count, disk.write_count, disk.read_bytes, disk.write_bytes)
                reading, writing, busy = (
                    getattr(disk, field, None) for field in ("read_time", "write_time", "busy_time")
                )
                yield name, DiskCounters(work, (reading, writing, busy, None))


def _parse_counters(fields: list[bytes]) -> DiskCounters | None:
    """Return what one line counts; None for a line of another form, which must not hide the others.

    A device that has worked and shows no time at all is one whose times are not counted, such as md of older kernels.
    """
    try:
        counted = [int(field) for field in fields]
    except ValueError:
        return None
    reads, _, read_sectors, reading, writes, _, written_sectors, writing, _, busy, weighted = counted
    work = (reads, writes, read_sectors * _SECTOR, written_sectors * _SECTOR)
    times = (reading, writing, busy, weighted)
    return DiskCounters(work, times if any(times) or not (reads or writes) else (None,) * 4)


def _row(name: str, before: DiskCounters | None, after: DiskCounters, seconds: float) -> Row:
    if before is None or seconds <= 0 or not rates.continuous(before.work, after.work):
        return (name, *[None] * 9)
    reads, writes, bytes_read, bytes_written = (now - then for then, now in zip(before.work, after.work, strict=True))
    reading, writing, busy, weighted = (
        rates.increase(then, now, bits=_MS_BITS) for then, now in zip(before.times, after.times, strict=True)
    )
    return (
        name,
        round(bytes_read / seconds, 3),
        round(bytes_written / seconds, 3),
        round(reads / seconds, 3),
        round(writes / seconds, 3),
        rates.mean(reading, reads),
        rates.mean(writing, writes),
        None if reading is None or writing is None else rates.mean(reading + writing, reads + writes),
        None if busy is None else min(100.0, round(busy / (seconds * 10), 2)),
        None if weighted is None else round(weighted / (seconds * 1000), 3),
    )
