"""CPU time by mode, in all and core by core."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from sysmon.collectors.api import (
    Headline,
    KernelFile,
    Kind,
    Metric,
    NoOptions,
    Resource,
    Row,
    Source,
    Table,
    Unit,
    rates,
)

_FIELDS = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
_IDLE, _IOWAIT = _FIELDS.index("idle"), _FIELDS.index("iowait")
_TOGETHER = "all"

Times = tuple[int | None, ...]
"""Time spent in each field of `_FIELDS` since the start, in whatever unit; None where the system does not count it."""


@dataclass(frozen=True, slots=True)
class CpuReading:
    """The time spent by each core, and by all together, as counted since the machine started."""

    cores: Mapping[str, Times]


class CpuCollector:
    """Reads /proc/stat (proc_stat(5): `user` and `nice` contain the time given to guests); psutil elsewhere."""

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "cpu",
        "Processor time, for all cores together and for each.",
        (
            Metric(
                "cpu_usage_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Time in use: neither idle nor waiting for a disk.",
                headline=Headline("CPU", 10),
            ),
            Metric("cpu_user_percent", Kind.RATIO, Unit.PERCENT, "Time in programs, virtual machines included."),
            Metric("cpu_nice_percent", Kind.RATIO, Unit.PERCENT, "Time in programs of lowered priority."),
            Metric("cpu_system_percent", Kind.RATIO, Unit.PERCENT, "Time in the kernel."),
            Metric("cpu_idle_percent", Kind.RATIO, Unit.PERCENT, "Time with nothing to do.", remainder=True),
            Metric(
                "cpu_iowait_percent", Kind.RATIO, Unit.PERCENT, "I/O wait: idle time while a task waited for a disk."
            ),
            Metric("cpu_irq_percent", Kind.RATIO, Unit.PERCENT, "Time in hardware interrupts."),
            Metric("cpu_softirq_percent", Kind.RATIO, Unit.PERCENT, "Time in soft interrupts."),
            Metric(
                "cpu_steal_percent", Kind.RATIO, Unit.PERCENT, "Steal: time that the hypervisor gave to other machines."
            ),
        ),
        labels=("core",),
        whole=_TOGETHER,
        order=10,
        resource=Resource.CPU,
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source
        self._stat = KernelFile(source.proc / "stat")

    def read(self) -> CpuReading:
        """Read the time counters of the whole and of each core that is online."""
        return CpuReading(self._kernel_cores() if self._source.linux else self._psutil_cores())

    def rows(self, before: CpuReading | None, after: CpuReading, seconds: float) -> list[Row]:
        """Turn time counters into shares of the time that passed."""
        earlier: Mapping[str, Times] = before.cores if before else {}
        return [_row(core, earlier.get(core), times) for core, times in after.cores.items()]

    def _kernel_cores(self) -> dict[str, Times]:
        """Read the lines `cpu`, `cpu0`, `cpu2` that stand first; cores that are offline have none."""
        cores: dict[str, Times] = {}
        for line in self._stat.require().split(b"\n"):
            if not line.startswith(b"cpu"):
                break
            name, *counted = line.split()[: len(_FIELDS) + 1]
            missing = [None] * (len(_FIELDS) - len(counted))
            try:
                cores[name[len("cpu") :].decode() or _TOGETHER] = (*map(int, counted), *missing)
            except ValueError:  # a torn line: one core must not hide the others
                continue
        return cores

    def _psutil_cores(self) -> dict[str, Times]:
        psutil = self._source.psutil
        cores = {_TOGETHER: _times(psutil.cpu_times(percpu=False))}
        return cores | {str(number): _times(core) for number, core in enumerate(psutil.cpu_times(percpu=True))}


def _times(core: Any) -> Times:
    counted = (getattr(core, field, None) for field in _FIELDS)
    return tuple([None if seconds is None else round(seconds * 1_000_000) for seconds in counted])


def _row(core: str, before: Times | None, after: Times) -> Row:
    columns = [at for at, time in enumerate(after) if time is not None]
    shares: list[float | None] = [None] * len(_FIELDS)
    for at, share in zip(columns, rates.shares(_drop_missing(before), _drop_missing(after) or ()), strict=True):
        shares[at] = share
    idle = shares[_IDLE]
    usage = None if idle is None else max(0.0, round(100.0 - idle - (shares[_IOWAIT] or 0.0), 2))
    return (core, usage, *shares)


def _drop_missing(times: Times | None) -> list[int] | None:
    return None if times is None else [time for time in times if time is not None]
