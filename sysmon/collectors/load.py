"""Load averages, process counts and open files."""

from dataclasses import dataclass
from typing import Any, ClassVar

from sysmon.collectors._kernel_file import line_number
from sysmon.collectors.api import KernelFile, Kind, Metric, NoOptions, Resource, Row, Source, Table, Unit, rates

Averages = tuple[float | None, float | None, float | None]


@dataclass(frozen=True, slots=True)
class Activity:
    """What the kernel counts about processes; None where it does not."""

    running: int | None = None
    blocked: int | None = None
    forked: int | None = None
    switches: int | None = None
    open_files: int | None = None


@dataclass(frozen=True, slots=True)
class LoadReading:
    """The load averages over 1, 5 and 15 minutes, how many cores and processes there are, and the activity."""

    averages: Averages
    cores: int | None
    processes: int
    activity: Activity


class LoadCollector:
    """Reads /proc, /proc/loadavg, /proc/stat and /proc/sys/fs/file-nr; psutil on other systems."""

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "load",
        "Load averages, processes and open files of the whole machine.",
        (
            Metric("load_average_1m", Kind.GAUGE, Unit.NONE, "Programs running or waiting, averaged over a minute."),
            Metric("load_average_5m", Kind.GAUGE, Unit.NONE, "Programs running or waiting, averaged over 5 minutes."),
            Metric("load_average_15m", Kind.GAUGE, Unit.NONE, "Programs running or waiting, averaged over 15 minutes."),
            Metric("cpu_count", Kind.GAUGE, Unit.NONE, "Logical cores that are online."),
            Metric("processes_total", Kind.GAUGE, Unit.NONE, "Processes that exist."),
            Metric("processes_running", Kind.GAUGE, Unit.NONE, "Threads that run or are ready to."),
            Metric(
                "processes_blocked",
                Kind.GAUGE,
                Unit.NONE,
                "Threads in uninterruptible sleep (state D), mostly waiting for a disk.",
            ),
            Metric("processes_forked_per_second", Kind.RATE, Unit.PER_SECOND, "Processes and threads started."),
            Metric(
                "context_switches_per_second",
                Kind.RATE,
                Unit.PER_SECOND,
                "Context switches: a core goes from one thread to another.",
            ),
            Metric("open_files", Kind.GAUGE, Unit.NONE, "File handles that the kernel has given out."),
        ),
        order=20,
        resource=Resource.CPU,
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source
        self._stat = KernelFile(source.proc / "stat")
        self._averages = KernelFile(source.proc / "loadavg")
        self._handles = KernelFile(source.proc / "sys/fs/file-nr")

    def read(self) -> LoadReading:
        """Read the averages and the counters."""
        return self._read_kernel() if self._source.linux else self._read_psutil()

    def rows(self, before: LoadReading | None, after: LoadReading, seconds: float) -> list[Row]:
        """Return the one row: gauges as read, counters as rates."""
        now = after.activity
        then = before.activity if before else Activity()
        return [
            (
                *after.averages,
                after.cores,
                after.processes,
                now.running,
                now.blocked,
                rates.per_second(then.forked, now.forked, seconds),
                rates.per_second(then.switches, now.switches, seconds),
                now.open_files,
            )
        ]

    def _read_kernel(self) -> LoadReading:
        """Read proc_stat(5): the lines `cpu0`, `cpu1`, then the long line `intr`, then the counters."""
        stat = self._statistics()
        cores = stat.count(b"\ncpu", 0, stat.find(b"\nintr "))
        counters = stat[max(0, stat.rfind(b"\nctxt ")) :]
        processes = len(self._source.listing.names())
        activity = Activity(
            running=line_number(counters, b"\nprocs_running "),
            blocked=line_number(counters, b"\nprocs_blocked "),
            forked=line_number(counters, b"\nprocesses "),
            switches=line_number(counters, b"\nctxt "),
            open_files=self._open_files(),
        )
        return LoadReading(self._kernel_averages(), cores or None, processes, activity)

    def _statistics(self) -> bytes:
        try:
            return self._stat.require()
        except PermissionError:  # hardened kernels: what stands in other files is told all the same
            return b""

    def _kernel_averages(self) -> Averages:
        try:
            short, middle, long = map(float, self._averages.read().split()[:3])
        except (FileNotFoundError, PermissionError, ValueError):  # hidden in some containers
            return None, None, None
        return short, middle, long

    def _open_files(self) -> int | None:
        try:
            return int(self._handles.read().split()[0])
        except (FileNotFoundError, PermissionError, ValueError, IndexError):  # hidden in some containers
            return None

    def _read_psutil(self) -> LoadReading:
        psutil = self._source.psutil
        activity = Activity(switches=psutil.cpu_stats().ctx_switches)
        return LoadReading(_psutil_averages(psutil), psutil.cpu_count(), len(psutil.pids()), activity)


def _psutil_averages(psutil: Any) -> Averages:
    try:
        short, middle, long = psutil.getloadavg()
    except (AttributeError, OSError):  # not on every system
        return None, None, None
    return round(short, 2), round(middle, 2), round(long, 2)
