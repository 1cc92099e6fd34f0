"""What do the sums of a long range come to? The same numbers as from rows, their percentiles within 1 %; pure."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sysmon.history import AggregatedSeries, Coverage
from sysmon.model import Table
from sysmon.report.summary import NO_LIMITS, MetricSummary, SeriesSummary, Stats, holes_of, seconds_of, without
from sysmon.stats.ddsketch import bin_index
from sysmon.stats.digest import Digest
from sysmon.stats.hourly import HOUR, downsample
from sysmon.text.instants import from_ms, to_ms
from sysmon.thresholds import Beyond, Limit, Sign


def summarise_rolled(
    series: AggregatedSeries,
    table: Table,
    coverage: Coverage,
    *,
    since: datetime,
    until: datetime,
    parts: int,
    wanted: Callable[[str], bool],
    limits: Mapping[str, Sequence[Limit]] = NO_LIMITS,
) -> SeriesSummary:
    """Return the numbers of one series; a trend is cut into at most as many parts as the range has hours."""
    begin, span = to_ms(since), to_ms(until) - to_ms(since)
    parts = max(1, min(parts, span // HOUR))
    holes = holes_of(series.at, coverage, begin, span, parts)
    metrics = []
    for metric, found in zip(table.metrics, series.digests, strict=True):
        if wanted(metric.name):
            if found is None:
                metrics.append(MetricSummary(metric, None))
            else:
                course, peaks = (without(holes, one) for one in downsample(found.hours, begin, span, parts))
                beyond = tuple(_beyond(limit, found, coverage) for limit in limits.get(metric.name, ()))
                metrics.append(MetricSummary(metric, _stats(found), course, peaks, beyond))
    return SeriesSummary(tuple(zip(table.labels, series.labels, strict=True)), coverage, tuple(metrics))


def _beyond(limit: Limit, found: Digest, coverage: Coverage) -> Beyond:
    """Count from the histogram; it is exact where no value shares a bin with the limit."""
    samples = round(_share(limit, found) * found.count)
    near = found.low <= limit.value <= found.high and bin_index(limit.value) in found.histogram() and limit.value != 0
    exact = (coverage.is_even or not samples) and (not near or found.low == found.high)
    return Beyond(limit, samples, found.count, seconds_of(samples, coverage), exact=exact)


def _share(limit: Limit, found: Digest) -> float:
    above, from_it_on = found.above(limit.value), found.above(limit.value, or_at=True)
    return {
        Sign.ABOVE: above,
        Sign.AT_LEAST: from_it_on,
        Sign.BELOW: 1 - from_it_on,
        Sign.AT_MOST: 1 - above,
        Sign.EQUALS: from_it_on - above,
        Sign.NOT_EQUALS: 1 - from_it_on + above,
    }[limit.sign]


def _stats(found: Digest) -> Stats:
    p50, p95, p99 = found.percentiles((50, 95, 99))
    return Stats(
        samples=found.count,
        mean=found.mean,
        min=found.low,
        p50=p50,
        p95=p95,
        p99=p99,
        max=found.high,
        max_at=from_ms(found.high_at),
    )
