"""Full-screen view: a snapshot in so many columns and rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import tzinfo

from sysmon.text.cells import cut
from sysmon.text.spans import Line, Look, Span, level_style
from sysmon.view import blocks
from sysmon.view.alarms import draw_alerts, draw_alerts_in_full
from sysmon.view.alert_marks import worst_alert_level
from sysmon.view.blocks import Block
from sysmon.view.charts import draw_charts
from sysmon.view.commands import Situation, View
from sysmon.view.gauges import draw_gauges
from sysmon.view.help import draw_footer, draw_help
from sysmon.view.layout import GAP, place_beside, render_lines, spread, stack
from sysmon.view.processes import draw_processes, sort_processes
from sysmon.view.snapshot import Snapshot
from sysmon.view.tables import draw_table
from sysmon.view.time_text import format_ago, format_local

_TWO, _THREE = 76, 150
"""Columns from which on blocks stand in two or three columns."""

_AIRY = 34
"""Rows from which on an empty line stands between the parts."""

_PROCESSES = 6
_LEAST_HOST = 16

_OVERVIEW, _ALERTS = "overview", "alerts"
"""The pages that are no table."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What a terminal shows, line by line; `scroll` is how far it is scrolled, which is never beyond the end."""

    lines: list[str]
    scroll: int


def pages(snapshot: Snapshot | None) -> int:
    """Return how many pages there are: the overview, the alerts, and each table."""
    return len(_pages(snapshot))


def _pages(snapshot: Snapshot | None) -> list[str]:
    return [_OVERVIEW, _ALERTS, *snapshot.tables] if snapshot else [_OVERVIEW]


def render(
    snapshot: Snapshot | None, view: View, situation: Situation, *, host: str, columns: int, rows: int, look: Look
) -> Frame:
    """Draw a terminal's whole screen; its last column stays free, because writing there makes some terminals wrap."""
    width = max(1, columns - 1)
    head = draw_header(snapshot, situation, host, width, look)[: max(1, rows // 3)]
    foot = [draw_footer(situation, width, look)] if rows > len(head) + 3 else []
    height = max(0, rows - len(head) - len(foot))
    if view.helping:
        body = draw_help(width, look)
    elif snapshot is None:
        body = []
    elif view.page % pages(snapshot) == 0:
        body = _overview(snapshot, view, width, height, look, zone=situation.zone)
    else:
        body = _page(snapshot, view, width, look)
    scroll = max(0, min(view.scroll, len(body) - height))
    seen = body[scroll : scroll + height]
    blank: list[Line] = [[]] * (height - len(seen))
    return Frame(render_lines([*head, *seen, *blank, *foot], width, look), scroll)


def draw_header(snapshot: Snapshot | None, situation: Situation, host: str, width: int, look: Look) -> list[Line]:
    """Return whose snapshot it is, when, how bad it is, and what is to be said about the sample."""
    name: Line = [Span(cut(look.sanitize(host), max(_LEAST_HOST, width // 3), look.more), "bold")]
    notes: list[Line] = [[Span(look.sanitize(note), "warning")] for note in situation.note.splitlines()]
    if situation.skipped:
        notes.append([Span(f"{situation.skipped} lines or parts of files could not be read", "warning")])
    if snapshot is None:
        return [name, *notes]
    count = len(snapshot.alerts)
    level = worst_alert_level(snapshot)
    alerts = "no alerts" if not count else "1 alert" if count == 1 else f"{count} alerts"
    left = [
        *name,
        Span(f"  {format_local(snapshot.at, situation.zone)}  "),
        Span(level.value.upper() if level else "OK", level_style(level)),
        Span(f" {alerts}"),
    ]
    state = Span("LIVE", "ok") if situation.live else Span("PAST", "info")
    age = "" if situation.live else f" {format_ago(snapshot.at, situation.now)}"
    standing = f", {situation.standing}" if situation.standing else ""
    ways = [[state, Span(f"{age}{standing}", "dim")], [state, Span(age, "dim")], [state]]
    return [spread(left, ways, width), *notes]


def arrange_blocks(snapshot: Snapshot, width: int, look: Look) -> tuple[list[list[Block]], int]:
    """Return the small tables by the column in which they stand, and the width of a column.

    Each goes below the column that is shortest; the one that changes its height most comes last.
    """
    count = 3 if width >= _THREE else 2 if width >= _TWO else 1
    each = (width - GAP * (count - 1)) // count
    drawn = [blocks.build_block(kind, snapshot, each, look) for kind in (blocks.DISKS, blocks.NETWORK, blocks.MOUNTS)]
    drawn += [draw(snapshot, each, look) for draw in (blocks.draw_cores, blocks.draw_cgroup, blocks.draw_connections)]
    columns: list[list[Block]] = [[] for _ in range(count)]
    for block in drawn:
        if block is not None:
            min(columns, key=_height).append(block)
    return columns, each


def _height(column: Sequence[Block]) -> int:
    return sum(block.height for block in column)


def _overview(
    snapshot: Snapshot, view: View, width: int, height: int, look: Look, *, zone: tzinfo | None
) -> list[Line]:
    top = [*_limit(draw_alerts(snapshot, look), max(2, height // 8)), *draw_gauges(snapshot, width, look)]
    lists = draw_processes(snapshot, width, look, view.order, zone)
    columns, each = arrange_blocks(snapshot, width, look)
    air: list[Line] = [[]] if height >= _AIRY else []
    left = max(0, height - len(top) - 2 * len(air))
    natural = max(map(_height, columns), default=0)
    band = max(0, min(natural, left - min(len(lists), max(_PROCESSES, left // 2))))
    drawn = place_beside([stack(column, band) for column in columns], each, look)
    room = max(0, left - len(drawn))
    large = draw_charts(snapshot, width, room - len(lists) - len(air), look)
    if large:
        top += [*air, *large]
        room -= len(large) + len(air)
    if len(lists) > room > 2:
        lists = [*lists[: room - 1], lists[-1]]
    return [*top, *air, *drawn, *air, *lists[:room]]


def _page(snapshot: Snapshot, view: View, width: int, look: Look) -> list[Line]:
    names = _pages(snapshot)
    name = names[view.page % len(names)]
    if name == _ALERTS:
        title: Line = [Span("alerts", "bold")]
        lines = draw_alerts_in_full(snapshot, look) or [[Span("  none", "dim")]]
    else:
        records = sort_processes(snapshot, view.order) if name == "process" else None
        title, *lines = draw_table(snapshot, name, width, look, records=records)
    place = f"   {names.index(name)} of {len(names) - 1}: Tab for the next, j and k scroll, Esc goes back"
    return [[*title, Span(place, "dim")], *lines]


def _limit(lines: Sequence[Line], room: int) -> Iterable[Line]:
    if len(lines) <= room:
        return lines
    return [*lines[: room - 1], [Span(f"+{len(lines) - room + 1} more alerts", "dim")]]
