"""DDSketch: a histogram whose bins are as wide as the error that is promised for percentiles.

It is that of Masson, Rim and Lee (2019): a bin holds the values between two powers of GAMMA, so that its middle
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
_OFFSET = 40_000
"""Keeps the bins of all positive doubles above 0, and so those of the negative ones below it; bin 0 holds zeros."""

LAST_BIN = 75_847
"""The bin of the greatest double; its negative is the first one."""

_MAX_EMPTY_BINS = 32
"""How many empty bins in a row are kept rather than left out."""

_WORD = 8

BinRange = tuple[int, Sequence[int]]
"""The number of a bin, and how many values it and each that follows it have; none holds bin 0 and another."""


class DDSketch(Mapping[int, int]):
    """How many values each bin has, by its number; those of greater values never have smaller numbers."""

    __slots__ = ("stretches",)

    def __init__(self, stretches: Iterable[BinRange] = ()) -> None:
        self.stretches = tuple(stretches)

    @classmethod
    def from_values(cls, values: Iterable[float]) -> "DDSketch":
        """Return the histogram of values."""
        return cls.from_counts(Counter(map(bin_index, values)))

    @classmethod
    def from_counts(cls, counts: Mapping[int, int]) -> "DDSketch":
        """Return a histogram of what was counted by bin."""
        stretches: list[tuple[int, list[int]]] = []
        for number in sorted(counts):
            first, held = stretches[-1] if stretches else (0, [])
            gap = number - first - len(held)
            if first * number <= 0 or gap > _MAX_EMPTY_BINS:
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
        return f"DDSketch.from_counts({dict(self)})"

    def __hash__(self) -> int:
        return hash(tuple(self.items()))

    def count_above(self, number: int) -> int:
        """Return how many values are in later bins."""
        return sum(sum(counts[max(number + 1 - first, 0) :]) for first, counts in self.stretches)

    def bins_at_ranks(self, ranks: Iterable[int]) -> list[int]:
        """Return the bins of the values at ranks, counted from 0 for the lowest; there are as many values."""
        reached = list(accumulate(chain.from_iterable(counts for _, counts in self.stretches)))
        numbers = list(chain.from_iterable(range(first, first + len(counts)) for first, counts in self.stretches))
        return [numbers[bisect_right(reached, rank)] for rank in ranks]


def merge_sketches(parts: Iterable[DDSketch]) -> DDSketch:
    """Return the histogram of all values of some."""
    stretches = list(chain.from_iterable(sketch.stretches for sketch in parts))
    zeros = sum(counts[0] for first, counts in stretches if first == 0)
    return DDSketch(
        [
            *_add_ranges([part for part in stretches if part[0] < 0]),
            *([(0, (zeros,))] if zeros else ()),
            *_add_ranges([part for part in stretches if part[0] > 0]),
        ]
    )


def bin_index(value: float) -> int:
    """Return the number of the bin that a value falls into; greater values never have smaller numbers."""
    if value > 0:
        return ceil(log(value) / _LOG_GAMMA) + _OFFSET
    return 0 if value == 0 else -bin_index(-value)


def bin_value(number: int) -> float:
    """Return the value that a bin stands for, within ALPHA of all that it holds."""
    if number < 0:
        return -bin_value(-number)
    return GAMMA ** (number - _OFFSET) * _MIDDLE if number else 0.0


def bin_bounds(number: int) -> tuple[float, float]:
    """Return between which values a bin's lie."""
    if number < 0:
        low, high = bin_bounds(-number)
        return -high, -low
    return GAMMA ** (number - _OFFSET - 1), GAMMA ** (number - _OFFSET)


def _add_ranges(stretches: Sequence[BinRange]) -> Iterator[BinRange]:
    """Yield the sum of stretches as one: they are added as large numbers, which takes a tenth of the time."""
    if len(stretches) < 2:
        yield from stretches
        return
    begin = min(first for first, _ in stretches)
    end = max(first + len(counts) for first, counts in stretches)
    total = 0
    for first, counts in stretches:
        words = array("Q", counts).tobytes()
        total += int.from_bytes(words, sys.byteorder) << (8 * _WORD * _words_below(begin, end, first, len(counts)))
    added = array("Q", total.to_bytes(_WORD * (end - begin), sys.byteorder))
    yield begin, added


def _words_below(begin: int, end: int, first: int, count: int) -> int:
    """Return how many words of a stretch's number stand below it, where the first word is the lowest or the highest."""
    return first - begin if sys.byteorder == "little" else end - first - count
