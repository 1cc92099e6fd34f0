"""Markdown report: for an issue, a wiki or a chat, and readable as it stands in a pager."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import tzinfo

from sysmon.report.layout import TableLayout, compact_cells, compact_changes, compact_titles, has_trend, lay_out
from sysmon.report.render import Format, RenderOptions
from sysmon.report.render.changes import (
    format_changes,
    format_overview_change,
    format_ranking_change,
    largest_changes,
    list_added_and_removed,
)
from sysmon.report.render.grid import Column
from sysmon.report.render.phrases import (
    OTHERS,
    Phrases,
    describe_limits,
    describe_quiet,
    describe_unchanged,
    describe_values,
    format_labels,
    format_process,
    list_names,
    overview_cells,
    ranking_cells,
)
from sysmon.report.render.side_columns import host_columns, series_columns
from sysmon.report.render.style import TITLES, numbers
from sysmon.report.side_by_side import HOST, merge_hosts, name_series, sort_worst_first
from sysmon.report.summary import MetricSummary, RankedGroup, Ranking, Report, SeriesSummary, TableSummary
from sysmon.text import units
from sysmon.text.cells import pad, pad_left, width_of
from sysmon.text.names import printable

_MARKS = re.compile(r"([\\`*\[\]<>|~#]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")


def render(reports: Sequence[Report], options: RenderOptions) -> str:
    """Return one chapter a host, or one for all side by side."""
    if reports and reports[0].by == HOST:
        return "\n\n".join(_render_hosts(reports, options.zone)) + "\n"
    return "\n".join("\n\n".join(_Chapter(report, options.zone).blocks()) + "\n" for report in reports)


FORMAT = Format(render, audience="for a wiki or an issue")


def escape(text: str) -> str:
    """Return text that Markdown shows as it is: names come from files, and may be anything."""
    return _MARKS.sub(r"\\\1", printable(text))


def _render_hosts(reports: Sequence[Report], zone: tzinfo | None) -> Iterator[str]:
    yield "# Hosts"
    yield f"- {escape(Phrases(reports[0], zone).span())}"
    yield _render_columns(HOST, [report.origin.hostname for report in reports], host_columns(reports))
    if not any(report.overview for report in reports):
        for name, sides in merge_hosts(reports):
            yield f"## {escape(name)}"
            yield _render_columns(HOST, [side.name for side, _ in sides], series_columns([side for side, _ in sides]))


def _render_columns(corner: str, names: Sequence[str], columns: Sequence[Column]) -> str:
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
    return alone + _render_table([corner, *map(escape, titles)], rows)


def _render_side_by_side(table: TableSummary, label: str) -> str:
    named = name_series(table.series, label)
    return _render_columns(label, [side.name for side in named], series_columns(named))


class _Chapter:
    def __init__(self, report: Report, zone: tzinfo | None) -> None:
        self._report = report
        self._phrases = Phrases(report, zone)

    def blocks(self) -> Iterator[str]:
        """Yield everything between empty lines."""
        report, phrases = self._report, self._phrases
        yield f"# {escape(report.origin.hostname)}"
        compared = " ".join(phrases.compared())
        about = [
            phrases.origin(),
            phrases.span(),
            phrases.completeness(),
            phrases.sources(),
            phrases.limits(),
            compared,
            phrases.damage(),
        ]
        yield "\n".join(f"- {escape(line)}" for line in about if line)
        if report.overview:
            yield "## At a glance"
            yield self._glance()
        yield from self._alerts()
        if rows := largest_changes(report):
            yield "## Largest changes"
            cells = [[escape(metric), escape(labels), *numbers] for metric, *numbers, labels in rows]
            yield _render_table(["metric", "", "then", "now", "change"], cells, left=(0, 1))
        if lines := list_added_and_removed(report):
            yield "\n".join(f"- {escape(' '.join(parts))}" for parts in lines)
        for table in report.tables:
            yield from self._table(table)
        for ranking in report.rankings:
            yield f"## Top by {ranking.metric.name}"
            yield f"{escape(self._phrases.ranking(ranking)).capitalize()}"
            yield self._ranking(ranking)

    def _glance(self) -> str:
        when = self._phrases.when
        compared = self._report.compared is not None
        rows = []
        for item in self._report.overview:
            mean, worst = overview_cells(item)
            changed = [format_overview_change(item)] if compared else []
            rows.append([item.title, escape(item.subject), mean, *changed, worst, when(item.at)])
        titles = ["what", "", "mean", *(["change"] if compared else []), "worst", "at"]
        return _render_table(titles, rows, left=(0, 1, len(titles) - 1))

    def _alerts(self) -> Iterator[str]:
        yield "## Alerts"
        lines = ["None."] if not self._report.alerts else []
        lines += [
            f"- **{alert.level.value.upper()}** " + ", ".join(map(escape, self._phrases.alert(alert)))
            for alert in self._report.alerts
        ]
        lines += [f"- silenced: {escape(silence)}" for silence in self._report.silences]
        yield "\n".join(lines)

    def _table(self, table: TableSummary) -> Iterator[str]:
        yield f"## {escape(table.table.name)}"
        layout = lay_out(table)
        if self._report.by:
            moved = tuple(series for series in table.series if series in layout.full or series in layout.brief)
            if moved:
                yield _render_side_by_side(replace(table, series=moved), self._report.by)
            layout = replace(layout, full=(), brief=(), crowded=False)
        if layout.crowded and not self._report.edges:
            crowd = replace(table, series=layout.full)
            yield _render_side_by_side(replace(crowd, series=sort_worst_first(crowd)), table.table.labels[0])
            layout = replace(layout, full=())
        for series in layout.full:
            yield from self._series(series)
        if layout.brief:
            yield from self._brief(table, layout)
        for coverages, quiet in layout.quiet:
            names = ", ".join(map(escape, list_names(quiet)))
            state = f"{describe_quiet(quiet).capitalize()} ({escape(self._phrases.coverages(coverages))})"
            yield f"{state}: {names}" if names else state

    def _series(self, series: SeriesSummary) -> Iterator[str]:
        if series.labels:
            yield f"### {escape(format_labels(series))}"
        yield escape(self._phrases.coverage(series.coverage))
        moving = [item for item in series.metrics if has_trend(item)]
        if self._report.edges:
            for item in moving:
                yield escape(item.metric.name)
                yield self._times(item)
        elif moving:
            rows = [row for item in moving for row in self._rows(item.metric.name, item)]
            yield _render_table(["metric", *TITLES, "max at"], rows)
        lines = [self._limits(item) for item in moving if item.beyond or describe_values(item)]
        lines += [f"- {escape(' '.join(parts))}" for parts in describe_unchanged(series)]
        if lines:
            yield "\n".join(lines)

    def _rows(self, name: str, item: MetricSummary) -> Iterator[list[str]]:
        yield self._metric(name, item)
        if changed := format_changes(item):
            yield ["change", *changed, ""]

    def _metric(self, name: str, item: MetricSummary) -> list[str]:
        if item.stats is None:
            return [escape(name), *("-" for _ in TITLES), "-"]
        return [escape(name), *numbers(item.stats, item.metric.unit), self._phrases.when(item.stats.max_at)]

    def _limits(self, item: MetricSummary) -> str:
        """Return how many values a metric has, if not all, and for how long it was beyond the limits of the rules."""
        lines = [f"{level} {limit}: {lasted}" for level, limit, lasted in describe_limits(item)]
        lines = [*filter(None, [describe_values(item)]), *lines]
        return f"- {escape(', '.join([item.metric.name, *lines]))}"

    def _times(self, item: MetricSummary) -> str:
        rows = []
        for edge, bucket in zip(self._report.edges, item.buckets, strict=False):  # the last edge is an end
            values = [None] * 3 if bucket is None else [bucket.mean, bucket.min, bucket.max]
            cells = [units.cell(value, item.metric.unit) for value in values]
            rows.append([self._phrases.when(edge), str(bucket.samples if bucket else 0), *cells])
        return _render_table(["from", "count", "mean", "min", "max"], rows)

    def _brief(self, table: TableSummary, layout: TableLayout) -> Iterator[str]:
        """Tell of each series in a line: its first metric, or the few numbers that matter of all."""
        if self._report.edges:
            for series in layout.brief:
                for item in series.metrics if table.table.compact else series.metrics[:1]:
                    yield escape(f"{format_labels(series)} {item.metric.name}")
                    yield self._times(item)
            return
        if table.table.compact:
            titles = [
                f"{item.metric.name} {title}" for item in layout.brief[0].metrics for title in _compact_titles(item)
            ]
            rows = [row for series in layout.brief for row in self._digests(series)]
        else:
            titles = [*TITLES, "max at"]
            rows = [row for series in layout.brief for row in self._rows(format_labels(series), series.metrics[0])]
            yield escape(layout.brief[0].metrics[0].metric.name)
        if layout.shared:
            yield escape(self._phrases.coverage(layout.shared))
        yield _render_table(["series", *map(escape, titles)], rows)
        gaps = [series for series in layout.brief if layout.has_own_coverage(series)]
        if gaps:
            yield "\n".join(
                f"- {escape(format_labels(series))}: {escape(self._phrases.coverage(series.coverage))}"
                for series in gaps
            )

    def _digests(self, series: SeriesSummary) -> Iterator[list[str]]:
        yield [
            escape(format_labels(series)),
            *(cell for item in series.metrics for cell in compact_cells(item.metric, item.stats)),
        ]
        if any(item.before for item in series.metrics):
            yield ["change", *(cell for item in series.metrics for cell in compact_changes(item))]

    def _ranking(self, ranking: Ranking) -> str:
        rows = [self._group(group, ranking, escape(format_process(group))) for group in ranking.groups]
        if ranking.rest:
            rows.append(self._group(ranking.rest, ranking, OTHERS))
        compared = self._report.compared is not None
        titles = ["mean", *(["change"] if compared else []), "max", "max at", "process"]
        return _render_table(titles, rows, left=(len(titles) - 2, len(titles) - 1))

    def _group(self, group: RankedGroup, ranking: Ranking, name: str) -> list[str]:
        mean, worst = ranking_cells(group, ranking, "≥ ")
        changed = [format_ranking_change(group, ranking)] if self._report.compared else []
        return [mean, *changed, worst, self._phrases.when(group.max_at), name]


def _compact_titles(item: MetricSummary) -> tuple[str, ...]:
    return compact_titles(item.metric)


def _render_table(titles: Sequence[str], rows: Iterable[Sequence[str]], *, left: Sequence[int] = (0,)) -> str:
    """Return a table whose columns are as wide as they need to be, so that its source lines up too."""
    lines = [titles, *rows]
    widths = [max(3, *(width_of(line[column]) for line in lines)) for column in range(len(titles))]
    rule = ["-" * width if column in left else f"{'-' * (width - 1)}:" for column, width in enumerate(widths)]
    padded = [[_pad(line[column], widths[column], column in left) for column in range(len(titles))] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in [padded[0], rule, *padded[1:]])


def _pad(cell: str, width: int, to_the_left: bool) -> str:
    return pad(cell, width) if to_the_left else pad_left(cell, width)
