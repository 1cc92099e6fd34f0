"""A range in equal parts, on the hour and on the day: where they begin, and what the samples of each came to; pure."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from math import ceil, fsum

from sysmon.datadir.segments import divides_a_day
from sysmon.errors import UsageError
from sysmon.report.summary import Bucket, Report, SeriesSummary, TableSummary, present
from sysmon.stats.digest import Digest
from sysmon.text.instants import to_ms
from sysmon.text.units import format_duration

MOST = 10_000
"""More parts are nothing that anybody reads."""

_DAY = timedelta(days=1)
Labels = tuple[str, ...]
Columns = list[list[Bucket | None]]
"""For each metric of a table a bucket for each part of the range."""


def edges_of(since: datetime, until: datetime, length: timedelta, zone: tzinfo | None) -> tuple[datetime, ...]:
    """Return where the parts of [since, until) begin, and where the last one ends, in UTC.

    They are counted from each midnight of the zone (None: the system's); parts of several days from the first Monday.
    """
    if not divides_a_day(length) and (length < _DAY or length % _DAY):
        raise UsageError(f"--bucket {format_duration(length)} does not divide a day: write 1m, 5m, 1h, 6h, 1d or 7d")
    if (until - since) / length > MOST:
        longer = format_duration(ceil((until - since).total_seconds() / MOST))
        raise UsageError(f"--bucket {format_duration(length)} would be more than {MOST} lines: write {longer} or more")
    found: list[datetime] = []
    for edge in _multiples(since.astimezone(zone).date(), length, zone):
        if edge <= since:
            found = [edge]
        else:
            found.append(edge)
        if edge >= until:
            break
    return tuple(found)


def buckets_of(at: Sequence[int], values: "array[float]", edges: Sequence[datetime]) -> list[Bucket | None]:
    """Return what the values at instants (milliseconds since the epoch, in order) came to in each part."""
    at, values = present(at, values)
    places = [bisect_left(at, to_ms(edge)) for edge in edges]
    return [_bucket(values[first:end]) for first, end in pairwise(places)]


def bucket_of(found: Digest | None) -> Bucket | None:
    """Return what a digest says of its part."""
    return None if found is None else Bucket(found.count, found.mean, found.low, found.high)


def with_buckets(report: Report, edges: tuple[datetime, ...], found: Mapping[str, Mapping[Labels, Columns]]) -> Report:
    """Return a report with a time table: `found` has the buckets of each metric by table and labels of the series."""
    tables = tuple(_table(table, found.get(table.table.name, {})) for table in report.tables)
    return replace(report, edges=edges, tables=tables)


def _bucket(values: "array[float]") -> Bucket | None:
    return Bucket(len(values), fsum(values) / len(values), min(values), max(values)) if values else None


def _table(table: TableSummary, found: Mapping[Labels, Columns]) -> TableSummary:
    names = [metric.name for metric in table.table.metrics]
    return replace(table, series=tuple(_series(one, names, found) for one in table.series))


def _series(series: SeriesSummary, names: Sequence[str], found: Mapping[Labels, Columns]) -> SeriesSummary:
    columns = found.get(tuple(value for _, value in series.labels))
    if columns is None:
        return series
    by_name = dict(zip(names, columns, strict=True))
    metrics = tuple(replace(item, buckets=tuple(by_name[item.metric.name])) for item in series.metrics)
    return replace(series, metrics=metrics)


def _multiples(day: date, length: timedelta, zone: tzinfo | None) -> Iterator[datetime]:
    """Yield edges from a day's midnight on; a day that clocks make longer or shorter has more or fewer of them."""
    days = max(1, length // _DAY)
    first = day.toordinal() - 1
    day = date.fromordinal(first - first % days + 1)
    while True:
        following = day + days * _DAY
        edge, end = _midnight(day, zone), _midnight(following, zone)
        while edge < end:
            yield edge
            edge += length if length < _DAY else end - edge
        day = following


def _midnight(day: date, zone: tzinfo | None) -> datetime:
    local = datetime.combine(day, time.min)
    return (local.astimezone() if zone is None else local.replace(tzinfo=zone)).astimezone(UTC)
