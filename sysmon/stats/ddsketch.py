"""How often did which values come? A histogram whose bins are as wide as the error that is promised for percentiles.

It is that of DDSketch (Masson, Rim, Lee 2019): a bin holds the values between two powers of GAMMA, so that its middle
is within ALPHA of each of them, whatever their size. Two histograms merge by adding bins.
"""

import sys
from array import array
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate, chain
from math import ceil, log

ALPHA = 0.0099
"""The relative error of a percentile: a little less than what is promised, for the roundings on the way."""

GAMMA = (1 + ALPHA) / (1 - ALPHA)
_LOG_GAMMA = log(GAMMA)
_MIDDLE = 2 / (1 + GAMMA)
_SHIFT = 40_000
"""Keeps the bins of all positive doubles above 0, and so those of the negative ones below it; bin 0 holds zeros."""

_GAP = 32
"""How many empty bins in a row are kept rather than left out."""

_WORD = 8

Stretch = tuple[int, Sequence[int]]
"""The number of a bin, and how many values it and each that follows it have; none holds bin 0 and another."""


class Bins(Mapping[int, int]):
    """How many values each bin has, by its number; those of greater values never have smaller numbers."""

    __slots__ = ("stretches",)

    def __init__(self, stretches: Iterable[Stretch] = ()) -> None:
        self.stretches = tuple(stretches)

    @classmethod
    def of(cls, values: Iterable[float]) -> "Bins":
        """Return the histogram of values."""
        return cls.counted(Counter(map(bin_of, values)))

    @classmethod
    def counted(cls, counts: Mapping[int, int]) -> "Bins":
        """Return a histogram of what was counted by bin."""
        stretches: list[tuple[int, list[int]]] = []
        for number in sorted(counts):
            first, held = stretches[-1] if stretches else (0, [])
            gap = number - first - len(held)
            if first * number <= 0 or gap > _GAP:
                stretches.append((number, [counts[number]]))
            else:
                held += [0] * gap
                held.append(counts[number])
        return cls(stretches)

    def __getitem__(self, number: int) -> int:
        for first, counts in self.stretches:
            if first <= number < first + len(counts) and counts[number - first]:
                return counts[number - first]
        raise KeyError(number)

    def __iter__(self) -> Iterator[int]:
        for first, counts in self.stretches:
            yield from (number for number, count in enumerate(counts, first) if count)

    def __len__(self) -> int:
        return sum(len(counts) - counts.count(0) for _, counts in self.stretches)

    def __repr__(self) -> str:
        return f"Bins.counted({dict(self)})"

    def __hash__(self) -> int:
        return hash(tuple(self.items()))

    def over(self, number: int) -> int:
        """Return how many values are in later bins."""
        return sum(sum(counts[max(number + 1 - first, 0) :]) for first, counts in self.stretches)

    def numbers_at(self, ranks: Iterable[int]) -> list[int]:
        """Return the bins of the values at ranks, counted from 0 for the lowest; there are as many values."""
        reached = list(accumulate(chain.from_iterable(counts for _, counts in self.stretches)))
        numbers = list(chain.from_iterable(range(first, first + len(counts)) for first, counts in self.stretches))
        return [numbers[bisect_right(reached, rank)] for rank in ranks]


def merged(parts: Iterable[Bins]) -> Bins:
    """Return the histogram of all values of some."""
    stretches = list(chain.from_iterable(part.stretches for part in parts))
    zeros = sum(counts[0] for first, counts in stretches if first == 0)
    return Bins(
        [
            *_added([one for one in stretches if one[0] < 0]),
            *([(0, (zeros,))] if zeros else ()),
            *_added([one for one in stretches if one[0] > 0]),
        ]
    )


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


def edges_of(number: int) -> tuple[float, float]:
    """Return between which values a bin's lie."""
    if number < 0:
        low, high = edges_of(-number)
        return -high, -low
    return GAMMA ** (number - _SHIFT - 1), GAMMA ** (number - _SHIFT)


def _added(stretches: Sequence[Stretch]) -> Iterator[Stretch]:
    """Yield the sum of stretches as one: they are added as large numbers, which takes a tenth of the time."""
    if len(stretches) < 2:
        yield from stretches
        return
    begin = min(first for first, _ in stretches)
    end = max(first + len(counts) for first, counts in stretches)
    total = 0
    for first, counts in stretches:
        words = array("Q", counts).tobytes()
        total += int.from_bytes(words, sys.byteorder) << (8 * _WORD * _shift(begin, end, first, len(counts)))
    added = array("Q", total.to_bytes(_WORD * (end - begin), sys.byteorder))
    yield begin, added


def _shift(begin: int, end: int, first: int, count: int) -> int:
    """Return how many words of a stretch's number stand below it, where the first word is the lowest or the highest."""
    return first - begin if sys.byteorder == "little" else end - first - count
