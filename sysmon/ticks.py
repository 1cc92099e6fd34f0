"""Instants in few numbers: samples come at equal steps, so that an hour of them is (beginning, step, count)."""

from array import array
from collections.abc import Iterable, Sequence

Run = tuple[int, int, int]
"""The first instant of some at equal steps, the step, and how many they are."""


def folded(instants: Sequence[int]) -> list[Run]:
    """Return instants (in order) as runs of equal steps; `unfolded` gives exactly them back."""
    runs: list[Run] = []
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


def unfolded(runs: Iterable[Run]) -> "array[int]":
    """Return the instants of runs, one after the other."""
    instants = array("q")
    for begin, step, count in runs:
        instants.extend(range(begin, begin + step * count, step) if step else [begin] * count)
    return instants
