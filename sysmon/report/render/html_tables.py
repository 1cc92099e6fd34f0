"""The tables of an HTML report: numbers of curves, processes, what changed; names in them are never more than text."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from sysmon.history import Coverage
from sysmon.report.layout import digest, digest_changes, digest_titles
from sysmon.report.render.changes import changes, come_and_gone, largest, ranked_change
from sysmon.report.render.charts import Chart, Line
from sysmon.report.render.phrases import OTHERS, Words, limits, named, process_name, ranked_cells
from sysmon.report.render.style import TITLES, levels, numbers
from sysmon.report.summary import RankedGroup, Ranking, SeriesSummary
from sysmon.text.names import printable


def safe(text: str) -> str:
    """Return text as HTML that shows it: names come from files, and may be anything."""
    return escape(printable(text))


def curve_numbers(chart: Chart, words: Words, usual: Coverage | None) -> str:
    """Return the numbers of the curves of a chart; `usual` is the coverage that need not be told in full."""
    limited = any(line.item.beyond for line in chart.lines)
    rows = [row for line in chart.lines for row in _curve(line, chart, words, usual)]
    titles = [*TITLES, "max at", "samples", *(["beyond its limits"] if limited else [])]
    return _table(titles, rows)


def _curve(line: Line, chart: Chart, words: Words, usual: Coverage | None) -> Iterator[str]:
    """Yield the row of a curve, its numbers in the colour of the limits that they are beyond, and how they changed."""
    stats, covered = line.item.stats, line.series.coverage
    if stats is None:
        return
    colours = levels(line.item) or [None] * len(TITLES)
    told = "".join(
        f"<td{f' class={level.value!r}' if level else ''}>{safe(number)}</td>"
        for number, level in zip(numbers(stats, line.item.metric.unit), colours, strict=True)
    )
    rest = [words.when(stats.max_at)]
    rest.append(f"{covered.found} of {covered.expected}" if covered == usual else words.coverage(covered))
    if line.item.beyond:
        rest.append("; ".join(" ".join(parts) for parts in limits(line.item)))
    name = "" if line.name == chart.title else safe(line.name)
    yield f"<tr><th>{name}</th>{told}{_cells(rest)}</tr>"
    if found := changes(line.item):
        yield _row("change", found)


def compact(series: Sequence[SeriesSummary], words: Words) -> str:
    """Return a row for each series, with the few numbers that matter of all its metrics."""
    titles = [f"{item.metric.name} {title}" for item in series[0].metrics for title in digest_titles(item.metric)]
    rows = []
    for one in series:
        cells = [cell for item in one.metrics for cell in digest(item.metric, item.stats)]
        rows.append(_row(safe(named(one)), [*cells, words.coverage(one.coverage)]))
        if any(item.before for item in one.metrics):
            rows.append(_row("change", [cell for item in one.metrics for cell in digest_changes(item)]))
    return _table([*titles, "samples"], rows)


def ranked(ranking: Ranking, words: Words) -> str:
    """Return who used most of something."""
    compared = words.report.compared is not None
    rows = [_row(_process(group), _used(group, ranking, words)) for group in ranking.groups]
    if ranking.rest:
        rows.append(_row(OTHERS, _used(ranking.rest, ranking, words)))
    title = f"<b>{safe(ranking.metric.name)}</b> <span>{safe(words.ranking(ranking))}</span>"
    table = _table(["mean", *(["change"] if compared else []), "max", "max at"], rows)
    return f"<figure><figcaption>{title}</figcaption>{table}</figure>"


def changed(words: Words) -> str:
    """Return what changed most against another period, empty where there is none."""
    rows = [
        _row(f"{safe(metric)} <small>{safe(labels)}</small>", cells) for metric, *cells, labels in largest(words.report)
    ]
    told = "".join(f"<p>{safe(' '.join(parts))}</p>" for parts in come_and_gone(words.report))
    table = f'<figure class="top">{_table(["then", "now", "change"], rows)}</figure>' if rows else ""
    return f"<section><h2>Largest changes</h2>{table}{told}</section>\n" if table or told else ""


def _process(group: RankedGroup) -> str:
    name, *others = process_name(group).split("  ")
    return f"{safe(name)} <small>{safe(' '.join(others))}</small>"


def _used(group: RankedGroup, ranking: Ranking, words: Words) -> list[str]:
    mean, worst = ranked_cells(group, ranking, "≥ ")
    change = [ranked_change(group, ranking)] if words.report.compared else []
    return [mean, *change, worst, words.when(group.max_at)]


def _table(titles: Iterable[str], rows: Iterable[str]) -> str:
    """Return a table that scrolls by itself where the page is too narrow."""
    head = "".join(f"<th>{safe(title)}</th>" for title in ("", *titles))
    return f'<div class="scroll"><table><tr>{head}</tr>{"".join(rows)}</table></div>'


def _row(name: str, texts: Iterable[str]) -> str:
    """Return a row; its name is HTML."""
    return f"<tr><th>{name}</th>{_cells(texts)}</tr>"


def _cells(texts: Iterable[str]) -> str:
    return "".join(f"<td>{safe(text)}</td>" for text in texts)
