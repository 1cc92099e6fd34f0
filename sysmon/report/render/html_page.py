"""The words and tables of an HTML report, host by host; its charts are places that a script fills."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from sysmon.history import Coverage, PastAlert
from sysmon.model import Unit
from sysmon.report.layout import arrange
from sysmon.report.render import svg
from sysmon.report.render.changes import glance_change
from sysmon.report.render.charts import Chart, charts, in_lines
from sysmon.report.render.html_data import span_of, worst_alerts
from sysmon.report.render.html_tables import changed, compact, curve_numbers, ranked, safe
from sysmon.report.render.phrases import Words, glance_cells, named, named_together, still, unmoved
from sysmon.report.summary import GlanceItem, MetricSummary, Report, TableSummary
from sysmon.text import units
from sysmon.text.culprits import blame
from sysmon.text.instants import to_ms

_TOLD_BY_AXES = frozenset({Unit.PERCENT, Unit.SECONDS})


class Page:
    """Writes the hosts of a report, and remembers whose charts it left places for."""

    def __init__(self) -> None:
        self.drawn: list[tuple[Report, Chart]] = []

    def host(self, words: Words, number: int) -> str:
        """Return everything about one host."""
        tables = {f"h{number}t{index}": table for index, table in enumerate(_in_order(words.report.tables))}
        blocks = [_header(words), _glance(words, tables), changed(words), _alerts(words)]
        blocks += [_top(words)] if words.report.rankings else []
        blocks.append(_contents(tables))
        blocks += [self._table(table, words, name) for name, table in tables.items()]
        return f'<section class="host" id="h{number}">\n{"".join(blocks)}</section>\n'

    def _table(self, table: TableSummary, words: Words, name: str) -> str:
        layout = arrange(table)
        usual = _usual(table)
        figures = "".join(self._figure(chart, words, usual) for chart in charts(table))
        told = list(_rest(table, words))
        if layout.brief and in_lines(table):
            told.insert(0, compact(layout.brief, words))
        return (
            f'<section class="table" id="{name}"><h2>{safe(table.table.name)}</h2>'
            f"<p>{safe(table.table.help)} {safe(f'{words.coverage(usual)}.') if usual else ''}</p>\n"
            f'<div class="charts">{figures}</div>\n{"".join(told)}</section>\n'
        )

    def _figure(self, chart: Chart, words: Words, usual: Coverage | None) -> str:
        number = len(self.drawn)
        self.drawn.append((words.report, chart))
        unit = "" if chart.unit in _TOLD_BY_AXES else chart.unit
        more = f" The {len(chart.lines)} highest; {chart.left_out} others are not drawn." if chart.left_out else ""
        return (
            f'<figure data-chart="{number}"><figcaption><b>{safe(chart.title)}</b> '
            f"<span>{safe(' · '.join(filter(None, (unit, chart.about))))}{more}</span></figcaption>"
            f'<div class="plot" role="img" aria-label="{safe(chart.title)}"></div><ul class="legend"></ul>'
            f"<details><summary>Numbers</summary>{curve_numbers(chart, words, usual)}</details></figure>\n"
        )


def _header(words: Words) -> str:
    about = [words.span(), words.completeness(), words.sources(), *words.compared()]
    lines = [f"<p>{safe(line)}</p>" for line in about]
    if words.report.skipped:
        lines.append(f'<p class="damage">{safe(words.damage())}</p>')
    name = f"{safe(words.report.origin.hostname)} <small>{safe(words.origin())}</small>"
    return f"<header><h1>{name}</h1>{''.join(lines)}</header>\n"


def _in_order(tables: Sequence[TableSummary]) -> list[TableSummary]:
    return sorted(tables, key=lambda table: table.table.order)


def _glance(words: Words, tables: Mapping[str, TableSummary]) -> str:
    cards = "".join(_card(item, words, tables) for item in words.report.glance)
    return f'<div class="cards">{cards}</div>\n' if cards else ""


def _card(item: GlanceItem, words: Words, tables: Mapping[str, TableSummary]) -> str:
    mean, worst = glance_cells(item)
    usual = " ".join(filter(None, (f"mean {mean}" if mean else "", glance_change(item))))
    told = (
        f"<b>{safe(item.what)}</b><i>{safe(item.subject)}</i><strong>{safe(worst)}</strong>"
        f"<small>{'worst at ' if mean else ''}{words.when(item.at)}</small><small>{safe(usual)}</small>"
    )
    for name, table in tables.items():
        if found := _course_of(item, table):
            return f'<a class="card" href="#{name}">{told}{svg.course(found.trend, found.peaks)}</a>'
    return f'<div class="card">{told}</div>'


def _course_of(item: GlanceItem, table: TableSummary) -> MetricSummary | None:
    """Return the metric that a card speaks of, of the series that was worst."""
    for series in table.series:
        first = series.labels[0][1] if series.labels else ""
        if first in {item.subject, table.table.whole} or not series.labels:
            for metric in series.metrics:
                if metric.metric == item.metric:
                    return metric
    return None


def _alerts(words: Words) -> str:
    report = words.report
    shown = worst_alerts(report)
    rows = "".join(_alert(alert, words) for alert in shown)
    left = len(report.alerts) - len(shown)
    more = f"<p>{left} milder ones are not shown: sysmon alerts lists them.</p>" if left else ""
    silences = "".join(f"<p>silenced: {safe(silence)}</p>" for silence in report.silences)
    body = f'<ol class="alerts">{rows}</ol>' if rows else "<p>None.</p>"
    return f"<section><h2>Alerts</h2>{body}{more}{silences}</section>\n"


def _alert(alert: PastAlert, words: Words) -> str:
    report = words.report
    begin, end = span_of(alert, report)
    first, length = to_ms(report.since), to_ms(report.until) - to_ms(report.since)
    rule, *labels, lasted = words.alert_begun(alert)
    told = [lasted, f"{alert.metric} {alert.condition}".strip(), f"peak {units.human(alert.peak, alert.unit)}"]
    told += [f"top: {', '.join(blame(one, alert.resource) for one in alert.top)}"] if alert.top else []
    return (
        f'<li class="{alert.level.value}"><b>{alert.level.value.upper()}</b> <strong>{safe(rule)}</strong> '
        f"{safe(' '.join(labels))} <em>{alert.state.value}</em>"
        f'<button data-begin="{begin}" data-end="{end}" data-rule="{safe(rule)}" title="Zoom in" hidden>Zoom</button>'
        f"{svg.bar((begin - first) / length, (end - first) / length)}"
        f"<small>{safe(' · '.join(told))}</small></li>"
    )


def _top(words: Words) -> str:
    tables = "".join(ranked(ranking, words) for ranking in words.report.rankings)
    return f'<section><h2>Top processes</h2><div class="charts top">{tables}</div></section>\n'


def _contents(tables: Mapping[str, TableSummary]) -> str:
    links = "".join(f'<a href="#{name}">{safe(table.table.name)}</a>' for name, table in tables.items())
    return f'<nav class="tables">{links}</nav>\n'


def _usual(table: TableSummary) -> Coverage | None:
    """Return the coverage that most series share."""
    found = [series.coverage for series in table.series]
    return max(found, key=found.count, default=None)


def _rest(table: TableSummary, words: Words) -> Iterator[str]:
    """Yield what no chart shows: metrics that never changed, and series in which nothing happened."""
    layout = arrange(table)
    told = []
    for series in (*layout.full, *(() if in_lines(table) else layout.brief)):
        shown = series if series in layout.full else replace(series, metrics=series.metrics[:1])
        told += [" ".join(filter(None, (named(series), *parts))) for parts in unmoved(shown)]
    for coverages, quiet in layout.quiet:
        names = ", ".join(named_together(quiet))
        told.append(f"{names} {still(quiet)}: {words.coverages(coverages)}".strip())
    if told:
        yield f'<ul class="still">{"".join(f"<li>{safe(line)}</li>" for line in told)}</ul>\n'
