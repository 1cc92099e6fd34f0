"""Text of series or hosts side by side: one line each, with the numbers that matter."""

from collections.abc import Iterator, Sequence

from sysmon.report.render.grid import draw
from sysmon.report.render.phrases import Phrases, add_commas
from sysmon.report.render.side_columns import host_columns, series_columns
from sysmon.report.render.style import Style
from sysmon.report.side_by_side import HOST, NamedSeries, merge_hosts, name_series, sort_worst_first
from sysmon.report.summary import Report, TableSummary
from sysmon.text.cells import cut_front, flow
from sysmon.text.names import printable

_WIDEST_NAME = 30
_WORST = 16
_MOST_GAPS = 4


def render_table(table: TableSummary, phrases: Phrases, style: Style) -> list[str]:
    """Return the series of a table by the label of the report."""
    label = phrases.report.by
    return list(
        _render_lines(table.table.name, label, [(side, phrases) for side in name_series(table.series, label)], style)
    )


def render_worst(table: TableSummary, phrases: Phrases, style: Style) -> list[str]:
    """Return the worst of so many series of a table, and how to see the others."""
    label = table.table.labels[0]
    worst = sort_worst_first(table)
    chosen = [(side, phrases) for side in name_series(worst[:_WORST], label)]
    return [
        *_render_lines(table.table.name, label, chosen, style),
        *_count_others(table.table.name, label, len(worst) - len(chosen)),
    ]


def _count_others(name: str, label: str, count: int) -> list[str]:
    return [f"  and {count} more: --table {name} --by {label} shows all"] if count > 0 else []


def render_hosts(reports: Sequence[Report], style: Style) -> Iterator[list[str]]:
    """Yield the blocks of a page on which hosts are side by side."""
    pages = [Phrases(report, style.zone) for report in reports]
    yield [pages[0].span()]
    names = [_shorten(report.origin.hostname) for report in reports]
    yield list(draw(names, host_columns(reports), style, corner=HOST))
    if not any(report.overview for report in reports):
        for name, sides in merge_hosts(reports):
            yield list(_render_lines(name, HOST, [(side, pages[place]) for side, place in sides], style))


def _render_lines(name: str, label: str, sides: Sequence[tuple[NamedSeries, Phrases]], style: Style) -> Iterator[str]:
    """Yield a line for each side, and what its samples lack where they do."""
    yield style.bold(f"{name} by {label}")
    beside = [side for side, _ in sides]
    yield from draw([_shorten(side.name) for side in beside], series_columns(beside), style, corner=label)
    gaps: dict[str, list[str]] = {}
    for side, phrases in sides:
        if (coverage := side.series.coverage).found < coverage.expected:
            gaps.setdefault(phrases.coverage(coverage), []).append(_shorten(side.name))
    for lack, names in list(gaps.items())[:_MOST_GAPS]:
        first, *others = add_commas(names)
        yield from flow([f"  {first}", *others, f"  {lack}"], style.columns, indent=4, between=" ")
    if len(gaps) > _MOST_GAPS:
        yield f"  and {sum(map(len, list(gaps.values())[_MOST_GAPS:]))} more with gaps of their own"


def _shorten(name: str) -> str:
    return cut_front(printable(name), _WIDEST_NAME, "...")
