import math
from array import array
from datetime import UTC, datetime
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.history import Coverage, Series, TableHistory
from sysmon.instants import EPOCH, from_ms
from sysmon.report.spark import ASCII, draw
from sysmon.report.summary import Stats, course_of, rank, stats_of, summarise
from tests.reading.stored import CPU, PROCESS

VALUES = st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=200)


@given(VALUES)
def test_numbers_agree_with_a_plain_computation(values: list[float]) -> None:
    ordered = sorted(values)
    ranks = {q: ordered[math.floor(q * (len(values) - 1) / 100)] for q in (50, 95, 99)}

    found = stats_of(range(len(values)), array("d", values))

    assert found == Stats(
        samples=len(values),
        mean=math.fsum(values) / len(values),
        min=min(values),
        p50=ranks[50],
        p95=ranks[95],
        p99=ranks[99],
        max=max(values),
        max_at=from_ms(values.index(max(values))),
    )


def test_nothing_has_no_numbers() -> None:
    assert stats_of([], array("d")) is None


@given(st.lists(st.tuples(st.integers(0, 999), st.floats(-1e6, 1e6)), max_size=50), st.integers(1, 60))
def test_a_course_holds_mean_and_peak_of_each_part_whatever_the_order(
    samples: list[tuple[int, float]], parts: int
) -> None:
    cut: list[list[float]] = [[] for _ in range(parts)]
    for ms, value in samples:
        cut[ms * parts // 1000].append(value)

    found = course_of([ms for ms, _ in samples], array("d", [value for _, value in samples]), 0, 1000, parts)

    means = tuple(pytest.approx(fmean(values), abs=1e-6) if values else None for values in cut)
    assert found == (means, tuple(max(values, default=None) for values in cut))


def test_missing_values_are_left_out_and_unwanted_metrics_too() -> None:
    series = Series(("all",), array("q", [0, 1000, 2000]), array("d", [5, 1, math.nan, 2, 7, 3]))

    found = summarise(
        series,
        CPU,
        Coverage(3, 3, interval=1.0),
        since=EPOCH,
        until=from_ms(3000),
        parts=50,
        wanted=lambda name: name == "cpu_usage_percent",
    )

    assert [(item.metric.name, item.stats and item.stats.samples, item.trend) for item in found.metrics] == [
        ("cpu_usage_percent", 2, (5.0, None, 7.0))
    ]


def ranked(*rows: tuple[int, str, str, float]) -> list[tuple[str, tuple[str, ...], int, float, float, datetime]]:
    """Rank rows of (second, pid, name, percent) by CPU, over three ticks."""
    series: dict[tuple[str, ...], Series] = {}
    for second, pid, name, percent in rows:
        labels = (pid, "-", name, "root", "-")
        one = series.setdefault(labels, Series(labels))
        one.at.append(1000 * second)
        one.block.extend([percent, 1.0])
    found = rank(TableHistory(PROCESS, None, array("q", [0, 1000, 2000]), list(series.values())), CPU_METRIC, top=5)
    assert found is not None
    groups = [*found.groups, *([found.rest] if found.rest else [])]
    return [
        (dict(group.labels)["name"], group.pids, group.ticks, group.mean, group.max, group.max_at) for group in groups
    ]


CPU_METRIC = "process_cpu_percent"


def test_processes_of_one_name_count_together_and_over_all_ticks() -> None:
    found = ranked((0, "1", "a", 10), (0, "2", "a", 20), (1, "2", "a", 60), (0, "3", "b", 3), (1, "3", "b", 3))

    assert found == [("a", ("1", "2"), 2, 30, 60, from_ms(1000)), ("b", ("3",), 2, 2, 3, from_ms(0))]


def test_what_is_not_listed_comes_last_however_much_it_is() -> None:
    found = ranked((0, "-1", "(others)", 99), (0, "3", "b", 3))

    assert [name for name, *_ in found] == ["b", "(others)"]


def test_five_are_ranked() -> None:
    found = ranked(*((0, str(pid), f"p{pid}", pid) for pid in range(9)))

    assert [name for name, *_ in found] == ["p8", "p7", "p6", "p5", "p4"]


def test_a_table_without_the_metric_has_no_ranking() -> None:
    assert rank(TableHistory(CPU, None, array("q", [0]), []), CPU_METRIC, top=5) is None


@pytest.mark.parametrize(
    ("values", "width", "drawn"),
    [
        pytest.param([], 8, "", id="nothing"),
        pytest.param([None, None], 8, "", id="nothing there"),
        pytest.param([0, 1, 2, 3, 4, 5, 6, 7], 8, "_.-~=+*#", id="rising"),
        pytest.param([5, 5], 4, "____", id="level"),
        pytest.param([0, None, 7], 3, "_ #", id="a hole"),
        pytest.param([0, 7], 6, "___###", id="few parts fill the width"),
        pytest.param([1e-320, 0], 2, "#_", id="hardly anything"),
        pytest.param([-1e308, 1e308], 2, "_#", id="more than fits a number"),
    ],
)
def test_bars(values: list[float | None], width: int, drawn: str) -> None:
    assert draw(values, width, bars=ASCII) == drawn


def test_instants_are_in_utc() -> None:
    found = stats_of([0], array("d", [1]))

    assert found is not None
    assert found.max_at == datetime(1970, 1, 1, tzinfo=UTC)
