"""The rows of a range, whatever files hold them: JSON Lines or CSV, packed or not, sysmon's own or anybody's."""

import os
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from math import nan
from pathlib import Path
from typing import BinaryIO

from sysmon.formats import CONFIGURED_LABELS
from sysmon.history import Series, StoredRow, TableHistory
from sysmon.instants import EPOCH, format_instant, from_ms, parse_instant, to_ms
from sysmon.model import Origin, Table
from sysmon.reading import store
from sysmon.reading.damage import Damage
from sysmon.reading.decode import (
    HEAD,
    Decode,
    Record,
    Unreadable,
    csv_decoder,
    json_decoder,
    refuse_debris,
    suspicious,
)
from sysmon.reading.lines import read_lines
from sysmon.segments import Form, SegmentFile

_STAMP_BEFORE = {Form.JSONL: b'{"timestamp":"', Form.CSV: b""}
_STAMP_AFTER = {Form.JSONL: b'Z"', Form.CSV: b"Z,"}
_STAMP_LENGTH = len("2026-11-20T12:00:10.000")
_ABSENT = "-"
Batches = Iterator[tuple[int, list[bytes]]]


def read_rows(folder: Path, table: Table, since: datetime, until: datetime, damage: Damage) -> Iterator[StoredRow]:
    """Yield the rows of [since, until) one by one, in the order of the files; constant memory."""
    yield from _rows(scan(folder, table, since, until, damage), folder, table)


@dataclass(frozen=True, slots=True)
class Part:
    """One file of a table as it was opened: `size` is its length before it was read, `rows` all that it holds."""

    file: SegmentFile
    size: int
    rows: Iterator[StoredRow]


def read_parts(folder: Path, table: Table, chosen: list[SegmentFile], damage: Damage) -> Iterator[Part]:
    """Yield chosen files one by one, to be read before the next; one that is gone for good is passed over."""
    for file, path, opened in store.open_files(folder, chosen, damage):
        rows = _rows(scan_file(table, file, path, opened, wanted=None, damage=damage), folder, table)
        yield Part(file, os.fstat(opened.fileno()).st_size, rows)


def _rows(found: Iterator[tuple[int, Record]], folder: Path, table: Table) -> Iterator[StoredRow]:
    last_ms, at = None, EPOCH
    head: Record | None = None
    origin = Origin("")
    for ms, record in found:
        if ms != last_ms:
            last_ms, at = ms, from_ms(ms)
        if record[1 : len(HEAD)] != head:
            head = record[1 : len(HEAD)]
            origin = _origin(head, folder)
        yield StoredRow(at, origin, labels_of(record, table) + record[len(HEAD) + len(table.labels) :])


def read_table(folder: Path, table: Table, since: datetime, until: datetime, damage: Damage) -> TableHistory:
    """Return the rows of [since, until) as columns of numbers, a series for each set of labels."""
    first, texts = len(HEAD), len(HEAD) + len(table.labels)
    series: dict[Record, Series] = {}
    ticks = array("q")
    last_ms = -1
    record: Record | None = None
    for ms, record in scan(folder, table, since, until, damage):
        if ms != last_ms:
            last_ms = ms
            ticks.append(ms)
        key = record[first:texts]
        one = series.get(key)
        if one is None:
            one = series[key] = Series(labels_of(record, table))
        one.at.append(ms)
        values = record[texts:]
        one.block.extend([nan if value is None else value for value in values] if None in values else values)
    origin = None if record is None else _origin(record[1:first], folder)
    return TableHistory(table, origin, array("q", sorted(set(ticks))), list(series.values()))


def scan(folder: Path, table: Table, since: datetime, until: datetime, damage: Damage) -> Iterator[tuple[int, Record]]:
    """Yield milliseconds since the epoch and the flat record of each row of [since, until)."""
    begin, end = to_ms(since), to_ms(until)
    for file, path, opened in store.open_files(folder, store.files(folder, since, until, damage), damage):
        for ms, record in scan_file(table, file, path, opened, wanted=_wanted(file, since, until), damage=damage):
            if begin <= ms < end:
                yield ms, record


def scan_file(
    table: Table,
    file: SegmentFile,
    path: Path,
    opened: BinaryIO,
    *,
    wanted: Callable[[bytes], bool] | None,
    damage: Damage,
) -> Iterator[tuple[int, Record]]:
    """Yield milliseconds since the epoch and the flat record of each row of an open file, from where it stands."""
    batches = read_lines(opened, path, damage, packed=file.packed)
    decoder = (json_decoder(table), batches) if file.form is Form.JSONL else _after_header(table, batches)
    if isinstance(decoder, str):
        damage.note(path, 1, f"{decoder}: the whole file")
        return
    yield from _decoded(*decoder, path=path, wanted=wanted, damage=damage)


def _after_header(table: Table, batches: Batches) -> tuple[Decode, Batches] | str:
    """Return what decodes the lines of CSV below their header, and these; or what is wrong with the header."""
    number, lines = next(batches, (1, []))
    if not lines:
        return csv_decoder(table, b"timestamp"), iter(())
    try:
        return csv_decoder(table, lines[0]), chain([(number + 1, lines[1:])], batches)
    except Unreadable as error:
        return str(error)


def _decoded(
    decode: Decode, batches: Batches, *, path: Path, wanted: Callable[[bytes], bool] | None, damage: Damage
) -> Iterator[tuple[int, Record]]:
    stamp: object = None  # the rows of one tick share it, so that it is parsed once
    ms = 0
    for number, lines in batches:
        doubtful = suspicious(lines)
        for offset, line in enumerate(lines):
            if wanted is not None and not wanted(line):
                continue
            try:
                if doubtful:
                    refuse_debris(line)
                record = decode(line)
                if record[0] != stamp or stamp is None:
                    ms = to_ms(parse_instant(record[0]))
                    stamp = record[0]
            except (*Unreadable, TypeError, OverflowError) as error:  # TypeError: no timestamp in its cell
                damage.note(path, number + offset, f"no row ({error})")
                continue
            yield ms, record


def _wanted(file: SegmentFile, since: datetime, until: datetime) -> Callable[[bytes], bool] | None:
    """Return a quick look at a line's timestamp for files that reach beyond the range, None for the others.

    Only a line whose timestamp is written as sysmon writes it, and lies outside, is passed over unread.
    """
    if file.segment.start >= since and file.segment.end is not None and file.segment.end <= until:
        return None
    before, after = _STAMP_BEFORE[file.form], _STAMP_AFTER[file.form]
    start, stop = len(before), len(before) + _STAMP_LENGTH
    low = format_instant(since).encode()[:_STAMP_LENGTH]
    high = format_instant(until).encode()[:_STAMP_LENGTH]

    def wanted(line: bytes) -> bool:
        return low <= line[start:stop] <= high or line[stop : stop + 2] != after or not line.startswith(before)

    return wanted


def labels_of(record: Record, table: Table) -> Record:
    """Return the labels of a record; one that is absent is `-`."""
    labels = record[len(HEAD) : len(HEAD) + len(table.labels)]
    return tuple(label or _ABSENT for label in labels) if None in labels or "" in labels else labels


def _origin(head: Record, folder: Path) -> Origin:
    labels = {name: value for name, value in zip(CONFIGURED_LABELS, head[1:], strict=True) if value}
    return Origin(head[0] or folder.parent.name, labels)
