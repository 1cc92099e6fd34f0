"""What do the rows of a range come to? Means, percentiles, peaks and trends of each metric; pure."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress, islice, pairwise
from math import fsum, isnan
from operator import gt

from sysmon.history import Coverage, PastAlert, Series, TableHistory
from sysmon.instants import from_ms, to_ms
from sysmon.model import Metric, Origin, Table


@dataclass(frozen=True, slots=True)
class Stats:
    """The numbers of one metric: percentiles are samples, the one at rank floor(q (n - 1)) of the sorted ones."""

    samples: int
    mean: float
    min: float
    p50: float
    p95: float
    p99: float
    max: float
    max_at: datetime


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric of one series; `stats` is None where it never had a value.

    `trend` cuts the range into equal parts and holds the mean of each, None where a part has no sample; `peaks` holds
    the highest of each, None too where nothing tells it.
    """

    metric: Metric
    stats: Stats | None
    trend: tuple[float | None, ...] = ()
    peaks: tuple[float | None, ...] = ()


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """All metrics of the rows with the same labels."""

    labels: tuple[tuple[str, str], ...]
    coverage: Coverage
    metrics: tuple[MetricSummary, ...]


@dataclass(frozen=True, slots=True)
class TableSummary:
    """All series of one table; `brief` says that those beside the whole need only their first metric."""

    table: Table
    series: tuple[SeriesSummary, ...]
    brief: bool = False


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """What the processes with equal labels used together, at the mean of all ticks and at most.

    The numbers are lower bounds where `ticks` (those at which any of them was listed) are fewer than the table's.
    """

    labels: tuple[tuple[str, str], ...]
    pids: tuple[str, ...]
    ticks: int
    mean: float
    max: float
    max_at: datetime


@dataclass(frozen=True, slots=True)
class Ranking:
    """Who used most of one metric; `rest` is what the unlisted used together."""

    table: str
    metric: Metric
    ticks: int
    groups: tuple[RankedGroup, ...]
    rest: RankedGroup | None


