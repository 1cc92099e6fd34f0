"""Markdown report: for an issue, a wiki or a chat, and readable as it stands in a pager."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo

from sysmon.report.layout import Layout, arrange, digest, digest_changes, digest_titles, has_course
from sysmon.report.render import Format, RenderOptions
from sysmon.report.render.changes import changes, come_and_gone, glance_change, largest, ranked_change
from sysmon.report.render.grid import Column
from sysmon.report.render.phrases import (
    OTHERS,
    Words,
    glance_cells,
    limits,
    named,
    named_together,
    process_name,
    ranked_cells,
    still,
    unmoved,
)
from sysmon.report.render.side_columns import host_columns, series_columns
from sysmon.report.render.style import TITLES, numbers
from sysmon.report.side_by_side import HOST, hosts_of, sides, worst_first
from sysmon.report.summary import MetricSummary, RankedGroup, Ranking, Report, SeriesSummary, TableSummary
from sysmon.text import units
from sysmon.text.names import printable

_MARKS = re.compile(r"([\\`*\[\]<>|~#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def render(reports: Sequence[Report], options: RenderOptions) -> str:
    """Return one chapter a host, or one for all side by side."""
    if reports and reports[0].by == HOST:
        return "\n\n".join(_hosts(reports, options.zone)) + "\n"
    return "\n".join("\n\n".join(_Chapter(report, options.zone).blocks()) + "\n" for report in reports)


FORMAT = Format(render, audience="for a wiki or an issue")


def escape(text: str) -> str:
    """Return text that Markdown shows as it is: names come from files, and may be anything."""
    return _MARKS.sub(r"\\\1", printable(text))


def _hosts(reports: Sequence[Report], zone: tzinfo | None) -> Iterator[str]:
    yield "# Hosts"
    yield f"- {escape(Words(reports[0], zone).span())}"
    yield _beside(HOST, [report.origin.hostname for report in reports], host_columns(reports))
    if not any(report.glance for report in reports):
        for name, found in hosts_of(reports):
            yield f"## {escape(name)}"
            yield _beside(HOST, [side.name for side, _ in found], series_columns([side for side, _ in found]))


def _beside(corner: str, names: Sequence[str], columns: Sequence[Column]) -> str:
    """Return a table of what is told side by side."""
    heads = [column.head for column in columns if column.head]
    alone = f"{escape(heads[0])}\n\n" if len(heads) == 1 else ""
    titles = [
        title if alone else " ".join(filter(None, (column.head, title)))
        for column in columns
        for title, _ in column.titles
    ]
    rows = [
        [escape(name), *(text for column in columns for text, _ in column.cells[place])]
        for place, name in enumerate(names)
    ]
    return alone + _table([corner, *map(escape, titles)], rows)


def _sides(table: TableSummary, label: str) -> str:
    found = sides(table.series, label)
    return _beside(label, [side.name for side in found], series_columns(found))


class _Chapter:
    def __init__(self, report: Report, zone: tzinfo | None) -> None:
        self._report = report
        self._words = Words(report, zone)

    def blocks(self) -> Iterator[str]:
        """Yield everything between empty lines."""
        report, words = self._report, self._words
        yield f"# {escape(report.origin.hostname)}"
        compared = " ".join(words.compared())
        about = [words.origin(), words.span(), words.completeness(), words.sources(), compared, words.damage()]
        yield "\n".join(f"- {escape(line)}" for line in about if line)
        if report.glance:
            yield "## At a glance"
            yield self._glance()
        if rows := largest(report):
            yield "## Largest changes"
            cells = [[escape(metric), escape(labels), *numbers] for metric, *numbers, labels in rows]
            yield _table(["metric", "", "then", "now", "change"], cells, left=(0, 1))
        if told := come_and_gone(report):
            yield "\n".join(f"- {escape(' '.join(parts))}" for parts in told)
        yield from self._alerts()
        for table in report.tables:
            yield from self._table(table)
        for ranking in report.rankings:
            yield f"## Top by {ranking.metric.name}"
            yield f"{escape(self._words.ranking(ranking)).capitalize()}"
            yield self._ranking(ranking)

    def _glance(self) -> str:
        when = self._words.when
        compared = self._report.compared is not None
        rows = []
        for item in self._report.glance:
            mean, worst = glance_cells(item)
            changed = [glance_change(item)] if compared else []
            rows.append([item.what, escape(item.subject), mean, *changed, worst, when(item.at)])
        titles = ["what", "", "mean", *(["change"] if compared else []), "worst", "at"]
        return _table(titles, rows, left=(0, 1, len(titles) - 1))

    def _alerts(self) -> Iterator[str]:
        yield "## Alerts"
        lines = ["None."] if not self._report.alerts else []
        lines += [
            f"- **{alert.level.value.upper()}** " + ", ".join(map(escape, self._words.alert(alert)))
            for alert in self._report.alerts
        ]
        lines += [f"- silenced: {escape(silence)}" for silence in self._report.silences]
        yield "\n".join(lines)

    def _table(self, table: TableSummary) -> Iterator[str]:
        yield f"## {escape(table.table.name)}"
        layout = arrange(table)
        if self._report.by:
            moved = tuple(one for one in table.series if one in layout.full or one in layout.brief)
            if moved:
                yield _sides(replace(table, series=moved), self._report.by)
            layout = replace(layout, full=(), brief=(), crowded=False)
        if layout.crowded and not self._report.edges:
            crowd = replace(table, series=layout.full)
            yield _sides(replace(crowd, series=worst_first(crowd)), table.table.labels[0])
            layout = replace(layout, full=())
        for series in layout.full:
            yield from self._series(series)
        if layout.brief:
            yield from self._brief(table, layout)
        for coverages, quiet in layout.quiet:
            names = ", ".join(map(escape, named_together(quiet)))
            told = f"{still(quiet).capitalize()} ({escape(self._words.coverages(coverages))})"
            yield f"{told}: {names}" if names else told

    def _series(self, series: SeriesSummary) -> Iterator[str]:
        if series.labels:
            yield f"### {escape(named(series))}"
        yield escape(self._words.coverage(series.coverage))
        moving = [item for item in series.metrics if has_course(item)]
        if self._report.edges:
            for item in moving:
                yield escape(item.metric.name)
                yield self._times(item)
        elif moving:
            rows = [row for item in moving for row in self._rows(item.metric.name, item)]
            yield _table(["metric", *TITLES, "max at"], rows)
        told = [self._limits(item) for item in moving if item.beyond]
        told += [f"- {escape(' '.join(parts))}" for parts in unmoved(series)]
        if told:
            yield "\n".join(told)

    def _rows(self, name: str, item: MetricSummary) -> Iterator[list[str]]:
        yield self._metric(name, item)
        if told := changes(item):
            yield ["change", *told, ""]

    def _metric(self, name: str, item: MetricSummary) -> list[str]:
        if item.stats is None:
            return [escape(name), *("-" for _ in TITLES), "-"]
        return [escape(name), *numbers(item.stats, item.metric.unit), self._words.when(item.stats.max_at)]

    def _limits(self, item: MetricSummary) -> str:
        """Return for how long a metric was beyond the limits that the rules set for it."""
        told = (f"{level} {limit}: {told}" for level, limit, told in limits(item))
        return f"- {escape(', '.join([item.metric.name, *told]))}"

    def _times(self, item: MetricSummary) -> str:
        rows = []
        for edge, one in zip(self._report.edges, item.buckets, strict=False):  # the last edge is an end
            values = [None] * 3 if one is None else [one.mean, one.min, one.max]
            cells = [units.cell(value, item.metric.unit) for value in values]
            rows.append([self._words.when(edge), str(one.samples if one else 0), *cells])
        return _table(["from", "count", "mean", "min", "max"], rows)

    def _brief(self, table: TableSummary, layout: Layout) -> Iterator[str]:
        """Tell of each series in a line: its first metric, or the few numbers that matter of all."""
        if self._report.edges:
            for one in layout.brief:
                for item in one.metrics if table.table.compact else one.metrics[:1]:
                    yield escape(f"{named(one)} {item.metric.name}")
                    yield self._times(item)
            return
        if table.table.compact:
            titles = [f"{item.metric.name} {title}" for item in layout.brief[0].metrics for title in _titles(item)]
            rows = [row for one in layout.brief for row in self._digests(one)]
        else:
            titles = [*TITLES, "max at"]
            rows = [row for one in layout.brief for row in self._rows(named(one), one.metrics[0])]
            yield escape(layout.brief[0].metrics[0].metric.name)
        if layout.shared:
            yield escape(self._words.coverage(layout.shared))
        yield _table(["series", *map(escape, titles)], rows)
        holes = [one for one in layout.brief if layout.is_told(one)]
        if holes:
            yield "\n".join(f"- {escape(named(one))}: {escape(self._words.coverage(one.coverage))}" for one in holes)

    def _digests(self, series: SeriesSummary) -> Iterator[list[str]]:
        yield [escape(named(series)), *(cell for item in series.metrics for cell in digest(item.metric, item.stats))]
        if any(item.before for item in series.metrics):
            yield ["change", *(cell for item in series.metrics for cell in digest_changes(item))]

    def _ranking(self, ranking: Ranking) -> str:
        rows = [self._group(group, ranking, escape(process_name(group))) for group in ranking.groups]
        if ranking.rest:
            rows.append(self._group(ranking.rest, ranking, OTHERS))
        compared = self._report.compared is not None
        titles = ["mean", *(["change"] if compared else []), "max", "max at", "process"]
        return _table(titles, rows, left=(len(titles) - 2, len(titles) - 1))

    def _group(self, group: RankedGroup, ranking: Ranking, name: str) -> list[str]:
        mean, worst = ranked_cells(group, ranking, "≥ ")
        changed = [ranked_change(group, ranking)] if self._report.compared else []
        return [mean, *changed, worst, self._words.when(group.max_at), name]


def _titles(item: MetricSummary) -> tuple[str, ...]:
    return digest_titles(item.metric)


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[int] = (0,)) -> str:
    """Return a table whose columns are as wide as they need to be, so that its source lines up too."""
    lines = [titles, *rows]
    widths = [max(3, *(len(line[column]) for line in lines)) for column in range(len(titles))]
    rule = ["-" * width if column in left else f"{'-' * (width - 1)}:" for column, width in enumerate(widths)]
    padded = [
        [_padded(line[column], widths[column], column in left) for column in range(len(titles))] for line in lines
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


def _padded(cell: str, width: int, to_the_left: bool) -> str:
    return cell.ljust(width) if to_the_left else cell.rjust(width)
