"""How much work is waiting? Load averages, processes and what the kernel does for them."""

from dataclasses import dataclass
from typing import ClassVar

from sysmon import rates
from sysmon.collectors._options import NoOptions
from sysmon.collectors._source import Source
from sysmon.model import Kind, Metric, Row, Table


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

    averages: tuple[float | None, float | None, float | None]
    cores: int | None
    processes: int
    activity: Activity


class LoadCollector:
    """Reads psutil for load averages, cores and processes; /proc/stat and /proc/sys/fs/file-nr for the rest."""

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "load",
        "Load averages, processes and open files of the whole machine.",
        (
            Metric("load_average_1m", Kind.GAUGE, "", "Programs running or waiting, averaged over a minute."),
            Metric("load_average_5m", Kind.GAUGE, "", "Programs running or waiting, averaged over 5 minutes."),
            Metric("load_average_15m", Kind.GAUGE, "", "Programs running or waiting, averaged over 15 minutes."),
            Metric("cpu_count", Kind.GAUGE, "", "Logical cores that are online."),
            Metric("processes_total", Kind.GAUGE, "", "Processes that exist."),
            Metric("processes_running", Kind.GAUGE, "", "Threads that run or are ready to."),
            Metric("processes_blocked", Kind.GAUGE, "", "Threads that wait for a disk and cannot be interrupted."),
            Metric("processes_forked_per_second", Kind.RATE, "/s", "Processes and threads started."),
            Metric("context_switches_per_second", Kind.RATE, "/s", "Switches of a core from one thread to another."),
            Metric("open_files", Kind.GAUGE, "", "File handles that the kernel has given out."),
        ),
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source

    def read(self) -> LoadReading:
        """Read the averages and the counters."""
        psutil = self._source.psutil
        activity = self._kernel_activity() if self._source.linux else Activity(switches=psutil.cpu_stats().ctx_switches)
        return LoadReading(self._averages(), psutil.cpu_count(), len(psutil.pids()), activity)

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

    def _averages(self) -> tuple[float | None, float | None, float | None]:
        try:
            short, middle, long = self._source.psutil.getloadavg()
        except (AttributeError, OSError):  # not on every system, and not in every container
            return None, None, None
        return round(short, 2), round(middle, 2), round(long, 2)

    def _kernel_activity(self) -> Activity:
        """Read the lines of proc_stat(5) that follow the long `intr` line, and the first field of file-nr."""
        stat = self._source.require(self._source.proc / "stat")
        lines = (line.split() for line in stat[max(0, stat.rfind(b"\nctxt ")) :].split(b"\n"))
        counted = {words[0]: int(words[1]) for words in lines if len(words) == 2}
        return Activity(
            running=counted.get(b"procs_running"),
            blocked=counted.get(b"procs_blocked"),
            forked=counted.get(b"processes"),
            switches=counted.get(b"ctxt"),
            open_files=self._open_files(),
        )

    def _open_files(self) -> int | None:
        try:
            return int((self._source.proc / "sys/fs/file-nr").read_bytes().split()[0])
        except (FileNotFoundError, PermissionError):  # hidden in some containers
            return None
