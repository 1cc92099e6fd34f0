"""Disk I/O: throughput, operations, latency and utilisation, disk by disk."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

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
    """Reads /proc/diskstats (Documentation/admin-guide/iostats.rst of the kernel); psutil on other systems."""

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

    def __init__(self, source: Source, options: DiskIoOptions) -> None:
        self._source = source
        self._filter = Filter(options.include, options.exclude)
        self._diskstats = KernelFile(source.proc / "diskstats")
        self._watched: dict[str, bool] = {}

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
        named = {fields[2].decode("utf-8", "surrogateescape"): fields for fields in lines if len(fields) >= _FIELDS}
        self._watched = {name: self._watches(name) for name in named}
        for name, fields in named.items():
            if self._watched[name] and (counters := _parse_counters(fields[3:_FIELDS])) is not None:
                yield name, counters

    def _watches(self, name: str) -> bool:
        """Decide once for as long as the device is there."""
        watched = self._watched.get(name)
        if watched is not None:
            return watched
        if self._filter.includes(name):
            return True
        return self._filter.allows(name) and not self._is_partition(name)

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
    """Return what one line counts; None for a line of another form, which must not hide the others."""
    try:
        counted = [int(field) for field in fields]
    except ValueError:
        return None
    reads, _, read_sectors, reading, writes, _, written_sectors, writing, _, busy, weighted = counted
    work = (reads, writes, read_sectors * _SECTOR, written_sectors * _SECTOR)
    return DiskCounters(work, (reading, writing, busy, weighted))


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
