"""Series or hosts side by side for people: one line each, with the numbers that matter."""

from collections.abc import Iterator, Sequence

from sysmon.report.render.grid import draw
from sysmon.report.render.phrases import Words, commas
from sysmon.report.render.side_columns import host_columns, series_columns
from sysmon.report.render.style import Style
from sysmon.report.side_by_side import HOST, Side, hosts_of, sides, worst_first
from sysmon.report.summary import Report, TableSummary
from sysmon.text.cells import cut_front, flow
from sysmon.text.names import printable

_WIDEST_NAME = 30
_WORST = 16
_HOLES = 4


def table(found: TableSummary, words: Words, style: Style) -> list[str]:
    """Return the series of a table by the label of the report."""
    label = words.report.by
    return list(_lines(found.table.name, label, [(side, words) for side in sides(found.series, label)], style))


def crowd(found: TableSummary, words: Words, style: Style) -> list[str]:
    """Return the worst of so many series of a table, and how to see the others."""
    label = found.table.labels[0]
    worst = worst_first(found)
    chosen = [(side, words) for side in sides(worst[:_WORST], label)]
    return [
        *_lines(found.table.name, label, chosen, style),
        *_others(found.table.name, label, len(worst) - len(chosen)),
    ]


def _others(name: str, label: str, count: int) -> list[str]:
    return [f"  and {count} more: --table {name} --by {label} shows all"] if count > 0 else []


def hosts(reports: Sequence[Report], style: Style) -> Iterator[list[str]]:
    """Yield the blocks of a page on which hosts are side by side."""
    pages = [Words(report, style.zone) for report in reports]
    yield [pages[0].span()]
    names = [_short(report.origin.hostname) for report in reports]
    yield list(draw(names, host_columns(reports), style, corner=HOST))
    if not any(report.glance for report in reports):
        for name, found in hosts_of(reports):
            yield list(_lines(name, HOST, [(side, pages[place]) for side, place in found], style))


def _lines(name: str, label: str, found: Sequence[tuple[Side, Words]], style: Style) -> Iterator[str]:
    """Yield a line for each side, and what its samples lack where they do."""
    yield style.bold(f"{name} by {label}")
    beside = [side for side, _ in found]
    yield from draw([_short(side.name) for side in beside], series_columns(beside), style, corner=label)
    holes: dict[str, list[str]] = {}
    for side, words in found:
        if (coverage := side.series.coverage).found < coverage.expected:
            holes.setdefault(words.coverage(coverage), []).append(_short(side.name))
    for told, names in list(holes.items())[:_HOLES]:
        first, *others = commas(names)
        yield from flow([f"  {first}", *others, f"  {told}"], style.columns, indent=4, between=" ")
    if len(holes) > _HOLES:
        yield f"  and {sum(map(len, list(holes.values())[_HOLES:]))} more with gaps of their own"


def _short(name: str) -> str:
    return cut_front(printable(name), _WIDEST_NAME, "...")
