"""Which of several is the worst? Series or hosts beside each other, the worst first, what matters most first; pure."""

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
class Side:
    """One line: a series under the name that tells it from the others."""

    name: str
    series: SeriesSummary


def by_label(report: Report, label: str) -> Report:
    """Return a report whose series are in the order in which they are told side by side."""
    tables = tuple(replace(one, series=worst_first(one)) for one in report.tables)
    return replace(report, by=label, tables=tables, glance=())


def metrics_of(series: Iterable[SeriesSummary]) -> list[Metric]:
    """Return the metrics that are anything but 0 anywhere: what a glance looks at first, then what has limits."""
    found: dict[str, list[MetricSummary]] = {}
    for one in series:
        for item in one.metrics:
            found.setdefault(item.metric.name, []).append(item)
    moved = [items for items in found.values() if any(one.stats and (one.stats.min or one.stats.max) for one in items)]
    return [items[0].metric for items in sorted(moved, key=_importance)]


def worst_first(table: TableSummary) -> tuple[SeriesSummary, ...]:
    """Return the series of a table: the one for the whole, then those beyond limits, then the highest of a metric."""
    metrics = metrics_of(table.series)
    first = metrics[0].name if metrics else ""
    return tuple(sorted(table.series, key=lambda one: _badness(one, first, table.table.whole), reverse=True))


def sides(series: Sequence[SeriesSummary], label: str) -> list[Side]:
    """Return series as lines, named by a label, and by the others where that is not enough."""
    names = [dict(one.labels).get(label, "") for one in series]
    found = []
    for name, one in zip(names, series, strict=True):
        others = [f"{key}={value}" for key, value in one.labels if key != label] if names.count(name) > 1 else []
        found.append(Side(" ".join([name, *others]).strip(), one))
    return found


def hosts_of(reports: Sequence[Report]) -> Iterator[tuple[str, list[tuple[Side, int]]]]:
    """Yield each table with the series of all hosts, the worst first, each with the place of its report."""
    for name in dict.fromkeys(one.table.name for report in reports for one in report.tables):
        found = []
        for place, report in enumerate(reports):
            for one in report.tables:
                label = one.table.labels[0] if one.table.labels else ""
                named = sides(one.series, label) if one.table.name == name else []
                found += [
                    (Side(f"{report.origin.hostname}  {side.name}".strip(), side.series), place) for side in named
                ]
        metrics = metrics_of(side.series for side, _ in found)
        first = metrics[0].name if metrics else ""
        yield name, sorted(found, key=lambda one: _badness(one[0].series, first, None), reverse=True)


def is_total(metric: Metric) -> bool:
    """Say whether a metric is told by its total."""
    return metric.kind is Kind.COUNT


def is_share(metric: Metric) -> bool:
    """Say whether a metric is told by the share of the time."""
    return metric.unit is Unit.YES_OR_NO


def _importance(items: Sequence[MetricSummary]) -> tuple[int, bool]:
    headline = items[0].metric.headline
    return headline.order if headline else sys.maxsize, not any(one.beyond for one in items)


def _badness(series: SeriesSummary, first: str, whole: str | None) -> tuple[bool, int, float, float]:
    stats = next((one.stats for one in series.metrics if one.metric.name == first), None)
    is_whole = whole is not None and series.labels[0][1] == whole
    beyond = [one.limit.level.rank for item in series.metrics for one in item.beyond if one.samples]
    high, mean = (stats.max, stats.mean) if stats else (_NOTHING, _NOTHING)
    return is_whole, max(beyond, default=-1), high, mean


def trouble(report: Report) -> tuple[int, int, float]:
    """Return how bad a host is: by the alerts that fire, by all of them, by its processors."""
    ranks = [(alert.state is AlertState.FIRING, alert.level.rank) for alert in report.alerts]
    firing = max((rank for is_on, rank in ranks if is_on), default=-1)
    busy = next((item.mean or 0.0 for item in report.glance), 0.0)
    return firing, max((rank for _, rank in ranks), default=-1), busy


def worst_alert(report: Report) -> Level | None:
    """Return the worst level of the alerts of a report."""
    return max((alert.level for alert in report.alerts), key=lambda level: level.rank, default=None)
