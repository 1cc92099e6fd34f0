"""Stored history as readers hand it on: rows, columns of numbers, aggregates, coverage and past alerts."""

from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from sysmon.model import Culprit, Level, Origin, Row, Table, Unit
from sysmon.stats.digest import Digest
from sysmon.stats.tick_runs import TickRuns

TRANSIENT_LABELS = frozenset({"pid", "started"})
"""Labels that tell apart what comes and goes; rows that are equal but for these count as one."""


@dataclass(frozen=True, slots=True)
class StoredRow:
    """One row as it stands in a file: when, about whom, and what."""

    at: datetime
    origin: Origin
    row: Row


@dataclass(frozen=True, slots=True)
class Series:
    """All rows with equal labels, in the order of the files.

    `at` holds milliseconds since the epoch; `block` the metrics of one row after the other, NaN where there is none.
    """

    labels: tuple[str, ...]
    at: "array[int]" = field(default_factory=lambda: array("q"))
    block: "array[float]" = field(default_factory=lambda: array("d"))

    def column(self, index: int) -> "array[float]":
        """Return the values of the metric with that index, one for each instant of `at`."""
        return self.block[index :: len(self.block) // len(self.at)] if self.at else array("d")


@dataclass(frozen=True, slots=True)
class TableHistory:
    """The rows of one table in a range; `ticks` are its instants (milliseconds since the epoch), each once."""

    table: Table
    origin: Origin | None
    ticks: "array[int]"
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many samples there are of how many there should be.

    `gap` is the longest stretch without a sample in seconds, 0 where none is missing, and `gap_at` its beginning.
    `interval` is the seconds between samples, None where nothing tells it, and the shortest where it changed; `each` is
    how many seconds a sample stands for then, on average.
    """

    found: int
    expected: int
    gap: float = 0.0
    gap_at: datetime | None = None
    interval: float | None = None
    each: float | None = field(default=None, compare=False)

    @property
    def is_even(self) -> bool:
        """Say whether all samples stand for the same time."""
        return self.each == self.interval


class AlertState(StrEnum):
    """What became of an alert; `unknown` is one that fired when its run ended and that no later run knew of."""

    FIRING = "firing"
    RESOLVED = "resolved"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class PastAlert:
    """One alert from its first breach to its end, as far as the range shows it; `level` is the worst it reached.

    `condition` is what that level asks for; `top` are the processes that were named for it, by their use of `resource`;
    the rest of whom it names is as in an `AlertEvent`.
    """

    id: str
    rule: str
    metric: str
    level: Level
    labels: Mapping[str, str]
    since: datetime
    ended: datetime | None
    duration: float
    value: float | None
    peak: float | None
    state: AlertState
    unit: Unit = Unit.NONE
    condition: str = ""
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


@dataclass(frozen=True, slots=True)
class AggregatedSeries:
    """One series over a range as digests, one for each metric of the table; None where a metric never had a value.

    `at` are its instants in order, milliseconds since the epoch.
    """

    labels: tuple[str, ...]
    at: TickRuns
    digests: Sequence[Digest | None]


@dataclass(frozen=True, slots=True)
class GroupUse:
    """How much of one metric a group used: over `ticks` at which it had any, in all and at most at one of them."""

    ticks: int
    total: float
    high: float
    high_at: int


@dataclass(frozen=True, slots=True)
class AggregatedGroup:
    """Rows that come and go, summed up by those labels that stay (processes by name, user and unit)."""

    labels: tuple[tuple[str, str], ...]
    pids: frozenset[str]
    uses: Mapping[str, GroupUse]


@dataclass(frozen=True, slots=True)
class AggregatedTable:
    """A table over a range, from roll-ups and from the rows between them.

    It has series, or groups where the table's rows are no series. `sources` are the kinds of files that answered,
    from the coarsest (`1d`, `1h`, `rows`).
    """

    table: Table
    origin: Origin | None
    ticks: TickRuns
    series: Sequence[AggregatedSeries]
    groups: Sequence[AggregatedGroup]
    sources: tuple[str, ...]
