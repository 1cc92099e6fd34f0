"""Incremental export with a cursor: every row once, also when an export is killed between writing and remembering.

Files are made whole beside their positions. Then the cursor is written with all that was read and with the names that
these files are to get: that is the moment at which the export happened. Then they get their names; whoever finds that
some have not yet got them, after a crash, does it.
"""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sysmon.app.export import columns
from sysmon.app.export import rows as export_rows
from sysmon.app.export.cursor import Cursor, CursorFile, FilePosition, FilePositions
from sysmon.app.export.downsample import floor
from sysmon.app.export.export import TableColumns, only_table
from sysmon.app.export.output_file import make_folder, open_new
from sysmon.app.export.progress import Progress, ProgressMeter, weight
from sysmon.app.export.rows import ExportOptions
from sysmon.app.selection import Selection, find_tables, open_archive
from sysmon.datadir import segments
from sysmon.datadir.damage import Damage
from sysmon.datadir.files import discard, open_regular, remove
from sysmon.datadir.segments import SegmentFile
from sysmon.errors import UsageError
from sysmon.history import StoredRow
from sysmon.model import Table
from sysmon.reading import catalog
from sysmon.reading.catalog import Host
from sysmon.reading.rows import RowReader
from sysmon.storage.files import sync_directory
from sysmon.text.instants import EPOCH, format_instant

LATE = timedelta(seconds=10)
"""How long rows may be on their way to a file: steps that ended later than that ago are not summed up yet."""

_TRAILER = 4
"""The bytes at the end of a packed file that tell how long its text is (RFC 1952, ISIZE)."""


@dataclass(frozen=True, slots=True)
class _UnreadTable:
    """A table, the columns of it that go out, and its files that may hold new rows."""

    table: Table
    names: tuple[str, ...]
    folder: Path
    files: list[SegmentFile]
    positions: FilePositions

    @property
    def weight(self) -> int:
        return weight(self.folder, self.files)


