"""Integrity check of stored files: every line, not only what a report would need."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import open_file, read_lines
from sysmon.datadir.segments import Form, SegmentFile
from sysmon.formats import records
from sysmon.formats.csv import split_line
from sysmon.model import Event, Table
from sysmon.reading import catalog
from sysmon.reading.decode import (
    Decode,
    Unreadable,
    csv_decoder,
    json_decoder,
    null_for_nan,
    refuse_debris,
    refuse_large,
)
from sysmon.reading.logs import read_events
from sysmon.reading.rows import RowReader
from sysmon.text.instants import EPOCH, format_instant, from_ms, parse_instant, to_ms

LOGS: Mapping[str, Callable[[dict[str, Any]], object]] = {
    "events": records.read_event,
    "alerts": records.read_alert_entry,
}
"""How an entry of each log is read."""

_DECODE = msgspec.json.Decoder(dict[str, Any]).decode
_REFUSALS = (*Unreadable, KeyError, TypeError, AttributeError, OverflowError)
_SEQUENCE = "agent_sequence"


@dataclass(frozen=True, slots=True)
class CheckedLine:
    """One line of a file, and what is wrong with it; None where it is sound. `readable` lines are kept by a repair."""

    number: int
    text: bytes
    fault: str | None
    readable: bool


def check_lines(path: Path, file: SegmentFile, table: Table | None, damage: Damage) -> Iterator[CheckedLine]:
    """Yield every line of a segment with what is wrong with it; what is no line is noted as damage.

    `table` is None for a table that sysmon does not know: then any columns will do.
    """
    judge: _LineChecker | None = None
    with open_file(path) as opened:
        for first, lines in read_lines(opened, path, damage, packed=file.packed):
            for offset, text in enumerate(lines):
                number = first + offset
                if judge is None:
                    judge = _LineChecker(file, table, text)
                    if file.form is Form.CSV:
                        yield CheckedLine(number, text, judge.header_fault, readable=True)
                        continue
                yield judge.look(number, text)


class _LineChecker:
    """Compares each line of a file with what its name and its first line promise."""

    def __init__(self, file: SegmentFile, table: Table | None, first: bytes) -> None:
        self._file = file
        self._last: datetime | None = None
        self._columns: tuple[str, ...] | None = None
        self._decode: Decode | None = None
        self._read_entry = LOGS.get(file.segment.table)
        self.header_fault: str | None = None
        if file.form is Form.CSV:
            self._begin_csv(table or Table(file.segment.table, "", ()), first)
        elif table is not None:
            self._decode = json_decoder(table)

    def look(self, number: int, text: bytes) -> CheckedLine:
        """Return what is wrong with a line."""
        if self.header_fault is not None:
            return CheckedLine(number, text, None, readable=False)  # the header's fault is told once
        try:
            at, columns = self._read(text)
        except _REFUSALS as error:
            return CheckedLine(number, text, f"no row ({error})", readable=False)
        return CheckedLine(number, text, self._out_of_place(at, columns), readable=True)

    def _begin_csv(self, table: Table, header: bytes) -> None:
        try:
            self._decode = csv_decoder(table, header)
            self._columns = tuple(split_line(header))
        except Unreadable as error:
            self.header_fault = f"{error}: the whole file"

    def _read(self, text: bytes) -> tuple[datetime, tuple[str, ...]]:
        refuse_debris(text)
        if self._file.form is Form.CSV:
            assert self._decode is not None and self._columns is not None  # noqa: S101, PT018 - set with the header
            return parse_instant(refuse_large(self._decode(text))[0]), self._columns
        record = _DECODE(null_for_nan(text))
        if self._decode is not None:
            refuse_large(self._decode(text))
        if self._read_entry is not None:
            self._read_entry(record)
        return parse_instant(record["timestamp"]), tuple(record)

    def _out_of_place(self, at: datetime, columns: tuple[str, ...]) -> str | None:
        """Return what is wrong with a line that can be read; entries of logs differ, and tell of earlier things."""
        if self._read_entry is not None:
            return None
        segment, last = self._file.segment, self._last
        self._last = at
        self._columns = self._columns or columns
        if columns != self._columns:
            return "other columns than in the lines before"
        if last is not None and at < last:
            return f"{format_instant(at)} comes after {format_instant(last)}"
        if at < segment.start or (segment.end is not None and at >= segment.end):
            return f"{format_instant(at)} does not belong into this file"
        return None


@dataclass(frozen=True, slots=True)
class RunSequence:
    """The samples of one run: how many are stored, missing, told as a gap, and stored twice."""

    run: str
    first: datetime
    last: datetime
    stored: int
    missing: int
    told: int
    twice: int

    @property
    def fault(self) -> str | None:
        """Return what nobody told of."""
        faults = []
        if self.missing > self.told:
            faults.append(f"{self.missing} samples are missing, and {self.told} of them were told as lost")
        if self.twice:
            faults.append(f"{self.twice} samples are there twice")
        span = f"run {self.run}, {format_instant(self.first)} to {format_instant(self.last)}"
        return f"{span}: {'; '.join(faults)}" if faults else None


def check_sequences(host: Path, agent: Table) -> list[RunSequence]:
    """Return how complete each run is, by the numbers that it gave its ticks."""
    if _SEQUENCE not in agent.columns:
        return []
    column, ignored = agent.columns.index(_SEQUENCE), Damage()  # what is damaged is told by whoever checks the files
    runs: dict[str, list[tuple[int, int]]] = {}
    for row in RowReader(host / agent.name, agent, ignored).rows(EPOCH, catalog.LAST):
        number = row.row[column]
        if isinstance(number, int | float):
            runs.setdefault(str(row.row[0]), []).append((int(number), to_ms(row.at)))
    gaps = [event for event in read_events(host, EPOCH, catalog.LAST, ignored) if event.kind == "gap"]
    return [_check_sequence(run, numbered, gaps) for run, numbered in runs.items()]


def _check_sequence(run: str, numbered: list[tuple[int, int]], gaps: list[Event]) -> RunSequence:
    numbers = {number for number, _ in numbered}
    first, last = (from_ms(choose(ms for _, ms in numbered)) for choose in (min, max))
    lost = 0
    for gap in gaps:
        begin, count = gap.fields.get("from"), gap.fields.get("count")
        if isinstance(begin, str) and isinstance(count, int) and format_instant(first) <= begin <= format_instant(last):
            lost += count
    missing = max(numbers) - min(numbers) + 1 - len(numbers)
    return RunSequence(run, first, last, len(numbers), missing, lost, len(numbered) - len(numbers))
