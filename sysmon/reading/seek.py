"""Binary search by timestamp in segments: the rows around an instant without reading files from their beginning."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from io import SEEK_END, SEEK_SET, RawIOBase
from pathlib import Path
from typing import BinaryIO, cast

from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import count_newlines
from sysmon.datadir.segments import Form, SegmentFile
from sysmon.formats import HEAD
from sysmon.model import Row, Table
from sysmon.reading import catalog
from sysmon.reading.rows import labels_of, scan_file
from sysmon.text.instants import EPOCH, format_instant, to_ms

RowsByInstant = dict[int, list[Row]]
"""The rows of some instants (milliseconds since the epoch), in order of time."""

_FIRST_LOOK = timedelta(minutes=5)
_CLOSE_ENOUGH = 64 * 1024
"""Bytes in front of the wanted line that are no longer worth another look for a closer one."""

_PROBE = 16 * 1024
_STAMP_PREFIX = {Form.JSONL: b'{"timestamp":"', Form.CSV: b""}
_STAMP_LENGTH = len("2026-11-20T12:00:10.000")
_DATE_LENGTH = len("2026-11-20")


class DamageOnce(Damage):
    """Counts each place once, however often it is read again."""

    def __init__(self, *, strict: bool = False) -> None:
        super().__init__(strict=strict)
        self._known: set[tuple[Path, int | None]] = set()

    def note(self, path: Path, line: int | None, reason: str) -> None:
        """Count one thing that was skipped, unless it is known."""
        if (path, line) not in self._known:
            self._known.add((path, line))
            super().note(path, line, reason)

    def note_unfinished(self, path: Path) -> None:
        """Mention a file whose last line has no newline, unless it is known."""
        if (path, None) not in self._known:
            self._known.add((path, None))
            super().note_unfinished(path)


class SeekableTable:
    """The rows of one table, to be asked for again and again around neighbouring instants."""

    def __init__(self, folder: Path, table: Table, damage: Damage) -> None:
        self.table = table
        self._folder = folder
        self._bare = Table(table.name, "", ())
        self._damage = damage
        self._listed = -1
        self._files: list[tuple[datetime, datetime, SegmentFile]] = []

    def ticks(self, since: datetime, until: datetime) -> RowsByInstant:
        """Return the rows of [since, until)."""
        rows: RowsByInstant = {}
        for ms, row in self._scan(self.table, since, until):
            rows.setdefault(ms, []).append(row)
        return dict(sorted(rows.items()))

    def last_before(self, at: datetime) -> int | None:
        """Return the latest instant that has rows and lies before `at`, None where there is none."""
        for start, end, _ in reversed(self._overlapping(EPOCH, at)):
            until = min(at, end)
            for since in (max(start, until - _FIRST_LOOK), start):
                if instants := self._instants(since, until):
                    return max(instants)
        return None

    def first_from(self, at: datetime) -> int | None:
        """Return the earliest instant that has rows and does not lie before `at`, None where there is none."""
        for start, end, _ in self._overlapping(at, catalog.LAST):
            since = max(at, start)
            for until in (min(since + _FIRST_LOOK, end), end):
                if instants := self._instants(since, until):
                    return min(instants)
        return None

    def _instants(self, since: datetime, until: datetime) -> set[int]:
        return {ms for ms, _ in self._scan(self._bare, since, until)}

    def _scan(self, table: Table, since: datetime, until: datetime) -> Iterator[tuple[int, Row]]:
        begin, end = to_ms(since), to_ms(until)
        texts = len(HEAD) + len(table.labels)
        files = [file for _, _, file in self._overlapping(since, until)]
        for file, path, opened in catalog.open_files(self._folder, files, self._damage):
            last = file.segment.end  # None for what sysmon did not write itself: its lines may be in any order
            low = b"" if last is None else _format_stamp(since)
            source, damage = opened, self._damage
            if last is not None and not file.packed:
                source, damage = _seek_near(opened, low, file, damage)
            over = None if last is None else to_ms(last)
            line_filter = _starts_at_or_after(low, file.form)
            for ms, record in scan_file(table, file, path, source, line_filter=line_filter, damage=damage):
                if over is not None and end <= ms < over:
                    break
                if begin <= ms < end:
                    yield ms, labels_of(record, table) + record[texts:]

    def _overlapping(self, since: datetime, until: datetime) -> list[tuple[datetime, datetime, SegmentFile]]:
        """Return the files that may hold rows of [since, until); names are read again when they have changed."""
        try:
            changed = self._folder.stat().st_mtime_ns
        except OSError:  # gone, or not ours to see: listing it says which
            changed = -1
        if changed < 0 or changed != self._listed:
            self._listed = changed
            files = catalog.files(self._folder, EPOCH, catalog.LAST, self._damage)
            starts = sorted({file.segment.start for file in files})
            following = dict(zip(starts, [*starts[1:], catalog.LAST], strict=False))
            self._files = [
                (file.segment.start, file.segment.end or following[file.segment.start], file) for file in files
            ]
        return [entry for entry in self._files if entry[0] < until and entry[1] > since]


class _OffsetDamage(Damage):
    """Takes notes about a file that is read from somewhere in its middle, under the lines' numbers in the whole."""

    def __init__(self, damage: Damage, skipped: Callable[[], int]) -> None:
        super().__init__()
        self._damage = damage
        self._skipped = skipped

    def note(self, path: Path, line: int | None, reason: str) -> None:
        """Count one thing that was skipped."""
        self._damage.note(path, None if line is None else line + self._skipped(), reason)

    def note_unfinished(self, path: Path) -> None:
        """Mention a file whose last line has no newline."""
        self._damage.note_unfinished(path)


