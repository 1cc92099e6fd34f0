"""Comparison of two periods: their numbers beside each other, the largest changes first; pure."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from sysmon.model import Kind, Metric, Unit
from sysmon.report.summary import (
    Compared,
    MetricChange,
    MetricSummary,
    OverviewItem,
    RankedGroup,
    Ranking,
    Report,
    SeriesSummary,
    Stats,
    TableSummary,
)

_OWN = ("agent", "collector")
"""What sysmon measures about itself is compared, and is no news."""

_POINTS = 50
"""So many points of percent are as large a change as there is."""

_LITTLE = {
    Unit.BYTES: 16 * 2**20,
    Unit.BYTES_PER_SECOND: 100_000,
    Unit.PER_SECOND: 10,
    Unit.SECONDS: 0.01,
    Unit.MILLISECONDS: 5,
}
"""How much of a unit hardly matters; 1 of all others."""

_Key = tuple[str, tuple[tuple[str, str], ...]]


def compare(report: Report, then: Report | None, since: datetime, until: datetime) -> Report:
    """Return a report with the numbers of another period beside its own; None where nothing is stored of that."""
    if then is None:
        return replace(report, compared=Compared(since, until))
    before = {(table.table.name, series.labels): series for table in then.tables for series in table.series}
    tables = tuple(_compare_table(table, before) for table in report.tables)
    after = {(table.table.name, series.labels): series for table in tables for series in table.series}
    changes = sorted(_list_changes(tables), key=lambda change: -change.weight)
    compared = Compared(
        since,
        until,
        coverage=then.coverage,
        idle=then.idle,
        sources=then.sources,
        changes=tuple(changes),
        appeared=tuple(key for key in after if key not in before),
        gone=tuple(key for key in before if key not in after),
    )
    return replace(
        report,
        compared=compared,
        tables=tables,
        rankings=tuple(_compare_ranking(series, then) for series in report.rankings),
        overview=tuple(_compare_overview(item, then) for item in report.overview),
    )


def compared_value(metric: Metric, stats: Stats) -> float:
    """Return what is compared: the mean, of a count the total."""
    return round(stats.mean * stats.samples) if metric.kind is Kind.COUNT else stats.mean


def weigh_change(metric: Metric, then: float, now: float) -> float:
    """Return how large a change is, from 0 to 1: percents by their points, others by their part of both values."""
    difference = abs(now - then)
    if metric.unit is Unit.PERCENT:
        return min(1.0, difference / _POINTS)
    return difference / (abs(then) + abs(now) + _LITTLE.get(metric.unit, 1))


def _compare_table(table: TableSummary, before: Mapping[_Key, SeriesSummary]) -> TableSummary:
    return replace(
        table,
        series=tuple(_compare_series(series, before.get((table.table.name, series.labels))) for series in table.series),
    )


def _compare_series(series: SeriesSummary, before: SeriesSummary | None) -> SeriesSummary:
    if before is None:
        return series
    stats = {item.metric.name: item.stats for item in before.metrics}
    metrics = tuple(replace(item, before=stats.get(item.metric.name)) for item in series.metrics)
    return replace(series, metrics=metrics)


def _list_changes(tables: tuple[TableSummary, ...]) -> Iterator[MetricChange]:
    for table in tables:
        for series in table.series if table.table.name not in _OWN else ():
            for item in series.metrics:
                change = _find_change(table.table.name, series, item)
                if change is not None:
                    yield change


def _find_change(table: str, series: SeriesSummary, item: MetricSummary) -> MetricChange | None:
    metric, stats, before = item.metric, item.stats, item.before
    if stats is None or before is None:
        return None
    then, now = compared_value(metric, before), compared_value(metric, stats)
    return (
        MetricChange(table, series.labels, metric, then, now, weigh_change(metric, then, now)) if then != now else None
    )


def _compare_ranking(ranking: Ranking, then: Report) -> Ranking:
    means: dict[tuple[tuple[str, str], ...], float] = {}
    for earlier in then.rankings:
        if earlier.metric == ranking.metric:
            means = {group.labels: group.mean for group in (*earlier.groups, *([earlier.rest] if earlier.rest else []))}
    groups = tuple(replace(group, before=means.get(group.labels)) for group in ranking.groups)
    rest: RankedGroup | None = ranking.rest and replace(ranking.rest, before=means.get(ranking.rest.labels))
    return replace(ranking, groups=groups, rest=rest)


def _compare_overview(item: OverviewItem, then: Report) -> OverviewItem:
    earlier = next(
        (other for other in then.overview if other.title == item.title and other.subject == item.subject), None
    )
    return item if earlier is None else replace(item, before=earlier.worst if earlier.mean is None else earlier.mean)
