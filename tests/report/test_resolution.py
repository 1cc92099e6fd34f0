"""Trend resolution: parts that people know, and numbers as precise as can be seen."""

from datetime import timedelta
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.report.resolution import MOST_PARTS, choose_parts, format_numbers


@given(
    st.lists(st.one_of(st.none(), st.floats(-1e15, 1e15, allow_subnormal=False)), min_size=1, max_size=30),
)
def test_numbers_are_as_precise_as_a_picture_can_show(values: list[float | None]) -> None:
    present = [value for value in values if value is not None]
    spread = max(present, default=0.0) - min(present, default=0.0)

    read = [float(text) if text else None for text in format_numbers(values, spread).split(",")]

    for value, near in zip(values, read, strict=True):
        if value is None or near is None:
            assert value is near
            continue
        smallest = min(spread, abs(value)) if spread else abs(value)
        assert isclose(value, near, rel_tol=1e-14, abs_tol=smallest / 1000)


@pytest.mark.parametrize(
    ("length", "parts"),
    [
        pytest.param(timedelta(minutes=5), 300, id="a second"),
        pytest.param(timedelta(hours=1), 360, id="ten seconds"),
        pytest.param(timedelta(days=1), 288, id="five minutes"),
        pytest.param(timedelta(days=7), 336, id="half an hour"),
        pytest.param(timedelta(days=30), 360, id="two hours"),
        pytest.param(timedelta(milliseconds=1), 1, id="hardly anything"),
    ],
)
def test_a_range_is_cut_into_parts_that_people_know(length: timedelta, parts: int) -> None:
    assert choose_parts(length) == parts


@given(st.timedeltas(timedelta(seconds=1), timedelta(days=4000)))
def test_a_range_never_has_more_parts_than_a_chart_can_show(length: timedelta) -> None:
    assert 1 <= choose_parts(length) <= MOST_PARTS
