"""Row decoders with nothing but the standard library: for the one program that must stay small.

The readers of many rows have a faster decoder that takes and refuses the same lines.
"""

import json
import re
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from sysmon.formats.csv import split_line
from sysmon.model import Row, Table

TimestampedRow = tuple[str, Row]
"""The timestamp of a line as it stands there, and its labels and metrics in the declared order."""

Decode = Callable[[bytes], TimestampedRow]
UNREADABLE = (ValueError, RecursionError)
"""What decoding raises for a line that is no row."""

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NAN = re.compile(r"[+-]?nan", re.ASCII | re.IGNORECASE)
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_WORD = 2**64
LARGEST = 1e300
"""Numbers beyond it are none: the sum of some would be infinite."""


def json_record(line: bytes) -> dict[str, Any]:
    """Read one line that is a JSON object; raise ValueError for anything else, NaN and lone surrogates too."""
    return _json_object(line, _refuse)


def _json_object(line: bytes, constant: Callable[[str], None]) -> dict[str, Any]:
    record = json.loads(line.decode(), parse_constant=constant, parse_int=_integer, parse_float=_finite)
    if not isinstance(record, dict):
        raise ValueError("no object")  # noqa: TRY004 - what is in a file is a matter of values
    return record


def json_decoder(table: Table) -> Decode:
    """Return what decodes the JSON lines of a table: every column but the timestamp may be missing or null."""
    texts, numbers = table.labels, [metric.name for metric in table.metrics]

    def decode(line: bytes) -> TimestampedRow:
        record = _json_object(line, _null_for_nan)
        at = record.get("timestamp")
        if not isinstance(at, str):
            raise ValueError("no timestamp")  # noqa: TRY004 - as above
        labels = [_text(record.get(name)) for name in texts]
        return at, (*labels, *(_numeric(record.get(name)) for name in numbers))

    return decode


def csv_decoder(table: Table, header: bytes) -> Decode:
    """Return what decodes the CSV lines of a table under a header; raise ValueError for what cannot be a header."""
    columns = split_line(header)
    if "timestamp" not in columns or len(set(columns)) < len(columns):
        raise ValueError("no header with a timestamp column and names that differ")
    places = {name: index for index, name in enumerate(columns)}
    stamp = places["timestamp"]
    texts = [places.get(name) for name in table.labels]
    numbers = [places.get(metric.name) for metric in table.metrics]

    def decode(line: bytes) -> TimestampedRow:
        cells = split_line(line)
        if len(cells) != len(columns):
            raise ValueError(f"{len(cells)} cells under a header of {len(columns)}")
        labels = [_text(None if place is None else cells[place]) for place in texts]
        return cells[stamp], (*labels, *(_cell(cells, place) for place in numbers))

    return decode


def _cell(cells: Sequence[str], place: int | None) -> int | float | None:
    text = "" if place is None else cells[place]
    if not text or _NAN.fullmatch(text):
        return None
    if not _NUMBER.fullmatch(text):
        raise ValueError("a cell that is no number")
    return _integer(text) if _INTEGER.fullmatch(text) else _finite(text)


def _text(value: object) -> str:
    """Return a label; what is missing is `-`."""
    if value is None or value == "":
        return "-"
    if not isinstance(value, str):
        raise ValueError("a label that is no text")  # noqa: TRY004 - as above
    value.encode()  # half a surrogate pair cannot be, and raises ValueError
    return value


def _numeric(value: object) -> int | float | None:
    if value is None or (isinstance(value, int | float) and not isinstance(value, bool)):
        return value
    raise ValueError("a metric that is no number")


def _integer(text: str) -> int | float:
    if len(text) > 20 or not -_WORD < (value := int(text)) < _WORD:
        return _finite(text)
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not abs(value) <= LARGEST:
        raise ValueError("a number that is too large")
    return value


def _null_for_nan(constant: str) -> None:
    """Have NaN, which is no JSON, count as a missing value, and nothing else that is no JSON."""
    if constant != "NaN":
        _refuse(constant)


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")
