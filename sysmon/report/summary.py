"""Summary statistics of rows: means, percentiles, peaks and trends of each metric over a range; pure."""

from array import array
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import compress, islice, pairwise
from math import fsum, isnan
from operator import gt

from sysmon.history import Coverage, PastAlert, Series
from sysmon.model import Metric, Origin, Table
from sysmon.stats.percentiles import nearest_rank
from sysmon.stats.tick_runs import TickRuns
from sysmon.text.instants import from_ms, to_ms
from sysmon.thresholds import Beyond, Threshold

FEWEST_FOR_TAIL = 20
"""Of fewer samples pages for people show no p95 and no p99."""

NO_LIMITS: Mapping[str, Sequence[Threshold]] = {}


@dataclass(frozen=True, slots=True)
class Stats:
    """The numbers of one metric: percentiles are samples, the ones of nearest rank."""

    samples: int
    mean: float
    min: float
    p50: float
    p95: float
    p99: float
    max: float
    max_at: datetime

    @property
    def has_tail(self) -> bool:
        """Say whether p95 and p99 tell people anything: of few samples they are the highest ones, or nearly."""
        return self.samples >= FEWEST_FOR_TAIL


@dataclass(frozen=True, slots=True)
class Bucket:
    """What the samples of a part of the range came to."""

    samples: int
    mean: float
    min: float
    max: float


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric of one series; `stats` is None where it never had a value.

    `trend` cuts the range into equal parts and holds the mean of each, None where more than half of a part is missing;
    `peaks` holds the highest of each, None too where nothing tells it. `beyond` says for how long it was beyond each
    limit that the rules set for it, mild to severe; it is empty where there is no value. `before` has the numbers of
    the period that the report is compared with, None where it has none. `buckets` has an entry for each part of the
    range where a time table is asked for, None for a part without a sample. `expected` is how many values there should
    be, where it has fewer than its series has samples; else None.
    """

    metric: Metric
    stats: Stats | None
    trend: tuple[float | None, ...] = ()
    peaks: tuple[float | None, ...] = ()
    beyond: tuple[Beyond, ...] = ()
    before: Stats | None = None
    buckets: tuple[Bucket | None, ...] = ()
    expected: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesSummary:
    """All metrics of the rows with the same labels."""

    labels: tuple[tuple[str, str], ...]
    coverage: Coverage
    metrics: tuple[MetricSummary, ...]


@dataclass(frozen=True, slots=True)
class TableSummary:
    """All series of one table; `brief` says that those beside the whole need only their first metric.

    `general` says that nobody asked for this table alone, so that of very many series the worst will do.
    """

    table: Table
    series: tuple[SeriesSummary, ...]
    brief: bool = False
    general: bool = False


@dataclass(frozen=True, slots=True)
class RankedGroup:
    """What the processes with equal labels used together, at the mean of all ticks and at most.

    The numbers are lower bounds where `ticks` (those at which any of them was listed) are fewer than the table's; with
    `bounded` the maximum is one anyway. `before` is the mean in the period that the report is compared with.
    """

    labels: tuple[tuple[str, str], ...]
    pids: tuple[str, ...]
    ticks: int
    mean: float
    max: float
    max_at: datetime
    bounded: bool = False
    before: float | None = None


@dataclass(frozen=True, slots=True)
class Ranking:
    """Who used most of one metric; `rest` is what the unlisted used together, `coverage` that of the table."""

    table: str
    metric: Metric
    ticks: int
    groups: tuple[RankedGroup, ...]
    rest: RankedGroup | None
    coverage: Coverage | None = None


@dataclass(frozen=True, slots=True)
class OverviewItem:
    """The worst of one resource and when that was; of a count `worst` is the total and `mean` None.

    `before` is the mean, or the total, in the period that the report is compared with; `limits` are those of the rules.
    """

    title: str
    subject: str
    metric: Metric
    mean: float | None
    worst: float
    at: datetime
    before: float | None = None
    limits: tuple[Threshold, ...] = ()


@dataclass(frozen=True, slots=True)
class MetricChange:
    """How the mean of a metric changed, or the total of a count; `weight` says how much that is, from 0 to 1."""

    table: str
    labels: tuple[tuple[str, str], ...]
    metric: Metric
    then: float
    now: float
    weight: float


@dataclass(frozen=True, slots=True)
class Compared:
    """The period that a report is compared with; `coverage` is None where nothing is stored of it.

    `changes` come with the largest first. `appeared` are the series that it did not have, `gone` those only it has.
    """

    since: datetime
    until: datetime
    coverage: Coverage | None = None
    idle: float | None = None
    sources: tuple[str, ...] = ()
    changes: tuple[MetricChange, ...] = ()
    appeared: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    gone: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that a report says of one host.

    `idle` is the seconds in which nothing ran that could sample, None if unknown. `overview` is empty where only some
    tables or metrics were asked for. `sources` are the kinds of files that answered, the coarsest first: `1d` and `1h`
    are roll-ups, whose percentiles are within 1 %.
    `silences` says whom nobody is told of, in a line each. `edges` are where the parts of a time table begin, and where
    the last one ends; they are empty without one. `by` is the label by which series are told side by side, or `host`,
    empty where each is told in a block of its own. `limits_from` says which rules the limits are of.
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
    overview: tuple[OverviewItem, ...] = ()
    sources: tuple[str, ...] = ()
    silences: tuple[str, ...] = ()
    compared: Compared | None = None
    edges: tuple[datetime, ...] = ()
    by: str = ""
    limits_from: str = ""


def summarise(
    series: Series,
    table: Table,
    coverage: Coverage,
    *,
    since: datetime,
    until: datetime,
    parts: int,
    wanted: Callable[[str], bool],
    limits: Mapping[str, Sequence[Threshold]] = NO_LIMITS,
) -> SeriesSummary:
    """Return the numbers of one series; `parts` is how finely a trend is cut, `wanted` picks metrics by name.

    `limits` are those of the rules, by metric.
    """
    span = to_ms(until) - to_ms(since)
    if coverage.interval:
        parts = max(1, min(parts, int(span / (1000 * coverage.interval))))
    gaps = find_gaps(series.at, coverage, to_ms(since), span, parts)
    metrics = []
    for index, metric in enumerate(table.metrics):
        if wanted(metric.name):
            at, values = drop_missing(series.at, series.column(index))
            trend, peaks = downsample(at, values, to_ms(since), span, parts) if values else ((), ())
            trend, peaks = blank_gaps(gaps, trend), blank_gaps(gaps, peaks)
            beyond = [_count_beyond(limit, values, coverage) for limit in limits.get(metric.name, ()) if values]
            stats, expected = compute_stats(at, values), expected_values(len(values), coverage)
            metrics.append(MetricSummary(metric, stats, trend, peaks, tuple(beyond), expected=expected))
    return SeriesSummary(tuple(zip(table.labels, series.labels, strict=True)), coverage, tuple(metrics))


def expected_values(values: int, coverage: Coverage) -> int | None:
    """Return how many values a metric should have, None where it has one in every sample of its series."""
    return coverage.expected if values < coverage.found else None


def _count_beyond(limit: Threshold, values: "array[float]", coverage: Coverage) -> Beyond:
    samples = limit.count(values)
    return Beyond(
        limit, samples, len(values), estimate_seconds(samples, coverage), exact=coverage.is_even or not samples
    )


def estimate_seconds(samples: int, coverage: Coverage) -> float | None:
    """Return how long samples stand for, None where nothing tells it."""
    return None if coverage.each is None else samples * coverage.each


def drop_missing(at: Sequence[int], values: "array[float]") -> tuple[Sequence[int], "array[float]"]:
    """Return the instants and values of those samples that have one."""
    if not isnan(sum(values)):
        return at, values
    there = [value == value for value in values]
    return list(compress(at, there)), array("d", compress(values, there))


def compute_stats(at: Sequence[int], values: Sequence[float]) -> Stats | None:
    """Return the numbers of values at instants (milliseconds since the epoch); None where there are none."""
    if not values:
        return None
    ordered = sorted(values)
    return Stats(
        samples=len(ordered),
        mean=fsum(ordered) / len(ordered),
        min=ordered[0],
        p50=ordered[nearest_rank(len(ordered), 50)],
        p95=ordered[nearest_rank(len(ordered), 95)],
        p99=ordered[nearest_rank(len(ordered), 99)],
        max=ordered[-1],
        max_at=from_ms(at[values.index(ordered[-1])]),
    )


def find_gaps(at: Sequence[int], coverage: Coverage, begin: int, span: int, parts: int) -> list[int]:
    """Return which of `parts` equal parts of [begin, begin + span) lack more than half of their samples.

    Where the interval changed nothing tells that, and no part is counted.
    """
    if not coverage.interval or not coverage.is_even or coverage.found == coverage.expected:
        return []
    ticks = at if isinstance(at, TickRuns) else TickRuns.from_instants(sorted(at))
    edges = [ticks.below(begin - part * span // -parts) for part in range(parts + 1)]
    due = span / (1000 * coverage.interval * parts)
    return [part for part, (first, end) in enumerate(pairwise(edges)) if 2 * (end - first) < due]


def blank_gaps(gaps: Sequence[int], trend: tuple[float | None, ...]) -> tuple[float | None, ...]:
    """Return a trend with nothing in its gaps: the mean of a few samples would look like calm."""
    if not gaps or not trend:
        return trend
    left_out = frozenset(gaps)
    return tuple(None if part in left_out else value for part, value in enumerate(trend))


def downsample(
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
