"""HTML body: the text and tables of a report, host by host; its charts are places that a script fills."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sysmon.history import Coverage, PastAlert
from sysmon.model import Unit
from sysmon.report.layout import lay_out
from sysmon.report.render import svg
from sysmon.report.render.changes import format_overview_change
from sysmon.report.render.charts import Chart, build_charts, is_compact
from sysmon.report.render.html_data import clip_alert, select_worst_alerts
from sysmon.report.render.html_tables import escape_html, render_changes, render_compact, render_curves, render_ranking
from sysmon.report.render.phrases import (
    Phrases,
    describe_quiet,
    describe_unchanged,
    format_labels,
    list_names,
    overview_cells,
)
from sysmon.report.summary import MetricSummary, OverviewItem, Report, TableSummary
from sysmon.text.instants import to_ms

_UNITS_ON_AXES = frozenset({Unit.PERCENT, Unit.SECONDS})


class Page:
    """Writes the hosts of a report, and remembers whose charts it left places for."""

    def __init__(self) -> None:
        self.drawn: list[tuple[Report, Chart]] = []

    def host(self, phrases: Phrases, number: int) -> str:
        """Return everything about one host."""
        tables = {f"h{number}t{index}": table for index, table in enumerate(_sort_tables(phrases.report.tables))}
        blocks = [
            _render_header(phrases),
            _render_overview(phrases, tables),
            render_changes(phrases),
            _render_alerts(phrases),
        ]
        blocks += [_render_rankings(phrases)] if phrases.report.rankings else []
        blocks.append(_render_contents(tables))
        blocks += [self._table(table, phrases, name) for name, table in tables.items()]
        return f'<section class="host" id="h{number}">\n{"".join(blocks)}</section>\n'

    def _table(self, table: TableSummary, phrases: Phrases, name: str) -> str:
        layout = lay_out(table)
        usual = _most_common_coverage(table)
        figures = "".join(self._figure(chart, phrases, usual) for chart in build_charts(table))
        blocks = list(_render_unchanged(table, phrases))
        if layout.brief and is_compact(table):
            blocks.insert(0, render_compact(layout.brief, phrases))
        return (
            f'<section class="table" id="{name}"><h2>{escape_html(table.table.name)}</h2>'
            f"<p>{escape_html(table.table.help)} {escape_html(f'{phrases.coverage(usual)}.') if usual else ''}</p>\n"
            f'<div class="charts">{figures}</div>\n{"".join(blocks)}</section>\n'
        )

    def _figure(self, chart: Chart, phrases: Phrases, usual: Coverage | None) -> str:
        number = len(self.drawn)
        self.drawn.append((phrases.report, chart))
        unit = "" if chart.unit in _UNITS_ON_AXES else chart.unit
        more = f" The {len(chart.lines)} highest; {chart.left_out} others are not drawn." if chart.left_out else ""
        return (
            f'<figure data-chart="{number}"><figcaption><b>{escape_html(chart.title)}</b> '
            f"<span>{escape_html(' · '.join(filter(None, (unit, chart.about))))}{more}</span></figcaption>"
            f'<div class="plot" role="img" aria-label="{escape_html(chart.title)}"></div><ul class="legend"></ul>'
            f"<details><summary>Numbers</summary>{render_curves(chart, phrases, usual)}</details></figure>\n"
        )


def _render_header(phrases: Phrases) -> str:
    about = [phrases.span(), phrases.completeness(), phrases.sources(), phrases.limits(), *phrases.compared()]
    lines = [f"<p>{escape_html(line)}</p>" for line in about if line]
    if phrases.report.skipped:
        lines.append(f'<p class="damage">{escape_html(phrases.damage())}</p>')
    name = f"{escape_html(phrases.report.origin.hostname)} <small>{escape_html(phrases.origin())}</small>"
    return f"<header><h1>{name}</h1>{''.join(lines)}</header>\n"


def _sort_tables(tables: Sequence[TableSummary]) -> list[TableSummary]:
    return sorted(tables, key=lambda table: table.table.order)


def _render_overview(phrases: Phrases, tables: Mapping[str, TableSummary]) -> str:
    cards = "".join(_render_card(item, phrases, tables) for item in phrases.report.overview)
    return f'<div class="cards">{cards}</div>\n' if cards else ""


def _render_card(item: OverviewItem, phrases: Phrases, tables: Mapping[str, TableSummary]) -> str:
    mean, worst = overview_cells(item)
    usual = " ".join(filter(None, (f"mean {mean}" if mean else "", format_overview_change(item))))
    body = (
        f"<b>{escape_html(item.title)}</b><i>{escape_html(item.subject)}</i><strong>{escape_html(worst)}</strong>"
        f"<small>{'worst at ' if mean else ''}{phrases.when(item.at)}</small><small>{escape_html(usual)}</small>"
    )
    for name, table in tables.items():
        if metric := _find_trend(item, table):
            return f'<a class="card" href="#{name}">{body}{svg.draw_trend(metric.trend, metric.peaks)}</a>'
    return f'<div class="card">{body}</div>'


def _find_trend(item: OverviewItem, table: TableSummary) -> MetricSummary | None:
    """Return the metric that a card speaks of, of the series that was worst."""
    for series in table.series:
        first = series.labels[0][1] if series.labels else ""
        if first in {item.subject, table.table.whole} or not series.labels:
            for metric in series.metrics:
                if metric.metric == item.metric:
                    return metric
    return None


def _render_alerts(phrases: Phrases) -> str:
    report = phrases.report
    shown = select_worst_alerts(report)
    rows = "".join(_render_alert(alert, phrases) for alert in shown)
    left = len(report.alerts) - len(shown)
    more = f"<p>{left} milder ones are not shown: sysmon alerts lists them.</p>" if left else ""
    silences = "".join(f"<p>silenced: {escape_html(silence)}</p>" for silence in report.silences)
    body = f'<ol class="alerts">{rows}</ol>' if rows else "<p>None.</p>"
    return f"<section><h2>Alerts</h2>{body}{more}{silences}</section>\n"


def _render_alert(alert: PastAlert, phrases: Phrases) -> str:
    report = phrases.report
    begin, end = clip_alert(alert, report)
    first, length = to_ms(report.since), to_ms(report.until) - to_ms(report.since)
    rule, *labels, lasted = phrases.alert_start(alert)
    details = [lasted, f"{alert.metric} {alert.condition}".strip(), phrases.peak(alert)]
    details += [culprits] if (culprits := phrases.culprits(alert)) else []
    return (
        f'<li class="{alert.level.value}"><b>{alert.level.value.upper()}</b> <strong>{escape_html(rule)}</strong> '
        f"{escape_html(' '.join(labels))} <em>{alert.state.value}</em>"
        f'<button data-begin="{begin}" data-end="{end}" data-rule="{escape_html(rule)}" title="Zoom in" hidden>'
        "Zoom</button>"
        f"{svg.draw_bar((begin - first) / length, (end - first) / length)}"
        f"<small>{escape_html(' · '.join(details))}</small></li>"
    )


def _render_rankings(phrases: Phrases) -> str:
    tables = "".join(render_ranking(ranking, phrases) for ranking in phrases.report.rankings)
    return f'<section><h2>Top processes</h2><div class="charts top">{tables}</div></section>\n'


def _render_contents(tables: Mapping[str, TableSummary]) -> str:
    links = "".join(f'<a href="#{name}">{escape_html(table.table.name)}</a>' for name, table in tables.items())
    return f'<nav class="tables">{links}</nav>\n'


def _most_common_coverage(table: TableSummary) -> Coverage | None:
    """Return the coverage that most series share."""
    coverages = [series.coverage for series in table.series]
    return max(coverages, key=coverages.count, default=None)


def _render_unchanged(table: TableSummary, phrases: Phrases) -> Iterator[str]:
    """Yield what no chart shows: metrics that never changed, and series in which nothing happened."""
    layout = lay_out(table)
    lines = []
    for series in (*layout.full, *(() if is_compact(table) else layout.brief)):
        shown = series if series in layout.full else replace(series, metrics=series.metrics[:1])
        lines += [" ".join(filter(None, (format_labels(series), *parts))) for parts in describe_unchanged(shown)]
    for coverages, quiet in layout.quiet:
        names = ", ".join(list_names(quiet))
        lines.append(f"{names} {describe_quiet(quiet)}: {phrases.coverages(coverages)}".strip())
    if lines:
        yield f'<ul class="still">{"".join(f"<li>{escape_html(line)}</li>" for line in lines)}</ul>\n'
