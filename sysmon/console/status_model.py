"""Status model: what the status area shows, brought up to date by every sample."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sysmon.console.overview import Overview, is_in_overview, summarize
from sysmon.model import AlertEvent, Level, Row, Sample, Table, Transition

KEPT = 200
"""Ticks that are remembered for the sparklines: one for each column of a wide terminal."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What is watched, how often, and where the files go."""

    host: str
    every: str
    files: str


@dataclass(frozen=True, slots=True)
class Point:
    """One tick in the sparklines: percents, and bytes a second on all interfaces; None where nothing was seen."""

    at: datetime
    cpu: float | None = None
    memory: float | None = None
    disk: float | None = None
    network: float | None = None


@dataclass(frozen=True, slots=True)
class ActiveAlert:
    """An active alert: `where` is the instance (`core=all`), `condition` what is breached, `seconds` since when."""

    level: Level
    rule: str
    where: str
    condition: str
    seconds: float


@dataclass(frozen=True, slots=True)
class RunStatus:
    """Everything that the status area shows.

    `running` is the seconds since the first look. `levels` holds the worst level that fires on each table. `ticks`
    is None before the first sample of the run. The alerts are sorted: the worst first, then the oldest.
    """

    about: RunInfo
    at: datetime
    running: float = 0.0
    overview: Overview = field(default_factory=Overview)
    history: tuple[Point, ...] = ()
    alerts: tuple[ActiveAlert, ...] = ()
    levels: Mapping[str, Level] = field(default_factory=dict)
    ticks: int | None = None
    missed: int = 0
    dropped: int = 0
    own_cpu: float | None = None
    own_memory: float | None = None


class StatusTracker:
    """Remembers what one sample does not hold: slower tables, the last minutes, what was missed so far."""

    def __init__(self, tables: Mapping[str, Table], about: RunInfo) -> None:
        self._tables = tables
        self._about = about
        self._shown = frozenset(name for name, table in tables.items() if is_in_overview(table))
        self._table_of = {metric.name: table.name for table in tables.values() for metric in table.metrics}
        self._latest: dict[str, Sequence[Row]] = {}
        self._history: deque[Point] = deque(maxlen=KEPT)
        self._seen_at: datetime | None = None
        self._running = 0.0
        self._missed = 0
        self._dropped = 0

    def update(self, sample: Sample, active: Sequence[AlertEvent]) -> RunStatus:
        """Return how things are after a sample.

        Tables that were not due are shown as they were last seen; what a collector failed to read is not shown.
        """
        self._latest.update({name: rows for name, rows in sample.rows.items() if name in self._shown})
        for failure in sample.failures:
            self._latest.pop(failure.collector, None)
        self._running += _seconds(self._seen_at or sample.at, sample.at)
        self._seen_at = sample.at
        own = self._own(sample)
        overview = summarize(self._latest, self._tables)
        self._remember(sample.at, overview, missed=int(own.get("agent_samples_missed") or 0))
        self._dropped += int(own.get("agent_samples_dropped") or 0)
        ticks = own.get("agent_sequence")
        return RunStatus(
            about=self._about,
            at=sample.at,
            running=self._running,
            overview=overview,
            history=tuple(self._history),
            alerts=self._firing(sample.at, active),
            levels=self._levels(active),
            ticks=None if ticks is None else int(ticks),
            missed=self._missed,
            dropped=self._dropped,
            own_cpu=own.get("agent_cpu_percent"),
            own_memory=own.get("agent_memory_bytes"),
        )

    def _own(self, sample: Sample) -> dict[str, float]:
        """Return what the run says about itself; nothing before its first sample."""
        rows = sample.rows.get("agent")
        if not rows or "agent" not in self._tables:
            return {}
        cells = zip(self._tables["agent"].columns, rows[0], strict=True)
        return {name: cell for name, cell in cells if isinstance(cell, int | float)}

    def _remember(self, at: datetime, overview: Overview, *, missed: int) -> None:
        self._missed += missed
        self._history.extend([Point(at)] * min(missed, KEPT))
        network = None if overview.received is None or overview.sent is None else overview.received + overview.sent
        memory, disk = overview.memory, overview.disk
        self._history.append(
            Point(at, overview.cpu, memory.percent if memory else None, disk.percent if disk else None, network)
        )

    def _firing(self, at: datetime, active: Sequence[AlertEvent]) -> tuple[ActiveAlert, ...]:
        firing = [
            ActiveAlert(alert.level, alert.rule, self._where(alert), _condition(alert), _seconds(alert.since, at))
            for alert in active
        ]
        return tuple(sorted(firing, key=lambda each: (-each.level.rank, -each.seconds)))

    def _where(self, alert: AlertEvent) -> str:
        """Return the instance alone: whose machine it is stands above it already."""
        table = self._tables.get(self._table_of.get(alert.metric, ""))
        names = table.labels if table else ()
        return ", ".join(f"{name}={alert.labels[name]}" for name in names if name in alert.labels)

    def _levels(self, active: Sequence[AlertEvent]) -> dict[str, Level]:
        levels: dict[str, Level] = {}
        for alert in sorted(active, key=lambda each: each.level.rank):
            levels[self._table_of.get(alert.metric, "")] = alert.level
        return levels


def _condition(alert: AlertEvent) -> str:
    if alert.transition is Transition.NO_DATA:
        return f"{alert.metric} has no data"
    return f"{alert.metric} {alert.condition}"


def _seconds(early: datetime, late: datetime) -> float:
    """Return the seconds between two instants, none where the clock was set back."""
    return max(0.0, (late - early).total_seconds())
