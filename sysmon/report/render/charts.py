"""Which curves share a picture, and what is it called? Those of one table with one unit and one subject; pure."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from sysmon.report.layout import arrange, has_course
from sysmon.report.render.phrases import named
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


_Course = tuple[SeriesSummary, MetricSummary]


def charts(table: TableSummary) -> list[Chart]:
    """Return the pictures of a table: what never changed is in none of them."""
    layout = arrange(table)
    found = [chart for courses in _alike(layout.full) for chart in _charts(courses, alone=len(layout.full) == 1)]
    if not in_lines(table):
        firsts = [(one, one.metrics[0]) for one in layout.brief if _is_drawn(one.metrics[0])]
        found += [_chart(courses, alone=False) for courses in _of_equal_parts(firsts)]
    return found


def in_lines(table: TableSummary) -> bool:
    """Say whether the series of a table are told in a line each, because several numbers of each mean little alone."""
    return table.table.compact and len(table.table.metrics) > 1


def labels_of(series: SeriesSummary) -> str:
    """Return the shortest name of a series: its first label, which is unique but for rare cases."""
    return printable(series.labels[0][1]) if series.labels else ""


def _alike(full: Iterable[SeriesSummary]) -> Iterator[list[_Course]]:
    """Yield the courses of one kind, unit and subject (the first word of the name)."""
    groups: dict[tuple[str, ...], list[_Course]] = {}
    for series in full:
        for item in series.metrics:
            if _is_drawn(item):
                metric = item.metric
                key = (metric.kind, metric.unit, metric.name.split("_")[0])
                groups.setdefault(key, []).append((series, item))
    for courses in groups.values():
        yield from _of_equal_parts(courses)


def _is_drawn(item: MetricSummary) -> bool:
    return has_course(item) and any(value is not None for value in item.trend)


def _of_equal_parts(courses: Iterable[_Course]) -> Iterator[list[_Course]]:
    groups: dict[int, list[_Course]] = {}
    for series, item in courses:
        groups.setdefault(len(item.trend), []).append((series, item))
    yield from groups.values()


def _charts(courses: Sequence[_Course], *, alone: bool) -> Iterator[Chart]:
    """Yield one chart, or one a metric where several series have too many curves for one."""
    if alone or len(courses) <= _TOGETHER:
        yield _chart(courses, alone=alone)
        return
    for name in dict.fromkeys(item.metric.name for _, item in courses):
        yield _chart([course for course in courses if course[1].metric.name == name], alone=False)


def _chart(courses: Sequence[_Course], *, alone: bool) -> Chart:
    metrics = {item.metric.name: item.metric for _, item in courses}
    words = [name.split("_") for name in metrics]
    start = _shared(words)
    end = _shared([list(reversed(parts[start:])) for parts in words])
    drawn = _highest(courses)
    everything = all(item.metric.remainder for _, item in drawn)
    lines = []
    for series, item in drawn:
        parts = item.metric.name.split("_")
        own = "_".join(parts[start : len(parts) - end]) if len(metrics) > 1 else ""
        subject = "" if alone else labels_of(series)
        name = " ".join(filter(None, (subject, printable(own)))) or printable(item.metric.name)
        lines.append(Line(name, series, item, not everything and item.metric.remainder))
    first = next(iter(metrics.values()))
    title, told = first.name, [first.help]
    if len(metrics) > 1:
        title, told = "_".join([*words[0][:start], "*", *words[0][len(words[0]) - end :]]), []
    if alone:
        told.insert(0, named(drawn[0][0]))
    return Chart(
        printable(title), printable(" · ".join(filter(None, told))), first.unit, tuple(lines), len(courses) - len(drawn)
    )


def _shared(names: Sequence[Sequence[str]]) -> int:
    """Return with how many equal words names begin, so that each keeps one of its own."""
    same = takewhile(lambda words: len(set(words)) == 1, zip(*names, strict=False))
    return min([sum(1 for _ in same), *(len(name) - 1 for name in names)])


def _highest(courses: Sequence[_Course]) -> Sequence[_Course]:
    """Return as many courses as can be told apart, in their order."""
    places = sorted(range(len(courses)), key=lambda place: -_peak(courses[place][1]))
    return [courses[place] for place in sorted(places[:MOST_LINES])]


def _peak(item: MetricSummary) -> float:
    return item.stats.max if item.stats else 0.0
