"""Row encoders of an export: CSV for spreadsheets, JSON Lines as they are stored, Parquet, or some columns of them."""

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import chain, groupby
from typing import BinaryIO

from sysmon.adapters.duckdb import Columns, Type, write_parquet
from sysmon.app.export.downsample import downsample
from sysmon.errors import UsageError
from sysmon.formats import CONFIGURED_LABELS, HEAD, csv, jsonl
from sysmon.history import StoredRow
from sysmon.model import Origin, Row, Table
from sysmon.text.instants import format_instant

Protect = Callable[[str], str]
"""What is done to text that goes to a spreadsheet."""

_BATCH = 200
"""How many lines are handed on together."""

_REMEMBERED = 10_000
"""How many sets of labels are remembered in their encoded form."""

ExportedRow = tuple[str | int | float | None, ...]


class ExportFormat(StrEnum):
    """How exported files are written."""

    CSV = "csv"
    JSONL = "jsonl"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class ExportOptions:
    """What becomes of rows on their way out.

    `columns` are names and globs, in the order wanted; none means all. `rate` is the time that one row sums up, None
    for rows as they were stored. `raw` keeps text in CSV that a spreadsheet would run as a formula.
    """

    output: ExportFormat
    columns: tuple[str, ...] = ()
    rate: timedelta | None = None
    raw: bool = False


def records(rows: Iterable[StoredRow]) -> Iterator[ExportedRow]:
    """Yield the values of all columns of each row, HEAD first."""
    origin: Origin | None = None
    head: ExportedRow = ()
    for row in rows:
        if row.origin is not origin:
            origin = row.origin
            head = (origin.hostname, *map(origin.labels.get, CONFIGURED_LABELS))
        yield (format_instant(row.at), *head, *row.row)


def resample(table: Table, rows: Iterable[StoredRow], options: ExportOptions) -> Iterator[StoredRow]:
    """Yield the rows that are wanted: those given, or fewer that sum them up."""
    yield from rows if options.rate is None else downsample(table, rows, options.rate)


def peek(rows: Iterator[StoredRow]) -> Iterator[StoredRow] | None:
    """Return the same rows, or None where there is not one."""
    first = next(rows, None)
    return None if first is None else chain([first], rows)


def write(
    file: BinaryIO, table: Table, names: tuple[str, ...], rows: Iterable[StoredRow], options: ExportOptions
) -> None:
    """Write rows to an open file; raise UsageError for Parquet that would go to a pipe."""
    if options.output is ExportFormat.PARQUET:
        _write_parquet(file, table, names, rows)
        return
    for chunk in lines(table, names, rows, options):
        file.write(chunk)
    file.flush()


def columns_of(table: Table) -> Columns:
    """Return the columns of a table with their types: when, who and what, then numbers."""
    texts = dict.fromkeys((*HEAD[1:], *table.labels), Type.TEXT)
    return {HEAD[0]: Type.INSTANT, **texts, **dict.fromkeys((metric.name for metric in table.metrics), Type.NUMBER)}


def _write_parquet(file: BinaryIO, table: Table, names: tuple[str, ...], rows: Iterable[StoredRow]) -> None:
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        raise UsageError("Parquet goes to a file or a folder: name one with -o")
    types = columns_of(table)
    write_parquet(file, {name: types[name] for name in names}, plain_csv(table, names, rows))


def lines(table: Table, names: tuple[str, ...], rows: Iterable[StoredRow], options: ExportOptions) -> Iterator[bytes]:
    """Yield some lines at a time: a header and the named columns as CSV, or JSON Lines."""
    if options.output is ExportFormat.CSV:
        protect = _as_it_is if options.raw else csv.safe_text
        return chain([csv.encode_line(names)], _batches(_csv(table, names, rows, protect)))
    if options.columns:
        return _batches(_some_jsonl(table, names, rows))
    return _batches(_jsonl(table, rows))


def pick(table: Table, names: tuple[str, ...]) -> Callable[[ExportedRow], ExportedRow]:
    """Return what takes the named columns out of a record, in that order."""
    columns = (*HEAD, *table.columns)
    if names == columns:
        return lambda record: record
    places = [columns.index(name) for name in names]
    return lambda record: tuple([record[place] for place in places])


def plain_csv(table: Table, names: tuple[str, ...], rows: Iterable[StoredRow]) -> Iterator[bytes]:
    """Yield some lines at a time, without a header, and with all text as it is."""
    return _batches(_csv(table, names, rows, _as_it_is))


def _csv(table: Table, names: tuple[str, ...], rows: Iterable[StoredRow], protect: Protect) -> Iterator[bytes]:
    if names == (*HEAD, *table.columns):
        return _whole_csv(table, rows, protect)
    return _some_csv(table, names, rows, protect)


def _whole_csv(table: Table, rows: Iterable[StoredRow], protect: Protect) -> Iterator[bytes]:
    """Yield all columns; what rows have in common is encoded once, since encoding is most of the work."""
    width = len(table.labels)
    origin: Origin | None = None
    at: datetime | None = None
    start = whom = ""
    encoded: dict[Row, str] = {}
    for row in rows:
        if row.origin is not origin or row.at is not at:
            if row.origin is not origin:
                origin = row.origin
                whom = _cells((origin.hostname, *map(origin.labels.get, CONFIGURED_LABELS)), protect)
            at = row.at
            start = format_instant(at) + whom
        labels = row.row[:width]
        cells = encoded.get(labels)
        if cells is None:
            if len(encoded) == _REMEMBERED:
                encoded.clear()
            cells = encoded[labels] = _cells(labels, protect)
        numbers = "".join(["," if value is None else f",{value!r}" for value in row.row[width:]])
        if "n" in numbers:  # sums can be infinite
            numbers = _cells(row.row[width:], protect)
        yield f"{start}{cells}{numbers}\n".encode()


def _some_csv(table: Table, names: tuple[str, ...], rows: Iterable[StoredRow], protect: Protect) -> Iterator[bytes]:
    picked = pick(table, names)
    for record in records(rows):
        yield csv.encode_line([protect(cell) if isinstance(cell, str) else cell for cell in picked(record)])


def _cells(values: Iterable[str | int | float | None], protect: Protect) -> str:
    """Return cells, each behind a comma."""
    return "".join([f",{csv.encode_cell(protect(value) if isinstance(value, str) else value)}" for value in values])


def _as_it_is(text: str) -> str:
    return text


def _jsonl(table: Table, rows: Iterable[StoredRow]) -> Iterator[bytes]:
    """Yield the rows as sysmon stores them."""
    origin: Origin | None = None
    encoder: jsonl.RowEncoder | None = None
    for _, group in groupby(rows, lambda row: (row.at, id(row.origin))):
        tick = list(group)
        if encoder is None or tick[0].origin is not origin:
            origin = tick[0].origin
            encoder = jsonl.RowEncoder(origin, table)
        yield encoder.encode(tick[0].at, [row.row for row in tick])


def _some_jsonl(table: Table, names: tuple[str, ...], rows: Iterable[StoredRow]) -> Iterator[bytes]:
    picked = pick(table, names)
    for record in records(rows):
        yield jsonl.encode_record(dict(zip(names, picked(record), strict=True)))


def _batches(lines: Iterator[bytes]) -> Iterator[bytes]:
    batch: list[bytes] = []
    for line in lines:
        batch.append(line)
        if len(batch) == _BATCH:
            yield b"".join(batch)
            batch = []
    if batch:
        yield b"".join(batch)
