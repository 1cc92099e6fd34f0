"""The rows among the lines of a file: decoded many at once where all is well, and one by one where it is not."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from pathlib import Path

from sysmon.datadir.segments import Form
from sysmon.reading.damage import Damage
from sysmon.reading.decode import Decode, FlatRecord, Unreadable, decode_all, refuse_debris, suspicious
from sysmon.text.instants import format_instant, parse_instant, to_ms

_STAMP_BEFORE = {Form.JSONL: b'{"timestamp":"', Form.CSV: b""}
_STAMP_AFTER = {Form.JSONL: b'Z"', Form.CSV: b"Z,"}
_STAMP_LENGTH = len("2026-11-20T12:00:10.000")

LineFilter = Callable[[bytes], bool]
NumberedLines = tuple[int, Sequence[bytes]]
"""The number of the first line (from 1) and some lines."""


class Overlap(Enum):
    """How many of some lines are wanted."""

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

    def share(self, lines: Sequence[bytes]) -> Overlap:
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
    decode: Decode, batches: Iterable[NumberedLines], *, path: Path, wanted: LineFilter | None, damage: Damage
) -> Iterator[tuple[int, FlatRecord]]:
    """Yield milliseconds since the epoch and the record of each line that is wanted; others than rows are damage."""
    stamp: object = None  # the rows of one tick share it, so that it is parsed once
    ms = 0
    for number, lines in batches:
        share = wanted.share(lines) if isinstance(wanted, TimeFilter) else Overlap.SOME if wanted else Overlap.ALL
        if share is Overlap.NONE:
            continue
        text = b"\n".join(lines)
        doubtful = suspicious(text)
        records = None if doubtful or share is Overlap.SOME else decode_all(decode, text, len(lines))
        read = _line_decoder(decode, wanted if share is Overlap.SOME else None, doubtful=doubtful)
        entries: Sequence[bytes | FlatRecord] = lines if records is None else records
        for offset, entry in enumerate(entries):
            try:
                record = read(entry) if isinstance(entry, bytes) else entry
                if record is None:
                    continue
                if record[0] != stamp or stamp is None:
                    ms = to_ms(parse_instant(record[0]))
                    stamp = record[0]
            except (*Unreadable, TypeError, OverflowError) as error:  # TypeError: no timestamp in its cell
                damage.note(path, number + offset, f"no row ({error})")
                continue
            yield ms, record


def _line_decoder(decode: Decode, wanted: LineFilter | None, *, doubtful: bool) -> Callable[[bytes], FlatRecord | None]:
    """Return what reads one line: None for one that is not wanted."""

    def read(line: bytes) -> FlatRecord | None:
        if wanted is not None and not wanted(line):
            return None
        if doubtful:
            refuse_debris(line)
        return decode(line)

    return read
