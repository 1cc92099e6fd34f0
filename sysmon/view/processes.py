"""Process list: top processes in the order that was chosen, and what all others use together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from sysmon.model import Unit
from sysmon.text.cells import cut, pad, pad_left
from sysmon.text.instants import parse_instant
from sysmon.text.spans import Line, Look, Span
from sysmon.text.units import short
from sysmon.view.commands import Order
from sysmon.view.snapshot import NamedRow, Snapshot, number, text

_OTHERS = "-1"
_LEAST_NAME = 12
_WIDEST_NAME = 32


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: how wide, what stands in it, from which width of the screen on, and the order that it stands for."""

    heading: str
    width: int
    cell: Callable[[NamedRow], str]
    least: int = 0
    order: Order | None = None
    left: bool = False


def _io(record: NamedRow) -> float | None:
    read, written = (number(record, f"process_{way}_bytes_per_second") for way in ("read", "write"))
    return None if read is None and written is None else (read or 0.0) + (written or 0.0)


def _metric(name: str, unit: Unit) -> Callable[[NamedRow], str]:
    return lambda record: short(number(record, name), unit)


def _label(name: str) -> Callable[[NamedRow], str]:
    return lambda record: text(record, name)


_COLUMNS = (
    _Column("pid", 8, _label("pid")),
    _Column("cpu %", 7, _metric("process_cpu_percent", Unit.PERCENT), order=Order.CPU),
    _Column("memory", 8, _metric("process_memory_bytes", Unit.BYTES), order=Order.MEMORY),
    _Column("mem %", 7, _metric("process_memory_percent", Unit.PERCENT), least=96),
    _Column("read/s", 8, _metric("process_read_bytes_per_second", Unit.BYTES_PER_SECOND), least=60, order=Order.IO),
    _Column("write/s", 9, _metric("process_write_bytes_per_second", Unit.BYTES_PER_SECOND), least=60, order=Order.IO),
    _Column("threads", 9, _metric("process_threads", Unit.NONE), least=110),
    _Column("user", 12, _label("username"), least=70, left=True),
    _Column("unit", 30, _label("unit"), least=120, left=True),
    _Column("started", 12, _label("started"), least=150, left=True),
)


def draw_processes(snapshot: Snapshot, width: int, look: Look, order: Order, zone: tzinfo | None = None) -> list[Line]:
    """Return a heading and a line for each process, the first by `order` first; the row of all others comes last.

    `zone` is that of the times (None: the system's).
    """
    records = sort_processes(snapshot, order)
    records = [{**record, "started": _format_start(text(record, "started"), snapshot.at, zone)} for record in records]
    if not records:
        return []
    columns = [column for column in _COLUMNS if width >= column.least]
    name_width = min(_WIDEST_NAME, max(_LEAST_NAME, width - sum(column.width for column in columns)))
    lines = [_heading(columns, name_width, order)]
    for record in records:
        if text(record, "pid") == _OTHERS:
            spans = _line({**record, "name": "other processes", "pid": "-"}, columns, name_width, look)
            lines.append([Span(span.text, "dim") for span in spans])
        else:
            lines.append(_line(record, columns, name_width, look))
    return lines


def sort_processes(snapshot: Snapshot, order: Order) -> list[NamedRow]:
    """Return the rows of the processes, the first by `order` first, that of all others last."""
    key = _by(order)
    return sorted(snapshot.records("process"), key=lambda record: (text(record, "pid") == _OTHERS, *key(record)))


def _format_start(started: str, at: datetime, zone: tzinfo | None) -> str:
    """Return when a process started, as short as it can be told: a time of that day, else a day."""
    try:
        local = parse_instant(started).astimezone(zone)
    except ValueError:  # `-`, or what a file holds
        return started
    return f"{local:%H:%M:%S}" if local.date() == at.astimezone(zone).date() else f"{local:%Y-%m-%d}"


def _by(order: Order) -> Callable[[NamedRow], tuple[float, str]]:
    """Return what to sort by: the largest first, names from A."""
    name = _label("name")
    if order is Order.NAME:
        return lambda record: (0.0, name(record).lower())
    values: dict[Order, Callable[[NamedRow], float | None]] = {
        Order.CPU: lambda record: number(record, "process_cpu_percent"),
        Order.MEMORY: lambda record: number(record, "process_memory_bytes"),
        Order.IO: _io,
    }

    def key(record: NamedRow) -> tuple[float, str]:
        value = values[order](record)
        return (1.0 if value is None else -value, name(record).lower())

    return key


def _heading(columns: Sequence[_Column], name_width: int, order: Order) -> Line:
    line = [Span(f"{cut(f'process, by {order.value}', name_width, ''):<{name_width}}", "bold")]
    return [
        *line,
        *(Span(_placed(column, column.heading), "bold" if column.order is order else "dim") for column in columns),
    ]


def _line(record: NamedRow, columns: Sequence[_Column], name_width: int, look: Look) -> Line:
    name = cut(look.sanitize(text(record, "name")), name_width, look.more)
    spans = [Span(pad(name, name_width))]
    for column in columns:
        cell = cut(look.sanitize(column.cell(record)), column.width - 2, look.more)
        spans.append(Span(_placed(column, cell)))
    return spans


def _placed(column: _Column, text: str) -> str:
    place = pad if column.left else pad_left
    return "  " + place(text, column.width - 2)
