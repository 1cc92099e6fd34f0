"""File format of roll-ups by minute: an hour each, a line for each series that holds its minutes metric by metric.

Instants in them are milliseconds after the beginning of the hour.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import msgspec

from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import RollupFile
from sysmon.history import AggregatedGroup, GroupUse
from sysmon.reading.aggregate import MINUTE, SeriesAggregate, TableAggregate
from sysmon.reading.rollup_file import (
    Count,
    MsInDay,
    RollupHeader,
    StoredRun,
    build_header,
    check_sketch,
    parse,
    shift_runs,
)
from sysmon.stats.ddsketch import DDSketch
from sysmon.stats.digest import Digest
from sysmon.stats.hourly import HOUR, Hourly
from sysmon.stats.tick_runs import TickRun, TickRuns
from sysmon.text.instants import to_ms


class _Minute(msgspec.Struct, array_like=True):
    """What a metric did in one minute; `bins` has an entry for each value: a bin, then the way to the next one."""

    minute: int
    count: Count
    sum: float
    min: float
    max: float
    max_at: MsInDay
    first: float
    first_at: MsInDay
    last: float
    last_at: MsInDay
    bins: list[int]


class _ConstantMinute(msgspec.Struct, array_like=True):
    """A minute in which all values were equal."""

    minute: int
    count: Count
    value: float
    first_at: MsInDay
    last_at: MsInDay


class _Metric(msgspec.Struct, omit_defaults=True):
    moving: list[_Minute] = []
    still: list[_ConstantMinute] = []


class _Use(msgspec.Struct, array_like=True):
    minute: int
    ticks: Count
    sum: float
    max: float
    max_at: MsInDay


class _Line(msgspec.Struct, omit_defaults=True):
    """A series where it has ticks, else a group; `pids` are those of each minute that it was there."""

    labels: dict[str, str]
    ticks: list[StoredRun] = []
    metrics: dict[str, _Metric] = {}
    pids: dict[int, list[str]] = {}
    uses: dict[str, list[_Use]] = {}


_ENCODE = msgspec.json.Encoder().encode
_DECODE_LINE = msgspec.json.Decoder(_Line).decode


def encode(whole: TableAggregate, minutes: Sequence[TableAggregate], file: RollupFile) -> bytes:
    """Return the text of the roll-ups of an hour's minutes; `whole` is the sum of them all."""
    base = to_ms(file.start)
    lines: dict[tuple[tuple[str, str], ...], _Line] = {}
    ticks = {tuple(series.labels.items()): series.ticks for series in whole.series}
    for part in minutes:
        minute = (part.ticks[0][0] - base) // MINUTE
        for series in part.series:
            key = tuple(series.labels.items())
            line = lines.setdefault(key, _Line(dict(series.labels), shift_runs(ticks[key], -base)))
            for name, digest in series.metrics.items():
                _add_minute(line.metrics.setdefault(name, _Metric()), minute, digest, base)
        for group in part.groups:
            line = lines.setdefault(group.labels, _Line(dict(group.labels)))
            line.pids[minute] = sorted(group.pids)
            for name, use in group.uses.items():
                line.uses.setdefault(name, []).append(_Use(minute, use.ticks, use.total, use.high, use.high_at - base))
    return b"".join([_ENCODE(line) + b"\n" for line in (build_header(whole, file), *lines.values())])


def read(path: Path, file: RollupFile, damage: Damage) -> list[TableAggregate] | None:
    """Return the minutes that a file holds in order; None where it is missing or cannot be read (which is noted).

    Each of them names all the segments of the hour; what was skipped in these is told by the first.
    """
    base = to_ms(file.start)

    def made(head: RollupHeader, lines: Iterator[bytes]) -> tuple[RollupHeader, TickRuns, list[_SeriesMinutes]]:
        return (
            head,
            TickRuns(shift_runs(head.ticks, base)),
            [_SeriesMinutes(_DECODE_LINE(line), base) for line in lines],
        )

    parsed = parse(path, damage, made)
    if parsed is None:
        return None
    head, ticks, all_series = parsed
    minutes: list[TableAggregate] = []
    for minute in range(HOUR // MINUTE):
        here = _cut_minute(ticks, base + minute * MINUTE)
        if here:
            series = tuple(filter(None, (line.series(minute) for line in all_series)))
            groups = tuple(filter(None, (line.group(minute) for line in all_series)))
            skipped = 0 if minutes else head.skipped
            minutes.append(TableAggregate(head.whose, here, series, groups, frozenset(head.sources), skipped))
    return minutes


class _SeriesMinutes:
    """A line, to be asked for its minutes."""

    def __init__(self, line: _Line, base: int) -> None:
        self._line = line
        self._base = base
        self._ticks = TickRuns(shift_runs(line.ticks, base))
        self._metrics: dict[int, dict[str, Digest]] = {}
        for name, metric in line.metrics.items():
            for minute, digest in _decode_digests(metric, base):
                self._metrics.setdefault(minute, {})[name] = digest
        self._uses: dict[int, dict[str, GroupUse]] = {}
        for name, uses in line.uses.items():
            for use in uses:
                made = GroupUse(use.ticks, use.sum, use.max, base + use.max_at)
                self._uses.setdefault(use.minute, {})[name] = made

    def series(self, minute: int) -> SeriesAggregate | None:
        here = _cut_minute(self._ticks, self._base + minute * MINUTE)
        return SeriesAggregate(self._line.labels, here, self._metrics.get(minute, {})) if here else None

    def group(self, minute: int) -> AggregatedGroup | None:
        pids = self._line.pids.get(minute)
        if pids is None:
            return None
        return AggregatedGroup(tuple(self._line.labels.items()), frozenset(pids), self._uses.get(minute, {}))


def _cut_minute(ticks: TickRuns, begin: int) -> tuple[TickRun, ...]:
    return ticks[ticks.below(begin) : ticks.below(begin + MINUTE)].runs


def _add_minute(metric: _Metric, minute: int, digest: Digest, base: int) -> None:
    first_at, last_at = digest.first_at - base, digest.last_at - base
    if digest.low == digest.high:
        metric.still.append(_ConstantMinute(minute, digest.count, digest.low, first_at, last_at))
        return
    numbers = list(Counter(dict(digest.bins)).elements())
    metric.moving.append(
        _Minute(
            minute,
            digest.count,
            digest.total,
            digest.low,
            digest.high,
            digest.high_at - base,
            digest.first,
            first_at,
            digest.last,
            last_at,
            [late - early for early, late in pairwise([0, *numbers])],
        )
    )


def _decode_digests(metric: _Metric, base: int) -> Iterator[tuple[int, Digest]]:
    for moving in metric.moving:
        mean = moving.sum / moving.count
        yield (
            moving.minute,
            Digest(
                count=moving.count,
                total=moving.sum,
                low=moving.min,
                high=moving.max,
                high_at=base + moving.max_at,
                first=moving.first,
                first_at=base + moving.first_at,
                last=moving.last,
                last_at=base + moving.last_at,
                bins=check_sketch(DDSketch.from_counts(Counter(accumulate(moving.bins))), moving.count),
                hours=Hourly((base,), (moving.count,), (mean,), (moving.max,)),
            ),
        )
    for still in metric.still:
        yield (
            still.minute,
            Digest(
                count=still.count,
                total=still.count * still.value,
                low=still.value,
                high=still.value,
                high_at=base + still.first_at,
                first=still.value,
                first_at=base + still.first_at,
                last=still.value,
                last_at=base + still.last_at,
                hours=Hourly((base,), (still.count,), (still.value,), (still.value,)),
            ),
        )
