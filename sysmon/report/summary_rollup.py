"""Summary statistics of roll-ups: the same numbers as from rows, their percentiles within 1 %; pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sysmon.history import AggregatedSeries, Coverage
from sysmon.model import Table
from sysmon.report.summary import (
    NO_LIMITS,
    MetricSummary,
    SeriesSummary,
    Stats,
    blank_gaps,
    estimate_seconds,
    expected_values,
    find_gaps,
)
from sysmon.stats.ddsketch import bin_index
from sysmon.stats.digest import Digest
from sysmon.stats.hourly import HOUR, downsample
from sysmon.text.instants import from_ms, to_ms
from sysmon.thresholds import Beyond, Sign, Threshold


def summarise_aggregate(
    series: AggregatedSeries,
    table: Table,
    coverage: Coverage,
    *,
    since: datetime,
    until: datetime,
    parts: int,
    wanted: Callable[[str], bool],
    limits: Mapping[str, Sequence[Threshold]] = NO_LIMITS,
) -> SeriesSummary:
    """Return the numbers of one series; a trend is cut into at most as many parts as the range has hours."""
    begin, span = to_ms(since), to_ms(until) - to_ms(since)
    parts = max(1, min(parts, span // HOUR))
    gaps = find_gaps(series.at, coverage, begin, span, parts)
    metrics = []
    for metric, digest in zip(table.metrics, series.digests, strict=True):
        if wanted(metric.name):
            if digest is None:
                metrics.append(MetricSummary(metric, None, expected=expected_values(0, coverage)))
            else:
                means, peaks = (blank_gaps(gaps, values) for values in downsample(digest.hours, begin, span, parts))
                beyond = tuple(_count_beyond(limit, digest, coverage) for limit in limits.get(metric.name, ()))
                stats, expected = _read_stats(digest), expected_values(digest.count, coverage)
                metrics.append(MetricSummary(metric, stats, means, peaks, beyond, expected=expected))
    return SeriesSummary(tuple(zip(table.labels, series.labels, strict=True)), coverage, tuple(metrics))


def _count_beyond(limit: Threshold, digest: Digest, coverage: Coverage) -> Beyond:
    """Count from the histogram; it is exact where no value shares a bin with the limit."""
    samples = round(_share_beyond(limit, digest) * digest.count)
    near = (
        digest.low <= limit.value <= digest.high and bin_index(limit.value) in digest.histogram() and limit.value != 0
    )
    exact = (coverage.is_even or not samples) and (not near or digest.low == digest.high)
    return Beyond(limit, samples, digest.count, estimate_seconds(samples, coverage), exact=exact)


def _share_beyond(limit: Threshold, digest: Digest) -> float:
    above, from_it_on = digest.share_above(limit.value), digest.share_above(limit.value, or_at=True)
    return {
        Sign.ABOVE: above,
        Sign.AT_LEAST: from_it_on,
        Sign.BELOW: 1 - from_it_on,
        Sign.AT_MOST: 1 - above,
        Sign.EQUALS: from_it_on - above,
        Sign.NOT_EQUALS: 1 - from_it_on + above,
    }[limit.sign]


def _read_stats(digest: Digest) -> Stats:
    p50, p95, p99 = digest.percentiles((50, 95, 99))
    return Stats(
        samples=digest.count,
        mean=digest.mean,
        min=digest.low,
        p50=p50,
        p95=p95,
        p99=p99,
        max=digest.high,
        max_at=from_ms(digest.high_at),
    )
