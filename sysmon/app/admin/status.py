"""Health of the recorder: does it run, are its samples fresh and complete, what does it cost, how full is its disk?"""

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from math import isnan
from pathlib import Path

from sysmon import __version__
from sysmon.app.admin import disk_forecast
from sysmon.app.admin.clock_trust import ages_by_tier, describe_hold, gather_evidence
from sysmon.app.admin.disk_forecast import DAY
from sysmon.app.silence_store import read_entries
from sysmon.config import DEFAULT_INTERVAL, Storage
from sysmon.datadir.damage import Damage
from sysmon.formats import CONFIGURED_LABELS
from sysmon.formats.records import RULES_TEXT, RUNNING
from sysmon.history import AlertState, Coverage, PastAlert, TableHistory
from sysmon.model import Event
from sysmon.reading import catalog
from sysmon.reading.archive import Archive, StoredTable
from sysmon.reading.coverage import RunPeriod, find_due_periods, find_run_periods, idle_seconds, measure_coverage
from sysmon.sampling.self_tables import AGENT
from sysmon.storage import inventory
from sysmon.storage.free_space import NO_INODES, free_bytes, has_inodes
from sysmon.storage.lock import FORMAT, MAINTENANCE_LOCK, RUN_LOCK, holder
from sysmon.storage.lock_holder import find_strangers
from sysmon.storage.retention import Hold, find_holds
from sysmon.text import units
from sysmon.text.instants import EPOCH, from_ms, parse_instant

HOUR = timedelta(hours=1)
LATE = 3
"""Intervals without a sample after which something is wrong."""

MISSED = 0.01
"""The part of an hour's samples that may be missed before it is a fault."""

COMPLETE = 99.0
"""Percent of a day's samples below which it is a fault."""

EARLY = 300.0
"""Seconds of samples from which on a share of them is judged: of four, one that is missing says little."""

_UNTOLD = frozenset({"hostname", *CONFIGURED_LABELS, RULES_TEXT})
_ENDED_BY = {"collector_unhealthy": "collector_recovered", "reload_failed": "reloaded", "mount_stuck": "mount_back"}
_ERRORS = frozenset(_ENDED_BY) | {
    "collector_failed",
    "gap",
    "limit_exceeded",
    "lock_held",
    "mounts_not_asked",
    "stalled",
    "storage_trouble",
}


class Severity(StrEnum):
    """How bad a fault is: with a warning the record goes on, without what is critical there is none."""

    WARNING = "warning"
    CRITICAL = "critical"