@dataclass(frozen=True, slots=True)
class GlanceItem:
    """The worst of one resource and when that was; of a count `worst` is the total and `mean` None."""

    what: str
    subject: str
    metric: Metric
    mean: float | None
    worst: float
    at: datetime


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says of one host.

    `idle` is the seconds in which nothing ran that could sample, None if unknown; `units` are those of all known
    metrics, for the alerts' sake. `glance` is empty where only some tables or metrics were asked for. `sources` are the
    kinds of files that answered, the coarsest first: `1d` and `1h` are roll-ups, whose percentiles are within 1 %.
    `silences` says whom nobody is told of, in a line each.
    """

    origin: Origin
    since: datetime
    until: datetime
    coverage: Coverage
    idle: float | None
    tables: tuple[TableSummary, ...]
    rankings: tuple[Ranking, ...]
    alerts: tuple[PastAlert, ...]
    skipped: int
    units: Mapping[str, str]
    glance: tuple[GlanceItem, ...] = ()
    sources: tuple[str, ...] = ()
    silences: tuple[str, ...] = ()


def summarise(
    series: Series,
    table: Table,
    coverage: Coverage,
    *,
    since: datetime,
    until: datetime,
    parts: int,
    wanted: Callable[[str], bool],
) -> SeriesSummary:
    """Return the numbers of one series; `parts` is how finely a trend is cut, `wanted` picks metrics by name."""
    span = to_ms(until) - to_ms(since)
    if coverage.interval:
        parts = max(1, min(parts, int(span / (1000 * coverage.interval))))
    metrics = []
    for index, metric in enumerate(table.metrics):
        if wanted(metric.name):
            at, values = present(series.at, series.column(index))
            trend, peaks = course_of(at, values, to_ms(since), span, parts) if values else ((), ())
            metrics.append(MetricSummary(metric, stats_of(at, values), trend, peaks))
    return SeriesSummary(tuple(zip(table.labels, series.labels, strict=True)), coverage, tuple(metrics))


def present(at: Sequence[int], values: "array[float]") -> tuple[Sequence[int], "array[float]"]:
    """Return the instants and values of those samples that have one."""
    if not isnan(sum(values)):
        return at, values
    there = [value == value for value in values]
    return list(compress(at, there)), array("d", compress(values, there))


def stats_of(at: Sequence[int], values: Sequence[float]) -> Stats | None:
    """Return the numbers of values at instants (milliseconds since the epoch); None where there are none."""
    if not values:
        return None
    ordered = sorted(values)
    last = len(ordered) - 1
    return Stats(
        samples=len(ordered),
        mean=fsum(ordered) / len(ordered),
        min=ordered[0],
        p50=ordered[last * 50 // 100],
        p95=ordered[last * 95 // 100],
        p99=ordered[last * 99 // 100],
        max=ordered[last],
        max_at=from_ms(at[values.index(ordered[last])]),
    )


def course_of(
    at: Sequence[int], values: "array[float]", begin: int, span: int, parts: int
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """Return mean and highest of each of `parts` equal parts of [begin, begin + span), None for one without a value."""
    if any(map(gt, at, islice(at, 1, None))):  # the clock was set back
        order = sorted(range(len(at)), key=at.__getitem__)
        at, values = [at[place] for place in order], array("d", [values[place] for place in order])
    edges = [bisect_left(at, begin - part * span // -parts) for part in range(parts + 1)]
    cut = [values[first:end] for first, end in pairwise(edges)]
    trend = tuple(fsum(part) / len(part) if part else None for part in cut)
    return trend, tuple(max(part) if part else None for part in cut)


def rank(history: TableHistory, metric_name: str, *, top: int) -> Ranking | None:
    """Return who used most of a metric: rows of one tick that are equal but for pid and start count as one.

    None for a table that has no such metric or no rows.
    """
    table = history.table
    names = [metric.name for metric in table.metrics]
    if metric_name not in names or not history.ticks:
        return None
    index = names.index(metric_name)
    groups: dict[tuple[tuple[str, str], ...], _Group] = {}
    for series in history.series:
        labels = dict(zip(table.labels, series.labels, strict=True))
        pid, started = labels.pop("pid", ""), labels.pop("started", "")
        group = groups.setdefault(tuple(labels.items()), _Group())
        group.add((pid, started), *present(series.at, series.column(index)))
    ranked = [group.ranked(labels, len(history.ticks)) for labels, group in groups.items() if group.sums]
    rest = next((group for group in ranked if is_rest(group)), None)
    listed = sorted((group for group in ranked if group is not rest), key=lambda group: -group.mean)
    return Ranking(table.name, table.metrics[index], len(history.ticks), tuple(listed[:top]), rest)


def is_rest(group: RankedGroup) -> bool:
    """Say whether a group stands for all processes that are not listed."""
    return group.pids == ("-1",)


class _Group:
    """Adds up the rows of several processes tick by tick."""

    def __init__(self) -> None:
        self.sums: dict[int, float] = {}
        self._processes: set[tuple[str, str]] = set()

    def add(self, process: tuple[str, str], at: Sequence[int], values: Sequence[float]) -> None:
        if len(values):
            self._processes.add(process)
        for ms, value in zip(at, values, strict=True):
            self.sums[ms] = self.sums.get(ms, 0.0) + value

    def ranked(self, labels: tuple[tuple[str, str], ...], ticks: int) -> RankedGroup:
        peak = max(self.sums.values())
        return RankedGroup(
            labels=labels,
            pids=tuple(sorted({pid for pid, _ in self._processes})),
            ticks=len(self.sums),
            mean=fsum(self.sums.values()) / ticks,
            max=peak,
            max_at=from_ms(next(ms for ms, value in self.sums.items() if value == peak)),
        )
