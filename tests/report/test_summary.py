import math
from array import array
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from fractions import Fraction
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.app.catalog import tables
from sysmon.history import AggregatedSeries, Coverage, Series, TableHistory
from sysmon.model import Kind, Level, Metric, Total, Unit
from sysmon.reading.aggregate import AggregateMerger, aggregate
from sysmon.report.ranking import Use, choose_uses, rank_aggregates, rank_rows
from sysmon.report.render.spark import draw
from sysmon.report.summary import MetricSummary, Stats, compute_stats, downsample, summarise
from sysmon.report.summary_rollup import summarise_aggregate
from sysmon.stats.digest import digest
from sysmon.stats.tick_runs import TickRuns
from sysmon.text.instants import EPOCH, from_ms
from sysmon.text.spans import ASCII_BLOCKS
from sysmon.thresholds import Sign, Threshold
from tests.reading.stored import CPU, PROCESS

VALUES = st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=200)


@given(VALUES)
def test_numbers_agree_with_a_plain_computation(values: list[float]) -> None:
    ordered = sorted(values)
    ranks = {q: ordered[max(math.ceil(Fraction(q * len(values), 100)), 1) - 1] for q in (50, 95, 99)}

    stats = compute_stats(range(len(values)), array("d", values))

    assert stats == Stats(
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
    assert compute_stats([], array("d")) is None


@given(st.lists(st.tuples(st.integers(0, 999), st.floats(-1e6, 1e6)), max_size=50), st.integers(1, 60))
def test_a_course_holds_mean_and_peak_of_each_part_whatever_the_order(
    samples: list[tuple[int, float]], parts: int
) -> None:
    cut: list[list[float]] = [[] for _ in range(parts)]
    for ms, value in samples:
        cut[ms * parts // 1000].append(value)

    trend_and_peaks = downsample([ms for ms, _ in samples], array("d", [value for _, value in samples]), 0, 1000, parts)

    means = tuple(pytest.approx(fmean(values), abs=1e-6) if values else None for values in cut)
    assert trend_and_peaks == (means, tuple(max(values, default=None) for values in cut))


def test_missing_values_are_left_out_and_unwanted_metrics_too() -> None:
    series = Series(("all",), array("q", [0, 1000, 2000]), array("d", [5, 1, math.nan, 2, 7, 3]))

    summary = summarise(
        series,
        CPU,
        Coverage(3, 3, interval=1.0),
        since=EPOCH,
        until=from_ms(3000),
        parts=50,
        wanted=lambda name: name == "cpu_usage_percent",
    )

    assert [(item.metric.name, item.stats and item.stats.samples, item.trend) for item in summary.metrics] == [
        ("cpu_usage_percent", 2, (5.0, None, 7.0))
    ]


def ranked(*rows: tuple[int, str, str, float]) -> list[tuple[str, tuple[str, ...], int, float, float, datetime]]:
    """Rank rows of (second, pid, name, percent) by CPU, over three ticks."""
    series: dict[tuple[str, ...], Series] = {}
    for second, pid, name, percent in rows:
        labels = (pid, "-", name, "root", "-")
        samples = series.setdefault(labels, Series(labels))
        samples.at.append(1000 * second)
        samples.block.extend([percent, 1.0])
    ranking = rank_rows(TableHistory(PROCESS, None, array("q", [0, 1000, 2000]), list(series.values())), CPU_USE, top=5)
    assert ranking is not None
    groups = [*ranking.groups, *([ranking.rest] if ranking.rest else [])]
    return [
        (dict(group.labels)["name"], group.pids, group.ticks, group.mean, group.max, group.max_at) for group in groups
    ]


IO = "process_io_bytes_per_second"
CPU_USE = Use(PROCESS.metrics[0], ("process_cpu_percent",))


def test_processes_of_one_name_count_together_and_over_all_ticks() -> None:
    groups = ranked((0, "1", "a", 10), (0, "2", "a", 20), (1, "2", "a", 60), (0, "3", "b", 3), (1, "3", "b", 3))

    assert groups == [("a", ("1", "2"), 2, 30, 60, from_ms(1000)), ("b", ("3",), 2, 2, 3, from_ms(0))]


def test_what_is_not_listed_comes_last_however_much_it_is() -> None:
    groups = ranked((0, "-1", "(others)", 99), (0, "3", "b", 3))

    assert [name for name, *_ in groups] == ["b", "(others)"]


def test_five_are_ranked() -> None:
    groups = ranked(*((0, str(pid), f"p{pid}", pid) for pid in range(9)))

    assert [name for name, *_ in groups] == ["p8", "p7", "p6", "p5", "p4"]


def test_who_used_none_is_not_among_those_that_used_most() -> None:
    groups = ranked((0, "1", "idle", 0.0), (0, "2", "busy", 0.1), (0, "-1", "(others)", 0.0))

    assert [name for name, *_ in groups] == ["busy", "(others)"]


def test_a_table_without_rows_has_no_ranking() -> None:
    assert rank_rows(TableHistory(PROCESS, None, array("q"), []), CPU_USE, top=5) is None


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
    assert draw(values, width, bars=ASCII_BLOCKS) == drawn


def test_instants_are_in_utc() -> None:
    stats = compute_stats([0], array("d", [1]))

    assert stats is not None
    assert stats.max_at == datetime(1970, 1, 1, tzinfo=UTC)


HALF = Threshold("half", Level.WARNING, Sign.AT_LEAST, 50)


def minutes(count: int, values: Iterable[float] = ()) -> Series:
    """Return a series of one core, a sample a minute."""
    percents = list(values) or [float(minute) for minute in range(count)]
    return Series(
        ("all",), array("q", range(0, 60_000 * count, 60_000)), array("d", [v for x in percents for v in (x, x)])
    )


def summarise_hour(coverage: Coverage, series: Series, *limits: Threshold, parts: int = 1) -> MetricSummary:
    """Return what is told of the first metric of a series of an hour."""
    limits_of = {"cpu_usage_percent": limits}
    until = from_ms(3_600_000)
    return summarise(
        series, CPU, coverage, since=EPOCH, until=until, parts=parts, wanted=lambda _: True, limits=limits_of
    ).metrics[0]


@pytest.mark.parametrize(
    ("coverage", "beyond"),
    [
        pytest.param(Coverage(60, 60, interval=60.0, each=60.0), (HALF, 10, 60, 600.0, True), id="even"),
        pytest.param(Coverage(60, 60, interval=10.0, each=40.0), (HALF, 10, 60, 400.0, False), id="uneven"),
        pytest.param(Coverage(60, 60), (HALF, 10, 60, None, True), id="of unknown interval"),
    ],
)
def test_the_time_beyond_a_limit_is_that_of_the_samples_beyond_it(
    coverage: Coverage, beyond: tuple[Threshold, int, int, float | None, bool]
) -> None:
    summary = summarise_hour(coverage, minutes(60), HALF)

    assert [(each.limit, each.samples, each.of, each.seconds, each.exact) for each in summary.beyond] == [beyond]


@given(st.lists(st.floats(-100, 100) | st.integers(-3, 60).map(float), min_size=1, max_size=60), st.sampled_from(Sign))
def test_what_roll_ups_tell_exactly_is_so(values: list[float], sign: Sign) -> None:
    limit, covered = Threshold("half", Level.WARNING, sign, 50), Coverage(60, 60, interval=60.0, each=60.0)
    at = range(0, 60_000 * len(values), 60_000)
    rolled = AggregatedSeries(("all",), TickRuns.from_instants(at), [digest(at, array("d", values)), None])

    summary = summarise_aggregate(
        rolled,
        CPU,
        covered,
        since=EPOCH,
        until=from_ms(3_600_000),
        parts=1,
        wanted=lambda name: name == "cpu_usage_percent",
        limits={"cpu_usage_percent": [limit]},
    )

    (beyond,) = summary.metrics[0].beyond
    near = sum(49 <= value <= 51 for value in values)
    assert (not beyond.exact) <= bool(near)
    assert abs(beyond.samples - limit.count(values)) <= (0 if beyond.exact else near)


def test_a_part_of_which_most_is_missing_is_a_hole_and_not_calm() -> None:
    whole = minutes(60)
    there = [minute for minute in range(60) if minute not in range(21, 28)]
    holed = Series(("all",), array("q", [60_000 * m for m in there]), array("d", [v for m in there for v in (m, m)]))

    means = [
        summarise_hour(Coverage(len(samples.at), 60, interval=60.0, each=60.0), samples, parts=6).trend[2]
        for samples in (whole, holed)
    ]

    assert means == [24.5, None]


def test_what_is_missing_cannot_be_told_where_the_interval_changed() -> None:
    rare = Series(("all",), array("q", [0, 600_000, 3_000_000]), array("d", [1, 1, 2, 2, 3, 3]))

    summary = summarise_hour(Coverage(3, 60, interval=10.0, each=60.0), rare, parts=6)

    assert summary.trend == (1, 2, None, None, None, 3)


MOVED = Total(
    Metric("process_io_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "read and written together"),
    ("process_read_bytes_per_second", "process_write_bytes_per_second"),
)


def use_of_disks(*rows: tuple[int, str, str, float | None, float | None]) -> TableHistory:
    """Return rows of (second, pid, unit, read, written) over three ticks."""
    metrics = tuple(
        Metric(f"process_{direction}_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "")
        for direction in ("read", "write")
    )
    series: dict[tuple[str, ...], Series] = {}
    for second, pid, unit, read, written in rows:
        samples = series.setdefault((pid, unit), Series((pid, "-", f"p{pid}", "root", unit)))
        samples.at.append(1000 * second)
        samples.block.extend([math.nan if value is None else value for value in (read, written)])
    table = replace(PROCESS, metrics=metrics, totals=(MOVED,))
    return TableHistory(table, None, array("q", [0, 1000, 2000]), list(series.values()))


DISKS = [
    (0, "1", "a", 10.0, 5.0),
    (1, "1", "a", 30.0, None),
    (0, "2", "a", 20.0, 1.0),
    (2, "3", "b", 0.0, 40.0),
    (0, "-1", "-", None, None),
]


@pytest.mark.parametrize(
    ("by", "ranked"),
    [
        pytest.param((), [("p1", 15.0, 30.0), ("p3", 40 / 3, 40.0), ("p2", 7.0, 21.0)], id="each"),
        pytest.param(("unit",), [("a", 22.0, 36.0), ("b", 40 / 3, 40.0)], id="by unit"),
    ],
)
def test_what_was_read_and_written_counts_together(by: tuple[str, ...], ranked: list[tuple[str, float, float]]) -> None:
    history = use_of_disks(*DISKS)
    (use,) = choose_uses(history.table, lambda _: True, whole=True)

    ranking = rank_rows(history, use, top=5, by=by)

    assert ranking is not None
    assert [(group.labels[0][1], group.mean, group.max) for group in ranking.groups] == ranked


def test_sums_know_means_and_no_more_of_a_maximum_than_its_parts() -> None:
    history = use_of_disks(*DISKS)
    joining = AggregateMerger(history.table)
    joining.add(aggregate(history))
    (use,) = choose_uses(history.table, lambda _: True, whole=True)

    ranking = rank_aggregates(joining.result(()), use, top=5, by=("unit",))

    assert ranking is not None
    assert [(group.labels[0][1], group.mean, group.max, group.bounded) for group in ranking.groups] == [
        ("a", 22.0, 30.0, True),
        ("b", 40 / 3, 40.0, True),
    ]


@pytest.mark.parametrize(
    ("wanted", "whole", "uses"),
    [
        pytest.param("process_*", True, ["process_cpu_percent", "process_memory_bytes", IO], id="the usual"),
        pytest.param("process_threads", False, ["process_threads"], id="one"),
        pytest.param("process_read*", False, ["process_read_bytes_per_second"], id="a part of the whole"),
    ],
)
def test_processes_are_ranked_by_what_was_asked_for(wanted: str, whole: bool, uses: list[str]) -> None:
    table = tables()["process"]

    chosen = choose_uses(table, lambda name: fnmatchcase(name, wanted), whole=whole)

    assert [use.metric.name for use in chosen] == uses
