"""Time buckets: equal parts of a range on the hour and on the day, and what the samples of each came to; pure."""

from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from math import ceil, fsum

from sysmon.datadir.segments import divides_a_day
from sysmon.errors import UsageError
from sysmon.report.summary import Bucket, Report, SeriesSummary, TableSummary, drop_missing
from sysmon.stats.digest import Digest
from sysmon.text.instants import to_ms
from sysmon.text.units import format_duration

MOST = 10_000
"""More parts are nothing that anybody reads."""

_DAY = timedelta(days=1)
Labels = tuple[str, ...]
Columns = list[list[Bucket | None]]
"""For each metric of a table a bucket for each part of the range."""


def split_range(since: datetime, until: datetime, length: timedelta, zone: tzinfo | None) -> tuple[datetime, ...]:
    """Return where the parts of [since, until) begin, and where the last one ends, in UTC.

    They are counted from each midnight of the zone (None: the system's); parts of several days from the first Monday.
    """
    if not divides_a_day(length) and (length < _DAY or length % _DAY):
        raise UsageError(f"--bucket {format_duration(length)} does not divide a day: write 1m, 5m, 1h, 6h, 1d or 7d")
    if (until - since) / length > MOST:
        longer = format_duration(ceil((until - since).total_seconds() / MOST))
        raise UsageError(f"--bucket {format_duration(length)} would be more than {MOST} lines: write {longer} or more")
    edges: list[datetime] = []
    for edge in _iterate_edges(since.astimezone(zone).date(), length, zone):
        if edge <= since:
            edges = [edge]
        else:
            edges.append(edge)
        if edge >= until:
            break
    return tuple(edges)


def summarise_buckets(at: Sequence[int], values: "array[float]", edges: Sequence[datetime]) -> list[Bucket | None]:
    """Return what the values at instants (milliseconds since the epoch, in order) came to in each part."""
    at, values = drop_missing(at, values)
    places = [bisect_left(at, to_ms(edge)) for edge in edges]
    return [_summarise(values[first:end]) for first, end in pairwise(places)]


def convert_digest(digest: Digest | None) -> Bucket | None:
    """Return what a digest says of its part."""
    return None if digest is None else Bucket(digest.count, digest.mean, digest.low, digest.high)


def add_buckets(report: Report, edges: tuple[datetime, ...], buckets: Mapping[str, Mapping[Labels, Columns]]) -> Report:
    """Return a report with a time table: `found` has the buckets of each metric by table and labels of the series."""
    tables = tuple(_add_to_table(table, buckets.get(table.table.name, {})) for table in report.tables)
    return replace(report, edges=edges, tables=tables)


def _summarise(values: "array[float]") -> Bucket | None:
    return Bucket(len(values), fsum(values) / len(values), min(values), max(values)) if values else None


def _add_to_table(table: TableSummary, buckets: Mapping[Labels, Columns]) -> TableSummary:
    names = [metric.name for metric in table.table.metrics]
    return replace(table, series=tuple(_add_to_series(series, names, buckets) for series in table.series))


def _add_to_series(series: SeriesSummary, names: Sequence[str], buckets: Mapping[Labels, Columns]) -> SeriesSummary:
    columns = buckets.get(tuple(value for _, value in series.labels))
    if columns is None:
        return series
    by_name = dict(zip(names, columns, strict=True))
    metrics = tuple(replace(item, buckets=tuple(by_name[item.metric.name])) for item in series.metrics)
    return replace(series, metrics=metrics)


def _iterate_edges(day: date, length: timedelta, zone: tzinfo | None) -> Iterator[datetime]:
    """Yield edges from a day's midnight on; a day that clocks make longer or shorter has more or fewer of them."""
    days = max(1, length // _DAY)
    first = day.toordinal() - 1
    day = date.fromordinal(first - first % days + 1)
    while True:
        following = day + days * _DAY
        edge, end = _find_midnight(day, zone), _find_midnight(following, zone)
        while edge < end:
            yield edge
            edge += length if length < _DAY else end - edge
        day = following


def _find_midnight(day: date, zone: tzinfo | None) -> datetime:
    local = datetime.combine(day, time.min)
    return (local.astimezone() if zone is None else local.replace(tzinfo=zone)).astimezone(UTC)
