"""Digest of many samples: count, sum, extremes, and percentiles within 1 %; digests of parts merge exactly."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, fsum
from operator import attrgetter

from sysmon.stats.ddsketch import DDSketch, bin_bounds, bin_index, bin_value, merge_sketches
from sysmon.stats.hourly import Hourly, concat_hours
from sysmon.stats.percentiles import nearest_rank

_NO_SKETCH = DDSketch()
_NO_HOURS = Hourly()
_MAX_PARTS = 64
"""How many digests wait to be merged."""


@dataclass(frozen=True, slots=True)
class Digest:
    """One metric over some time; instants are milliseconds since the epoch.

    `bins` may be left out where all values are equal. `hours` are for trends.
    """

    count: int
    total: float
    low: float
    high: float
    high_at: int
    first: float
    first_at: int
    last: float
    last_at: int
    bins: DDSketch = _NO_SKETCH
    hours: Hourly = _NO_HOURS

    @property
    def mean(self) -> float:
        """Return the mean of the values."""
        return self.total / self.count

    def histogram(self) -> DDSketch:
        """Return the bins, those of equal values too."""
        return self.bins if self.bins.stretches else DDSketch(((bin_index(self.low), (self.count,)),))

    def percentiles(self, percents: Sequence[int]) -> list[float]:
        """Return for each percentage the value of nearest rank, within ALPHA; lowest and highest are exact."""
        if not self.bins.stretches:
            return [self.low] * len(percents)
        ranks = [nearest_rank(self.count, percent) for percent in percents]
        ranked = zip(ranks, self.bins.bins_at_ranks(ranks), strict=True)
        return [self._at_rank(rank, number) for rank, number in ranked]

    def _at_rank(self, rank: int, number: int) -> float:
        if rank == 0:
            return self.low
        if rank == self.count - 1:
            return self.high
        return min(max(bin_value(number), self.low), self.high)

    def share_above(self, limit: float, *, or_at: bool = False) -> float:
        """Return the share (0 to 1) of the values that are above a limit, or at it.

        Values farther than 2 % from the limit are told exactly. Those nearer count as spread evenly, over the whole
        numbers where there seem to be no others, so that small counts (0, 1, 2) are exact.
        """
        if limit < self.low or (or_at and limit == self.low):
            return 1.0
        if limit > self.high or (limit == self.high and not or_at):
            return 0.0
        bins, own = self.histogram(), bin_index(limit)
        share = self._share_above_within(own, limit, or_at=or_at) if own in bins else 0.0
        return (bins.count_above(own) + bins.get(own, 0) * share) / self.count

    def _share_above_within(self, number: int, limit: float, *, or_at: bool) -> float:
        """Return the share above a limit of the values in its own bin."""
        if number == 0:
            return float(or_at)
        begin, end = bin_bounds(number)
        begin, end = max(begin, self.low), min(end, self.high)
        whole = all(value == int(value) for value in (self.low, self.high, self.first, self.last, self.total))
        if whole and (numbers := floor(end) - ceil(begin) + 1) > 0:
            over = floor(end) - (ceil(limit) - 1 if or_at else floor(limit))
            return min(max(over / numbers, 0.0), 1.0)
        return min(max((end - limit) / (end - begin), 0.0), 1.0) if begin < end else float(limit < end)


def digest(at: Sequence[int], values: Sequence[float]) -> Digest | None:
    """Return the digest of values at instants, None where there are none."""
    if not values:
        return None
    low, high = min(values), max(values)
    return Digest(
        count=len(values),
        total=fsum(values),
        low=low,
        high=high,
        high_at=at[values.index(high)],
        first=values[0],
        first_at=at[0],
        last=values[-1],
        last_at=at[-1],
        bins=DDSketch.from_values(values) if low != high else _NO_SKETCH,
        hours=Hourly.from_values(at, values),
    )


_FIRST_AT, _LAST_AT = attrgetter("first_at"), attrgetter("last_at")
_LOW, _HIGH, _COUNT = attrgetter("low"), attrgetter("high"), attrgetter("count")
_TOTAL, _HOURS = attrgetter("total"), attrgetter("hours")


class DigestMerger:
    """Merges digests that come one by one, in any order, and holds not many more than their sum."""

    def __init__(self) -> None:
        self._parts: list[Digest] = []

    def add(self, part: Digest) -> None:
        """Take one in."""
        self._parts.append(part)
        if len(self._parts) >= _MAX_PARTS:
            self._parts = [_merge(self._parts)]

    def result(self) -> Digest | None:
        """Return what the digest of all their values would be, None where there are none."""
        return _merge(self._parts) if self._parts else None


def _merge(parts: Sequence[Digest]) -> Digest:
    if len(parts) == 1:
        return parts[0]
    first, last = min(parts, key=_FIRST_AT), max(parts, key=_LAST_AT)
    low, high = min(map(_LOW, parts)), max(map(_HIGH, parts))
    return Digest(
        count=sum(map(_COUNT, parts)),
        total=fsum(map(_TOTAL, parts)),
        low=low,
        high=high,
        high_at=min(part.high_at for part in parts if part.high == high),
        first=first.first,
        first_at=first.first_at,
        last=last.last,
        last_at=last.last_at,
        bins=merge_sketches(part.histogram() for part in parts) if low != high else _NO_SKETCH,
        hours=concat_hours(map(_HOURS, parts)),
    )