NOT_RUNNING = "not running: start `sysmon run`"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that needs a look, and what to do about it."""

    weight: Severity
    text: str


@dataclass(frozen=True, slots=True)
class RunState:
    """Whether a run holds the data: `pid` is None where none does, 0 where it is not known; `since` when it began.

    `interval` is in seconds, `age` those since the last sample, None where there is none. `version` is the program's.
    """

    pid: int | None
    since: datetime | None
    interval: float
    last: datetime | None
    age: float | None
    version: str | None


@dataclass(frozen=True, slots=True)
class Cost:
    """What the last hour took: samples stored, missed and dropped; mean percent of one core, most bytes of memory."""

    samples: int
    missed: int
    dropped: int
    cpu: float | None
    memory: float | None


@dataclass(frozen=True, slots=True)
class Disk:
    """What the files take in bytes, what is left on their file system, how they grow, and up to which bounds.

    `inodes` says whether that takes new files.
    `holds` tells of files that are kept beyond their age, because the clock may have jumped.
    """

    used: int
    free: int
    inodes: bool
    growth: tuple[disk_forecast.GrowthRate, ...]
    limits: tuple[disk_forecast.CapacityLimit, ...]
    holds: tuple[Hold, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """Everything there is to say. `coverage` is that of the last 24 hours, `idle` the seconds of these not running.

    `error` is the last event that tells of trouble in that time; `format` the version of the stored data.
    """

    at: datetime
    host: str
    data: Path
    running: RunState
    coverage: Coverage | None
    idle: float
    cost: Cost
    disk: Disk
    alerts: tuple[PastAlert, ...]
    error: Event | None
    format: int
    faults: tuple[Fault, ...]

    @property
    def versions(self) -> Mapping[str, str | int]:
        """Return the versions of the program, of Python and of the stored data."""
        return {"sysmon": __version__, "python": platform.python_version(), "data_format": self.format}


def assess_health(data: Path, storage: Storage, host_name: str | None, *, now: datetime) -> Health:
    """Return everything there is to say; raise NothingFoundError where no samples are."""
    archive = Archive.open(data, host_name, Damage())
    events = archive.events(now - DAY, now + HOUR)
    runs = find_run_periods(events, until=now, now=now)
    heartbeat = archive.uncounted().reader(AGENT)
    recent = heartbeat.history(now - HOUR, now + HOUR)
    running = _running(data, heartbeat, recent, runs=runs, events=events, now=now)
    cost = _cost(recent, lost=_count_lost(events, now - HOUR))
    full = _coverage(archive.reader(AGENT), runs, now)
    disk = _disk(data, storage, now)
    alerts = archive.alerts(now, now + HOUR, now=now + timedelta(seconds=1))
    errors = [event for event in events if event.kind in _ERRORS and event.at >= now - DAY]
    return Health(
        at=now,
        host=archive.host.name,
        data=data,
        running=running,
        coverage=full,
        idle=idle_seconds(runs, now - DAY, now) if runs else 0.0,
        cost=cost,
        disk=disk,
        alerts=tuple(alert for alert in alerts if alert.state is AlertState.FIRING),
        error=errors[-1] if errors else None,
        format=FORMAT,
        faults=(
            *_not_running(running),
            *_incomplete(cost, full, running.interval),
            *_full(disk, storage),
            *(Fault(Severity.WARNING, describe_hold(hold)) for hold in disk.holds if hold.host == archive.host.name),
            *find_locked(data),
            *(_open_trouble(events) if running.pid is not None else ()),
            *_damaged(archive.damage),
            *_silences_damaged(data),
        ),
    )


def describe(event: Event) -> str:
    """Return what a stored event tells, in a line; who tells it is known."""
    fields = [f"{name} {value}" for name, value in event.fields.items() if name not in _UNTOLD]
    return f"{event.kind.replace('_', ' ')}: {', '.join(fields)}"


def _running(
    data: Path,
    heartbeat: StoredTable,
    recent: TableHistory,
    *,
    runs: Sequence[RunPeriod],
    events: Iterable[Event],
    now: datetime,
) -> RunState:
    lock = data / RUN_LOCK
    pid = holder(lock)
    began = [event for event in events if event.kind in {RUNNING, "started"}]
    version = began[-1].fields.get("version") if began else None
    last = _last_sample(heartbeat, recent)
    usual = DEFAULT_INTERVAL.total_seconds()
    return RunState(
        pid=pid,
        since=None if pid is None else from_ms(lock.stat().st_mtime_ns // 1_000_000),  # it is written at the start
        interval=min(runs[-1].seconds.values(), default=usual) if runs else usual,
        last=last,
        age=None if last is None else max(0.0, (now - last).total_seconds()),
        version=version if isinstance(version, str) else None,
    )


def _last_sample(heartbeat: StoredTable, recent: TableHistory) -> datetime | None:
    if recent.ticks:
        return from_ms(recent.ticks[-1])
    files = catalog.files(heartbeat.folder, EPOCH, catalog.LAST)
    for file in reversed(files):
        rows = heartbeat.history(file.segment.start, catalog.LAST)
        if rows.ticks:
            return from_ms(rows.ticks[-1])
    return None


def _count_lost(events: Iterable[Event], since: datetime) -> int:
    """Return how many samples were lost in gaps that end after an instant: a row that counts them may be lost, too."""
    gaps = [event.fields for event in events if event.kind == "gap"]
    counts = [fields.get("count") for fields in gaps if _ends_after(since, fields.get("to"))]
    return sum(count for count in counts if isinstance(count, int))


def _ends_after(since: datetime, last: object) -> bool:
    try:
        return isinstance(last, str) and parse_instant(last) >= since
    except ValueError:  # a line that somebody changed
        return False


def _cost(recent: TableHistory, *, lost: int) -> Cost:
    """Return what the last hour of the agent's own table says; `lost` is what the event log says was."""
    columns = {metric.name: index for index, metric in enumerate(AGENT.metrics)}

    def values(name: str) -> list[float]:
        return [value for series in recent.series for value in series.column(columns[name]) if not isnan(value)]

    cpu, memory = values("agent_cpu_percent"), values("agent_memory_bytes")
    return Cost(
        samples=len(recent.ticks),
        missed=round(sum(values("agent_samples_missed"))),
        dropped=max(lost, round(sum(values("agent_samples_dropped")))),
        cpu=sum(cpu) / len(cpu) if cpu else None,
        memory=max(memory, default=None),
    )


def _coverage(heartbeat: StoredTable, runs: Sequence[RunPeriod], now: datetime) -> Coverage | None:
    """Return how complete the last day is; None where nobody sampled in it."""
    since = now - DAY
    ticks = heartbeat.read(since, now).ticks
    coverage = measure_coverage(find_due_periods(runs, AGENT.name, ticks, since, now), ticks)
    return coverage if coverage.expected else None


def _disk(data: Path, storage: Storage, now: datetime) -> Disk:
    stored = inventory.take_inventory(data)
    free = free_bytes(data)
    growth = disk_forecast.measure_growth(stored.files, now)
    limits = disk_forecast.forecast_limits(stored.files, storage, growth, total=stored.total, free=free, now=now)
    evidence = gather_evidence(data, stored.files, now=now)
    holds = find_holds(stored.files, ages_by_tier(storage.retention), now=now, evidence=evidence)
    return Disk(stored.total, free, has_inodes(data), tuple(growth), tuple(limits), tuple(holds))


