"""What matters most of a sample, in a handful of numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sysmon.model import Row, Table


@dataclass(frozen=True, slots=True)
class Named:
    """A number and the name of what it belongs to."""

    name: str
    value: float


@dataclass(frozen=True, slots=True)
class Glance:
    """Percent of all CPUs and of memory, the busiest disk (percent), bytes a second on all interfaces, the process
    that uses most CPU (percent of one core); None where nothing is known."""

    cpu: float | None
    memory: float | None
    disk: Named | None
    received: float | None
    sent: float | None
    process: Named | None


def glance(rows: Mapping[str, Sequence[Row]], tables: Mapping[str, Table]) -> Glance:
    """Pick the numbers of a glance out of the rows of a tick."""

    def numbers(table: str, metric: str) -> list[Named]:
        if table not in rows or table not in tables:
            return []
        columns = tables[table].columns
        at, label = columns.index(metric), columns.index(_NAME_OF.get(table, columns[0]))
        found = ((str(row[label]), row[at]) for row in rows[table])
        return [Named(name, value) for name, value in found if isinstance(value, int | float)]

    cpus = [core.value for core in numbers("cpu", "cpu_usage_percent") if core.name == "all"]
    memory = [whole.value for whole in numbers("memory", "memory_usage_percent")]
    processes = [process for process in numbers("process", "process_cpu_percent") if process.name != "(others)"]
    return Glance(
        cpu=next(iter(cpus), None),
        memory=next(iter(memory), None),
        disk=_largest(numbers("disk_io", "disk_io_util_percent")),
        received=_total(numbers("network", "network_receive_bytes_per_second")),
        sent=_total(numbers("network", "network_transmit_bytes_per_second")),
        process=_largest(processes),
    )


_NAME_OF = {"process": "name"}


def _largest(values: Sequence[Named]) -> Named | None:
    return max(values, key=lambda named: named.value, default=None)


def _total(values: Sequence[Named]) -> float | None:
    return sum(named.value for named in values) if values else None
