import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon import rates

counters = st.integers(0, 2**64 - 1)


@pytest.mark.parametrize(
    ("before", "after", "bits", "grown"),
    [
        pytest.param(None, 5, None, None, id="first sight"),
        pytest.param(5, None, None, None, id="gone"),
        pytest.param(5, 5, None, 0, id="still"),
        pytest.param(5, 12, None, 7, id="growth"),
        pytest.param(12, 5, None, None, id="a reset"),
        pytest.param(2**32 - 1, 4, 32, 5, id="a wrap of a 32-bit field"),
        pytest.param(2**31, 4, 32, None, id="half the range or more is a reset"),
        pytest.param(2**40, 4, 32, None, id="more than the field holds is no wrap"),
        pytest.param(2**32 - 1, 4, None, None, id="no wrap where the kernel has 64 bits"),
    ],
)
def test_a_counter_grows_or_says_nothing(
    before: int | None, after: int | None, bits: int | None, grown: int | None
) -> None:
    assert rates.increase(before, after, bits=bits) == grown


@given(counters, counters, st.sampled_from([None, 32, 64]))
def test_growth_is_never_negative(before: int, after: int, bits: int | None) -> None:
    assert (rates.increase(before, after, bits=bits) or 0) >= 0


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**31 - 1))
def test_a_32_bit_field_that_wraps_keeps_its_growth(before: int, grown: int) -> None:
    after = (before + grown) % 2**32

    assert rates.increase(before, after, bits=32) == grown


@pytest.mark.parametrize(
    ("before", "after", "seconds", "rate"),
    [
        pytest.param(0, 10, 4.0, 2.5, id="growth over time"),
        pytest.param(0, 1, 3.0, 0.333, id="three decimals"),
        pytest.param(0, 10, 0.0, None, id="no time passed"),
        pytest.param(0, 10, -1.0, None, id="time ran backwards"),
        pytest.param(10, 0, 1.0, None, id="a reset"),
        pytest.param(None, 10, 1.0, None, id="first sight"),
    ],
)
def test_a_rate_is_growth_per_second(before: int | None, after: int, seconds: float, rate: float | None) -> None:
    assert rates.per_second(before, after, seconds) == rate


@pytest.mark.parametrize(
    ("part", "whole", "share"),
    [
        (1, 3, 33.33),
        (0, 3, 0.0),
        (None, 3, None),
        (1, None, None),
        (1, 0, None),
        (1, -1, None),
    ],
)
def test_a_percentage_needs_a_whole(part: float | None, whole: float | None, share: float | None) -> None:
    assert rates.percent(part, whole) == share


@pytest.mark.parametrize(
    ("total", "count", "mean"),
    [(10, 4, 2.5), (1, 3, 0.333), (10, 0, None), (10, None, None), (None, 4, None), (0, 4, 0.0)],
)
def test_a_mean_needs_something_counted(total: float | None, count: float | None, mean: float | None) -> None:
    assert rates.mean(total, count) == mean


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param([10, 20, 70], [20, 30, 150], [10.0, 10.0, 80.0], id="shares of the growth"),
        pytest.param([10, 20, 70], [20, 20, 60], [100.0, 0.0, 0.0], id="what runs backwards counts as still"),
        pytest.param([10, 20, 70], [20, 20, 59], [None, None, None], id="what fell by more was reset"),
        pytest.param([0, 0, 900], [900, 100, 801], [90.0, 10.0, 0.0], id="many cores run backwards by more"),
        pytest.param([10, 20], [10, 20], [None, None], id="nothing grew"),
        pytest.param(None, [10, 20], [None, None], id="first sight"),
        pytest.param([10], [10, 20], [None, None], id="another number of fields"),
    ],
)
def test_shares_of_time(before: list[int] | None, after: list[int], expected: list[float | None]) -> None:
    assert rates.shares(before, after) == expected


@given(st.lists(st.tuples(counters, counters), min_size=1, max_size=10))
def test_shares_are_all_unknown_or_add_up_to_the_whole(pairs: list[tuple[int, int]]) -> None:
    fractions = rates.shares([before for before, _ in pairs], [after for _, after in pairs])

    defined = [share for share in fractions if share is not None]
    assert defined == [] or (len(defined) == len(pairs) and sum(defined) == pytest.approx(100, abs=0.01 * len(pairs)))