def _not_running(running: RunState) -> list[Fault]:
    faults = []
    if running.pid is None:
        faults.append(Fault(Severity.CRITICAL, NOT_RUNNING))
    if running.age is None:
        faults.append(Fault(Severity.CRITICAL, "no sample yet"))
    elif running.pid is not None and running.age > LATE * running.interval + 1:
        late = f"no sample for {units.format_age(running.age)}, and there should be one every {running.interval:g} s"
        faults.append(Fault(Severity.CRITICAL, late))
    if running.pid is not None and running.version not in {None, __version__}:
        other = f"sysmon {running.version} runs and {__version__} is installed: start it again"
        faults.append(Fault(Severity.WARNING, other))
    return faults


def _incomplete(cost: Cost, full: Coverage | None, interval: float) -> list[Fault]:
    faults = []
    if cost.dropped:
        faults.append(f"{cost.dropped} samples of the last hour were lost before they were stored: look at its disk")
    taken = cost.samples + cost.missed
    if taken * interval >= EARLY and cost.missed > MISSED * taken:
        faults.append(f"{cost.missed} samples of the last hour were missed: the machine, or sysmon, is too busy")
    if full is not None and full.expected * interval >= EARLY and (percent := share(full)) < COMPLETE:
        gap = f", the longest gap {units.format_age(full.gap)}" if full.gap else ""
        faults.append(f"{percent:.1f} % of the samples of the last 24 hours are there{gap}: look at `sysmon report`")
    return [Fault(Severity.WARNING, text) for text in faults]


def share(full: Coverage) -> float:
    """Return how much there is of what there should be, in percent."""
    return 100 * full.found / full.expected


def _full(disk: Disk, storage: Storage) -> list[Fault]:
    faults = []
    if disk.used > storage.max_bytes:
        bound = units.format_size(storage.max_bytes)
        faults.append(Fault(Severity.WARNING, f"more is stored than max_bytes ({bound}): run `sysmon maintain`"))
    if not disk.inodes:
        faults.append(Fault(Severity.CRITICAL, f"{NO_INODES}, so no file can be made: delete small files on that disk"))
    if disk.free < storage.min_free:
        bound = units.format_size(storage.min_free)
        faults.append(
            Fault(Severity.CRITICAL, f"less is free than min_free ({bound}), so nothing is stored: make room")
        )
    return faults


def find_locked(data: Path) -> list[Fault]:
    """Return which locks of a data directory are held by programs that are no sysmon, and by which."""
    effects = {RUN_LOCK: "no `sysmon run` can begin", MAINTENANCE_LOCK: "nothing expires, nothing is compressed"}
    return [
        Fault(Severity.WARNING, f"{name} is held by {stranger}, which is no sysmon: {effect}: end it")
        for name, effect in effects.items()
        for stranger in find_strangers(data / name)
    ]


def _damaged(damage: Damage) -> list[Fault]:
    if not damage.count:
        return []
    first = f"{damage.count} lines or files of the last day cannot be read, the first: {damage.lines[0]}"
    return [Fault(Severity.WARNING, f"{first}: look at `sysmon verify`")]


def _silences_damaged(data: Path) -> list[Fault]:
    damage = Damage()
    read_entries(data, damage)
    if not damage.count:
        return []
    first = f"{damage.count} silences or acknowledgements cannot be read, the first: {damage.lines[0]}"
    return [Fault(Severity.WARNING, f"{first}: look at `sysmon verify`")]


def _open_trouble(events: Iterable[Event]) -> list[Fault]:
    """Return what began in the present run and has not ended."""
    begun: dict[tuple[str, object], Event] = {}
    for event in events:
        if event.kind == "started":
            begun = {}
        elif event.kind in _ENDED_BY:
            begun[event.kind, _subject(event)] = event
        for kind, end in _ENDED_BY.items():
            if event.kind == end or (kind == "mount_stuck" and event.kind == "mount_gone"):
                begun.pop((kind, _subject(event)), None)
    return [Fault(Severity.WARNING, _still(event)) for event in begun.values()]


def _still(event: Event) -> str:
    """Return what goes on since an event, and what to do about it."""
    fields = event.fields
    if event.kind == "collector_unhealthy":
        return f"collector {fields.get('collector')} fails: {fields.get('error')}: look at `sysmon doctor`"
    if event.kind == "reload_failed":
        return f"changed rules or configuration cannot be read, and the old ones hold: {fields.get('error')}"
    return f"{fields.get('mountpoint')} does not answer since {event.at:%Y-%m-%d %H:%M:%S} UTC: look at its server"


def _subject(event: Event) -> object:
    return event.fields.get("mountpoint") or event.fields.get("collector")
