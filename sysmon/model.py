"""Data model: metrics, tables, rows, samples and events; one vocabulary for files, rules, reports and docs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self

Row = tuple[str | int | float | None, ...]
"""One row of a table: its labels (text, never empty), then its metrics (numbers or None), in the declared order."""


class Kind(StrEnum):
    """How a metric's number came about, and so what may be done with it."""

    GAUGE = "gauge"
    RATE = "rate"
    RATIO = "ratio"
    COUNT = "count"


class Unit(StrEnum):
    """What a metric is measured in. Its value is what files, JSON and reference pages hold, and stays.

    `symbol` is what people read behind a number. `base` is the step between prefixes: 1024 for Ki and Mi, 1000 for
    k and M, 1 where none is written. `precision` is how many decimals a number without a prefix has at most.
    """

    symbol: str
    base: int
    precision: int

    def __new__(cls, value: str, symbol: str, base: int, precision: int) -> Self:
        """Make a member of one value and what goes with it."""
        unit = str.__new__(cls, value)
        unit._value_ = value
        unit.symbol, unit.base, unit.precision = symbol, base, precision
        return unit

    NONE = "", "", 1000, 2
    BYTES = "bytes", "B", 1024, 2
    BYTES_PER_SECOND = "bytes/s", "B/s", 1000, 2
    PER_SECOND = "/s", "/s", 1000, 2
    PERCENT = "percent", "%", 1, 1
    SECONDS = "seconds", "s", 1, 1
    MILLISECONDS = "ms", "ms", 1000, 2
    YES_OR_NO = "0 or 1", "", 1000, 2

    @property
    def suffix(self) -> str:
        """Return the symbol as it follows a number: ` %`, `/s`, nothing where there is none."""
        return f" {self.symbol}" if self.symbol and not self.symbol.startswith("/") else self.symbol

    @classmethod
    def stored(cls, value: object) -> "Unit":
        """Return the unit that a file holds; NONE where it holds none, or one of a later version."""
        return next((unit for unit in cls if unit.value == value), cls.NONE)


class Resource(StrEnum):
    """What processes use up, and can be blamed for."""

    CPU = "cpu"
    MEMORY = "memory"
    IO = "io"
    SPACE = "space"
    SOCKETS = "sockets"


@dataclass(frozen=True, slots=True)
class Headline:
    """What overviews call a metric. They show it once: of all rows the one with the highest value.

    Overviews are sorted by `order`. A `rare` headline is shown only by reports, and only where it is not 0.
    """

    title: str
    order: int = 100
    rare: bool = False


@dataclass(frozen=True, slots=True)
class Metric:
    """One number: `kind` rate is per second, ratio is percent of something, count is since the previous tick.

    The rest is for presentations. `headline` puts it into overviews. `resource` says that it measures the use of one,
    where that is not the table's. A `remainder` is what another metric leaves over (free, idle): charts draw it only
    when asked to, because it would set the scale for all others.
    """

    name: str
    kind: Kind
    unit: Unit
    help: str
    headline: Headline | None = None
    resource: Resource | None = None
    remainder: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """A number that is not stored, because metrics of the table add up to it: rows are ranked by it, too."""

    metric: Metric
    parts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """What one collector measures. The labels of a row are unique within a tick.

    `series` is false where rows come and go too often to be followed one by one (processes): such rows are ranked,
    never charted. `whole` is the value of the first label that stands for all other rows together (`all` for cores).
    `paced_by` is the label whose value names the table at whose interval a row comes, None where all rows come at
    this table's own. `compact` says that a row's numbers mean little alone: reports tell each series in one line.

    `order` sorts the tables of a page, `totals` are what its rows are ranked by besides metrics with a headline.
    `resource` is what its alerts are about, or the value of the label `resource_label`; None where no process can be
    blamed.
    """

    name: str
    help: str
    metrics: tuple[Metric, ...]
    labels: tuple[str, ...] = ()
    series: bool = True
    whole: str | None = None
    paced_by: str | None = None
    compact: bool = False
    order: int = 100
    totals: tuple[Total, ...] = ()
    resource: Resource | None = None
    resource_label: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of a row's values in order: labels, then metrics."""
        return self.labels + tuple(metric.name for metric in self.metrics)

    def metric(self, name: str) -> Metric:
        """Return the metric of that name; raise StopIteration where there is none."""
        return next(metric for metric in self.metrics if metric.name == name)

    def using(self, resource: Resource) -> tuple[str, ...]:
        """Return the names of the metrics that say of themselves that they measure the use of a resource."""
        return tuple(metric.name for metric in self.metrics if metric.resource is resource)


