"""Run-length encoding of instants: samples come at equal steps, so that an hour of them is (beginning, step, count)."""

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import overload

TickRun = tuple[int, int, int]
"""The first instant of some at equal steps, the step, and how many they are."""


class TickRuns(Sequence[int]):
    """Instants in order, which take no more room than their runs; those of a year are a few of these."""

    __slots__ = ("_ends", "runs")

    def __init__(self, runs: Iterable[TickRun]) -> None:
        self.runs = tuple(_join_runs(runs))
        self._ends = list(accumulate(count for _, _, count in self.runs))

    @classmethod
    def from_instants(cls, instants: Sequence[int]) -> "TickRuns":
        """Return instants, which are in order, as what they are here."""
        return instants if isinstance(instants, TickRuns) else cls(encode_runs(instants))

    def __len__(self) -> int:
        return self._ends[-1] if self._ends else 0

    @overload
    def __getitem__(self, index: int) -> int: ...
    @overload
    def __getitem__(self, index: slice) -> "TickRuns": ...
    def __getitem__(self, index: int | slice) -> "int | TickRuns":
        if isinstance(index, slice):
            return self._between(*index.indices(len(self)))
        place = range(len(self))[index]
        number = bisect_right(self._ends, place)
        begin, step, count = self.runs[number]
        return begin + step * (place - self._ends[number] + count)

    def __iter__(self) -> Iterator[int]:
        return iter(decode_runs(self.runs))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TickRuns) and self.runs == other.runs

    def __hash__(self) -> int:
        return hash(self.runs)

    def below(self, instant: int) -> int:
        """Return how many are before an instant."""
        number = bisect_left(self.runs, (instant,)) - 1
        if number < 0:
            return 0
        begin, step, count = self.runs[number]
        return self._ends[number] - count + (min(count, -((begin - instant) // step)) if step else count)

    def steps(self) -> Iterator[tuple[int, int, int]]:
        """Yield, in order, how far neighbours are apart, how many in a row are, and the first instant of these."""
        last = None
        for begin, step, count in self.runs:
            if last is not None:
                yield begin - last, 1, last
            if count > 1:
                yield step, count - 1, begin
            last = begin + step * (count - 1)

    def _between(self, first: int, end: int, stride: int) -> "TickRuns":
        if stride != 1:
            raise ValueError("instants are cut into stretches only")
        cut, reached = [], 0
        for begin, step, count in self.runs:
            low, high = max(first - reached, 0), min(end - reached, count)
            if low < high:
                cut.append((begin + step * low, step, high - low))
            reached += count
        return TickRuns(cut)


def encode_runs(instants: Sequence[int]) -> list[TickRun]:
    """Return instants (in order) as runs of equal steps; `unfolded` gives exactly them back."""
    runs: list[TickRun] = []
    index = 0
    while index < len(instants):
        begin = instants[index]
        step = instants[index + 1] - begin if index + 1 < len(instants) else 0
        count = 1
        while index + count < len(instants) and instants[index + count] == begin + count * step:
            count += 1
        runs.append((begin, step if count > 1 else 0, count))
        index += count
    return runs


def decode_runs(runs: Iterable[TickRun]) -> "array[int]":
    """Return the instants of runs, one after the other."""
    instants = array("q")
    for begin, step, count in runs:
        instants.extend(range(begin, begin + step * count, step) if step else [begin] * count)
    return instants


def _join_runs(runs: Iterable[TickRun]) -> list[TickRun]:
    """Return runs as `folded` would have made them of all their instants."""
    joined: list[TickRun] = []
    for run in runs:
        begin, step, count = run
        while count:
            first, stride, held = joined[-1] if joined else (0, 0, 0)
            if held == 1:
                stride = begin - first
            elif not held or begin != first + stride * held:
                joined.append((begin, step if count > 1 else 0, count))
                break
            taken = count if step == stride or count == 1 else 1
            joined[-1] = (first, stride, held + taken)
            begin, count = begin + step * taken, count - taken
    return joined
