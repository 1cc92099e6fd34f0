"""Time filter and bulk decoder: the rows of a range among the lines of a file, many at once where all is well."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path

from sysmon.datadir.damage import Damage
from sysmon.datadir.segments import Form
from sysmon.reading.decode import Decode, FlatRecord, Unreadable, decode_all, refuse_debris, refuse_large, suspicious
from sysmon.text.instants import format_instant, parse_instant, to_ms

_STAMP_BEFORE = {Form.JSONL: b'{"timestamp":"', Form.CSV: b""}
_STAMP_AFTER = {Form.JSONL: b'Z"', Form.CSV: b"Z,"}
_STAMP_LENGTH = len("2026-11-20T12:00:10.000")

LineFilter = Callable[[bytes], bool]
NumberedLines = tuple[int, Sequence[bytes]]
"""The number of the first line (from 1) and some lines."""


class Overlap(Enum):
    """How many of some lines a filter lets pass."""

    NONE = "none"
    SOME = "some"
    ALL = "all"


class TimeFilter:
    """A quick look at timestamps, for files that reach beyond a range.

    Only a line whose timestamp is written as sysmon writes it, and lies outside, is passed over unread.
    """

    def __init__(self, form: Form, since: datetime, until: datetime) -> None:
        self._before, self._after = _STAMP_BEFORE[form], _STAMP_AFTER[form]
        self._start, self._stop = len(self._before), len(self._before) + _STAMP_LENGTH
        self._low = format_instant(since).encode()[:_STAMP_LENGTH]
        self._high = format_instant(until).encode()[:_STAMP_LENGTH]

    def __call__(self, line: bytes) -> bool:
        """Say whether a line has to be read."""
        start, stop = self._start, self._stop
        inside = self._low <= line[start:stop] <= self._high
        return inside or line[stop : stop + 2] != self._after or not line.startswith(self._before)

    def overlap(self, lines: Sequence[bytes]) -> Overlap:
        """Say how many of some lines have to be read."""
        start, stop = self._start, self._stop
        if {line[:start] for line in lines} != {self._before} or {line[stop : stop + 2] for line in lines} != {
            self._after
        }:
            return Overlap.SOME
        stamps = [line[start:stop] for line in lines]
        first, last = min(stamps), max(stamps)
        if last < self._low or first > self._high:
            return Overlap.NONE
        return Overlap.ALL if self._low <= first and last <= self._high else Overlap.SOME


def decode_lines(
    decode: Decode, batches: Iterable[NumberedLines], *, path: Path, line_filter: LineFilter | None, damage: Damage
) -> Iterator[tuple[int, FlatRecord]]:
    """Yield milliseconds since the epoch and the record of each line that passes; others than rows are damage."""
    stamp: object = None  # the rows of one tick share it, so that it is parsed once
    ms = 0
    for number, lines in batches:
        overlap = _overlap(line_filter, lines)
        if overlap is Overlap.NONE:
            continue
        text = b"\n".join(lines)
        doubtful = suspicious(text)
        records = None if doubtful or overlap is Overlap.SOME else decode_all(decode, text, len(lines))
        decode_line = _line_decoder(decode, line_filter if overlap is Overlap.SOME else None, doubtful=doubtful)
        entries: Sequence[bytes | FlatRecord] = lines if records is None else records
        for offset, entry in enumerate(entries):
            try:
                record = decode_line(entry) if isinstance(entry, bytes) else entry
                if record is None:
                    continue
                if record[0] != stamp or stamp is None:
                    ms = to_ms(parse_instant(record[0]))
                    stamp = record[0]
            except (*Unreadable, TypeError, OverflowError) as error:  # TypeError: no timestamp in its cell
                damage.note(path, number + offset, f"no row ({error})")
                continue
            yield ms, record


def _overlap(line_filter: LineFilter | None, lines: Sequence[bytes]) -> Overlap:
    if isinstance(line_filter, TimeFilter):
        return line_filter.overlap(lines)
    return Overlap.SOME if line_filter else Overlap.ALL


def _line_decoder(
    decode: Decode, line_filter: LineFilter | None, *, doubtful: bool
) -> Callable[[bytes], FlatRecord | None]:
    """Return what decodes one line: None for one that does not pass."""

    def decode_line(line: bytes) -> FlatRecord | None:
        if line_filter is not None and not line_filter(line):
            return None
        if doubtful:
            refuse_debris(line)
            return refuse_large(decode(line))
        return decode(line)

    return decode_line
