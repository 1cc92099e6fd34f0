"""Charts: which curves share one, and what is it called? Those of one table with one unit and subject; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sysmon.report.layout import has_trend, lay_out
from sysmon.report.render.phrases import format_labels
from sysmon.report.summary import MetricSummary, SeriesSummary, TableSummary
from sysmon.text.names import printable

MOST_LINES = 16
"""More curves than these in one picture cannot be told apart: those that rise highest are drawn."""

_TOGETHER = 6
"""More curves than these of several metrics are drawn metric by metric."""


@dataclass(frozen=True, slots=True)
class Line:
    """One curve; one that is `hidden` is drawn only when asked for."""

    name: str
    series: SeriesSummary
    item: MetricSummary
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Chart:
    """Curves of one unit over the same parts of the range; `left_out` counts those that found no room.

    `about` says what a single metric is, and whom the curves are about if that is the same for all.
    """

    title: str
    about: str
    unit: str
    lines: tuple[Line, ...]
    left_out: int = 0

    @property
    def parts(self) -> int:
        """Return into how many parts the range is cut."""
        return len(self.lines[0].item.trend)


_Trend = tuple[SeriesSummary, MetricSummary]


def build_charts(table: TableSummary) -> list[Chart]:
    """Return the pictures of a table: what never changed is in none of them."""
    layout = lay_out(table)
    drawn = [
        chart for trends in _group_alike(layout.full) for chart in _split_chart(trends, alone=len(layout.full) == 1)
    ]
    if not is_compact(table):
        firsts = [(series, series.metrics[0]) for series in layout.brief if _is_drawn(series.metrics[0])]
        drawn += [_build_chart(trends, alone=False) for trends in _group_by_parts(firsts)]
    return drawn


def is_compact(table: TableSummary) -> bool:
    """Say whether the series of a table are told in a line each, because several numbers of each mean little alone."""
    return table.table.compact and len(table.table.metrics) > 1


def short_name(series: SeriesSummary) -> str:
    """Return the shortest name of a series: its first label, which is unique but for rare cases."""
    return printable(series.labels[0][1]) if series.labels else ""


def _group_alike(full: Iterable[SeriesSummary]) -> Iterator[list[_Trend]]:
    """Yield the trends of one kind, unit and subject (the first word of the name)."""
    groups: dict[tuple[str, ...], list[_Trend]] = {}
    for series in full:
        for item in series.metrics:
            if _is_drawn(item):
                metric = item.metric
                key = (metric.kind, metric.unit, metric.name.split("_")[0])
                groups.setdefault(key, []).append((series, item))
    for trends in groups.values():
        yield from _group_by_parts(trends)


def _is_drawn(item: MetricSummary) -> bool:
    return has_trend(item) and any(value is not None for value in item.trend)


def _group_by_parts(trends: Iterable[_Trend]) -> Iterator[list[_Trend]]:
    groups: dict[int, list[_Trend]] = {}
    for series, item in trends:
        groups.setdefault(len(item.trend), []).append((series, item))
    yield from groups.values()


def _split_chart(trends: Sequence[_Trend], *, alone: bool) -> Iterator[Chart]:
    """Yield one chart, or one a metric where several series have too many curves for one."""
    if alone or len(trends) <= _TOGETHER:
        yield _build_chart(trends, alone=alone)
        return
    for name in dict.fromkeys(item.metric.name for _, item in trends):
        yield _build_chart([trend for trend in trends if trend[1].metric.name == name], alone=False)


def _build_chart(trends: Sequence[_Trend], *, alone: bool) -> Chart:
    metrics = {item.metric.name: item.metric for _, item in trends}
    words = [name.split("_") for name in metrics]
    start = _count_shared(words)
    end = _count_shared([list(reversed(parts[start:])) for parts in words])
    drawn = _select_highest(trends)
    everything = all(item.metric.remainder for _, item in drawn)
    lines = []
    for series, item in drawn:
        parts = item.metric.name.split("_")
        own = "_".join(parts[start : len(parts) - end]) if len(metrics) > 1 else ""
        subject = "" if alone else short_name(series)
        name = " ".join(filter(None, (subject, printable(own)))) or printable(item.metric.name)
        lines.append(Line(name, series, item, not everything and item.metric.remainder))
    first = next(iter(metrics.values()))
    title, about = first.name, [first.help]
    if len(metrics) > 1:
        title, about = "_".join([*words[0][:start], "*", *words[0][len(words[0]) - end :]]), []
    if alone:
        about.insert(0, format_labels(drawn[0][0]))
    return Chart(
        printable(title),
        printable(" · ".join(filter(None, about))),
        first.unit,
        tuple(lines),
        len(trends) - len(drawn),
    )


def _count_shared(names: Sequence[Sequence[str]]) -> int:
    """Return with how many equal words names begin, so that each keeps one of its own."""
    same = takewhile(lambda words: len(set(words)) == 1, zip(*names, strict=False))
    return min([sum(1 for _ in same), *(len(name) - 1 for name in names)])


def _select_highest(trends: Sequence[_Trend]) -> Sequence[_Trend]:
    """Return as many trends as can be told apart, in their order."""
    places = sorted(range(len(trends)), key=lambda place: -_peak(trends[place][1]))
    return [trends[place] for place in sorted(places[:MOST_LINES])]


def _peak(item: MetricSummary) -> float:
    return item.stats.max if item.stats else 0.0
