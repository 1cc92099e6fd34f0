"""Instants as runs of equal steps: nothing is lost, whatever they are."""

from bisect import bisect_left
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.stats.tick_runs import TickRuns, decode_runs, encode_runs

steady = st.builds(
    lambda begin, step, count: list(range(begin, begin + step * count, step)),
    st.integers(0, 1000),
    st.integers(1, 20),
    st.integers(1, 30),
)
disturbed = st.lists(st.one_of(steady, st.lists(st.integers(0, 2000), max_size=5)), max_size=5).map(
    lambda parts: sorted(instant for part in parts for instant in part)
)


@given(st.lists(st.integers(0, 10**13), max_size=60))
def test_folded_instants_unfold_to_themselves(instants: list[int]) -> None:
    ordered = sorted(instants)

    assert list(decode_runs(encode_runs(ordered))) == ordered


@given(st.integers(0, 10**13), st.integers(1, 10**5), st.integers(1, 500))
def test_equal_steps_fold_into_one_run(begin: int, step: int, count: int) -> None:
    instants = list(range(begin, begin + step * count, step))

    assert len(encode_runs(instants)) == 1


@given(disturbed)
def test_instants_are_what_they_were_made_of(instants: list[int]) -> None:
    ticks = TickRuns.from_instants(instants)

    assert (list(ticks), len(ticks), [ticks[place] for place in range(len(ticks))]) == (
        instants,
        len(instants),
        instants,
    )


@given(disturbed, st.integers(0, 200), st.integers(0, 2100), st.integers(0, 2100))
def test_parts_put_together_are_the_whole_and_parts_are_found_in_it(
    instants: list[int], cut: int, low: int, high: int
) -> None:
    begin, end = sorted((low, high))
    together = TickRuns([*encode_runs(instants[:cut]), *encode_runs(instants[cut:])])

    first, last = together.below(begin), together.below(end)

    assert together == TickRuns.from_instants(instants)
    assert (together.runs, list(together[first:last])) == (
        tuple(encode_runs(instants)),
        instants[bisect_left(instants, begin) : bisect_left(instants, end)],
    )


@given(disturbed)
def test_steps_are_the_distances_between_neighbours(instants: list[int]) -> None:
    steps = [
        (far, first + far * place)
        for far, count, first in TickRuns.from_instants(instants).steps()
        for place in range(count)
    ]

    assert steps == [(late - early, early) for early, late in pairwise(instants)]


def test_instants_are_counted_from_the_end_too_and_never_beyond() -> None:
    ticks = TickRuns([(0, 10, 3)])

    assert (ticks[-1], hash(ticks) == hash(TickRuns([(0, 10, 3)]))) == (20, True)
    with pytest.raises(IndexError):
        ticks[3]
