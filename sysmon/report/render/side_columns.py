"""Columns of a side-by-side table, for every format: what is said of each series or host, and how bad it is."""

from collections.abc import Sequence
from itertools import zip_longest

from sysmon.model import Metric, Unit
from sysmon.report.render.grid import Cell, Column, titled
from sysmon.report.render.phrases import overview_cells
from sysmon.report.render.style import TITLES, levels, numbers
from sysmon.report.side_by_side import NamedSeries, is_share, is_total, select_metrics, worst_alert_level
from sysmon.report.summary import MetricSummary, Report
from sysmon.text import units
from sysmon.thresholds import worst_level


def series_columns(sides: Sequence[NamedSeries]) -> list[Column]:
    """Return how complete each series is, and of each metric that is anything but 0 its mean and maximum.

    Where there is only one, there is room for all that is known of it.
    """
    samples = [f"{side.series.coverage.found} of {side.series.coverage.expected}" for side in sides]
    columns = [_text_column("samples", samples)]
    metrics = select_metrics(side.series for side in sides)
    if len(metrics) == 1 and not is_total(metrics[0]) and not is_share(metrics[0]):
        return [
            *columns,
            Column(metrics[0].name, titled(*TITLES), [_all_cells(_find_metric(side, metrics[0])) for side in sides]),
        ]
    return columns + [_metric_column(metric, sides) for metric in metrics]


def host_columns(reports: Sequence[Report]) -> list[Column]:
    """Return of each host how complete it is, its alerts, and what there is to see at a glance."""
    columns = [
        _text_column("samples", [_percent(report) for report in reports]),
        Column("", (("alerts", 13),), [[_alerts(report)] for report in reports]),
    ]
    items = [{item.title: item for item in report.overview if not item.title.startswith("top ")} for report in reports]
    for title in dict.fromkeys(title for overview in items for title in overview):
        cells: list[list[Cell]] = []
        for overview in items:
            mean, worst = overview_cells(overview[title]) if title in overview else ("-", "-")
            cells.append([(mean or "-", None), (worst, None)])
        columns.append(Column(title, (("mean", 11), ("worst", 11)), cells))
    return columns


def _text_column(title: str, texts: Sequence[str]) -> Column:
    return Column("", ((title, 2 + max(len(title), *map(len, texts))),), [[(text, None)] for text in texts])


def _metric_column(metric: Metric, sides: Sequence[NamedSeries]) -> Column:
    items = [_find_metric(side, metric) for side in sides]
    first = "total" if is_total(metric) else "share" if is_share(metric) else "mean"
    return Column(metric.name, titled(first, "min" if is_share(metric) else "max"), [_cells(item) for item in items])


def _find_metric(side: NamedSeries, metric: Metric) -> MetricSummary | None:
    return next((item for item in side.series.metrics if item.metric == metric), None)


def _all_cells(item: MetricSummary | None) -> list[Cell]:
    if item is None or item.stats is None:
        return [("-", None)] * len(TITLES)
    return list(zip_longest(numbers(item.stats, item.metric.unit), levels(item)))


def _cells(item: MetricSummary | None) -> list[Cell]:
    if item is None or item.stats is None:
        return [("-", None)] * 2
    stats, unit, limits = item.stats, item.metric.unit, [exceeded.limit for exceeded in item.beyond]
    if is_total(item.metric):
        return [(units.cell(round(stats.mean * stats.samples), unit), None), _cell(stats.max, unit, item)]
    if is_share(item.metric):
        return [(f"{int(1000 * stats.mean) / 10:g}%", None), (units.cell(stats.min, unit), None)]
    return [(units.cell(value, unit), worst_level(limits, value)) for value in (stats.mean, stats.max)]


def _cell(value: float, unit: Unit, item: MetricSummary) -> Cell:
    return units.cell(value, unit), worst_level([exceeded.limit for exceeded in item.beyond], value)


def _percent(report: Report) -> str:
    coverage = report.coverage
    return f"{1000 * coverage.found // coverage.expected / 10:g} %" if coverage.expected else "-"


def _alerts(report: Report) -> Cell:
    level = worst_alert_level(report)
    return ("none", None) if level is None else (f"{len(report.alerts)} {level}", level)
