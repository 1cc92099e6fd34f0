"""Overview of a tick: what matters most of a sample, in a handful of numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sysmon.headlines import HeadlineValue, pick_headlines
from sysmon.model import Row, Table

_OTHERS = "-1"
TABLES = frozenset({"cpu", "memory", "disk_io", "disk_usage", "network", "process"})
"""The tables that have numbers of their own in an overview; others have their headlines."""


def is_in_overview(table: Table) -> bool:
    """Say whether an overview has anything of a table."""
    return table.name in TABLES or any(metric.headline for metric in table.metrics)


@dataclass(frozen=True, slots=True)
class Fill:
    """How full something is, in percent and in bytes."""

    percent: float
    used: float | None = None
    total: float | None = None


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk and its work: percent of the time, bytes a second."""

    name: str
    percent: float
    read: float | None = None
    written: float | None = None


@dataclass(frozen=True, slots=True)
class Mount:
    """A file system, how full it is (percent) and the bytes that are left for users."""

    name: str
    percent: float
    free: float | None = None


@dataclass(frozen=True, slots=True)
class Process:
    """A process and what it uses: percent of one core, or bytes of memory."""

    name: str
    pid: str
    value: float


@dataclass(frozen=True, slots=True)
class Overview:
    """Percent of all CPUs, memory and swap, the busiest disk, the fullest file system, bytes a second on all
    interfaces, the processes that use most CPU and most memory; None where nothing is known. `others` are the headlines
    of all other tables."""

    cpu: float | None = None
    memory: Fill | None = None
    swap: Fill | None = None
    disk: Disk | None = None
    mount: Mount | None = None
    received: float | None = None
    sent: float | None = None
    process: Process | None = None
    largest: Process | None = None
    others: tuple[HeadlineValue, ...] = ()


def summarize(rows: Mapping[str, Sequence[Row]], tables: Mapping[str, Table]) -> Overview:
    """Pick the numbers of a glance out of the rows of a tick."""
    tick_rows = _TickRows(rows, tables)
    cpus = tick_rows.find("cpu", ["core"], "cpu_usage_percent")
    return Overview(
        cpu=next((core.value for core in cpus if core.labels == ["all"]), None),
        memory=_fill(tick_rows.find("memory", [], "memory_usage_percent", "memory_used_bytes", "memory_total_bytes")),
        swap=_fill(tick_rows.find("memory", [], "swap_usage_percent", "swap_used_bytes", "swap_total_bytes")),
        disk=_busiest(tick_rows),
        mount=_fullest(tick_rows),
        received=_total(tick_rows.find("network", [], "network_receive_bytes_per_second")),
        sent=_total(tick_rows.find("network", [], "network_transmit_bytes_per_second")),
        process=_top(tick_rows, "process_cpu_percent"),
        largest=_top(tick_rows, "process_memory_bytes"),
        others=pick_headlines(((tables[name], rows[name]) for name in rows if name in tables), besides=TABLES),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """What was looked for in one row: labels, the metric that counts, and further ones."""

    labels: list[str]
    value: float
    more: list[float | None]


@dataclass(frozen=True, slots=True)
class _TickRows:
    """The rows of a tick, to be asked by names."""

    rows: Mapping[str, Sequence[Row]]
    tables: Mapping[str, Table]

    def find(self, table: str, labels: Sequence[str], metric: str, *more: str) -> list[_Reading]:
        """Return what the rows that have a metric say about it."""
        if table not in self.rows or table not in self.tables:
            return []
        columns = self.tables[table].columns
        at, names, others = columns.index(metric), [*map(columns.index, labels)], [*map(columns.index, more)]
        readings = []
        for row in self.rows[table]:
            value = _number(row[at])
            if value is not None:
                readings.append(
                    _Reading([str(row[name]) for name in names], value, [_number(row[other]) for other in others])
                )
        return readings


def _number(cell: str | int | float | None) -> float | None:
    return cell if isinstance(cell, int | float) else None


def _most(readings: Sequence[_Reading]) -> _Reading | None:
    return max(readings, key=lambda each: each.value, default=None)


def _fill(readings: Sequence[_Reading]) -> Fill | None:
    return next((Fill(each.value, *each.more) for each in readings), None)


def _busiest(tick_rows: _TickRows) -> Disk | None:
    rates = ("disk_read_bytes_per_second", "disk_write_bytes_per_second")
    most = _most(tick_rows.find("disk_io", ["device"], "disk_io_util_percent", *rates))
    return Disk(most.labels[0], most.value, *most.more) if most else None


def _fullest(tick_rows: _TickRows) -> Mount | None:
    most = _most(tick_rows.find("disk_usage", ["mountpoint"], "disk_usage_percent", "disk_free_bytes"))
    return Mount(most.labels[0], most.value, *most.more) if most else None


def _top(tick_rows: _TickRows, metric: str) -> Process | None:
    readings = tick_rows.find("process", ["name", "pid"], metric)
    most = _most([each for each in readings if each.labels[1] != _OTHERS])
    return Process(most.labels[0], most.labels[1], most.value) if most else None


def _total(readings: Sequence[_Reading]) -> float | None:
    return sum(each.value for each in readings) if readings else None