class IncrementalExporter:
    """Writes the rows that no export of this name has written. `host` and `damage` are those of an Exporter."""

    def __init__(self, selection: Selection, declared: Mapping[str, Table], options: ExportOptions, name: str) -> None:
        self._file = CursorFile(selection.data, name)
        archive = open_archive(selection, declared)
        self.damage: Damage = archive.damage
        self.host: Host = archive.host
        self.tables: list[TableColumns] = columns.choose(find_tables(selection, archive), options.columns)
        self._selection = selection
        self._options = options
        self._until = selection.until
        if options.rate is not None:
            self._until = floor(min(selection.until, selection.now - LATE), options.rate)

    def to_folder(self, folder: Path, progress: Progress) -> None:
        """Write a new file for each table that has new rows; do nothing where another export of this name is at it."""
        with self._file.try_lock() as is_locked:
            if is_locked:
                self._export(make_folder(folder), progress)

    def to_stream(self, stream: BinaryIO, progress: Progress) -> None:
        """Write the new rows of one table to an open stream, and remember them when all of them are handed over."""
        if self.tables:
            only_table(self.tables)
        with self._file.try_lock() as is_locked:
            if not is_locked:
                return
            before, after = self._begin(None)
            unread = self._unread(after)
            meter = self._meter(unread, progress)
            for item in unread:
                rows = export_rows.peek(self._rows(item, after, meter))
                if rows is not None:
                    export_rows.write(stream, item.table, item.names, rows, self._options)
                    _sync(stream)
            if after != before:
                self._file.write(after)

    def _begin(self, folder: Path | None) -> tuple[Cursor, Cursor]:
        """Return the cursor, with what the last export left to be done, and a copy to go on with."""
        cursor = self._file.read(since=self._selection.since)
        self._file.move(cursor, folder)
        return cursor, cursor.copy()

    def _export(self, folder: Path, progress: Progress) -> None:
        before, after = self._begin(folder)
        for path in folder.glob(f"{self._file.temporary_prefix(after)}*"):  # of one that was killed
            remove(path)
        unread = self._unread(after)
        meter = self._meter(unread, progress)
        with ExitStack() as whole:
            for item in unread:
                rows = export_rows.peek(self._rows(item, after, meter))
                if rows is None:
                    continue
                target = folder / self._file.file_name(before, item.table.name, self._options.output)
                if target.exists():
                    raise UsageError(f"{target}: there already, and not of this cursor: name another folder with -o")
                temporary = self._file.temporary(after, target)
                with open_new(temporary) as file:
                    export_rows.write(file, item.table, item.names, rows, self._options)
                whole.callback(discard, temporary)
                after.waiting.append(target)
            whole.pop_all()  # whether or not the cursor gets written: only the cursor knows
        if after.waiting:
            after.batch += 1
            sync_directory(folder)
        if after != before:
            self._file.write(after)
        self._file.move(after, folder)

    def _unread(self, cursor: Cursor) -> list[_UnreadTable]:
        tables = cursor.positions.setdefault(self.host.name, {})
        unread = []
        for table, names in self.tables:
            folder = self.host.folder / table.name
            positions = tables.setdefault(table.name, {})
            files = catalog.files(folder, EPOCH, catalog.LAST)
            self._forget(folder, files, positions)
            files = [
                file for file in files if self._is_in_range(file, cursor) and _may_have_more(folder, file, positions)
            ]
            unread.append(_UnreadTable(table, names, folder, files, positions))
        return unread

    def _is_in_range(self, file: SegmentFile, cursor: Cursor) -> bool:
        segment = file.segment
        return segment.start < self._until and (segment.end is None or segment.end > cursor.since)

    def _forget(self, folder: Path, files: list[SegmentFile], positions: FilePositions) -> None:
        """Drop the positions of files that are gone; where the newest is among them, others may have come and gone."""
        there = {file.segment.stem for file in files}
        gone = [stem for stem in positions if stem not in there]
        if not files or not gone:
            return
        newest = max(positions, key=_age)
        first = files[0].segment
        if newest in gone and _age(newest) < (first.start, first.number):
            reason = f"deleted since the last export; rows up to {format_instant(first.start)} were not exported"
            self.damage.note(folder / newest, None, reason)
        for stem in gone:
            del positions[stem]

    def _meter(self, unread: list[_UnreadTable], progress: Progress) -> ProgressMeter:
        return ProgressMeter(progress, sum(item.weight for item in unread), min(self._until, self._selection.now))

    def _rows(self, unread: _UnreadTable, cursor: Cursor, meter: ProgressMeter) -> Iterator[StoredRow]:
        rows = meter.watch(self._new_rows(unread, cursor), unread.weight)
        return export_rows.resample(unread.table, rows, self._options)

    def _new_rows(self, unread: _UnreadTable, cursor: Cursor) -> Iterator[StoredRow]:
        """Yield rows that were not exported, and note how far each file was read when it is."""
        for file in unread.files:
            stem = file.segment.stem
            before = unread.positions.get(stem, FilePosition())
            damage = self._selection.damage()
            for part in RowReader(unread.folder, unread.table, damage).segments([file]):
                count, size = 0, None if part.file.packed else part.size
                for row in part.rows:
                    if row.at >= self._until:
                        size = -1
                        break
                    count += 1
                    if count > before.rows and row.at >= cursor.since:
                        yield row
                unread.positions[stem] = FilePosition(max(count, before.rows), size, max(damage.count, before.damage))
            self.damage.add(damage, after=before.damage)


def _may_have_more(folder: Path, file: SegmentFile, positions: FilePositions) -> bool:
    """Say whether a file must be looked into: only texts grow, and a text that was packed is the same text."""
    position = positions.get(file.segment.stem)
    if position is None:
        return True
    if file.packed and position.size is None:
        return False
    try:
        if not file.packed:
            return (folder / file.name).stat().st_size != position.size
        if _text_size(folder / file.name) != position.size:
            return True
    except OSError:  # packed or gone since it was listed
        return True
    positions[file.segment.stem] = replace(position, size=None)
    return False


def _text_size(path: Path) -> int:
    with os.fdopen(open_regular(path), "rb") as file:
        file.seek(-_TRAILER, os.SEEK_END)
        return int.from_bytes(file.read(_TRAILER), "little")


def _age(stem: str) -> tuple[object, int]:
    file = segments.parse(f"{stem}.jsonl")
    return (EPOCH, 0) if file is None else (file.segment.start, file.segment.number)


def _sync(stream: BinaryIO) -> None:
    """Have on the disk what goes to a file; a pipe has taken over what it was given."""
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        os.fsync(stream.fileno())
