"""Query planner over roll-ups: whole days first, then whole hours, else rows, or minutes where rows have expired."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.datadir import segments
from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import Resolution, RollupFile
from sysmon.history import AggregatedTable
from sysmon.reading import catalog, rollup_file, rollup_minutes
from sysmon.reading.aggregate import MINUTE, AggregateMerger, TableAggregate, aggregate
from sysmon.reading.rollup_index import find_candidates
from sysmon.reading.rows import RowReader
from sysmon.reading.tiers import ROWS, SHORT, rollup_path, sort_kinds
from sysmon.text.instants import to_ms

LONG = timedelta(days=2)
"""Beyond so much time rows without any roll-ups are summed up in pieces: as numbers they would fill the memory."""

COARSE_FIRST = (Resolution.DAY, Resolution.HOUR)

Stems = dict[datetime, set[str]]
"""The stems of the segments that may hold rows of an hour, by its beginning."""


@dataclass(frozen=True, slots=True)
class RowRange:
    """A part of a range that rows answer."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class RollupPart:
    """A part of a range that a roll-up answers."""

    resolution: Resolution
    aggregate: TableAggregate


class Planner:
    """Finds, hour by hour, the coarsest files that answer for one table of a host."""

    def __init__(self, reader: RowReader) -> None:
        self._reader = reader
        self._table = reader.table.name
        self._host = reader.folder.parent
        self._damage = reader.damage

    def stems(self, since: datetime, until: datetime) -> Stems | None:
        """Return which segments there are; None where only reading the rows tells what they hold."""
        trouble = Damage()
        stems = segments.stems_by_hour(catalog.names(self._reader.folder, trouble), since, until)
        return None if trouble.count else stems

    def parts(
        self, since: datetime, until: datetime, stems: Stems, resolutions: Sequence[Resolution] = COARSE_FIRST
    ) -> Iterator[RowRange | RollupPart]:
        """Yield what answers for [since, until), in order; `resolutions` are the roll-ups that may do for whole hours.

        An instant for which there is neither is in no part.
        """
        at, last = Resolution.HOUR.ceiling(since), Resolution.HOUR.floor(until)
        yield from self._part_of_hour(since, min(at, until), stems)
        for hour in sorted(self.candidates(at, last, stems)):
            if hour < at:  # a roll-up answered for it
                continue
            at = hour
            rollup = self._whole_hours(at, last, stems, resolutions)
            if rollup is not None:
                file, summed = rollup
                yield RollupPart(file.resolution, summed)
                at = file.end
            else:
                yield from self._part_of_hour(at, at + Resolution.HOUR.length, stems)
                at += Resolution.HOUR.length
        yield from self._part_of_hour(max(at, last), until, stems)

    def stored_hours(self, since: datetime, until: datetime) -> list[datetime] | None:
        """Return, in order, the hours of [since, until) for which there are files; None where only rows tell."""
        stems = self.stems(since, until)
        if stems is None:
            return None
        rolled_up = find_candidates(self._host, self._table, since, until, self._damage, few=timedelta(0))
        return sorted(rolled_up.union(stems))

    def candidates(self, since: datetime, until: datetime, stems: Stems) -> set[datetime]:
        """Return the hours of [since, until) for which something may be stored; there is nothing for all others."""
        stored = {hour for hour in stems if since <= hour < until}
        return stored | find_candidates(self._host, self._table, since, until, self._damage)

    def _whole_hours(
        self, at: datetime, last: datetime, stems: Stems, resolutions: Iterable[Resolution]
    ) -> tuple[RollupFile, TableAggregate] | None:
        """Return the coarsest roll-up that begins at an instant and ends by another, and can be used."""
        for resolution in resolutions:
            file = RollupFile(self._table, resolution, at)
            if at == resolution.floor(at) and file.end <= last:
                summed = self._read_valid(file, stems)
                if summed is not None:
                    return file, summed
        return None

    def _part_of_hour(self, since: datetime, until: datetime, stems: Stems) -> Iterator[RowRange | RollupPart]:
        """Yield what answers for a part of an hour: rows, or where some are gone the minutes that lie in it."""
        if since >= until:
            return
        hour = Resolution.HOUR.floor(since)
        file, stored = RollupFile(self._table, Resolution.MINUTE, hour), stems.get(hour, set())
        path = rollup_path(self._host, file)
        sources = rollup_file.read_sources(path)
        if sources is None or not stored < sources:
            if stored:
                yield RowRange(since, until)
            return
        trouble = Damage()
        minutes = rollup_minutes.read(path, file, trouble) or []
        if trouble.count:
            self._note_unreadable(path)
        self._note_skipped(path, sum(minute.skipped for minute in minutes))
        for minute in minutes:
            begin = minute.ticks[0][0] // MINUTE * MINUTE
            if to_ms(since) <= begin and begin + MINUTE <= to_ms(until):
                yield RollupPart(Resolution.MINUTE, minute)

    def _read_valid(self, file: RollupFile, stems: Stems) -> TableAggregate | None:
        """Return a roll-up that knows all the segments there are; one that cannot be read matters if they are gone."""
        hour, stored = file.start, set[str]()
        while hour < file.end:
            stored |= stems.get(hour, set())
            hour += Resolution.HOUR.length
        trouble, path = Damage(), rollup_path(self._host, file)
        summed = rollup_file.read(path, file, trouble)
        if trouble.count and not stored:
            self._note_unreadable(path)
        if summed is None or not stored <= summed.sources:
            return None
        self._note_skipped(path, summed.skipped)
        return summed

    def _note_unreadable(self, path: Path) -> None:
        self._damage.note(path, None, "the roll-up cannot be read, and its rows have expired")

    def _note_skipped(self, path: Path, count: int) -> None:
        if count:
            reason = f"{count} lines or parts of the files that it sums up could not be read"
            self._damage.note(path, None, reason)


def read_aggregate(reader: RowReader, since: datetime, until: datetime) -> AggregatedTable | None:
    """Return a table over [since, until) with the help of roll-ups; None where there is none to help, nor needed."""
    planner = Planner(reader)
    stems = planner.stems(since, until)
    if stems is None:  # rows are read, and tell
        return None
    merger, kinds, row_ranges = AggregateMerger(reader.table), set[str](), list[RowRange]()
    for part in planner.parts(since, until, stems):
        if isinstance(part, RowRange):
            row_ranges.append(part)
        else:
            kinds.add(part.resolution.value)
            merger.add(part.aggregate)
    if not kinds:
        if sum((part.until - part.since for part in row_ranges), timedelta(0)) <= LONG:
            return None
        kinds.add(Resolution.HOUR.value)  # as good as those
    for stretch in join_neighbours(row_ranges):
        merger.add(aggregate(reader.history(stretch.since, stretch.until)))
    kinds |= {ROWS} if row_ranges else set()
    return merger.result(sort_kinds(kinds))


def join_neighbours(row_ranges: Iterable[RowRange]) -> Iterator[RowRange]:
    """Yield stretches of rows, neighbouring ones as one: longer ones take more memory and no less time."""
    waiting: RowRange | None = None
    for part in row_ranges:
        if waiting is not None and part.since == waiting.until and part.until - waiting.since <= SHORT:
            waiting = RowRange(waiting.since, part.until)
            continue
        if waiting is not None:
            yield waiting
        waiting = part
    if waiting is not None:
        yield waiting
