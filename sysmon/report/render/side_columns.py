"""The columns of series or hosts side by side, for every form of page: what is told of each, and how bad it is."""

from collections.abc import Sequence
from itertools import zip_longest

from sysmon.model import Metric, Unit
from sysmon.report.render.grid import Cell, Column, titled
from sysmon.report.render.phrases import glance_cells
from sysmon.report.render.style import TITLES, levels, numbers
from sysmon.report.side_by_side import Side, is_share, is_total, metrics_of, worst_alert
from sysmon.report.summary import MetricSummary, Report
from sysmon.text import units
from sysmon.thresholds import worst_level


def series_columns(found: Sequence[Side]) -> list[Column]:
    """Return how complete each series is, and of each metric that is anything but 0 its mean and maximum.

    Where there is only one, there is room for all that is known of it.
    """
    samples = [f"{one.series.coverage.found} of {one.series.coverage.expected}" for one in found]
    columns = [_told("samples", samples)]
    metrics = metrics_of(side.series for side in found)
    if len(metrics) == 1 and not is_total(metrics[0]) and not is_share(metrics[0]):
        return [
            *columns,
            Column(metrics[0].name, titled(*TITLES), [_all_cells(_item(side, metrics[0])) for side in found]),
        ]
    return columns + [_column(metric, found) for metric in metrics]


def host_columns(reports: Sequence[Report]) -> list[Column]:
    """Return of each host how complete it is, its alerts, and what there is to see at a glance."""
    columns = [
        _told("samples", [_percent(report) for report in reports]),
        Column("", (("alerts", 13),), [[_alerts(report)] for report in reports]),
    ]
    items = [{item.what: item for item in report.glance if not item.what.startswith("top ")} for report in reports]
    for what in dict.fromkeys(what for found in items for what in found):
        cells: list[list[Cell]] = []
        for found in items:
            mean, worst = glance_cells(found[what]) if what in found else ("-", "-")
            cells.append([(mean or "-", None), (worst, None)])
        columns.append(Column(what, (("mean", 11), ("worst", 11)), cells))
    return columns


def _told(title: str, texts: Sequence[str]) -> Column:
    return Column("", ((title, 2 + max(len(title), *map(len, texts))),), [[(text, None)] for text in texts])


def _column(metric: Metric, found: Sequence[Side]) -> Column:
    items = [_item(side, metric) for side in found]
    first = "total" if is_total(metric) else "share" if is_share(metric) else "mean"
    return Column(metric.name, titled(first, "min" if is_share(metric) else "max"), [_cells(item) for item in items])


def _item(side: Side, metric: Metric) -> MetricSummary | None:
    return next((one for one in side.series.metrics if one.metric == metric), None)


def _all_cells(item: MetricSummary | None) -> list[Cell]:
    if item is None or item.stats is None:
        return [("-", None)] * len(TITLES)
    return list(zip_longest(numbers(item.stats, item.metric.unit), levels(item)))


def _cells(item: MetricSummary | None) -> list[Cell]:
    if item is None or item.stats is None:
        return [("-", None)] * 2
    stats, unit, limits = item.stats, item.metric.unit, [one.limit for one in item.beyond]
    if is_total(item.metric):
        return [(units.cell(round(stats.mean * stats.samples), unit), None), _cell(stats.max, unit, item)]
    if is_share(item.metric):
        return [(f"{int(1000 * stats.mean) / 10:g}%", None), (units.cell(stats.min, unit), None)]
    return [(units.cell(value, unit), worst_level(limits, value)) for value in (stats.mean, stats.max)]


def _cell(value: float, unit: Unit, item: MetricSummary) -> Cell:
    return units.cell(value, unit), worst_level([one.limit for one in item.beyond], value)


def _percent(report: Report) -> str:
    coverage = report.coverage
    return f"{1000 * coverage.found // coverage.expected / 10:g} %" if coverage.expected else "-"


def _alerts(report: Report) -> Cell:
    level = worst_alert(report)
    return ("none", None) if level is None else (f"{len(report.alerts)} {level}", level)
