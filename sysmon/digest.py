"""Many samples as a few numbers: count, sum, extremes, and percentiles within 1 %; digests of parts merge exactly.

The histogram is that of DDSketch (Masson, Rim, Lee 2019): a bin holds the values between two powers of GAMMA, so that
its middle is within ALPHA of each of them, whatever their size. Two histograms merge by adding bins.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import ceil, floor, fsum, log
from operator import itemgetter

ALPHA = 0.0099
"""The relative error of a percentile: a little less than what is promised, for the roundings on the way."""

GAMMA = (1 + ALPHA) / (1 - ALPHA)
_LOG_GAMMA = log(GAMMA)
_MIDDLE = 2 / (1 + GAMMA)
_SHIFT = 40_000
"""Keeps the bins of all positive doubles above 0, and so those of the negative ones below it; bin 0 holds zeros."""

HOUR = 3_600_000
_BEGIN = itemgetter(0)


Hour = tuple[int, int, float, float | None]
"""The beginning of an hour, how many values it has, their mean and the highest, None where that was not kept."""


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
    bins: Mapping[int, int] = field(default_factory=dict)
    hours: Sequence[Hour] = ()

    @property
    def mean(self) -> float:
        """Return the mean of the values."""
        return self.total / self.count

    def histogram(self) -> Mapping[int, int]:
        """Return the bins, those of equal values too."""
        return self.bins or {bin_of(self.low): self.count}

    def percentiles(self, percents: Iterable[int]) -> list[float]:
        """Return for each percentage the value at rank floor(q (n - 1)), within ALPHA; its ends are exact."""
        ordered = sorted(self.bins.items())
        return [self._at_rank(ordered, (self.count - 1) * percent // 100) for percent in percents]

    def _at_rank(self, ordered: Sequence[tuple[int, int]], rank: int) -> float:
        if rank == 0 or not ordered:
            return self.low
        if rank == self.count - 1:
            return self.high
        seen = 0
        for number, count in ordered:
            seen += count
            if seen > rank:
                return min(max(middle_of(number), self.low), self.high)
        return self.high

    def above(self, limit: float, *, or_at: bool = False) -> float:
        """Return the share (0 to 1) of the values that are above a limit, or at it.

        Values farther than 2 % from the limit are told exactly. Those nearer count as spread evenly, over the whole
        numbers where there seem to be no others, so that small counts (0, 1, 2) are exact.
        """
        if limit < self.low or (or_at and limit == self.low):
            return 1.0
        if limit > self.high or (limit == self.high and not or_at):
            return 0.0
        bins, own = self.histogram(), bin_of(limit)
        share = self._above_within(own, limit, or_at=or_at) if own in bins else 0.0
        return (sum(count for number, count in bins.items() if number > own) + bins.get(own, 0) * share) / self.count

    def _above_within(self, number: int, limit: float, *, or_at: bool) -> float:
        """Return the share above a limit of the values in its own bin."""
        if number == 0:
            return float(or_at)
        begin, end = _edges(number)
        begin, end = max(begin, self.low), min(end, self.high)
        whole = all(value == int(value) for value in (self.low, self.high, self.first, self.last, self.total))
        if whole and (numbers := floor(end) - ceil(begin) + 1) > 0:
            over = floor(end) - (ceil(limit) - 1 if or_at else floor(limit))
            return min(max(over / numbers, 0.0), 1.0)
        return min(max((end - limit) / (end - begin), 0.0), 1.0) if begin < end else float(limit < end)


def bin_of(value: float) -> int:
    """Return the number of the bin that a value falls into; greater values never have smaller numbers."""
    if value > 0:
        return ceil(log(value) / _LOG_GAMMA) + _SHIFT
    return 0 if value == 0 else -bin_of(-value)


def middle_of(number: int) -> float:
    """Return the value that a bin stands for, within ALPHA of all that it holds."""
    if number < 0:
        return -middle_of(-number)
    return GAMMA ** (number - _SHIFT) * _MIDDLE if number else 0.0


def _edges(number: int) -> tuple[float, float]:
    """Return between which values a bin's lie."""
    if number < 0:
        low, high = _edges(-number)
        return -high, -low
    return GAMMA ** (number - _SHIFT - 1), GAMMA ** (number - _SHIFT)


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
        bins=Counter(map(bin_of, values)) if low != high else {},
        hours=_hourly(at, values),
    )


class Merging:
    """Merges digests one by one, in any order, and holds no more than their sum."""

    def __init__(self) -> None:
        self._first: Digest | None = None
        self._last: Digest | None = None
        self._highest: Digest | None = None
        self._low = 0.0
        self._count = 0
        self._totals: list[float] = []
        self._bins: dict[int, int] = {}
        self._hours: list[Hour] = []

    def add(self, part: Digest) -> None:
        """Take one in."""
        first, last, highest = self._first, self._last, self._highest
        self._low = part.low if first is None else min(self._low, part.low)
        if first is None or part.first_at < first.first_at:
            self._first = part
        if last is None or part.last_at > last.last_at:
            self._last = part
        if highest is None or (part.high, -part.high_at) > (highest.high, -highest.high_at):
            self._highest = part
        self._count += part.count
        self._totals.append(part.total)
        self._hours += part.hours
        bins = self._bins
        for number, count in part.histogram().items():
            bins[number] = bins.get(number, 0) + count

    def result(self) -> Digest | None:
        """Return what the digest of all their values would be, None where there are none."""
        first, last, highest = self._first, self._last, self._highest
        if first is None or last is None or highest is None:
            return None
        return Digest(
            count=self._count,
            total=fsum(self._totals),
            low=self._low,
            high=highest.high,
            high_at=highest.high_at,
            first=first.first,
            first_at=first.first_at,
            last=last.last,
            last_at=last.last_at,
            bins=self._bins if self._low != highest.high else {},
            hours=sorted(self._hours, key=_BEGIN),
        )


def trend(
    hours: Iterable[Hour], begin: int, span: int, parts: int
) -> tuple[tuple[float | None, ...], tuple[float | None, ...]]:
    """Return mean and highest of each of `parts` equal parts of [begin, begin + span), an hour counting at its middle.

    The highest is None as well where one of the hours of a part does not tell its own.
    """
    sums, counts = [0.0] * parts, [0] * parts
    highs: list[list[float | None]] = [[] for _ in range(parts)]
    for start, count, mean, high in hours:
        part = min(max((start + HOUR // 2 - begin) * parts // span, 0), parts - 1)
        sums[part] += mean * count
        counts[part] += count
        highs[part].append(high)
    means = tuple(total / count if count else None for total, count in zip(sums, counts, strict=True))
    return means, tuple(_highest(found) for found in highs)


def _highest(values: Iterable[float | None]) -> float | None:
    known = list(values)
    told = [value for value in known if value is not None]
    return max(told) if told and len(told) == len(known) else None


def _hourly(at: Sequence[int], values: Sequence[float]) -> list[Hour]:
    if at[0] // HOUR == at[-1] // HOUR:  # as all values of an hour's own digest do
        return [(at[0] // HOUR * HOUR, len(values), fsum(values) / len(values), max(values))]
    hours: dict[int, list[float]] = {}
    for ms, value in zip(at, values, strict=True):
        hours.setdefault(ms // HOUR * HOUR, []).append(value)
    return [(hour, len(found), fsum(found) / len(found), max(found)) for hour, found in hours.items()]
