"""Table in full: every row with all its metrics, by the names that they have everywhere."""

from collections.abc import Sequence

from sysmon.model import Metric, Table
from sysmon.text.cells import flow, pad, width_of
from sysmon.text.names import printable
from sysmon.text.spans import Line, Look, Span, level_style
from sysmon.text.units import human
from sysmon.view.alert_marks import level_of
from sysmon.view.snapshot import NamedRow, Snapshot, number, text

_VALUE = 11
_INDENT = 2


def draw_table(
    snapshot: Snapshot, name: str, width: int, look: Look, *, records: Sequence[NamedRow] | None = None
) -> list[Line]:
    """Return the lines of one table, its rows in the order of `records` where that is given."""
    shown = snapshot.tables[name]
    title: Line = [Span(look.sanitize(name), "bold")]
    if shown.at != snapshot.at:
        title.append(Span(f"  {(snapshot.at - shown.at).total_seconds():.0f}s before", "dim"))
    rows = list(shown.records()) if records is None else records
    grid = _grid(snapshot, name, rows, width, look)
    if grid:
        return [title, *grid]
    lines = [title]
    for record in rows:
        if shown.table.labels:
            level = level_of(snapshot, name, record)
            parts = [look.sanitize(part) for part in label_row(shown.table, record)]
            style = level_style(level) if level else ""
            lines += [
                [Span(" " * _INDENT + line, style)] for line in flow(parts, width - _INDENT, indent=0, more=look.more)
            ]
        lines += _metrics(shown.table.metrics, record, width, look)
    return lines


def _grid(snapshot: Snapshot, name: str, rows: Sequence[NamedRow], width: int, look: Look) -> list[Line]:
    """Return a line for each row under the names of the metrics; nothing where that would be too wide."""
    table = snapshot.tables[name].table
    names = [look.sanitize(metric.name) for metric in table.metrics]
    names_of_rows = [look.sanitize("  ".join(label_row(table, record))) for record in rows]
    left = max(map(width_of, names_of_rows), default=0)
    widths = [max(_VALUE, len(name)) + 2 for name in names]
    if not table.labels or not rows or _INDENT + left + sum(widths) > width:
        return []
    heading = "".join(f"{name:>{cell}}" for name, cell in zip(names, widths, strict=True))
    lines: list[Line] = [[Span(" " * (_INDENT + left) + heading, "dim")]]
    for record, label in zip(rows, names_of_rows, strict=True):
        level = level_of(snapshot, name, record)
        cells = "".join(
            f"{human(number(record, metric.name), metric.unit):>{cell}}"
            for metric, cell in zip(table.metrics, widths, strict=True)
        )
        shown = " " * _INDENT + pad(label, left)
        lines.append([Span(shown, level_style(level) if level else ""), Span(cells)])
    return lines


def label_row(table: Table, record: NamedRow) -> list[str]:
    """Return what names a row: the value of its only label, or all of them with their names."""
    if len(table.labels) == 1:
        return [text(record, table.labels[0])]
    return [f"{name}={text(record, name)}" for name in table.labels]


def _metrics(metrics: Sequence[Metric], record: NamedRow, width: int, look: Look) -> list[Line]:
    """Return names and values, in as many columns as fit, from top to bottom."""
    longest = max((len(printable(metric.name)) for metric in metrics), default=0)
    cell = longest + _VALUE + 3
    across = max(1, (width - 2 * _INDENT + 3) // cell)
    height = -(-len(metrics) // across)
    lines: list[Line] = []
    for row in range(height):
        line: Line = [Span(" " * 2 * _INDENT)]
        for metric in metrics[row::height]:
            value = human(number(record, metric.name), metric.unit)
            line += [Span(f"{look.sanitize(metric.name):<{longest}}", "dim"), Span(f"{value:>{_VALUE}}   ")]
        lines.append(line)
    return lines
