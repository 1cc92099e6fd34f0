"""Row reader: the rows of a range, from JSON Lines or CSV, packed or not, sysmon's own or anybody's."""

import os
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from math import nan
from pathlib import Path
from typing import BinaryIO

from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import read_lines
from sysmon.datadir.segments import Form, SegmentFile
from sysmon.formats import CONFIGURED_LABELS, HEAD
from sysmon.history import Series, StoredRow, TableHistory
from sysmon.model import Origin, Table
from sysmon.reading import catalog
from sysmon.reading.decode import Decode, FlatRecord, Unreadable, csv_decoder, json_decoder
from sysmon.reading.time_filter import LineFilter, TimeFilter, decode_lines
from sysmon.text.instants import EPOCH, from_ms, to_ms

_ABSENT = "-"
LineBatches = Iterator[tuple[int, list[bytes]]]


@dataclass(frozen=True, slots=True)
class SegmentRows:
    """One file of a table as it was opened: `size` is its length before it was read, `rows` all that it holds."""

    file: SegmentFile
    size: int
    rows: Iterator[StoredRow]


class RowReader:
    """The rows of one table, from the files in its folder; `damage` counts what has to be skipped."""

    def __init__(self, folder: Path, table: Table, damage: Damage) -> None:
        self.folder = folder
        self.table = table
        self.damage = damage

    def rows(self, since: datetime, until: datetime) -> Iterator[StoredRow]:
        """Yield the rows of [since, until) one by one, in the order of the files; constant memory."""
        yield from self._stored_rows(self.scan(since, until))

    def segments(self, files: list[SegmentFile]) -> Iterator[SegmentRows]:
        """Yield the files one by one, each to be read before the next; one that is gone for good is passed over."""
        for file, path, opened in catalog.open_files(self.folder, files, self.damage):
            records = scan_file(self.table, file, path, opened, line_filter=None, damage=self.damage)
            yield SegmentRows(file, os.fstat(opened.fileno()).st_size, self._stored_rows(records))

    def history(self, since: datetime, until: datetime) -> TableHistory:
        """Return the rows of [since, until) as columns of numbers, a series for each set of labels."""
        table = self.table
        first, texts = len(HEAD), len(HEAD) + len(table.labels)
        all_series: list[Series] = []
        adders: dict[FlatRecord, tuple[Callable[[int], None], Callable[[Iterable[float]], None]]] = {}
        ticks = array("q")
        last_ms = -1
        record: FlatRecord | None = None
        for ms, record in self.scan(since, until):
            if ms != last_ms:
                last_ms = ms
                ticks.append(ms)
            key = record[first:texts]
            if key not in adders:
                series = Series(labels_of(record, table))
                all_series.append(series)
                adders[key] = series.at.append, series.block.extend
            append, extend = adders[key]
            append(ms)
            values = record[texts:]
            extend([nan if value is None else value for value in values] if None in values else values)
        origin = None if record is None else _origin(record[1:first], self.folder)
        return TableHistory(table, origin, array("q", sorted(set(ticks))), all_series)

    def instants(self, since: datetime, until: datetime) -> Iterator[int]:
        """Yield the milliseconds since the epoch of each row of [since, until), whatever its columns hold."""
        bare = RowReader(self.folder, Table(self.table.name, "", ()), self.damage)
        return (ms for ms, _ in bare.scan(since, until))

    def scan(self, since: datetime, until: datetime) -> Iterator[tuple[int, FlatRecord]]:
        """Yield milliseconds since the epoch and the flat record of each row of [since, until)."""
        begin, end = to_ms(since), to_ms(until)
        files = catalog.files(self.folder, since, until, self.damage)
        for file, path, opened in catalog.open_files(self.folder, files, self.damage):
            line_filter = _time_filter(file, since, until)
            for row in scan_file(self.table, file, path, opened, line_filter=line_filter, damage=self.damage):
                if begin <= row[0] < end:
                    yield row

    def _stored_rows(self, records: Iterator[tuple[int, FlatRecord]]) -> Iterator[StoredRow]:
        table = self.table
        last_ms, at = None, EPOCH
        head: FlatRecord | None = None
        origin = Origin("")
        for ms, record in records:
            if ms != last_ms:
                last_ms, at = ms, from_ms(ms)
            if record[1 : len(HEAD)] != head:
                head = record[1 : len(HEAD)]
                origin = _origin(head, self.folder)
            yield StoredRow(at, origin, labels_of(record, table) + record[len(HEAD) + len(table.labels) :])


def scan_file(
    table: Table,
    file: SegmentFile,
    path: Path,
    opened: BinaryIO,
    *,
    line_filter: LineFilter | None,
    damage: Damage,
) -> Iterator[tuple[int, FlatRecord]]:
    """Yield milliseconds since the epoch and the flat record of each row of an open file, from where it stands."""
    batches = read_lines(opened, path, damage, packed=file.packed)
    decoder = (json_decoder(table), batches) if file.form is Form.JSONL else _read_header(table, batches)
    if isinstance(decoder, str):
        damage.note(path, 1, f"{decoder}: the whole file")
        return
    yield from decode_lines(*decoder, path=path, line_filter=line_filter, damage=damage)


def _read_header(table: Table, batches: LineBatches) -> tuple[Decode, LineBatches] | str:
    """Return what decodes the lines of CSV below their header, and these; or what is wrong with the header."""
    number, lines = next(batches, (1, []))
    if not lines:
        return csv_decoder(table, b"timestamp"), iter(())
    try:
        return csv_decoder(table, lines[0]), chain([(number + 1, lines[1:])], batches)
    except Unreadable as error:
        return str(error)


def _time_filter(file: SegmentFile, since: datetime, until: datetime) -> TimeFilter | None:
    """Return what passes over the lines outside of a range, None for a file that lies within it."""
    if file.segment.start >= since and file.segment.end is not None and file.segment.end <= until:
        return None
    return TimeFilter(file.form, since, until)


def labels_of(record: FlatRecord, table: Table) -> FlatRecord:
    """Return the labels of a record; one that is absent is `-`."""
    labels = record[len(HEAD) : len(HEAD) + len(table.labels)]
    return tuple(label or _ABSENT for label in labels) if None in labels or "" in labels else labels


def _origin(head: FlatRecord, folder: Path) -> Origin:
    labels = {name: value for name, value in zip(CONFIGURED_LABELS, head[1:], strict=True) if value}
    return Origin(head[0] or folder.parent.name, labels)
