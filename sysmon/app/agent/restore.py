"""State restore: the alert log and the latest rows, from which `sysmon run` goes on where the last run ended."""

import heapq
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from pathlib import Path

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.restore import Restored, restore
from sysmon.alerts.rule import Rule
from sysmon.datadir import segments
from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import open_file, read_lines
from sysmon.datadir.names import HostEntry
from sysmon.datadir.segments import Form, SegmentFile
from sysmon.formats import decode, records
from sysmon.model import Row, Sample, Table
from sysmon.text.instants import EPOCH, format_instant, parse_instant

_LAST = datetime.max.replace(tzinfo=UTC)
_COLLECTOR = "collector"
_REFUSALS = (*decode.UNREADABLE, KeyError, TypeError, AttributeError, OverflowError)
_STAMP = len('{"timestamp":"')
_GIVEN_UP = 1000
"""Lines of one file that cannot be read, after which the rest of it is left out: a run has to begin."""

_Tick = tuple[datetime, str, list[Row]]
_StoredRow = tuple[Path, int, decode.TimestampedRow]


def resume(
    evaluator: Evaluator, folder: Path, tables: Mapping[str, Table], *, now: datetime, first_tick: datetime
) -> tuple[Restored, Damage]:
    """Bring an evaluator to where the last run left it; return what the log lacks, and what could not be read."""
    rules = evaluator.rules
    begin = now - max((rule.span for rule in rules), default=timedelta(0))
    damage = Damage()
    log = read_log(folder / HostEntry.ALERTS, min(begin, now - _flapping(rules)), damage)
    wanted = {rule.table for rule in rules} | {_COLLECTOR}
    ticks = [_ticks(folder / name, tables[name], begin, damage) for name in sorted(wanted & tables.keys())]
    samples = _samples(heapq.merge(*ticks, key=itemgetter(0)))
    return restore(evaluator, log, samples, begin=begin, now=now, first_tick=first_tick), damage


def read_log(folder: Path, since: datetime, damage: Damage) -> list[records.AlertEntry]:
    """Return the entries of the alert log from the last segment on that began before an instant."""
    logs = [file for file in segments.select(_names(folder), EPOCH, _LAST) if file.form is Form.JSONL]
    before = [index for index, file in enumerate(logs) if file.segment.start <= since]
    entries: list[records.AlertEntry] = []
    for path, number, line in _lines(folder, logs[before[-1] :] if before else logs, damage):
        try:
            entry = records.read_alert_entry(decode.json_record(line))
            if entry is not None:  # else an event that only a later version knows
                entries.append(entry)
        except _REFUSALS as error:
            damage.note(path, number, f"no record ({error})")
    return entries


def _flapping(rules: Sequence[Rule]) -> timedelta:
    return max(
        (max(rule.flap.window if rule.flap else rule.cooldown, rule.cooldown) for rule in rules), default=timedelta(0)
    )


def _samples(ticks: Iterable[_Tick]) -> Iterator[Sample]:
    for at, group in itertools.groupby(ticks, key=itemgetter(0)):
        yield Sample(at, {name: rows for _, name, rows in group})


def _ticks(folder: Path, table: Table, since: datetime, damage: Damage) -> Iterator[_Tick]:
    """Yield the rows of a table from an instant on, one tick at a time."""
    stamp, at, rows = "", since, list[Row]()
    for path, number, (timestamp, row) in _rows(folder, table, since, damage):
        if timestamp != stamp:
            if rows:
                yield at, table.name, rows
            try:
                stamp, at, rows = timestamp, parse_instant(timestamp), []
            except _REFUSALS as error:
                damage.note(path, number, f"no row ({error})")
                stamp, rows = "", []
                continue
        if at >= since:
            rows.append(row)
    if rows:
        yield at, table.name, rows


def _rows(folder: Path, table: Table, since: datetime, damage: Damage) -> Iterator[_StoredRow]:
    begin = format_instant(since).encode()
    for file in segments.select(_names(folder), since, _LAST):
        read: decode.Decode | None = decode.json_decoder(table) if file.form is Form.JSONL else None
        start = _STAMP if file.form is Form.JSONL else 0
        for path, number, line in _lines(folder, [file], damage):
            try:
                if read is None:
                    read = decode.csv_decoder(table, line)
                elif line[start : start + len(begin)] >= begin or line[start : start + 2] != b"20":
                    yield path, number, read(line)
            except _REFUSALS as error:
                damage.note(path, number, f"no row ({error})")


def _lines(folder: Path, files: Iterable[SegmentFile], damage: Damage) -> Iterator[tuple[Path, int, bytes]]:
    """Yield the whole lines of files; one that vanished meanwhile has expired, or is packed and too old to matter."""
    for file in files:
        path, before = folder / file.name, damage.count
        try:
            with open_file(path) as opened:
                for first, lines in read_lines(opened, path, damage, packed=file.packed):
                    yield from ((path, first + offset, line) for offset, line in enumerate(lines))
                    if damage.count - before > _GIVEN_UP:
                        damage.note(path, first + len(lines), "the rest of the file is left out")
                        break
        except FileNotFoundError:
            continue
        except OSError as error:
            damage.note(path, None, f"cannot be opened ({error.strerror})")


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)  # noqa: PTH208 - names are all that is needed
    except (FileNotFoundError, NotADirectoryError):
        return []
