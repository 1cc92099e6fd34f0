"""Exports that go on where the last one ended: every row once, also when one is killed between writing and remembering.

Files are made whole beside their places. Then the cursor is written with all that was read and with the names that
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
from sysmon.app.export.cursor import Cursor, CursorFile, Place, Places
from sysmon.app.export.downsample import floor
from sysmon.app.export.export import Named, only_table
from sysmon.app.export.output_file import make_folder, open_new
from sysmon.app.export.progress import Meter, Progress, weight
from sysmon.app.export.rows import Shape
from sysmon.app.selection import Selection, find_tables, open_archive
from sysmon.datadir import segments
from sysmon.datadir.segments import SegmentFile
from sysmon.errors import UsageError
from sysmon.history import StoredRow
from sysmon.model import Table
from sysmon.reading import catalog
from sysmon.reading.catalog import Host
from sysmon.reading.damage import Damage
from sysmon.reading.rows import RowReader
from sysmon.storage.files import sync_directory
from sysmon.text.instants import EPOCH, format_instant

LATE = timedelta(seconds=10)
"""How long rows may be on their way to a file: steps that ended later than that ago are not summed up yet."""

_TRAILER = 4
"""The bytes at the end of a packed file that tell how long its text is (RFC 1952, ISIZE)."""


@dataclass(frozen=True, slots=True)
class _Unread:
    """A table, the columns of it that go out, and its files that may hold new rows."""

    table: Table
    names: tuple[str, ...]
    folder: Path
    files: list[SegmentFile]
    places: Places

    @property
    def weight(self) -> int:
        return weight(self.folder, self.files)


class Shipper:
    """Writes the rows that no export of this name has written. `host` and `damage` are those of an Exporter."""

    def __init__(self, selection: Selection, known: Mapping[str, Table], shape: Shape, name: str) -> None:
        self._file = CursorFile(selection.data, name)
        archive = open_archive(selection, known)
        self.damage: Damage = archive.damage
        self.host: Host = archive.host
        self.tables: list[Named] = columns.choose(find_tables(selection, archive), shape.columns)
        self._selection = selection
        self._shape = shape
        self._until = selection.until
        if shape.rate is not None:
            self._until = floor(min(selection.until, selection.now - LATE), shape.rate)

    def to_folder(self, folder: Path, progress: Progress) -> None:
        """Write a new file for each table that has new rows; do nothing where another export of this name is at it."""
        with self._file.held() as held:
            if held:
                make_folder(folder)
                self._ship(folder.resolve(), progress)

    def to_stream(self, stream: BinaryIO, progress: Progress) -> None:
        """Write the new rows of one table to an open stream, and remember them when all of them are handed over."""
        if self.tables:
            only_table(self.tables)
        with self._file.held() as held:
            if not held:
                return
            before, after = self._begin()
            unread = self._unread(after)
            meter = self._meter(unread, progress)
            for one in unread:
                rows = export_rows.begun(self._rows(one, after, meter))
                if rows is not None:
                    export_rows.write(stream, one.table, one.names, rows, self._shape)
                    _sync(stream)
            if after != before:
                self._file.write(after)

    def _begin(self) -> tuple[Cursor, Cursor]:
        """Return the cursor, with what the last export left to be done, and a copy to go on with."""
        cursor = self._file.read(since=self._selection.since)
        self._file.move(cursor)
        return cursor, cursor.copy()

    def _ship(self, folder: Path, progress: Progress) -> None:
        before, after = self._begin()
        prefix = f".{self._file.name}@{after.mark}."
        for path in folder.glob(f"{prefix}*"):  # of one that was killed before it was remembered
            path.unlink()
        unread = self._unread(after)
        meter = self._meter(unread, progress)
        number = f"{self._file.name}-{before.batch + 1:06d}"
        with ExitStack() as whole:
            for one in unread:
                rows = export_rows.begun(self._rows(one, after, meter))
                if rows is None:
                    continue
                target = folder / f"{one.table.name}-{number}.{self._shape.output}"
                if target.exists():
                    raise UsageError(f"{target}: there already, and not of this cursor: name another folder with -o")
                temporary = folder / f"{prefix}{target.name}"
                with open_new(temporary) as file:
                    export_rows.write(file, one.table, one.names, rows, self._shape)
                whole.callback(temporary.unlink, missing_ok=True)
                after.moves.append((str(temporary), str(target)))
            whole.pop_all()  # whether or not the cursor gets written: only the cursor knows
        if after.moves:
            after.batch += 1
            sync_directory(folder)
        if after != before:
            self._file.write(after)
        self._file.move(after)

    def _unread(self, cursor: Cursor) -> list[_Unread]:
        tables = cursor.places.setdefault(self.host.name, {})
        found = []
        for table, names in self.tables:
            folder = self.host.folder / table.name
            places = tables.setdefault(table.name, {})
            files = catalog.files(folder, EPOCH, catalog.LAST)
            self._forget(folder, files, places)
            files = [file for file in files if self._asked(file, cursor) and _may_have_more(folder, file, places)]
            found.append(_Unread(table, names, folder, files, places))
        return found

    def _asked(self, file: SegmentFile, cursor: Cursor) -> bool:
        segment = file.segment
        return segment.start < self._until and (segment.end is None or segment.end > cursor.since)

    def _forget(self, folder: Path, files: list[SegmentFile], places: Places) -> None:
        """Drop the places of files that are gone; where the newest is among them, others may have come and gone."""
        there = {file.segment.stem for file in files}
        gone = [stem for stem in places if stem not in there]
        if not files or not gone:
            return
        newest = max(places, key=_age)
        first = files[0].segment
        if newest in gone and _age(newest) < (first.start, first.number):
            reason = f"deleted since the last export; rows up to {format_instant(first.start)} were not exported"
            self.damage.note(folder / newest, None, reason)
        for stem in gone:
            del places[stem]

    def _meter(self, unread: list[_Unread], progress: Progress) -> Meter:
        return Meter(progress, sum(one.weight for one in unread), min(self._until, self._selection.now))

    def _rows(self, unread: _Unread, cursor: Cursor, meter: Meter) -> Iterator[StoredRow]:
        rows = meter.watch(self._new_rows(unread, cursor), unread.weight)
        return export_rows.reduce(unread.table, rows, self._shape)

    def _new_rows(self, unread: _Unread, cursor: Cursor) -> Iterator[StoredRow]:
        """Yield rows that were not exported, and note how far each file was read when it is."""
        for file in unread.files:
            stem = file.segment.stem
            known = unread.places.get(stem, Place())
            met = self._selection.damage()
            for part in RowReader(unread.folder, unread.table, met).segments([file]):
                count, size = 0, None if part.file.packed else part.size
                for row in part.rows:
                    if row.at >= self._until:
                        size = -1
                        break
                    count += 1
                    if count > known.rows and row.at >= cursor.since:
                        yield row
                unread.places[stem] = Place(max(count, known.rows), size, max(met.count, known.damage))
            self.damage.add(met, after=known.damage)


def _may_have_more(folder: Path, file: SegmentFile, places: Places) -> bool:
    """Say whether a file must be looked into: only texts grow, and a text that was packed is the same text."""
    place = places.get(file.segment.stem)
    if place is None:
        return True
    if file.packed and place.size is None:
        return False
    try:
        if not file.packed:
            return (folder / file.name).stat().st_size != place.size
        if _text_size(folder / file.name) != place.size:
            return True
    except OSError:  # packed or gone since it was listed
        return True
    places[file.segment.stem] = replace(place, size=None)
    return False


def _text_size(path: Path) -> int:
    with path.open("rb") as file:
        file.seek(-_TRAILER, os.SEEK_END)
        return int.from_bytes(file.read(_TRAILER), "little")


def _age(stem: str) -> tuple[object, int]:
    file = segments.parse(f"{stem}.jsonl")
    return (EPOCH, 0) if file is None else (file.segment.start, file.segment.number)


def _sync(stream: BinaryIO) -> None:
    """Have on the disk what goes to a file; a pipe has taken over what it was given."""
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        os.fsync(stream.fileno())
