"""Renderer of SQL results: a table where it fits, one record below the other where not, or a format for programs."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from itertools import chain, islice
from typing import Any
from uuid import UUID

from sysmon.formats import csv
from sysmon.text.cells import width_of
from sysmon.text.instants import format_instant
from sysmon.text.names import printable
from sysmon.text.units import format_duration

Row = tuple[Any, ...]
_MEASURED = 1000
"""How many rows say how wide columns are; the later ones are printed as they come."""

_NOTHING = "-"
_APART = "  "
_EXACT = 2**53


class OutputFormat(StrEnum):
    """How a result is written."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    JSONL = "jsonl"
    MARKDOWN = "markdown"


def render(
    columns: Sequence[str], rows: Iterable[Row], output_format: OutputFormat, width: int | None
) -> Iterator[str]:
    """Yield the lines of a result; a table that is wider than `width` is written record by record."""
    plain = ([plain_value(value) for value in row] for row in rows)
    if output_format is OutputFormat.CSV:
        return _csv(columns, plain)
    if output_format is OutputFormat.JSON:
        return _json(columns, plain)
    if output_format is OutputFormat.JSONL:
        return (_object(columns, row) for row in plain)
    if output_format is OutputFormat.MARKDOWN:
        return _markdown(columns, plain)
    return _table(columns, plain, width)


def plain_value(value: Any) -> Any:
    """Return a value of DuckDB's as text, number, truth, list or mapping; what is not a finite number is None."""
    if isinstance(value, bool | int | str) or value is None:
        return value
    if isinstance(value, float | Decimal):
        return _number(float(value))
    if isinstance(value, datetime):
        return value.isoformat() if value.tzinfo is None else format_instant(value.astimezone(UTC))
    if isinstance(value, date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return format_duration(value)
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, dict):
        return {str(plain_value(key)): plain_value(item) for key, item in value.items()}
    return [plain_value(item) for item in value]


def _number(value: float) -> int | float | None:
    if not math.isfinite(value):
        return None
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def _csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield csv.encode_line(map(csv.safe_text, columns)).decode().removesuffix("\n")
    for row in rows:
        cells = [csv.safe_text(_text(value)) if _is_text(value) else value for value in row]
        yield csv.encode_line(cells).decode().removesuffix("\n")


def _json(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield "["
    held = None
    for row in rows:
        if held is not None:
            yield f"{held},"
        held = _object(columns, row)
    if held is not None:
        yield held
    yield "]"


def _object(columns: Sequence[str], row: Sequence[Any]) -> str:
    return _compact(dict(zip(columns, row, strict=True)))


def _markdown(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    first = list(islice(rows, _MEASURED))
    yield f"| {' | '.join(map(_escaped, columns))} |"
    yield f"|{'|'.join('---:' if right else '---' for right in _right(columns, first))}|"
    for row in chain(first, rows):
        yield f"| {' | '.join(_escaped(_shown(value)) for value in row)} |"


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]], width: int | None) -> Iterator[str]:
    rows = iter(rows)
    first = list(islice(rows, _MEASURED))
    right = _right(columns, first)
    shown = [[_shown(value) for value in row] for row in first]
    widths = [max(width_of(cell) for cell in column) for column in zip(map(printable, columns), *shown, strict=True)]
    cells = chain(shown, ([_shown(value) for value in row] for row in rows))
    if width is not None and sum(widths) + len(_APART) * (len(widths) - 1) > width:
        yield from _records(columns, cells)
        return
    for line in chain([list(map(printable, columns))], cells):
        yield _APART.join(map(_padded, line, widths, right)).rstrip()


def _records(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    names = list(map(printable, columns))
    widest = max(map(width_of, names))
    for number, row in enumerate(rows, 1):
        yield f"[{number}]"
        for name, cell in zip(names, row, strict=True):
            yield f"{_padded(name, widest, right=False)}{_APART}{cell}"


def _padded(text: str, width: int, right: bool) -> str:
    blanks = " " * (width - width_of(text))
    return blanks + text if right else text + blanks


def _right(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[bool]:
    """Say which columns hold numbers."""
    values = [[row[index] for row in rows if row[index] is not None] for index in range(len(columns))]
    return [bool(column) and not any(map(_is_text, column)) for column in values]


def _is_text(value: Any) -> bool:
    return isinstance(value, str | bool | list | dict)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _compact(value)


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _shown(value: Any) -> str:
    """Return a value for people: fractions to a few digits, and nothing that moves a cursor."""
    if value is None:
        return _NOTHING
    if isinstance(value, float):
        size = abs(value)
        return f"{value:.2f}" if size >= 1 else f"{value:.4g}" if size >= 0.0001 else f"{value:.3g}"
    return printable(_text(value)) if _is_text(value) else str(value)


def _escaped(text: str) -> str:
    shown = printable(text)
    return "".join(f"\\{ch}" if ch in "\\`*_[]<>|" else ch for ch in shown)
