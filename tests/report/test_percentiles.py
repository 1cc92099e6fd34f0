"""Percentiles: the least value that a part of all values stays at or below."""

from array import array

import pytest

from sysmon.model import Kind, Metric, Unit
from sysmon.report.layout import compact_cells, compact_changes
from sysmon.report.render.changes import format_changes
from sysmon.report.render.style import numbers
from sysmon.report.summary import MetricSummary, Stats, compute_stats
from sysmon.stats.digest import digest
from sysmon.stats.percentiles import nearest_rank


@pytest.mark.parametrize("part", [0, 1, 500, 950, 990, 999, 1000])
def test_a_percentile_is_the_least_value_that_its_part_of_all_stays_at_or_below(part: int) -> None:
    for count in range(1, 400):
        at_or_below = (rank for rank in range(1, count + 1) if 1000 * rank >= part * count)

        assert nearest_rank(count, part, of=1000) == next(at_or_below) - 1


def _read(values: list[float]) -> Stats:
    stats = compute_stats(range(len(values)), array("d", values))
    assert stats is not None
    return stats


@pytest.mark.parametrize(
    ("count", "ranks"),
    [
        pytest.param(1, (1, 1, 1), id="one sample"),
        pytest.param(3, (2, 3, 3), id="p95 of three is the highest, not the middle one"),
        pytest.param(8, (4, 8, 8), id="p95 of eight is the eighth"),
        pytest.param(20, (10, 19, 20), id="twenty"),
        pytest.param(299, (150, 285, 297), id="299"),
        pytest.param(300, (150, 285, 297), id="300"),
    ],
)
def test_rows_and_roll_ups_take_the_value_of_nearest_rank(count: int, ranks: tuple[float, float, float]) -> None:
    values = [float(value) for value in range(1, count + 1)]
    part = digest(range(count), array("d", values))

    stats = _read(values)

    assert (stats.p50, stats.p95, stats.p99) == ranks
    assert part is not None
    assert part.percentiles((50, 95, 99)) == pytest.approx(ranks, rel=0.01)


def test_fewer_than_twenty_samples_have_no_tail_to_show() -> None:
    assert [_read([1.0] * count).has_tail for count in (1, 19, 20)] == [False, False, True]


@pytest.mark.parametrize(("before", "after"), [(19, 20), (20, 19), (20, 20)])
def test_pages_for_people_show_no_tail_of_few_samples_and_no_change_of_it(before: int, after: int) -> None:
    metric = Metric("load", Kind.GAUGE, Unit.NONE, "Load.")
    then, now = _read([1.0] * before), _read([2.0] * after)
    item = MetricSummary(metric, now, before=then)

    tail = "2" if after >= 20 else "-"
    change = "+100%" if min(before, after) >= 20 else ""

    assert numbers(now, metric.unit) == ["2", "2", "2", tail, tail, "2"]
    assert format_changes(item) == ["+100%", "+100%", "+100%", change, change, "+100%"]
    assert compact_cells(metric, now) == ("2", tail, "2")
    assert compact_changes(item) == ("+100%", change, "+100%")
