"""How busy is the processor, in all and core by core?"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sysmon import rates
from sysmon.collectors._options import NoOptions
from sysmon.collectors._source import Source
from sysmon.errors import Unavailable
from sysmon.model import Kind, Metric, Row, Table

_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_IDLE, _IOWAIT = _FIELDS.index("idle"), _FIELDS.index("iowait")
_TOGETHER = "all"

Times = tuple[int | None, ...]
"""Microseconds spent in each field of `_FIELDS` since the start; None where the system does not count it."""


@dataclass(frozen=True, slots=True)
class CpuReading:
    """The time spent by each core, and by all together, as counted since the machine started."""

    cores: Mapping[str, Times]


class CpuCollector:
    """Reads psutil.cpu_times: /proc/stat in proc_stat(5), where `user` and `nice` contain the time given to guests."""

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "cpu",
        "Processor time, for all cores together and for each.",
        (
            Metric("cpu_usage_percent", Kind.RATIO, "percent", "Time in use: neither idle nor waiting for a disk."),
            Metric("cpu_user_percent", Kind.RATIO, "percent", "Time in programs, virtual machines included."),
            Metric("cpu_nice_percent", Kind.RATIO, "percent", "Time in programs of lowered priority."),
            Metric("cpu_system_percent", Kind.RATIO, "percent", "Time in the kernel."),
            Metric("cpu_idle_percent", Kind.RATIO, "percent", "Time with nothing to do."),
            Metric("cpu_iowait_percent", Kind.RATIO, "percent", "Idle time while a program waited for a disk."),
            Metric("cpu_irq_percent", Kind.RATIO, "percent", "Time serving hardware interrupts."),
            Metric("cpu_softirq_percent", Kind.RATIO, "percent", "Time in work that interrupts put off."),
            Metric("cpu_steal_percent", Kind.RATIO, "percent", "Time that the hypervisor gave to other machines."),
        ),
        labels=("core",),
        whole=_TOGETHER,
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source

    def read(self) -> CpuReading:
        """Read the time counters of the whole and of each core that is online."""
        psutil = self._source.psutil
        try:
            whole, each = psutil.cpu_times(percpu=False), psutil.cpu_times(percpu=True)
        except FileNotFoundError as error:
            raise Unavailable(f"there is no {error.filename}") from error
        cores = {_TOGETHER: _times(whole)}
        cores |= {name: _times(core) for name, core in zip(self._names(len(each)), each, strict=True)}
        return CpuReading(cores)

    def rows(self, before: CpuReading | None, after: CpuReading, seconds: float) -> list[Row]:
        """Turn time counters into shares of the time that passed."""
        earlier: Mapping[str, Times] = before.cores if before else {}
        return [_row(core, earlier.get(core), times) for core, times in after.cores.items()]

    def _names(self, count: int) -> list[str]:
        """Return the kernel's numbers of the online cores: psutil leaves out those that are offline, and renumbers."""
        if self._source.linux:
            try:
                names = _expand(self._source.read_text(self._source.sys / "devices/system/cpu/online"))
            except (
                FileNotFoundError,
                PermissionError,
                ValueError,
            ):  # no /sys in this container: counting is all there is
                names = []
            if len(names) == count:
                return names
        return [str(number) for number in range(count)]


def _expand(ranges: str) -> list[str]:
    """Return `0`, `2`, `3` for the kernel's list format `0,2-3`."""
    names: list[str] = []
    for part in ranges.strip().split(","):
        first, _, last = part.partition("-")
        names += [str(number) for number in range(int(first), int(last or first) + 1)]
    return names


def _times(core: Any) -> Times:
    counted = (getattr(core, field, None) for field in _FIELDS)
    return tuple([None if seconds is None else round(seconds * 1_000_000) for seconds in counted])


def _row(core: str, before: Times | None, after: Times) -> Row:
    known = [at for at, time in enumerate(after) if time is not None]
    shares: list[float | None] = [None] * len(_FIELDS)
    for at, share in zip(known, rates.shares(_present(before), _present(after) or ()), strict=True):
        shares[at] = share
    idle = shares[_IDLE]
    usage = None if idle is None else max(0.0, round(100.0 - idle - (shares[_IOWAIT] or 0.0), 2))
    return (core, usage, *shares)


def _present(times: Times | None) -> list[int] | None:
    return None if times is None else [time for time in times if time is not None]
