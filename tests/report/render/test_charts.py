"""Which curves share a chart, and how they are named."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sysmon.history import Coverage
from sysmon.model import Kind, Metric, Table, Unit
from sysmon.report.render.charts import MOST_LINES, Chart, build_charts
from sysmon.report.summary import MetricSummary, SeriesSummary, Stats, TableSummary
from sysmon.text.instants import EPOCH

Trend = Sequence[float | None]
MEMORY = (
    Metric("memory_used_bytes", Kind.GAUGE, Unit.BYTES, "Used."),
    Metric("memory_free_bytes", Kind.GAUGE, Unit.BYTES, "Free.", remainder=True),
    Metric("memory_usage_percent", Kind.RATIO, Unit.PERCENT, "Used of all."),
    Metric("swap_used_bytes", Kind.GAUGE, Unit.BYTES, "Swap."),
)
DISK = (
    Metric("disk_read_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "Read."),
    Metric("disk_write_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "Written."),
)


def item(metric: Metric, trend: Trend) -> MetricSummary:
    """Return a metric with a trend."""
    present = [value for value in trend if value is not None]
    low, high = min(present), max(present)
    return MetricSummary(metric, Stats(len(present), low, low, low, high, high, high, EPOCH), tuple(trend))


def series(metrics: Sequence[Metric], trends: Sequence[Trend], **labels: str) -> SeriesSummary:
    """Return a series with a trend for each metric."""
    items = tuple(item(metric, trend) for metric, trend in zip(metrics, trends, strict=True))
    return SeriesSummary(tuple(labels.items()), Coverage(2, 2), items)


def disks(count: int) -> TableSummary:
    """Return that many disks, each busier than the one before."""
    members = [series(DISK, [(number, number + 1), (0, 9)], device=f"sd{number}") for number in range(count)]
    return TableSummary(Table("disk_io", "", DISK, labels=("device",)), tuple(members))


def describe(charts: Sequence[Chart]) -> list[tuple[str, str, list[str]]]:
    """Return title, unit and curves of each chart; a curve that is not shown at first is in brackets."""
    return [
        (chart.title, chart.unit, [f"[{line.name}]" if line.hidden else line.name for line in chart.lines])
        for chart in charts
    ]


def test_curves_of_one_unit_and_one_subject_share_a_chart() -> None:
    table = TableSummary(Table("memory", "", MEMORY), (series(MEMORY, [(1, 2)] * 4),))

    assert describe(build_charts(table)) == [
        ("memory_*_bytes", "bytes", ["used", "[free]"]),
        ("memory_usage_percent", "percent", ["memory_usage_percent"]),
        ("swap_used_bytes", "bytes", ["swap_used_bytes"]),
    ]


def test_what_never_moved_is_in_no_chart_and_a_complement_that_is_alone_is_shown() -> None:
    table = TableSummary(Table("memory", "", MEMORY), (series(MEMORY, [(5, 5), (1, 2), (3, 3), (0, 0)]),))

    assert describe(build_charts(table)) == [("memory_free_bytes", "bytes", ["memory_free_bytes"])]


def test_what_fell_into_holes_wholly_is_in_no_chart() -> None:
    moved = item(MEMORY[0], (1, 2))
    empty = replace(moved, trend=(None, None))
    table = TableSummary(Table("memory", "", MEMORY[:1]), (SeriesSummary((), Coverage(2, 9), (empty,)),))

    assert build_charts(table) == []


@pytest.mark.parametrize(
    ("count", "described"),
    [
        pytest.param(1, [("disk_*_bytes_per_second", "bytes/s", ["read", "write"])], id="one disk"),
        pytest.param(
            2, [("disk_*_bytes_per_second", "bytes/s", ["sd0 read", "sd0 write", "sd1 read", "sd1 write"])], id="a few"
        ),
        pytest.param(
            4,
            [
                ("disk_read_bytes_per_second", "bytes/s", ["sd0", "sd1", "sd2", "sd3"]),
                ("disk_write_bytes_per_second", "bytes/s", ["sd0", "sd1", "sd2", "sd3"]),
            ],
            id="more than fit one chart",
        ),
    ],
)
def test_many_devices_get_a_chart_for_each_metric(count: int, described: list[tuple[str, str, list[str]]]) -> None:
    assert describe(build_charts(disks(count))) == described


def test_a_chart_says_whom_it_is_about_unless_its_curves_do() -> None:
    assert [[chart.about for chart in build_charts(disks(count))] for count in (1, 2, 4)] == [
        ["device=sd0"],
        [""],
        ["Read.", "Written."],
    ]


def test_of_more_devices_than_can_be_told_apart_those_that_rise_highest_are_drawn() -> None:
    first, _ = build_charts(disks(MOST_LINES + 3))

    assert ([line.name for line in first.lines], first.left_out) == (
        [f"sd{number}" for number in range(3, MOST_LINES + 3)],
        3,
    )


def test_the_parts_of_a_whole_are_drawn_beside_it_by_their_first_metric() -> None:
    metrics = (
        Metric("cpu_usage_percent", Kind.RATIO, Unit.PERCENT, ""),
        Metric("cpu_user_percent", Kind.RATIO, Unit.PERCENT, ""),
    )
    cores = tuple(series(metrics, [(1, 2), (1, 3)], core=core) for core in ("all", "0", "1"))
    table = TableSummary(Table("cpu", "", metrics, labels=("core",), whole="all"), cores, brief=True)

    assert describe(build_charts(table)) == [
        ("cpu_*_percent", "percent", ["usage", "user"]),
        ("cpu_usage_percent", "percent", ["0", "1"]),
    ]


def test_curves_of_different_parts_do_not_share_a_chart() -> None:
    short, long = series(DISK[:1], [(1, 2)], device="a"), series(DISK[:1], [(1, 2, 3)], device="b")
    table = TableSummary(Table("disk_io", "", DISK[:1], labels=("device",)), (short, long))

    assert [chart.parts for chart in build_charts(table)] == [2, 3]


def test_names_cannot_be_more_than_text() -> None:
    metric = Metric("a\u202eb\nc", Kind.GAUGE, Unit.NONE, "")
    table = TableSummary(Table("odd", "", (metric,)), (series((metric,), [(1, 2)]),))

    (chart,) = build_charts(table)

    assert (chart.title, chart.lines[0].name) == (r"a\xe2\x80\xaeb\x0ac",) * 2
