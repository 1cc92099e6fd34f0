"""Text report: for people, the same on a terminal, in a pipe and in a mail."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta

from sysmon.report.layout import TableLayout, has_trend, lay_out
from sysmon.report.render import Format, Medium, RenderOptions, spark, text_rows, text_sides
from sysmon.report.render.changes import format_changes
from sysmon.report.render.phrases import (
    Phrases,
    add_commas,
    describe_limits,
    describe_quiet,
    describe_unchanged,
    describe_values,
    format_labels,
    is_exceeded,
    list_names,
)
from sysmon.report.render.style import CELL, TITLES, Style, levels, name_width, numbers, trend_width
from sysmon.report.render.text_times import render_buckets
from sysmon.report.side_by_side import HOST
from sysmon.report.summary import MetricSummary, Report, SeriesSummary, TableSummary
from sysmon.text.cells import flow, pad
from sysmon.text.names import printable
from sysmon.text.spans import detect_look

_TITLES = "".join(f"{title:>{CELL}}" for title in TITLES) + "  max at"
_BUCKET_LEGEND = "Each line covers the time from its start to that of the next; count 0 = no data."
_TREND_LEGEND = "Sparklines are scaled min to max per metric; blank = no data."


def render(reports: Sequence[Report], options: RenderOptions) -> str:
    """Return one page a host, with a line between two; one page for all where hosts are told side by side."""
    bars = detect_look(color=options.color, encoding=options.encoding).bars
    style = Style(width=options.width, zone=options.zone, bars=bars, color=options.color)
    if reports and reports[0].by == HOST:
        return _join_blocks(text_sides.render_hosts(reports, style))
    return f"\n{'=' * style.columns}\n\n".join(_Page(report, style).render() for report in reports)


def _trend_points(metrics: Iterable[str], length: timedelta, options: RenderOptions) -> int:
    return trend_width(metrics, options.width)


FORMAT = Format(render, audience="for people", medium=Medium.TERMINAL, trend_points=_trend_points)


def _join_blocks(blocks: Iterable[Sequence[str]]) -> str:
    return "\n\n".join("\n".join(line.rstrip() for line in block) for block in blocks if block) + "\n"


class _Page:
    def __init__(self, report: Report, style: Style) -> None:
        self._report = report
        self._style = style
        self._phrases = Phrases(report, style.zone)
        shown = [item.metric.name for table in report.tables for series in table.series for item in series.metrics]
        self._names = name_width(shown)
        self._trend = trend_width(shown, style.width)

    def render(self) -> str:
        style, phrases = self._style, self._phrases
        blocks = [
            list(self._header()),
            text_rows.render_overview(phrases, style),
            text_rows.render_alerts(phrases, style),
            text_rows.render_changes(phrases, style),
        ]
        for table in self._report.tables:
            blocks += self._table(table)
        blocks += [text_rows.render_ranking(ranking, phrases, style) for ranking in self._report.rankings]
        return _join_blocks(blocks)

    def _header(self) -> Iterator[str]:
        phrases, host = self._phrases, printable(self._report.origin.hostname)
        yield self._style.bold(f"{host}  {phrases.origin()}", len(host))
        yield phrases.span()
        yield phrases.completeness()
        yield phrases.sources()
        if limits := phrases.limits():
            yield from flow([limits], self._style.columns, between=" ")
        if compared := phrases.compared():
            yield from flow(compared, self._style.columns, between=" ")
        if self._report.skipped:
            yield phrases.damage()
        if self._report.edges:
            yield _BUCKET_LEGEND
        elif not self._report.by and any(
            item.trend for table in self._report.tables for series in table.series for item in series.metrics
        ):
            yield _TREND_LEGEND

    def _table(self, table: TableSummary) -> Iterator[list[str]]:
        layout = lay_out(table)
        if self._report.by:
            moved = tuple(series for series in table.series if series in layout.full or series in layout.brief)
            if moved:
                yield text_sides.render_table(replace(table, series=moved), self._phrases, self._style)
            layout = replace(layout, full=(), brief=())
        if layout.crowded and not self._report.edges:
            yield text_sides.render_worst(replace(table, series=layout.full), self._phrases, self._style)
            layout = replace(layout, full=())
        if self._report.edges and len(layout.full) > 1 and len(layout.full[0].metrics) == 1:
            yield list(self._brief(table, replace(layout, full=(), brief=layout.full)))
            layout = replace(layout, full=())
        for series in layout.full:
            yield list(self._series(table, series))
        if self._report.edges and table.table.compact:
            for series in layout.brief:
                yield list(self._series(table, series))
        elif layout.brief and table.table.compact:
            yield text_rows.render_compact(table.table.name, layout, self._phrases, self._style)
        elif layout.brief:
            yield list(self._brief(table, layout))
        if layout.quiet:
            yield list(self._quiet(table, layout))

    def _series(self, table: TableSummary, series: SeriesSummary) -> Iterator[str]:
        left = "  ".join([table.table.name, *(f"{name}={printable(value)}" for name, value in series.labels)])
        moving = [item for item in series.metrics if has_trend(item)]
        in_time = bool(self._report.edges)
        yield from self._heading(left, self._phrases.coverage(series.coverage), titles=bool(moving) and not in_time)
        if in_time:
            yield from self._bands([(item.metric.name, item) for item in moving])
        for item in moving if not in_time else ():
            yield from self._metric(item)
        for parts in describe_unchanged(series):
            yield from flow(parts, self._style.columns, between=" ")

    def _heading(self, left: str, coverage: str, *, titles: bool) -> Iterator[str]:
        """Yield whom a block is about, how complete it is, and the names of the columns."""
        style = self._style
        columned = style.wide and titles
        head = left
        if len(left) + 4 + len(coverage) <= (style.left - 1 if columned else style.columns):
            head = f"{left}    {coverage}"
        else:
            yield style.bold(left)
            head = f"  {coverage}"
        line = style.align(head, _TITLES) if columned else head
        yield style.bold(line, len(left)) if line.startswith(left) else line
        if titles and not columned:
            yield style.align("", _TITLES)

    def _metric(self, item: MetricSummary) -> Iterator[str]:
        style = self._style
        name = f"{pad(printable(item.metric.name), self._names)}  {self._drawn(item)}"
        assert item.stats is not None  # noqa: S101 - those without are listed by name
        cells, at = numbers(item.stats, item.metric.unit), self._phrases.when(item.stats.max_at)
        yield from self._columns(name, f"{style.cells(cells, levels(item))}  {at}")
        yield from self._changes(item)
        yield from self._limits(item)

    def _changes(self, item: MetricSummary) -> Iterator[str]:
        """Yield how each number changed, below it."""
        if changed := format_changes(item):
            yield self._style.align("  change", self._style.cells(changed))

    def _limits(self, item: MetricSummary) -> Iterator[str]:
        """Yield how many values a metric has, if not all, and for how long it was beyond the limits of the rules."""
        parts = list(filter(None, [describe_values(item)]))
        for level, limit, lasted in describe_limits(item):
            beyond = any(exceeded.samples for exceeded in item.beyond if exceeded.limit.level is level)
            parts.append(f"{level} {limit}: {self._style.color_by(level if beyond else None, lasted)}")
        if parts:
            yield f"  {'   '.join(parts)}"

    def _brief(self, table: TableSummary, layout: TableLayout) -> Iterator[str]:
        """Tell of each series its first metric only, in a line."""
        style, phrases = self._style, self._phrases
        metric = layout.brief[0].metrics[0].metric
        if not layout.full and layout.usual:
            yield style.bold(f"{table.table.name}    {phrases.coverage(layout.usual)}", len(table.table.name))
        if self._report.edges:
            yield style.bold(metric.name)
            yield from self._bands([(format_labels(series), series.metrics[0]) for series in layout.brief])
            return
        yield from self._columns(metric.name, _TITLES, bold=len(metric.name))
        for series in layout.brief:
            item, name = series.metrics[0], format_labels(series)
            if item.stats is None:
                yield f"{name}  no value"
            else:
                right = (
                    f"{style.cells(numbers(item.stats, metric.unit), levels(item))}  {phrases.when(item.stats.max_at)}"
                )
                drawn = f"{pad(name, self._names)}  {self._drawn(item)}"[: style.left]
                yield from self._columns(drawn if style.wide else name, right)
            yield from self._changes(item)
            if is_exceeded(item) or describe_values(item):
                yield from self._limits(item)
            if series.coverage != layout.usual:
                yield f"  {phrases.coverage(series.coverage)}"

    def _bands(self, groups: Sequence[tuple[str, MetricSummary]]) -> Iterator[str]:
        yield from render_buckets(groups, self._report.edges, self._phrases, self._style)

    def _columns(self, left: str, right: str, *, bold: int = 0) -> Iterator[str]:
        """Yield a name and its numbers in a line, or in two where the name is too long for that."""
        if len(left) <= self._style.left:
            yield self._style.bold(self._style.align(left, right), bold)
        else:
            yield self._style.bold(left, bold)
            yield self._style.align("", right)

    def _quiet(self, table: TableSummary, layout: TableLayout) -> Iterator[str]:
        """Tell of series in which nothing happened: those of equal coverage share a line."""
        name = table.table.name
        for coverages, series in layout.quiet:
            parts = list_names(series)
            start = f"{name}  {describe_quiet(series)}" + (":" if parts else "")
            coverage = f"   {self._phrases.coverages(coverages)}"
            first, *more = flow([start, *add_commas(parts), coverage], self._style.columns, between=" ")
            yield self._style.bold(first, len(name))
            yield from more

    def _drawn(self, item: MetricSummary) -> str:
        return spark.draw(item.trend, self._trend, bars=self._style.bars)
