"""Side by side: series or hosts in a line each, the worst first, what matters most first; pure."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from sysmon.history import AlertState
from sysmon.model import Kind, Level, Metric, Unit
from sysmon.report.summary import MetricSummary, Report, SeriesSummary, TableSummary

_NOTHING = float("-inf")
HOST = "host"
"""What reports of several hosts are put side by side by."""


@dataclass(frozen=True, slots=True)
class NamedSeries:
    """One line: a series under the name that tells it from the others."""

    name: str
    series: SeriesSummary


def put_side_by_side(report: Report, label: str) -> Report:
    """Return a report whose series are in the order in which they are told side by side."""
    tables = tuple(replace(table, series=sort_worst_first(table)) for table in report.tables)
    return replace(report, by=label, tables=tables, overview=())


def select_metrics(series: Iterable[SeriesSummary]) -> list[Metric]:
    """Return the metrics that are anything but 0 anywhere: what a glance looks at first, then what has limits."""
    by_name: dict[str, list[MetricSummary]] = {}
    for summary in series:
        for item in summary.metrics:
            by_name.setdefault(item.metric.name, []).append(item)
    moved = [
        items for items in by_name.values() if any(item.stats and (item.stats.min or item.stats.max) for item in items)
    ]
    return [items[0].metric for items in sorted(moved, key=_importance)]


def sort_worst_first(table: TableSummary) -> tuple[SeriesSummary, ...]:
    """Return the series of a table: the one for the whole, then those beyond limits, then the highest of a metric."""
    metrics = select_metrics(table.series)
    first = metrics[0].name if metrics else ""
    return tuple(sorted(table.series, key=lambda series: _severity(series, first, table.table.whole), reverse=True))


def name_series(series: Sequence[SeriesSummary], label: str) -> list[NamedSeries]:
    """Return series as lines, named by a label, and by the others where that is not enough."""
    names = [dict(summary.labels).get(label, "") for summary in series]
    named = []
    for name, summary in zip(names, series, strict=True):
        others = [f"{key}={value}" for key, value in summary.labels if key != label] if names.count(name) > 1 else []
        named.append(NamedSeries(" ".join([name, *others]).strip(), summary))
    return named


def merge_hosts(reports: Sequence[Report]) -> Iterator[tuple[str, list[tuple[NamedSeries, int]]]]:
    """Yield each table with the series of all hosts, the worst first, each with the place of its report."""
    for name in dict.fromkeys(table.table.name for report in reports for table in report.tables):
        ranked = []
        for place, report in enumerate(reports):
            for table in report.tables:
                label = table.table.labels[0] if table.table.labels else ""
                named = name_series(table.series, label) if table.table.name == name else []
                ranked += [
                    (NamedSeries(f"{report.origin.hostname}  {side.name}".strip(), side.series), place)
                    for side in named
                ]
        metrics = select_metrics(side.series for side, _ in ranked)
        first = metrics[0].name if metrics else ""
        yield name, sorted(ranked, key=lambda entry: _severity(entry[0].series, first, None), reverse=True)


def is_total(metric: Metric) -> bool:
    """Say whether a metric is told by its total."""
    return metric.kind is Kind.COUNT


def is_share(metric: Metric) -> bool:
    """Say whether a metric is told by the share of the time."""
    return metric.unit is Unit.YES_OR_NO


def _importance(items: Sequence[MetricSummary]) -> tuple[int, bool]:
    headline = items[0].metric.headline
    return headline.order if headline else sys.maxsize, not any(item.beyond for item in items)


def _severity(series: SeriesSummary, first: str, whole: str | None) -> tuple[bool, int, float, float]:
    stats = next((item.stats for item in series.metrics if item.metric.name == first), None)
    is_whole = whole is not None and series.labels[0][1] == whole
    beyond = [exceeded.limit.level.rank for item in series.metrics for exceeded in item.beyond if exceeded.samples]
    high, mean = (stats.max, stats.mean) if stats else (_NOTHING, _NOTHING)
    return is_whole, max(beyond, default=-1), high, mean


def host_severity(report: Report) -> tuple[int, int, float]:
    """Return how bad a host is: by the alerts that fire, by all of them, by its processors."""
    ranks = [(alert.state is AlertState.FIRING, alert.level.rank) for alert in report.alerts]
    firing = max((rank for is_on, rank in ranks if is_on), default=-1)
    busy = next((item.mean or 0.0 for item in report.overview), 0.0)
    return firing, max((rank for _, rank in ranks), default=-1), busy


def worst_alert_level(report: Report) -> Level | None:
    """Return the worst level of the alerts of a report."""
    return max((alert.level for alert in report.alerts), key=lambda level: level.rank, default=None)
