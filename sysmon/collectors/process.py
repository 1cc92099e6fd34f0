"""Top processes by CPU, memory and I/O."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

from sysmon.collectors import _procfs, _ranking
from sysmon.collectors._kernel_file import line_number
from sysmon.collectors._process_files import GONE, ProcessFiles
from sysmon.collectors._procfs import Usage
from sysmon.collectors._ranking import Io, Processes
from sysmon.collectors.api import (
    Headline,
    KernelFile,
    Kind,
    Metric,
    Resource,
    Row,
    Source,
    Table,
    Total,
    Unit,
    option,
    rates,
)
from sysmon.text import instants

_IO = Total(
    Metric(
        "process_io_bytes_per_second",
        Kind.RATE,
        Unit.BYTES_PER_SECOND,
        "read and written together",
        headline=Headline("top by I/O", 220),
    ),
    ("process_read_bytes_per_second", "process_write_bytes_per_second"),
)
_OTHERS = ("-1", "-", "(others)", "-", "-")
_MICROSECONDS = 1_000_000
_USERS = 256

Labels = tuple[str, str, str, str, str]
"""The pid, when it started, its name, its user and its unit."""


@dataclass(frozen=True, slots=True)
class ProcessOptions:
    """How many processes are listed."""

    top: int = option(10, "processes to list by CPU, by memory and by I/O, each", at_least=1, at_most=100)
    kernel_threads: bool = option(True, "count the kernel's own threads in")


@dataclass(frozen=True, slots=True)
class MachineTotals:
    """What the rows are measured by: the busy time of all cores in ticks, how long a tick is, and all memory.

    `boot` is the tick at which the machine started, counted from the epoch; all but the length is None where unknown.
    """

    busy: int | None
    ticks_per_second: int
    boot: int | None
    memory: int | None


@dataclass(frozen=True, slots=True)
class ProcessReading:
    """All processes, and the labels of those that lead since the reading before."""

    processes: Processes
    listed: Mapping[int, Labels]
    machine: MachineTotals


class ProcessCollector:
    """Reads /proc/PID/stat of every process, /proc/PID/io and cgroup of a few; psutil on other systems.

    Who is listed is decided while reading, against the reading before, since only they are asked for more. Between
    two readings it remembers the last one and the users and units of who was listed, so nothing outlives its process.
    """

    Options = ProcessOptions
    default_interval: ClassVar[float | None] = None
    cpu_budget: ClassVar[float] = 0.25
    table: ClassVar[Table] = Table(
        "process",
        "The processes that use most, and one row for all others.",
        (
            Metric(
                "process_cpu_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Processor time, in percent of one core.",
                headline=Headline("top by CPU", 200),
                resource=Resource.CPU,
            ),
            Metric(
                "process_memory_bytes",
                Kind.GAUGE,
                Unit.BYTES,
                "Resident set size (RSS): memory in use, shared pages included.",
                headline=Headline("top by memory", 210),
                resource=Resource.MEMORY,
            ),
            Metric("process_memory_percent", Kind.RATIO, Unit.PERCENT, "Memory in use of all memory."),
            Metric("process_threads", Kind.GAUGE, Unit.NONE, "Threads."),
            Metric(
                "process_read_bytes_per_second",
                Kind.RATE,
                Unit.BYTES_PER_SECOND,
                "Bytes it made the disks read.",
                resource=Resource.IO,
            ),
            Metric(
                "process_write_bytes_per_second",
                Kind.RATE,
                Unit.BYTES_PER_SECOND,
                "Bytes it made the disks write.",
                resource=Resource.IO,
            ),
            Metric(
                "process_children_cpu_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "Processor time of its children that have ended, where no other row has counted it.",
            ),
        ),
        labels=("pid", "started", "name", "username", "unit"),
        series=False,
        totals=(_IO,),
    )

    def __init__(self, source: Source, options: ProcessOptions) -> None:
        self._source = source
        self._options = options
        self._scanner = _procfs.Scanner(source.proc, source.listing.take, kernel_threads=options.kernel_threads)
        self._io_files = ProcessFiles(source.proc, "io")
        self._stat, self._meminfo = KernelFile(source.proc / "stat"), KernelFile(source.proc / "meminfo")
        self._boot: int | None = None
        self._previous: ProcessReading | None = None
        self._belongings: dict[tuple[int, int], tuple[str, str]] = {}
        # The answer may come from a directory server.
        self._user_name = lru_cache(_USERS)(_procfs.user_names(source.root))

    def read(self) -> ProcessReading:
        """Read every process, and more about those that lead."""
        self._previous = self._read_kernel() if self._source.linux else self._read_psutil()
        return self._previous

    def rows(self, before: ProcessReading | None, after: ProcessReading, seconds: float) -> list[Row]:
        """Return the listed processes, and one row for all that is not listed."""
        used = {pid: _cpu_percent(pid, before, after, seconds) for pid in after.listed}
        shown = sum(filter(None, used.values()))
        below = _ranking.find_ended(before.processes, after.processes.usage) if before else {}
        children = _children_percent(before, after, below, seconds)
        listed = [
            (*after.listed[pid], cpu, *_metrics(pid, before, after, below, seconds), children.get(pid))
            for pid, cpu in used.items()
        ]
        return [*listed, _others(shown, before, after, seconds)]

    def _read_kernel(self) -> ProcessReading:
        machine = self._machine()
        usage = self._scanner.scan()
        past = self._previous.processes if self._previous else None
        below = _ranking.find_ended(past, usage) if past else {}
        grown = _ranking.compute_cpu_growth(past, usage)
        if past is not None:
            for pid, ticks in _ranking.compute_children_growth(past, usage, usage, below).items():
                grown[pid] = grown.get(pid, 0) + ticks
        leading = _ranking.rank_by_use(usage, grown, self._options.top)
        pids = dict.fromkeys([*grown, *(self._previous.listed if self._previous else ()), *leading])
        answers = [(pid, self._io(pid)) for pid in pids if pid in usage]
        self._io_files.turn()
        processes = _ranking.make_processes(usage, {pid: io for pid, io in answers if io is not None})
        leading += _ranking.rank_by_io(past, processes, self._options.top, below)
        return ProcessReading(processes, self._label(dict.fromkeys(leading), usage, machine), machine)

    def _io(self, pid: int) -> Io | None:
        try:
            return _procfs.parse_io(self._io_files.read(str(pid)))
        except GONE:
            return None

    def _machine(self) -> MachineTotals:
        """Read proc_stat(5) and proc_meminfo(5). What may not be read costs what is measured by it, and no row.

        The time of the start is taken once: the kernel computes it from the clock, and it moves when that is set.
        """
        stat, meminfo = _permitted(self._stat), _permitted(self._meminfo)
        hertz = os.sysconf("SC_CLK_TCK")
        if self._boot is None and (seconds := line_number(stat, b"\nbtime ")) is not None:
            self._boot = seconds * hertz
        kibibytes = line_number(b"\n" + meminfo, b"\nMemTotal:")
        return MachineTotals(_busy(stat), hertz, self._boot, None if kibibytes is None else kibibytes * 1024)

    def _label(
        self, leading: Mapping[int, None], usage: Mapping[int, Usage], machine: MachineTotals
    ) -> dict[int, Labels]:
        """Name the leading processes. What a newborn belongs to may still change, so that is asked again next time."""
        belongings, self._belongings = self._belongings, {}
        past: Mapping[int, Usage] = self._previous.processes.usage if self._previous else {}
        labels = {}
        for pid in leading:
            now = usage[pid]
            user, unit = belongings.get((pid, now.start)) or self._belonging(pid)
            if pid in past and past[pid].start == now.start:
                self._belongings[pid, now.start] = (user, unit)
            labels[pid] = _labels(pid, now, machine, user=user, unit=unit)
        return labels

    def _belonging(self, pid: int) -> tuple[str, str]:
        uid = _procfs.owner(self._source.proc, pid)
        return "-" if uid is None else self._user_name(uid), _procfs.read_unit(self._source.proc, pid)

    def _read_psutil(self) -> ProcessReading:
        psutil = self._source.psutil
        attributes = ["pid", "name", "create_time", "cpu_times", "memory_info", "num_threads", "username"]
        if hasattr(psutil.Process, "io_counters"):
            attributes.append("io_counters")
        every = [process.info for process in psutil.process_iter(attributes, ad_value=None)]
        infos = [info for info in every if info["pid"] or self._source.platform != "win32"]  # 0 is idle time there
        usage = {info["pid"]: _psutil_usage(info) for info in infos}
        counted = ((info["pid"], info.get("io_counters")) for info in infos)
        io: dict[int, Io] = {
            pid: (counters.read_bytes, counters.write_bytes) for pid, counters in counted if counters is not None
        }
        past = self._previous.processes if self._previous else None
        processes = _ranking.make_processes(usage, io)
        leading = _ranking.rank_by_use(usage, _ranking.compute_cpu_growth(past, usage), self._options.top)
        leading += _ranking.rank_by_io(past, processes, self._options.top)
        machine = MachineTotals(_psutil_busy(psutil), _MICROSECONDS, 0, psutil.virtual_memory().total)
        users = {info["pid"]: info["username"] or "-" for info in infos}
        listed = {pid: _labels(pid, usage[pid], machine, user=users[pid], unit="-") for pid in leading}
        return ProcessReading(processes, listed, machine)


def _permitted(file: KernelFile) -> bytes:
    """Return a file, or nothing where it may not be read; raise Unavailable where there is none."""
    try:
        return file.require()
    except PermissionError:
        return b""


def _busy(stat: bytes) -> int | None:
    """Return the ticks of user, nice, system, irq and softirq (old kernels stop after idle); steal is not work."""
    name, *counted = stat[: max(0, stat.find(b"\n"))].split()[:8] or [b""]
    if name != b"cpu" or len(counted) < 4:
        return None
    user, nice, system, _, _, irq, softirq = map(int, [*counted, *[b"0"] * (7 - len(counted))])
    return user + nice + system + irq + softirq


def _psutil_usage(info: Mapping[str, Any]) -> Usage:
    times, memory = info["cpu_times"], info["memory_info"]
    return Usage(
        start=round((info["create_time"] or 0) * _MICROSECONDS),
        ticks=None if times is None else round((times.user + times.system) * _MICROSECONDS),
        memory=None if memory is None else memory.rss,
        threads=info["num_threads"],
        name=(info["name"] or "").encode("utf-8", "surrogateescape"),
    )


def _psutil_busy(psutil: Any) -> int:
    times = psutil.cpu_times(percpu=False)
    return round(sum(getattr(times, field, 0.0) for field in ("user", "nice", "system", "irq")) * _MICROSECONDS)


def _labels(pid: int, now: Usage, machine: MachineTotals, *, user: str, unit: str) -> Labels:
    return str(pid), _format_start(now, machine), now.name.decode("utf-8", "surrogateescape") or "-", user, unit


def _format_start(now: Usage, machine: MachineTotals) -> str:
    if machine.boot is None:
        return "-"
    seconds = (machine.boot + now.start) // machine.ticks_per_second
    return f"{instants.from_ms(seconds * 1000):%Y-%m-%dT%H:%M:%SZ}" if seconds else "-"


def _cpu_percent(pid: int, before: ProcessReading | None, after: ProcessReading, seconds: float) -> float | None:
    if before is None:
        return None
    grown = _ranking.cpu_growth(before.processes, pid, after.processes.usage[pid])
    return rates.percent(grown, seconds * after.machine.ticks_per_second)


def _children_percent(
    before: ProcessReading | None, after: ProcessReading, below: Mapping[int, list[int]], seconds: float
) -> dict[int, float | None]:
    """Return what ended children of each listed process used; nothing on systems that do not count it."""
    if before is None or not any(process.parent for process in after.processes.usage.values()):
        return {}
    grown = _ranking.compute_children_growth(before.processes, after.processes.usage, after.listed, below)
    ticks = seconds * after.machine.ticks_per_second
    return {pid: rates.percent(grown.get(pid, 0), ticks) for pid in after.listed}


def _metrics(
    pid: int, before: ProcessReading | None, after: ProcessReading, below: Mapping[int, list[int]], seconds: float
) -> Row:
    now = after.processes.usage[pid]
    read, written = _ranking.io_growth(before.processes, after.processes, pid, below) if before else (None, None)
    return (
        now.memory,
        rates.percent(now.memory, after.machine.memory),
        now.threads,
        rates.mean(read, seconds),
        rates.mean(written, seconds),
    )


def _others(shown: float, before: ProcessReading | None, after: ProcessReading, seconds: float) -> Row:
    """Count all that is not listed; the busy time that nobody listed has used holds what ended meanwhile, too."""
    grown = rates.increase(before.machine.busy, after.machine.busy) if before else None
    busy = rates.percent(grown, seconds * after.machine.ticks_per_second)
    rest = [process for pid, process in after.processes.usage.items() if pid not in after.listed]
    memory = sum([process.memory or 0 for process in rest])
    threads = sum([process.threads or 0 for process in rest])
    cpu = None if busy is None else max(0.0, round(busy - shown, 2))
    return (*_OTHERS, cpu, memory, rates.percent(memory, after.machine.memory), threads, None, None, None)
