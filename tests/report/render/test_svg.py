"""Inline SVG: it holds the whole trend, and its gaps."""

import re

import pytest

from sysmon.report.render import svg


def curves(picture: str) -> list[tuple[str, list[str]]]:
    """Return name and drawing of each curve, stretch by stretch."""
    return [(name, path.split("M")[1:]) for name, path in re.findall(r'class="(\w+)" d="([^"]*)"', picture)]


def test_a_hole_is_a_hole_and_a_single_sample_a_dot() -> None:
    drawn = curves(svg.draw_trend([0.0, 10.0, None, 5.0], []))

    assert drawn == [("peaks", []), ("means", ["7.5 23h.1L22.5 1", "52.5 12h.1"])]


def test_peaks_set_the_scale() -> None:
    drawn = curves(svg.draw_trend([0.0, 5.0], [0.0, 10.0]))

    assert drawn == [("peaks", ["15 23h.1L45 1"]), ("means", ["15 23h.1L45 12"])]


def test_a_long_course_keeps_the_highest_peak() -> None:
    peaks = [0.0] * 600
    peaks[333] = 8.0

    (_, (path,)), _ = curves(svg.draw_trend([0.0] * 600, peaks))

    assert (path.count("L"), re.findall(r"[\d.]+ 1(?=L)", path)) == (59, ["33.5 1"])


def test_nothing_known_is_no_picture() -> None:
    assert svg.draw_trend([None, None], []) == ""


@pytest.mark.parametrize(
    ("begin", "end", "bar"),
    [
        pytest.param(0.25, 0.5, 'x="250" width="250"', id="a quarter"),
        pytest.param(0.5, 0.5, 'x="500" width="4"', id="a moment"),
        pytest.param(1.0, 1.0, 'x="996" width="4"', id="the last moment"),
    ],
)
def test_a_bar_is_where_it_should_be_and_can_be_seen(begin: float, end: float, bar: str) -> None:
    assert bar in svg.draw_bar(begin, end)
