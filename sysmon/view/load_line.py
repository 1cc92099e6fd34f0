"""Load line: load averages, pressure and the number of processes. Does work have to wait?"""

from sysmon.model import Unit
from sysmon.text.spans import Line, Look, Span, length, level_style
from sysmon.text.units import short
from sysmon.view.alert_marks import level_of
from sysmon.view.snapshot import NamedRow, Snapshot, number, text

LABEL = 8
"""Columns of the label of a line."""

_COUNTS = {
    "running": "processes_running",
    "blocked": "processes_blocked",
    "processes": "processes_total",
    "switches/s": "context_switches_per_second",
    "forks/s": "processes_forked_per_second",
    "open files": "open_files",
}


def draw_load_line(snapshot: Snapshot, width: int, look: Look) -> Line:
    """Return as much of it as there is room for, an empty line where nothing is known."""
    load = snapshot.record("load")
    line = _averages(load)
    for spans in (*_pressure(snapshot, look, first=not line), *_counts(load)):
        if length(line) + length(spans) > width:
            break
        line += spans
    return line


def _averages(load: NamedRow) -> Line:
    values = [number(load, f"load_average_{minutes}m") for minutes in (1, 5, 15)]
    if values[0] is None:
        return []
    cores = number(load, "cpu_count")
    averages = " ".join("-" if value is None else f"{value:.2f}" for value in values)
    averages += "" if cores is None else f" on {cores:.0f} core{'s' if cores != 1 else ''}"
    return [Span(f"{'load':<{LABEL}}", "dim"), Span(averages)]


def _pressure(snapshot: Snapshot, look: Look, *, first: bool) -> list[Line]:
    lines: list[Line] = []
    lead = "pressure % " if first else "   pressure % "
    for record in snapshot.records("pressure"):
        level = level_of(snapshot, "pressure", record)
        percent = short(number(record, "pressure_some_percent"), Unit.PERCENT)
        stalled = f"{look.sanitize(text(record, 'resource'))} {percent}"
        lines.append([Span(lead, "dim"), Span(stalled, level_style(level) if level else "")])
        lead = "  "
    return lines


def _counts(load: NamedRow) -> list[Line]:
    counts = [(label, number(load, name)) for label, name in _COUNTS.items()]
    return [[Span(f"  {label} {short(value, Unit.NONE)}", "dim")] for label, value in counts if value is not None]
