"""HTML tables: numbers of curves, processes, what changed; names in them are never more than text."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from sysmon.history import Coverage
from sysmon.report.layout import compact_cells, compact_changes, compact_titles
from sysmon.report.render.changes import format_changes, format_ranking_change, largest_changes, list_added_and_removed
from sysmon.report.render.charts import Chart, Line
from sysmon.report.render.phrases import (
    OTHERS,
    Phrases,
    describe_limits,
    describe_values,
    format_labels,
    format_process,
    ranking_cells,
)
from sysmon.report.render.style import TITLES, levels, numbers
from sysmon.report.summary import RankedGroup, Ranking, SeriesSummary
from sysmon.text.names import printable


def escape_html(text: str) -> str:
    """Return text as HTML that shows it: names come from files, and may be anything."""
    return escape(printable(text))


def render_curves(chart: Chart, phrases: Phrases, usual: Coverage | None) -> str:
    """Return the numbers of the curves of a chart; `usual` is the coverage that need not be told in full."""
    limited = any(line.item.beyond for line in chart.lines)
    rows = [row for line in chart.lines for row in _render_curve(line, chart, phrases, usual)]
    titles = [*TITLES, "max at", "samples", *(["beyond its limits"] if limited else [])]
    return _render_table(titles, rows)


def _render_curve(line: Line, chart: Chart, phrases: Phrases, usual: Coverage | None) -> Iterator[str]:
    """Yield the row of a curve, its numbers in the colour of the limits that they are beyond, and how they changed."""
    stats, covered = line.item.stats, line.series.coverage
    if stats is None:
        return
    colours = levels(line.item) or [None] * len(TITLES)
    cells = "".join(
        f"<td{f' class={level.value!r}' if level else ''}>{escape_html(number)}</td>"
        for number, level in zip(numbers(stats, line.item.metric.unit), colours, strict=True)
    )
    rest = [phrases.when(stats.max_at)]
    samples = f"{covered.found} of {covered.expected}" if covered == usual else phrases.coverage(covered)
    rest.append(describe_values(line.item) or samples)
    if line.item.beyond:
        rest.append("; ".join(" ".join(parts) for parts in describe_limits(line.item)))
    name = "" if line.name == chart.title else escape_html(line.name)
    yield f"<tr><th>{name}</th>{cells}{_render_cells(rest)}</tr>"
    if changed := format_changes(line.item):
        yield _render_row("change", changed)


def render_compact(series: Sequence[SeriesSummary], phrases: Phrases) -> str:
    """Return a row for each series, with the few numbers that matter of all its metrics."""
    titles = [f"{item.metric.name} {title}" for item in series[0].metrics for title in compact_titles(item.metric)]
    rows = []
    for line in series:
        cells = [cell for item in line.metrics for cell in compact_cells(item.metric, item.stats)]
        rows.append(_render_row(escape_html(format_labels(line)), [*cells, phrases.coverage(line.coverage)]))
        if any(item.before for item in line.metrics):
            rows.append(_render_row("change", [cell for item in line.metrics for cell in compact_changes(item)]))
    return _render_table([*titles, "samples"], rows)


def render_ranking(ranking: Ranking, phrases: Phrases) -> str:
    """Return who used most of something."""
    compared = phrases.report.compared is not None
    rows = [_render_row(_render_process(group), _ranking_cells(group, ranking, phrases)) for group in ranking.groups]
    if ranking.rest:
        rows.append(_render_row(OTHERS, _ranking_cells(ranking.rest, ranking, phrases)))
    title = f"<b>{escape_html(ranking.metric.name)}</b> <span>{escape_html(phrases.ranking(ranking))}</span>"
    table = _render_table(["mean", *(["change"] if compared else []), "max", "max at"], rows)
    return f"<figure><figcaption>{title}</figcaption>{table}</figure>"


def render_changes(phrases: Phrases) -> str:
    """Return what changed most against another period, empty where there is none."""
    rows = [
        _render_row(f"{escape_html(metric)} <small>{escape_html(labels)}</small>", cells)
        for metric, *cells, labels in largest_changes(phrases.report)
    ]
    paragraphs = "".join(f"<p>{escape_html(' '.join(parts))}</p>" for parts in list_added_and_removed(phrases.report))
    table = f'<figure class="top">{_render_table(["then", "now", "change"], rows)}</figure>' if rows else ""
    return f"<section><h2>Largest changes</h2>{table}{paragraphs}</section>\n" if table or paragraphs else ""


def _render_process(group: RankedGroup) -> str:
    name, *others = format_process(group).split("  ")
    return f"{escape_html(name)} <small>{escape_html(' '.join(others))}</small>"


def _ranking_cells(group: RankedGroup, ranking: Ranking, phrases: Phrases) -> list[str]:
    mean, worst = ranking_cells(group, ranking, "≥ ")
    change = [format_ranking_change(group, ranking)] if phrases.report.compared else []
    return [mean, *change, worst, phrases.when(group.max_at)]


def _render_table(titles: Iterable[str], rows: Iterable[str]) -> str:
    """Return a table that scrolls by itself where the page is too narrow."""
    head = "".join(f"<th>{escape_html(title)}</th>" for title in ("", *titles))
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _render_row(name: str, texts: Iterable[str]) -> str:
    """Return a row; its name is HTML."""
    return f"<tr><th>{name}</th>{_render_cells(texts)}</tr>"


def _render_cells(texts: Iterable[str]) -> str:
    return "".join(f"<td>{escape_html(text)}</td>" for text in texts)
