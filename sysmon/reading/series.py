"""Down-sampling of one series: lowest, highest, mean and count of equal buckets, from rows or from roll-ups."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from sysmon.datadir.rollups import Resolution, RollupFile
from sysmon.errors import UsageError
from sysmon.formats import HEAD
from sysmon.model import Table
from sysmon.reading import rollup_file
from sysmon.reading.plan import LONG, Planner, RollupPart, RowRange, Stems, join_neighbours
from sysmon.reading.rows import RowReader, labels_of
from sysmon.reading.tiers import needs_rollups, rollup_path
from sysmon.stats.downsampled import DownsampledSeries, SeriesPoint
from sysmon.text.instants import format_instant, from_ms, to_ms

_INSTANT, _MINUTE, _HOUR, _DAY = 1, 60_000, 3_600_000, 86_400_000
"""What buckets are whole numbers of, in milliseconds: a roll-up must fit into one."""


def downsample(
    reader: RowReader, metric: str, labels: Mapping[str, str], since: datetime, until: datetime, *, points: int
) -> DownsampledSeries:
    """Return one series over [since, until) in at most so many points; its memory does not grow with the range.

    Where the rows have no more values than that, these are the points. Buckets are longer than they need be where only
    roll-ups answer. Raise UsageError where the labels fit several series, and for a name that the table has not.
    """
    if points < 1 or since >= until:
        where = f"{format_instant(since)} to {format_instant(until)}"
        raise UsageError(f"{points} points from {where}: at least one point and one millisecond are needed")
    selector = _Selector(reader.table, metric, labels)
    stems = _stems(reader, since, until)
    grain = _INSTANT if stems is None else _grain(reader, since, until, stems)
    buckets = _Buckets(to_ms(since), to_ms(until), points, grain)
    for part in _parts(reader, since, until, stems, buckets):
        if isinstance(part, RollupPart):
            for series in part.aggregate.series:
                digest = series.metrics.get(metric)
                if digest is not None and selector.selects(tuple(map(series.labels.get, reader.table.labels))):
                    buckets.add(digest.first_at, digest.low, digest.high, digest.total, digest.count)
            continue
        for ms, record in reader.scan(part.since, part.until):
            value = record[selector.column]
            if value is not None and selector.selects(labels_of(record, reader.table)):
                buckets.add(ms, value, value, value, 1)
    return DownsampledSeries(selector.metric, selector.labels, *buckets.result())


def _stems(reader: RowReader, since: datetime, until: datetime) -> Stems | None:
    """Return which segments there are; None where rows alone answer."""
    if not reader.table.series or not needs_rollups(reader.folder, since, until, short=LONG):
        return None
    return Planner(reader).stems(since, until)


def _grain(reader: RowReader, since: datetime, until: datetime, stems: Stems) -> int:
    """Return what the buckets must be whole numbers of: hours where the range is long, else what is left of the rows.

    The minutes of an hour answer where they are kept and know more than its rows, as for everybody who reads.
    """
    if until - since > LONG:
        return _HOUR
    grain, hour = _INSTANT, Resolution.HOUR.floor(since)
    while hour < until:
        end = hour + Resolution.HOUR.length
        minutes, whole = (
            rollup_path(reader.folder.parent, RollupFile(reader.table.name, resolution, hour))
            for resolution in (Resolution.MINUTE, Resolution.HOUR)
        )
        sources = rollup_file.read_sources(minutes)
        if sources is not None and stems.get(hour, set()) < sources:
            grain = max(grain, _MINUTE)
        elif hour not in stems and since <= hour and end <= until and whole.exists():
            return _HOUR
        hour = end
    return grain


def _parts(
    reader: RowReader, since: datetime, until: datetime, stems: Stems | None, buckets: "_Buckets"
) -> Iterator[RowRange | RollupPart]:
    """Yield what is to be read: the roll-ups that fit into a bucket, then the rows between them."""
    if stems is None:
        yield RowRange(since, until)
        return
    lengths = {Resolution.DAY: _DAY, Resolution.HOUR: _HOUR}
    fitting = [resolution for resolution, length in lengths.items() if buckets.hold_whole(length)]
    row_ranges = []
    for part in Planner(reader).parts(since, until, stems, fitting):
        if isinstance(part, RowRange):
            row_ranges.append(part)
        else:
            yield part
    yield from join_neighbours(row_ranges)


class _Selector:
    """Finds the column and the rows of the one series that is meant."""

    def __init__(self, table: Table, metric: str, labels: Mapping[str, str]) -> None:
        names = [each.name for each in table.metrics]
        if metric not in names:
            raise UsageError(f"no metric {metric!r} in {table.name}: there are {', '.join(names)}")
        for label in labels:
            if label not in table.labels:
                raise UsageError(f"no label {label!r} in {table.name}: there are {', '.join(table.labels) or 'none'}")
        index = names.index(metric)
        self.metric = table.metrics[index]
        self.column = len(HEAD) + len(table.labels) + index
        self._table = table
        self._given = dict(labels)
        self._places = [(table.labels.index(label), value) for label, value in labels.items()]
        self._selected: tuple[str | None, ...] | None = None

    @property
    def labels(self) -> Mapping[str, str]:
        """Return all labels of the series; where it has no value, those that were given."""
        if self._selected is None:
            return self._given
        return {name: value or "-" for name, value in zip(self._table.labels, self._selected, strict=True)}

    def selects(self, labels: tuple[str | None, ...]) -> bool:
        """Say whether labels are those of the series; raise UsageError where another one fits, too."""
        if labels == self._selected:
            return True
        if any(labels[place] != value for place, value in self._places):
            return False
        if self._selected is not None:
            both = " and ".join(",".join(map(str, each)) for each in (self._selected, labels))
            raise UsageError(f"several series of {self._table.name} fit ({both}): give more of their labels")
        self._selected = labels
        return True


class _Buckets:
    """Equal parts of a range, each a whole number of grains; and the values themselves as long as they are few."""

    def __init__(self, since: int, until: int, points: int, grain: int) -> None:
        self._since = since
        self._points = points
        self._begin, self._step = _cut(since, until, points, grain)
        if grain == _HOUR and self._step >= _DAY:
            self._begin, self._step = _cut(since, until, points, _DAY)
        self._sums: dict[int, tuple[float, float, float, int]] = {}
        self._values: list[tuple[int, float]] | None = []

    def hold_whole(self, length: int) -> bool:
        """Say whether each stretch of so many milliseconds (from a multiple of it on) lies in one bucket."""
        return self._begin % length == 0 and self._step % length == 0

    def add(self, ms: int, low: float, high: float, total: float, count: int) -> None:
        """Take in so many values, the first of which is of an instant."""
        if self._values is not None:
            self._values.append((ms, low))
            if count > 1 or len(self._values) > self._points:
                self._values = None
        number = (ms - self._begin) // self._step
        if number in self._sums:
            lowest, highest, sum_, size = self._sums[number]
            self._sums[number] = min(lowest, low), max(highest, high), sum_ + total, size + count
        else:
            self._sums[number] = low, high, total, count

    def result(self) -> tuple[timedelta | None, list[SeriesPoint]]:
        """Return the length of the buckets and those that have values; None and the values where these are few."""
        if self._values is not None:
            values = sorted(self._values, key=lambda stored: stored[0])
            return None, [SeriesPoint(from_ms(ms), value, value, value, 1) for ms, value in values]
        points = [
            SeriesPoint(from_ms(max(self._since, self._begin + number * self._step)), low, high, total / count, count)
            for number, (low, high, total, count) in sorted(self._sums.items())
        ]
        return timedelta(milliseconds=self._step), points


def _cut(since: int, until: int, points: int, grain: int) -> tuple[int, int]:
    """Return where the first of at most so many buckets begins, and their length: both whole numbers of grains."""
    begin = since // grain * grain
    return begin, -((begin - until) // (points * grain)) * grain
