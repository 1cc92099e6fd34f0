"""Snapshot as a page for a pipe or a file: everything, in as many lines as it takes."""

from collections.abc import Collection

from sysmon.text.spans import Line, Look
from sysmon.view.alarms import draw_alerts_in_full
from sysmon.view.commands import Order, Situation
from sysmon.view.full_screen import arrange_blocks, draw_header
from sysmon.view.gauges import draw_gauges
from sysmon.view.layout import place_beside, render_lines, stack
from sysmon.view.processes import draw_processes
from sysmon.view.snapshot import ABOUT_SYSMON, IN_OVERVIEW, Snapshot
from sysmon.view.tables import draw_table


def render(snapshot: Snapshot, situation: Situation, *, tables: Collection[str], width: int, look: Look) -> list[str]:
    """Return the lines of a page; tables that are named are told in full, and nothing else.

    Tables about sysmon itself are told only where they are named.
    """
    parts: list[list[Line]] = [draw_header(snapshot, situation, snapshot.host, width, look)]
    if tables:
        parts += [draw_table(snapshot, name, width, look) for name in snapshot.tables if name in tables]
        return render_lines(_space_out(parts), width, look)
    columns, each = arrange_blocks(snapshot, width, look)
    parts.append(draw_alerts_in_full(snapshot, look))
    parts.append(draw_gauges(snapshot, width, look))
    height = max((sum(block.height for block in column) for column in columns), default=0)
    parts.append(place_beside([stack(column, height) for column in columns], each, look))
    parts.append(draw_processes(snapshot, width, look, Order.CPU, situation.zone))
    shown = [name for name in snapshot.tables if name not in IN_OVERVIEW | ABOUT_SYSMON]
    parts += [draw_table(snapshot, name, width, look) for name in shown]
    return render_lines(_space_out(parts), width, look)


def _space_out(parts: list[list[Line]]) -> list[Line]:
    """Return the parts that there are, with an empty line between them."""
    lines: list[Line] = []
    for part in parts:
        lines += [[], *part] if lines and part else part
    return lines
