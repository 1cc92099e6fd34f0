"""Row decoders: a line as one flat record of timestamp, hostname, configured labels, the table's labels and metrics."""

import re
from collections.abc import Callable, Sequence
from typing import Annotated, Any

import msgspec

from sysmon.formats import HEAD
from sysmon.formats.csv import split_line
from sysmon.formats.decode import LARGEST
from sysmon.model import Table

FlatRecord = tuple[Any, ...]
Decode = Callable[[bytes], FlatRecord]
"""The columns in front of a table's own."""

Unreadable = (ValueError, RecursionError)
"""What decoding raises for a line that is no row (deep nesting exhausts the stack)."""

_Float = Annotated[float, msgspec.Meta(ge=-LARGEST, le=LARGEST)]
_NUMBERS = msgspec.json.Decoder(list[int | _Float | None])

_TEXT_OR_NAN = re.compile(rb'"(?:[^"\\]|\\.)*+"|NaN')
_NAN = re.compile(r"[+-]?nan", re.ASCII | re.IGNORECASE)
_SHOWN = 40

_PLAIN = bytes(range(0x20, 0x7F)) + b"\t\r\n"
_DIGITS = b"0123456789"
_MARKS = bytes(ord("0") if byte in _DIGITS else ord(" ") if byte in _PLAIN else ord("!") for byte in range(256))
_LONG_NUMBER = b"0" * 300


def suspicious(text: bytes) -> bool:
    """Say whether some line has a byte beyond plain text or hundreds of digits; quick, for looking at many at once."""
    marked = text.translate(_MARKS)
    return b"!" in marked or _LONG_NUMBER in marked


def refuse_debris(line: bytes) -> None:
    """Raise ValueError for a line with control characters or broken UTF-8, which decoders pass over in names."""
    text = line.decode()
    if any(ch < " " and ch != "\t" for ch in text.removesuffix("\r")):
        raise ValueError("a control character")


def null_for_nan(line: bytes) -> bytes:
    """Return a line of JSON with null for NaN, which is no JSON: some programs write it where a value is missing."""
    if b"NaN" not in line:
        return line
    return _TEXT_OR_NAN.sub(lambda match: b"null" if match[0] == b"NaN" else match[0], line)


def refuse_large(record: FlatRecord) -> FlatRecord:
    """Return a record; raise ValueError where a whole number is too large to be reckoned with."""
    if any(isinstance(value, int) and abs(value) > LARGEST for value in record):
        raise ValueError("a number that is too large")
    return record


def decode_all(decode: Decode, text: bytes, count: int) -> list[FlatRecord] | None:
    """Return the records of so many lines; None where some may be no rows, and each is to be looked at."""
    if not isinstance(decode, _JsonDecoder):
        return None
    try:
        records = decode.many(text)
    except Unreadable:
        return None
    return records if len(records) == count else None  # a blank line, or a record over several


def columns_of(table: Table) -> tuple[str, ...]:
    """Return the names of a record's values in their order."""
    return (*HEAD, *table.columns)


def json_decoder(table: Table) -> Decode:
    """Return what decodes the JSON lines of a table: every column but the timestamp may be missing or null."""
    names = columns_of(table)
    texts = len(HEAD) + len(table.labels)
    # Columns of foreign files need not be Python names, so the fields are numbered.
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [("f0", str)]
    fields += [(f"f{index}", str | None, None) for index in range(1, texts)]
    fields += [(f"f{index}", int | _Float | None, None) for index in range(texts, len(names))]
    rename = {f"f{index}": name for index, name in enumerate(names)}
    row = msgspec.defstruct("Row", fields, rename=rename, gc=False)
    return _JsonDecoder(msgspec.json.Decoder(row))


class _JsonDecoder:
    """Decodes lines of JSON, one by one or many at once."""

    def __init__(self, decoder: msgspec.json.Decoder[Any]) -> None:
        self._decode = decoder.decode
        self._decode_lines = decoder.decode_lines

    def __call__(self, line: bytes) -> FlatRecord:
        return msgspec.structs.astuple(self._decode(null_for_nan(line)))

    def many(self, text: bytes) -> list[FlatRecord]:
        return list(map(msgspec.structs.astuple, self._decode_lines(text)))