@dataclass(frozen=True, slots=True)
class Origin:
    """Whom rows are about: the host and the labels that the configuration gives it."""

    hostname: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Failure:
    """A collector that should have answered and did not."""

    collector: str
    error: str


@dataclass(frozen=True, slots=True)
class Sample:
    """Everything seen at one tick: `at` is the scheduled instant (UTC), `rows` holds the tables that were due."""

    at: datetime
    rows: Mapping[str, Sequence[Row]]
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True)
class Event:
    """Something about sysmon itself that a reader must know: started, stopped, gap, clock step, trouble."""

    at: datetime
    kind: str
    fields: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a collector learnt while reading that no number tells; it becomes an event of the next tick."""

    kind: str
    fields: Mapping[str, object] = field(default_factory=dict)


class Level(StrEnum):
    """How bad it is; later is worse."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Return 0, 1, 2 from mild to severe."""
        return tuple(Level).index(self)


class Transition(StrEnum):
    """What an alert event tells, judged by the level that was shown before and after it."""

    FIRED = "fired"
    ESCALATED = "escalated"
    LOWERED = "lowered"
    RESOLVED = "resolved"
    NO_DATA = "no_data"
    DATA_BACK = "data_back"
    REMINDER = "reminder"
    FLAPPING = "flapping"
    STEADY = "steady"
    CULPRIT_CHANGED = "culprit_changed"


NO_PROCESS = "-"
"""The pid of a culprit that is no process: shared memory, what the hypervisor took."""

ENDED_CHILDREN = " and ended children"
"""How the name of a culprit ends whose children have used a good part of it, and are gone."""


@dataclass(frozen=True, slots=True)
class Culprit:
    """A process, or what is none (pid `-`), and what it used of the resource that an alert is about.

    `value` is a mean over the time before the alert: percent of one core, bytes of memory, or bytes read and written a
    second; of space the bytes written, of connections the sockets. `share` is percent of what all used, None where
    that is not known.
    """

    pid: str
    name: str
    user: str
    unit: str
    value: float
    share: float | None


@dataclass(frozen=True, slots=True)
class AlertEvent:
    """One line of the alert log.

    `level` is the level shown after the event, or for `resolved` the level it had before. `id` stays the same from
    `fired` to `resolved`. `labels` are the hostname, the configured labels and the instance's. `condition` is the
    breached condition in words (`>= 95 for 1m`), `since` the instant of the first breach, `duration` the seconds
    from there (for `resolved` to the end of the trouble: the first of the values that stayed clear, or the last value
    before none came any more), `peak` the worst value since then. `reason` is `breach`, `cleared`, `no data`,
    `data back`, `gone`, or what else brought it about in two words. `notified` says
    whether people are notified of it; `muted_by` names the quiet time, the silence or what else mutes it.

    `trend` has a few values from the first breach on, `top` what used most of `resource` (a `Resource`, None for an
    alert that nobody can be blamed for) up to `top_at`, and `unaccounted` what all others used, None where that is not
    known. `peak_top` and `peak_unaccounted` are the same at `peak_at`, where the value was worst, empty where that was
    at `top_at`. `ended_pids` are those of the named that have ended since. `growth` is by how many bytes a file system
    has grown since `growth_since`. `message` is what the rule wants to have said. `unit` is the metric's, NONE
    for what a version stored that did not write it.
    """

    at: datetime
    transition: Transition
    rule: str
    id: str
    metric: str
    labels: Mapping[str, str]
    level: Level
    value: float | None
    peak: float | None
    threshold: float
    condition: str
    since: datetime
    duration: float
    reason: str
    notified: bool = True
    muted_by: str | None = None
    message: str | None = None
    unit: Unit = Unit.NONE
    trend: tuple[float, ...] = ()
    resource: str | None = None
    top: tuple[Culprit, ...] = ()
    unaccounted: float | None = None
    top_at: datetime | None = None
    peak_top: tuple[Culprit, ...] = ()
    peak_unaccounted: float | None = None
    peak_at: datetime | None = None
    ended_pids: tuple[str, ...] = ()
    growth: float | None = None
    growth_since: datetime | None = None


BLAME_FIELDS = (
    *("resource", "top", "unaccounted", "top_at", "peak_top", "peak_unaccounted", "peak_at", "ended_pids"),
    *("growth", "growth_since"),
)
"""The fields of an alert event that tell whom it names."""


def copy_blame(event: AlertEvent, source: AlertEvent) -> AlertEvent:
    """Return an event that names whom another one names."""
    return replace(event, **{name: getattr(source, name) for name in BLAME_FIELDS})
