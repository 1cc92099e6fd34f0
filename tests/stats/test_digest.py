"""Digests: merging parts is the same as digesting the whole, and percentiles are as close as they say."""

import math
from array import array
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.stats.ddsketch import bin_index, bin_value
from sysmon.stats.digest import Digest, DigestMerger, digest
from sysmon.stats.hourly import HOUR, Hourly, downsample

NUMBERS = st.one_of(
    st.just(0.0),
    st.floats(-1e15, 1e15),
    st.floats(0, 100),
    st.integers(-(10**12), 10**12).map(float),
    st.sampled_from([5e-324, 1e300, 100.0, 1.0]),
)
PERCENTS = (0, 1, 50, 95, 99, 100)


def made(values: list[float], begin: int = 0) -> Digest | None:
    return digest([begin + 10_000 * index for index in range(len(values))], array("d", values))


@given(st.lists(NUMBERS, min_size=1, max_size=80))
def test_a_percentile_is_within_one_percent_of_the_sample_at_its_rank(values: list[float]) -> None:
    result = made(values)

    assert result is not None
    ordered = sorted(values)
    exact = [ordered[max(math.ceil(Fraction(len(values) * percent, 100)), 1) - 1] for percent in PERCENTS]
    assert all(
        abs(near - real) <= 0.01 * abs(real) or abs(real) < 1e-307
        for near, real in zip(result.percentiles(PERCENTS), exact, strict=True)
    )


@given(st.lists(st.lists(NUMBERS, max_size=20), max_size=8))
def test_merging_parts_gives_what_the_whole_gives(parts: list[list[float]]) -> None:
    whole = made([value for part in parts for value in part])
    begins = [10_000 * sum(map(len, parts[:index])) for index in range(len(parts))]
    digests = [result for part, begin in zip(parts, begins, strict=True) if (result := made(part, begin))]

    merger = DigestMerger()
    for part in reversed(digests):
        merger.add(part)
    result = merger.result()

    if whole is None or result is None:
        assert whole is result
        return
    exact = [
        (each.count, each.low, each.high, each.high_at, each.first, each.last, each.last_at) for each in (whole, result)
    ]
    assert exact[0] == exact[1]
    assert dict(result.histogram()) == dict(whole.histogram())
    assert math.isclose(result.total, whole.total, rel_tol=1e-9, abs_tol=1e-9 * max(map(abs, (whole.low, whole.high))))


@given(NUMBERS, NUMBERS)
def test_bins_keep_the_order_of_values(first: float, second: float) -> None:
    assert (bin_index(first) <= bin_index(second)) or first > second


@pytest.mark.parametrize("value", [1e-300, 1e-9, 0.5, 1.0, 97.2, 2.0**40, 1e300])
def test_the_middle_of_a_bin_is_within_one_percent_of_what_it_holds(value: float) -> None:
    assert abs(bin_value(bin_index(value)) - value) <= 0.0099001 * value


def exactly(values: list[float], limit: float, *, or_at: bool) -> float:
    return sum(value > limit or (or_at and value == limit) for value in values) / len(values)


@given(st.lists(NUMBERS, min_size=1, max_size=60), NUMBERS, st.booleans())
def test_the_share_above_a_limit_is_off_by_no_more_than_what_lies_near_it(
    values: list[float], limit: float, or_at: bool
) -> None:
    result = made(values)

    assert result is not None
    near = sum(bin_index(value) == bin_index(limit) for value in values) / len(values)
    share = result.share_above(limit, or_at=or_at)
    assert 0 <= share <= 1
    assert abs(share - exactly(values, limit, or_at=or_at)) <= near + 1e-9


@given(st.lists(st.integers(-40, 40).map(float), min_size=1, max_size=60), st.integers(-80, 80), st.booleans())
def test_the_share_above_a_limit_is_exact_for_small_whole_numbers(
    values: list[float], halves: int, or_at: bool
) -> None:
    result = made(values)

    assert result is not None
    assert result.share_above(halves / 2, or_at=or_at) == pytest.approx(
        exactly(values, halves / 2, or_at=or_at), abs=1e-12
    )


@given(st.lists(NUMBERS, min_size=1, max_size=60), NUMBERS, NUMBERS)
def test_the_share_above_a_limit_falls_as_the_limit_rises(values: list[float], first: float, second: float) -> None:
    result = made(values)

    assert result is not None
    low, high = sorted((first, second))
    assert result.share_above(low) >= result.share_above(high) - 1e-9
    assert result.share_above(low, or_at=True) >= result.share_above(low) - 1e-9


@pytest.mark.parametrize(
    ("limit", "share"),
    [
        pytest.param(50.0, 0.5, id="in the middle"),
        pytest.param(90.0, 0.1, id="near the top"),
        pytest.param(100.0, 0.0, id="at the top"),
        pytest.param(-1.0, 1.0, id="below all"),
    ],
)
def test_values_within_the_bin_of_a_limit_count_as_spread_evenly(limit: float, share: float) -> None:
    result = made([index / 100 for index in range(10_000)])

    assert result is not None
    assert result.share_above(limit) == pytest.approx(share, abs=0.0005)


def test_equal_values_need_no_bins_and_have_exact_percentiles() -> None:
    result = made([3.7] * 360)

    assert result is not None
    assert (dict(result.bins), result.percentiles(PERCENTS), result.mean) == ({}, [3.7] * 6, 3.7)


def test_a_trend_takes_each_hour_where_its_middle_is_and_weighs_it_by_its_values() -> None:
    hours = [(0, 360, 1.0, 4.0), (HOUR, 360, 3.0, 3.5), (2 * HOUR, 120, 9.0, 9.0), (5 * HOUR, 10, 4.0, 4.5)]

    assert downsample(Hourly.from_hours(hours), 0, 6 * HOUR, 3) == ((2.0, 9.0, 4.0), (4.0, 9.0, 4.5))


def test_a_peak_is_unknown_where_one_hour_does_not_tell_its_own() -> None:
    hours = [(0, 360, 1.0, 4.0), (HOUR, 360, 3.0, None)]

    assert downsample(Hourly.from_hours(hours), 0, 2 * HOUR, 1) == ((2.0,), (None,))
