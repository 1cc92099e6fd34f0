"""A moment as a page for a pipe or a file: everything, in as many lines as it takes."""

from collections.abc import Collection

from sysmon.text.spans import Line, Look
from sysmon.view.alarms import alarms_in_full
from sysmon.view.commands import Order, Situation
from sysmon.view.full_screen import block_columns, header
from sysmon.view.gauges import gauges
from sysmon.view.layout import as_text, beside, stacked
from sysmon.view.processes import processes
from sysmon.view.snapshot import Moment
from sysmon.view.tables import in_full

IN_OVERVIEW = frozenset(
    {"cpu", "load", "memory", "pressure", "disk_io", "disk_usage", "network", "tcp", "connections", "process", "cgroup"}
)
"""The tables whose numbers stand in the overview; the others are told in full below it."""


def render(moment: Moment, situation: Situation, *, tables: Collection[str], width: int, look: Look) -> list[str]:
    """Return the lines of a page; tables that are named are told in full, and nothing else."""
    parts: list[list[Line]] = [header(moment, situation, moment.host, width, look)]
    if tables:
        parts += [in_full(moment, name, width, look) for name in moment.tables if name in tables]
        return as_text(_spaced(parts), width, look)
    columns, each = block_columns(moment, width, look)
    parts.append(alarms_in_full(moment, look))
    parts.append(gauges(moment, width, look))
    height = max((sum(block.height for block in column) for column in columns), default=0)
    parts.append(beside([stacked(column, height) for column in columns], each, look))
    parts.append(processes(moment, width, look, Order.CPU))
    parts += [in_full(moment, name, width, look) for name in moment.tables if name not in IN_OVERVIEW]
    return as_text(_spaced(parts), width, look)


def _spaced(parts: list[list[Line]]) -> list[Line]:
    """Return the parts that there are, with an empty line between them."""
    lines: list[Line] = []
    for part in parts:
        lines += [[], *part] if lines and part else part
    return lines
