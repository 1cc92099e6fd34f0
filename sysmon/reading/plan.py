"""Long ranges, answered from roll-ups: whole days first, then whole hours, else rows, or minutes where they expired."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.datadir import segments
from sysmon.datadir.rollups import Resolution, RollupFile
from sysmon.history import AggregatedTable
from sysmon.model import Table
from sysmon.reading import catalog, rollup_file, rollup_minutes
from sysmon.reading.aggregate import MINUTE, AggregateMerger, TableAggregate, aggregate
from sysmon.reading.damage import Damage
from sysmon.reading.rows import read_table
from sysmon.reading.tiers import ROWS, SHORT, needs_rollups, rollup_path, sort_kinds
from sysmon.text.instants import to_ms

LONG = timedelta(days=2)
"""Beyond so much time rows without any roll-ups are summed up in pieces: as numbers they would fill the memory."""


@dataclass(frozen=True, slots=True)
class _RowRange:
    """A part of the range that is answered by rows."""

    since: datetime
    until: datetime


def read_aggregate(
    host: Path, table: Table, since: datetime, until: datetime, damage: Damage, *, short: timedelta = SHORT
) -> AggregatedTable | None:
    """Return a table over [since, until) with the help of roll-ups; None where there is none to help, nor needed.

    A range that is no longer than `short` needs none, unless some of its rows have expired.
    """
    if not needs_rollups(host, table, since, until, short=short):
        return None
    trouble = Damage()
    stems = segments.stems_by_hour(catalog.names(host / table.name, trouble), since, until)
    if trouble.count or stems is None:  # rows are read, and tell
        return None
    joining, used, rows = AggregateMerger(table), set[str](), list[_RowRange]()
    for piece in _plan_range(host, table, since, until, stems, damage):
        if isinstance(piece, _RowRange):
            rows.append(piece)
        else:
            used.add(piece[0])
            joining.add(piece[1])
    if not used:
        if sum((one.until - one.since for one in rows), timedelta(0)) <= LONG:
            return None
        used.add(Resolution.HOUR.value)  # as good as those
    for one in _merge_neighbours(rows):
        joining.add(aggregate(read_table(host / table.name, table, one.since, one.until, damage)))
    used |= {ROWS} if rows else set()
    return joining.result(sort_kinds(used))


def _plan_range(
    host: Path, table: Table, since: datetime, until: datetime, stems: dict[datetime, set[str]], damage: Damage
) -> Iterator[_RowRange | tuple[str, TableAggregate]]:
    """Yield the parts of a range in order: a sum with the kind of its file, or where rows must be read."""
    at, last = Resolution.HOUR.ceiling(since), Resolution.HOUR.floor(until)
    yield from _plan_part_of_hour(host, table, since, min(at, until), stems, damage)
    while at < last:
        for span in (Resolution.DAY, Resolution.HOUR):
            file = RollupFile(table.name, span, at)
            if at != span.floor(at) or file.end > last:
                continue
            found = _read_valid_rollup(rollup_path(host, file), file, stems, damage)
            if found is not None:
                yield span.value, found
                at = file.end
                break
        else:
            yield from _plan_part_of_hour(host, table, at, at + Resolution.HOUR.length, stems, damage)
            at += Resolution.HOUR.length
    yield from _plan_part_of_hour(host, table, at, until, stems, damage)


def _plan_part_of_hour(
    host: Path, table: Table, since: datetime, until: datetime, stems: dict[datetime, set[str]], damage: Damage
) -> Iterator[_RowRange | tuple[str, TableAggregate]]:
    """Yield what answers a part of an hour: its rows, or where some are gone those of its minutes that lie in it."""
    if since >= until:
        return
    hour = Resolution.HOUR.floor(since)
    file, here = RollupFile(table.name, Resolution.MINUTE, hour), stems.get(hour, set())
    known = rollup_file.read_sources(rollup_path(host, file))
    if known is None or not here < known:
        if here:
            yield _RowRange(since, until)
        return
    trouble = Damage()
    parts = rollup_minutes.read(rollup_path(host, file), file, trouble) or []
    if trouble.count:
        damage.note(rollup_path(host, file), None, "the roll-up cannot be read, and its rows have expired")
    if skipped := sum(part.skipped for part in parts):
        damage.note(rollup_path(host, file), None, _skipped_message(skipped))
    for part in parts:
        begin = part.ticks[0][0] // MINUTE * MINUTE
        if to_ms(since) <= begin and begin + MINUTE <= to_ms(until):
            yield Resolution.MINUTE.value, part


def _skipped_message(count: int) -> str:
    return f"{count} lines or parts of the files that it sums up could not be read"


def _read_valid_rollup(
    path: Path, file: RollupFile, stems: dict[datetime, set[str]], damage: Damage
) -> TableAggregate | None:
    """Return a roll-up that knows all the segments there are; one that cannot be read matters if they are gone."""
    hour, known = file.start, set[str]()
    while hour < file.end:
        known |= stems.get(hour, set())
        hour += Resolution.HOUR.length
    trouble = Damage()
    found = rollup_file.read(path, file, trouble)
    if trouble.count and not known:
        damage.note(path, None, "the roll-up cannot be read, and its rows have expired")
    if found is None or not known <= found.sources:
        return None
    if found.skipped:
        damage.note(path, None, _skipped_message(found.skipped))
    return found


def _merge_neighbours(rows: Sequence[_RowRange]) -> Iterator[_RowRange]:
    """Yield stretches of rows, neighbouring ones as one: longer ones take more memory and no less time."""
    waiting: _RowRange | None = None
    for one in rows:
        if waiting is not None and one.since == waiting.until and one.until - waiting.since <= SHORT:
            waiting = _RowRange(waiting.since, one.until)
            continue
        if waiting is not None:
            yield waiting
        waiting = one
    if waiting is not None:
        yield waiting
