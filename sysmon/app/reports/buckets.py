"""Bucketed report: equal parts of time, from rows, or from roll-ups where these are enough or all there is."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise

from sysmon.app.selection import Selection
from sysmon.datadir.rollups import FOLDER, Resolution
from sysmon.errors import UsageError
from sysmon.history import AggregatedTable, TableHistory
from sysmon.model import Table
from sysmon.reading.archive import Archive
from sysmon.reading.tiers import ROWS, sort_kinds
from sysmon.report.buckets import Columns, Labels, add_buckets, convert_digest, summarise_buckets
from sysmon.report.summary import Report
from sysmon.text.instants import to_ms

_HOUR = timedelta(hours=1)
_MOST_ROWS = timedelta(days=1)
"""So much time is read as rows at once, to keep memory small."""


@dataclass(frozen=True, slots=True)
class _Part:
    """Some neighbouring buckets: `first` is the number of the first one."""

    first: int
    edges: tuple[datetime, ...]


class BucketReader:
    """Reads tables bucket by bucket; the edges are where the buckets begin, and where the last one ends."""

    def __init__(self, selection: Selection, archive: Archive, edges: tuple[datetime, ...]) -> None:
        self._selection = selection
        self._archive = archive
        self._edges = edges
        self.sources: set[str] = set()
        self._sums = not selection.exact and min(end - begin for begin, end in pairwise(edges)) >= _HOUR

    def split(self, report: Report) -> Report:
        """Return a report with what each bucket came to."""
        tables = [summary.table for summary in report.tables]
        return add_buckets(report, self._edges, {table.name: self._read_table(table) for table in tables})

    def _read_table(self, table: Table) -> Mapping[Labels, Columns]:
        by_series: dict[Labels, Columns] = {}
        for part in self._row_parts(table, by_series):
            history = self._archive.reader(table).history(*self._clip(part.edges))
            self.sources |= {ROWS} if history.ticks else set()
            self._add_rows(history, part, by_series)
            self._add_minutes(table, part, history.ticks, by_series)
        return by_series

    def _add_minutes(self, table: Table, part: _Part, ticks: Sequence[int], by_series: dict[Labels, Columns]) -> None:
        """Fill buckets that no row is left of from sums of minutes, where such are kept."""
        if self._selection.exact or not (self._archive.host.folder / FOLDER / Resolution.MINUTE).is_dir():
            return
        for number, (begin, end) in enumerate(pairwise(part.edges), part.first):
            if bisect_left(ticks, to_ms(begin)) == bisect_left(ticks, to_ms(end)):
                rolled = self._aggregate(table, begin, end)
                if rolled is not None and rolled.ticks:
                    self._add_sums(rolled, number, by_series)

    def _row_parts(self, table: Table, by_series: dict[Labels, Columns]) -> Iterator[_Part]:
        """Yield what must be read as rows; the buckets that sums answer are put into `by_series`."""
        waiting: list[datetime] = []
        first = 0
        hours = self._archive.reader(table).stored_hours(self._selection.since, self._selection.until)
        for number, (begin, end) in enumerate(pairwise(self._edges)):
            empty = hours is not None and not _touches(begin, end, hours)
            rolled = self._aggregate(table, begin, end) if self._sums and not empty else None
            if rolled is not None:
                self._add_sums(rolled, number, by_series)
            elif not empty:
                waiting = [*waiting, end] if waiting else [begin, end]
                first = number + 2 - len(waiting)
            if waiting and (empty or rolled is not None or waiting[-1] - waiting[0] >= _MOST_ROWS):
                yield _Part(first, tuple(waiting))
                waiting = []
        if waiting:
            yield _Part(first, tuple(waiting))

    def _aggregate(self, table: Table, begin: datetime, end: datetime) -> AggregatedTable | None:
        return self._archive.reader(table).aggregate(*self._clip((begin, end)), short=timedelta(0))

    def _clip(self, edges: Sequence[datetime]) -> tuple[datetime, datetime]:
        return max(edges[0], self._selection.since), min(edges[-1], self._selection.until)

    def _add_sums(self, rolled: AggregatedTable, number: int, by_series: dict[Labels, Columns]) -> None:
        self.sources.update(rolled.sources)
        for series in rolled.series:
            columns = self._columns_of(rolled.table, series.labels, by_series)
            for column, digest in zip(columns, series.digests, strict=True):
                column[number] = convert_digest(digest)

    def _add_rows(self, history: TableHistory, part: _Part, by_series: dict[Labels, Columns]) -> None:
        for series in history.series:
            columns = self._columns_of(history.table, series.labels, by_series)
            order = sorted(range(len(series.at)), key=series.at.__getitem__)
            at = [series.at[place] for place in order]
            for index, column in enumerate(columns):
                values = series.column(index)
                values = type(values)("d", [values[place] for place in order])
                column[part.first : part.first + len(part.edges) - 1] = summarise_buckets(at, values, part.edges)

    def _columns_of(self, table: Table, labels: Labels, by_series: dict[Labels, Columns]) -> Columns:
        if labels not in by_series:
            by_series[labels] = [[None] * (len(self._edges) - 1) for _ in table.metrics]
        return by_series[labels]


def _touches(begin: datetime, end: datetime, hours: Sequence[datetime]) -> bool:
    """Say whether a part of [begin, end) lies in one of some hours, which are in order."""
    place = bisect_right(hours, begin - _HOUR)
    return place < len(hours) and hours[place] < end


def split_into_buckets(report: Report, selection: Selection, archive: Archive, edges: tuple[datetime, ...]) -> Report:
    """Return a report with buckets in place of what is said of the range as a whole."""
    if not report.tables:
        raise UsageError("--bucket: processes come and go, and have no time table: ask for another table")
    reader = BucketReader(selection, archive, edges)
    bucketed = reader.split(report)
    return replace(bucketed, overview=(), rankings=(), skipped=archive.damage.count, sources=sort_kinds(reader.sources))
