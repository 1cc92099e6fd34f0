"""Roll-ups by minute as files: an hour each, a line for each series that holds its minutes metric by metric.

Instants in them are milliseconds after the beginning of the hour.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise
from pathlib import Path

import msgspec

from sysmon.datadir.rollups import RollupFile
from sysmon.history import GroupUse, RolledGroup
from sysmon.reading.aggregate import MINUTE, SeriesSum, TableSum
from sysmon.reading.damage import Damage
from sysmon.reading.rollup_file import Head, head_of, parse, shifted
from sysmon.stats.ddsketch import Bins
from sysmon.stats.digest import Digest
from sysmon.stats.hourly import HOUR, Hourly
from sysmon.stats.tick_runs import Run, Ticks
from sysmon.text.instants import to_ms


class _Minute(msgspec.Struct, array_like=True):
    """What a metric did in one minute; `bins` has an entry for each value: a bin, then the way to the next one."""

    minute: int
    count: int
    sum: float
    min: float
    max: float
    max_at: int
    first: float
    first_at: int
    last: float
    last_at: int
    bins: list[int]


class _Still(msgspec.Struct, array_like=True):
    """A minute in which all values were equal."""

    minute: int
    count: int
    value: float
    first_at: int
    last_at: int


class _Metric(msgspec.Struct, omit_defaults=True):
    moving: list[_Minute] = []
    still: list[_Still] = []


class _Use(msgspec.Struct, array_like=True):
    minute: int
    ticks: int
    sum: float
    max: float
    max_at: int


class _Line(msgspec.Struct, omit_defaults=True):
    """A series where it has ticks, else a group; `pids` are those of each minute that it was there."""

    labels: dict[str, str]
    ticks: list[Run] = []
    metrics: dict[str, _Metric] = {}
    pids: dict[int, list[str]] = {}
    uses: dict[str, list[_Use]] = {}


_ENCODE = msgspec.json.Encoder().encode
_DECODE_LINE = msgspec.json.Decoder(_Line).decode


def encode(whole: TableSum, minutes: Sequence[TableSum], file: RollupFile) -> bytes:
    """Return the text of the roll-ups of an hour's minutes; `whole` is the sum of them all."""
    base = to_ms(file.start)
    lines: dict[tuple[tuple[str, str], ...], _Line] = {}
    ticks = {tuple(one.labels.items()): one.ticks for one in whole.series}
    for part in minutes:
        minute = (part.ticks[0][0] - base) // MINUTE
        for one in part.series:
            key = tuple(one.labels.items())
            line = lines.setdefault(key, _Line(dict(one.labels), shifted(ticks[key], -base)))
            for name, found in one.metrics.items():
                _put(line.metrics.setdefault(name, _Metric()), minute, found, base)
        for group in part.groups:
            line = lines.setdefault(group.labels, _Line(dict(group.labels)))
            line.pids[minute] = sorted(group.pids)
            for name, use in group.uses.items():
                line.uses.setdefault(name, []).append(_Use(minute, use.ticks, use.total, use.high, use.high_at - base))
    return b"".join([_ENCODE(line) + b"\n" for line in (head_of(whole, file), *lines.values())])


def read(path: Path, file: RollupFile, damage: Damage) -> list[TableSum] | None:
    """Return the minutes that a file holds in order; None where it is missing or cannot be read (which is noted).

    Each of them names all the segments of the hour; what was skipped in these is told by the first.
    """
    base = to_ms(file.start)

    def made(head: Head, lines: list[bytes]) -> tuple[Head, Ticks, list[_Opened]]:
        return head, Ticks(shifted(head.ticks, base)), [_Opened(_DECODE_LINE(line), base) for line in lines]

    parsed = parse(path, damage, made)
    if parsed is None:
        return None
    head, ticks, decoded = parsed
    found: list[TableSum] = []
    for minute in range(HOUR // MINUTE):
        here = _within(ticks, base + minute * MINUTE)
        if here:
            series = tuple(filter(None, (line.series(minute) for line in decoded)))
            groups = tuple(filter(None, (line.group(minute) for line in decoded)))
            skipped = 0 if found else head.skipped
            found.append(TableSum(head.whose, here, series, groups, frozenset(head.sources), skipped))
    return found


class _Opened:
    """A line, to be asked for its minutes."""

    def __init__(self, line: _Line, base: int) -> None:
        self._line = line
        self._base = base
        self._ticks = Ticks(shifted(line.ticks, base))
        self._metrics: dict[int, dict[str, Digest]] = {}
        for name, metric in line.metrics.items():
            for minute, found in _digests(metric, base):
                self._metrics.setdefault(minute, {})[name] = found
        self._uses: dict[int, dict[str, GroupUse]] = {}
        for name, uses in line.uses.items():
            for use in uses:
                made = GroupUse(use.ticks, use.sum, use.max, base + use.max_at)
                self._uses.setdefault(use.minute, {})[name] = made

    def series(self, minute: int) -> SeriesSum | None:
        here = _within(self._ticks, self._base + minute * MINUTE)
        return SeriesSum(self._line.labels, here, self._metrics.get(minute, {})) if here else None

    def group(self, minute: int) -> RolledGroup | None:
        pids = self._line.pids.get(minute)
        if pids is None:
            return None
        return RolledGroup(tuple(self._line.labels.items()), frozenset(pids), self._uses.get(minute, {}))


def _within(ticks: Ticks, begin: int) -> tuple[Run, ...]:
    return ticks[ticks.below(begin) : ticks.below(begin + MINUTE)].runs


def _put(metric: _Metric, minute: int, found: Digest, base: int) -> None:
    first_at, last_at = found.first_at - base, found.last_at - base
    if found.low == found.high:
        metric.still.append(_Still(minute, found.count, found.low, first_at, last_at))
        return
    numbers = list(Counter(dict(found.bins)).elements())
    metric.moving.append(
        _Minute(
            minute,
            found.count,
            found.total,
            found.low,
            found.high,
            found.high_at - base,
            found.first,
            first_at,
            found.last,
            last_at,
            [late - early for early, late in pairwise([0, *numbers])],
        )
    )


def _digests(metric: _Metric, base: int) -> Iterator[tuple[int, Digest]]:
    for one in metric.moving:
        mean = one.sum / one.count
        yield (
            one.minute,
            Digest(
                count=one.count,
                total=one.sum,
                low=one.min,
                high=one.max,
                high_at=base + one.max_at,
                first=one.first,
                first_at=base + one.first_at,
                last=one.last,
                last_at=base + one.last_at,
                bins=Bins.counted(Counter(accumulate(one.bins))),
                hours=Hourly((base,), (one.count,), (mean,), (one.max,)),
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