def csv_decoder(table: Table, header: bytes) -> Decode:
    """Return what decodes the CSV lines of a table under a header; raise ValueError for what cannot be a header."""
    columns = split_line(header)
    if "timestamp" not in columns:
        raise ValueError("no header with a timestamp column")
    if len(set(columns)) < len(columns):
        raise ValueError("a header that names a column twice")
    names = columns_of(table)
    texts = len(HEAD) + len(table.labels)
    metrics = set(names[texts:])
    first = next((index for index, name in enumerate(columns) if name in metrics), len(columns))
    if (
        first < len(columns)
        and set(columns[first:]) <= metrics
        and columns[first:] == _in_declared_order(columns[first:], names)
    ):
        return _TailDecoder(names[:texts], names[texts:], columns, first)
    return _AnyDecoder(names, texts, columns)


class _AnyDecoder:
    """Decodes lines whose columns come in any order."""

    def __init__(self, names: Sequence[str], texts: int, columns: Sequence[str]) -> None:
        self._width = len(columns)
        places = {name: index for index, name in enumerate(columns)}
        self._texts = [places.get(name) for name in names[:texts]]
        self._columns = columns
        self._numbers = [places.get(name) for name in names[texts:]]

    def __call__(self, line: bytes) -> FlatRecord:
        cells = split_line(line)
        if len(cells) != self._width:
            raise ValueError(f"{len(cells)} cells under a header of {self._width}")
        texts = [None if place is None else cells[place] or None for place in self._texts]
        numbers = [None if place is None else _metric(self._columns[place], cells[place]) for place in self._numbers]
        return (*texts, *numbers)


class _TailDecoder:
    """Decodes lines that end in metrics in the declared order, as sysmon writes them.

    The metrics of a line are turned into a JSON array and read in one go: fast, and as strict as JSON is about what
    a number may look like.
    """

    def __init__(self, texts: Sequence[str], metrics: Sequence[str], columns: Sequence[str], first: int) -> None:
        self._first = first
        self._columns = columns
        self._width = len(columns)
        places = {name: index for index, name in enumerate(columns)}
        self._texts = [places.get(name) for name in texts]
        self._whole = list(metrics) == list(columns[first:])
        self._numbers = [places[name] - first if name in places else None for name in metrics]

    def __call__(self, line: bytes) -> FlatRecord:
        try:
            cells, numbers = self._split_quickly(line)
        except ValueError:
            cells, numbers = self._split(line)
        texts = [None if place is None else cells[place] or None for place in self._texts]
        if not self._whole:
            numbers = [None if place is None else numbers[place] for place in self._numbers]
        return (*texts, *numbers)

    def _split_quickly(self, line: bytes) -> tuple[list[str], list[int | float | None]]:
        """Return labels and metrics; raise ValueError for whatever takes a closer look, or is no row."""
        if b'"' in line:
            raise ValueError("a quote")
        *raw, tail = line.split(b",", self._first)
        numbers = _NUMBERS.decode(_json_array(tail))
        if len(raw) + len(numbers) != self._width:
            raise ValueError("other cells than the header has")
        return [cell.decode() for cell in raw], numbers

    def _split(self, line: bytes) -> tuple[list[str], list[int | float | None]]:
        cells = split_line(line)
        if len(cells) != self._width:
            raise ValueError(f"{len(cells)} cells under a header of {self._width}")
        metrics = zip(self._columns[self._first :], cells[self._first :], strict=True)
        return cells, [_metric(name, cell) for name, cell in metrics]


def _metric(name: str, cell: str) -> int | float | None:
    try:
        return number(cell)
    except Unreadable as error:
        raise ValueError(f"{name}: {cell[:_SHOWN]!r} is no number") from error


def number(cell: str) -> int | float | None:
    """Return the number in a cell, None for an empty one and for NaN; raise ValueError for anything else."""
    if not cell or _NAN.fullmatch(cell):
        return None
    (value,) = _NUMBERS.decode(f"[{cell}]")
    if value is None:
        raise ValueError("a cell that is no number")
    return value


def _json_array(tail: bytes) -> bytes:
    if b"n" in tail:
        raise ValueError("a cell that is no number")
    if b",," in tail:
        tail = tail.replace(b",,", b",null,").replace(b",,", b",null,")
    if tail.startswith(b",") or not tail.strip():
        tail = b"null" + tail
    body = tail.rstrip()
    return b"[" + tail + b"null]" if body.endswith(b",") else b"[" + tail + b"]"


def _in_declared_order(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    wanted = set(columns)
    return [name for name in names if name in wanted]
