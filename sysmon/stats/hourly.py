"""Hourly means and peaks of a metric in columns, which are down-sampled for a trend."""

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from math import fsum, isnan, nan
from operator import mul

HOUR = 3_600_000

Hour = tuple[int, int, float, float | None]
"""The beginning of an hour, how many values it has, their mean and the highest, None where that was not kept."""

Trend = tuple[float | None, ...]


class Hourly:
    """Hours in order, in columns: a year of them would fill the memory as objects of their own. Never changed."""

    __slots__ = ("means", "peaks", "sizes", "starts")

    def __init__(
        self,
        starts: Iterable[int] = (),
        sizes: Iterable[int] = (),
        means: Iterable[float] = (),
        peaks: Iterable[float] = (),
    ) -> None:
        self.starts = array("q", starts)
        self.sizes = array("q", sizes)
        self.means = array("d", means)
        self.peaks = array("d", peaks)

    @classmethod
    def from_hours(cls, hours: Iterable[Hour]) -> "Hourly":
        """Return hours, one by one."""
        ordered = sorted(hours, key=lambda hour: hour[0])
        starts, sizes, means, peaks = zip(*ordered, strict=True) if ordered else ((), (), (), ())
        return cls(starts, sizes, means, [nan if peak is None else peak for peak in peaks])

    @classmethod
    def from_values(cls, at: Sequence[int], values: Sequence[float]) -> "Hourly":
        """Return the hours of values at instants (milliseconds since the epoch)."""
        if at[0] // HOUR == at[-1] // HOUR:  # as all values of an hour's own digest do
            return cls((at[0] // HOUR * HOUR,), (len(values),), (fsum(values) / len(values),), (max(values),))
        hours: dict[int, list[float]] = {}
        for ms, value in zip(at, values, strict=True):
            hours.setdefault(ms // HOUR * HOUR, []).append(value)
        return cls.from_hours((hour, len(own), fsum(own) / len(own), max(own)) for hour, own in hours.items())

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[Hour]:
        for start, size, mean, peak in zip(self.starts, self.sizes, self.means, self.peaks, strict=True):
            yield start, size, mean, None if isnan(peak) else peak

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Hourly) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        return f"Hourly.from_hours({list(self)})"


def concat_hours(parts: Iterable[Hourly]) -> Hourly:
    """Return the hours of some, in order."""
    ordered = sorted((part for part in parts if part.starts), key=lambda part: part.starts[0])
    if any(early.starts[-1] > late.starts[0] for early, late in pairwise(ordered)):
        return Hourly.from_hours(hour for part in ordered for hour in part)
    whole = Hourly()
    for part in ordered:
        whole.starts.extend(part.starts)
        whole.sizes.extend(part.sizes)
        whole.means.extend(part.means)
        whole.peaks.extend(part.peaks)
    return whole


def downsample(hours: Hourly, begin: int, span: int, parts: int) -> tuple[Trend, Trend]:
    """Return mean and highest of each of `parts` equal parts of [begin, begin + span), an hour counting at its middle.

    The highest is None as well where one of the hours of a part does not tell its own.
    """
    inner = [begin - HOUR // 2 - part * span // -parts for part in range(1, parts)]
    edges = [0, *(bisect_left(hours.starts, edge) for edge in inner), len(hours)]
    sums = array("d", map(mul, hours.means, hours.sizes))
    cut = list(pairwise(edges))
    sizes, peaks = hours.sizes, hours.peaks
    course = tuple(sum(sums[first:end]) / sum(sizes[first:end]) if first < end else None for first, end in cut)
    return course, tuple(_peak(peaks[first:end]) for first, end in cut)


def _peak(values: "array[float]") -> float | None:
    return max(values) if values and not isnan(sum(values)) else None