class _HeaderAndBody(RawIOBase):
    """A header, and what follows somewhere below it."""

    def __init__(self, header: bytes, body: BinaryIO) -> None:
        super().__init__()
        self._header = header
        self._body = body

    def read(self, size: int = -1) -> bytes:
        """Return the header, then the body piece by piece."""
        header, self._header = self._header, b""
        return header or self._body.read(size)

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        """Go on elsewhere in the body."""
        return self._body.seek(offset, whence)

    def tell(self) -> int:
        """Return where the body goes on."""
        return self._body.tell()

    def fileno(self) -> int:
        """Return the descriptor of the body."""
        return self._body.fileno()


def _format_stamp(at: datetime) -> bytes:
    """Return an instant as it begins a line, in its first characters."""
    return format_instant(min(at, catalog.LAST)).encode()[:_STAMP_LENGTH]


def _seek_near(opened: BinaryIO, low: bytes, file: SegmentFile, damage: Damage) -> tuple[BinaryIO, Damage]:
    """Let a file of lines in order be read from a little before the first with a timestamp from `low` on."""
    header = _read_header(opened) if file.form is Form.CSV else b""
    if header is None:
        return opened, damage
    body = len(header)
    offset = _bisect_offset(opened, low, file, body)
    opened.seek(offset)

    def skipped() -> int:
        here = opened.tell()
        count = count_newlines(opened, body, offset)
        opened.seek(here)
        return count

    shifted = _OffsetDamage(damage, skipped) if offset > body else damage
    return (cast("BinaryIO", _HeaderAndBody(header, opened)) if header else opened), shifted


def _read_header(opened: BinaryIO) -> bytes | None:
    """Return the first line; None, and the file is at its beginning again, where that is not a short one."""
    header, newline, _ = opened.read(_PROBE).partition(b"\n")
    opened.seek(0)
    return header + newline if newline else None


def _bisect_offset(opened: BinaryIO, low: bytes, file: SegmentFile, begin: int) -> int:
    """Return where a line begins that is not far before the first one from `low` on: halve what may hold it.

    Lines with a time that the file cannot hold say nothing about their neighbours.
    """
    before = _STAMP_PREFIX[file.form]
    earliest, latest = _format_stamp(file.segment.start), _format_stamp(file.segment.end or catalog.LAST)
    end = opened.seek(0, SEEK_END)
    while end - begin > _CLOSE_ENOUGH:
        middle = (begin + end) // 2
        opened.seek(middle)
        first, *lines = opened.read(_PROBE).split(b"\n")[:-1] or [b""]
        offset = middle + len(first) + 1
        for line in lines:
            stamp = line[len(before) :][:_STAMP_LENGTH]
            if line.startswith(before) and earliest <= stamp <= latest:
                break
            offset += len(line) + 1
        else:
            return begin
        if stamp < low:
            begin = offset
        else:
            end = middle
    return begin


def _starts_at_or_after(low: bytes, form: Form) -> Callable[[bytes], bool] | None:
    """Return a quick look at a line's timestamp, which passes over those before `low`."""
    if not low:
        return None
    before = _STAMP_PREFIX[form]
    start, stop = len(before), len(before) + _STAMP_LENGTH
    separator = slice(start + _DATE_LENGTH, start + _DATE_LENGTH + 1)

    def may_be_in_range(line: bytes) -> bool:
        """Tell of a line that is not written as sysmon does that it may be, so that it is read or counted."""
        return line[start:stop] >= low or line[separator] != b"T" or not line.startswith(before)

    return may_be_in_range
