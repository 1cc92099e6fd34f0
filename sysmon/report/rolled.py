"""What do the sums of a long range come to? The same numbers as from rows, their percentiles within 1 %; pure."""

from collections.abc import Callable
from datetime import datetime

from sysmon.digest import HOUR, Digest, trend
from sysmon.history import Coverage, GroupUse, RolledGroup, RolledSeries, RolledTable
from sysmon.instants import from_ms, to_ms
from sysmon.model import Table
from sysmon.report.summary import MetricSummary, RankedGroup, Ranking, SeriesSummary, Stats, is_rest


def summarise_rolled(
    series: RolledSeries,
    table: Table,
    coverage: Coverage,
    *,
    since: datetime,
    until: datetime,
    parts: int,
    wanted: Callable[[str], bool],
) -> SeriesSummary:
    """Return the numbers of one series; a trend is cut into at most as many parts as the range has hours."""
    begin, span = to_ms(since), to_ms(until) - to_ms(since)
    parts = max(1, min(parts, span // HOUR))
    metrics = []
    for metric, found in zip(table.metrics, series.digests, strict=True):
        if wanted(metric.name):
            if found is None:
                metrics.append(MetricSummary(metric, None))
            else:
                metrics.append(MetricSummary(metric, _stats(found), *trend(found.hours, begin, span, parts)))
    return SeriesSummary(tuple(zip(table.labels, series.labels, strict=True)), coverage, tuple(metrics))


def rank_rolled(found: RolledTable, metric_name: str, *, top: int) -> Ranking | None:
    """Return who used most of a metric; None for a table that has no such metric or no rows."""
    metric = next((metric for metric in found.table.metrics if metric.name == metric_name), None)
    if metric is None or not found.ticks:
        return None
    uses = [(group, group.uses[metric_name]) for group in found.groups if metric_name in group.uses]
    ranked = [_ranked(group, use, len(found.ticks)) for group, use in uses]
    rest = next((group for group in ranked if is_rest(group)), None)
    listed = sorted((group for group in ranked if group is not rest), key=lambda group: -group.mean)
    return Ranking(found.table.name, metric, len(found.ticks), tuple(listed[:top]), rest)


def _ranked(group: RolledGroup, use: GroupUse, ticks: int) -> RankedGroup:
    return RankedGroup(
        labels=group.labels,
        pids=tuple(sorted(group.pids)),
        ticks=use.ticks,
        mean=use.total / ticks,
        max=use.high,
        max_at=from_ms(use.high_at),
    )


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
