"""Two periods beside each other: what changed, by how much, and in which words."""

import csv
import json
import re
from dataclasses import replace
from datetime import UTC, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.app.reports.report import Detail, build_report
from sysmon.history import Coverage
from sysmon.model import Kind, Metric, Origin, Table, Unit
from sysmon.report.compare import compare, weigh_change
from sysmon.report.render import RenderOptions
from sysmon.report.render.changes import format_change, list_added_and_removed
from sysmon.report.render.formats import csv as as_csv
from sysmon.report.render.formats import json as as_json
from sysmon.report.render.formats import markdown, text
from sysmon.report.render.style import trend_width
from sysmon.report.summary import MetricSummary, Report, SeriesSummary, Stats, TableSummary
from sysmon.text.instants import EPOCH, from_ms
from tests.reading.stored import at
from tests.report.render.formats.test_json_schema import errors
from tests.report.render.test_formats import golden
from tests.report.reports import KNOWN, whole_hour, write_machine

PERCENT = Metric("cpu_usage_percent", Kind.RATIO, Unit.PERCENT, "")
RATE = Metric("disk_read_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "")
KILLS = Metric("oom_kills", Kind.COUNT, Unit.NONE, "")
METRICS = (PERCENT, RATE, KILLS)


def stats(mean: float) -> Stats:
    """Return ten samples with this mean."""
    return Stats(10, mean, mean, mean, mean, mean, mean, EPOCH)


def page_of(table: str = "host", **series: tuple[float | None, ...]) -> Report:
    """Return a report of a table with these series, and the means of their metrics."""
    form = Table(table, "", METRICS, labels=("name",))
    covered = Coverage(10, 10)
    summaries = tuple(
        SeriesSummary(
            (("name", name),),
            covered,
            tuple(
                MetricSummary(metric, None if x is None else stats(x)) for metric, x in zip(METRICS, means, strict=True)
            ),
        )
        for name, means in series.items()
    )
    tables = (TableSummary(form, summaries),)
    return Report(Origin("web-01"), EPOCH, from_ms(1000), covered, None, tables, (), (), 0)


def second_half(data: Path, width: int = 80, *, back: timedelta = timedelta(minutes=30)) -> Report:
    """Return the second half of the hour of the small machine, compared with what was before."""
    selection = replace(whole_hour(data), since=at(1800))
    return build_report(selection, KNOWN, lambda names: trend_width(names, width), Detail(compare=back)).report


def test_the_largest_change_comes_first_and_what_stayed_is_none() -> None:
    now, then = page_of(a=(50, 900_000, 0.2), b=(7, None, 0)), page_of(a=(20, 100_000, 0), b=(7, 1, 0))

    compared = compare(now, then, EPOCH, EPOCH).compared

    assert compared is not None
    assert [(change.metric.name, change.labels[0][1], change.then, change.now) for change in compared.changes] == [
        ("disk_read_bytes_per_second", "a", 100_000, 900_000),
        ("oom_kills", "a", 0, 2),
        ("cpu_usage_percent", "a", 20, 50),
    ]


def test_what_sysmon_measures_about_itself_is_compared_and_no_news() -> None:
    report = compare(page_of("agent", a=(1, 1, 1)), page_of("agent", a=(2, 2, 2)), EPOCH, EPOCH)

    assert report.compared is not None
    assert (report.compared.changes, report.tables[0].series[0].metrics[0].before) == ((), stats(2))


def test_series_that_are_only_in_one_period_are_named() -> None:
    report = compare(page_of(a=(1, 1, 1), b=(1, 1, 1)), page_of(a=(1, 1, 1), c=(1, 1, 1)), EPOCH, EPOCH)

    assert list_added_and_removed(report) == [["only now:", "host  name=b"], ["only then:", "host  name=c"]]


@given(*[st.floats(0, 1e12)] * 2, st.sampled_from(METRICS))
def test_the_weight_of_a_change_is_a_part_of_one_and_the_same_both_ways(
    then: float, now: float, metric: Metric
) -> None:
    weight = weigh_change(metric, then, now)

    assert 0 <= weight <= 1
    assert weight == weigh_change(metric, now, then)


@pytest.mark.parametrize(
    ("metric", "then", "now", "words"),
    [
        pytest.param(PERCENT, 20, 54.5, "+34.5pp", id="percents in points"),
        pytest.param(PERCENT, 20, 19.99, "-0.01pp", id="hardly a point"),
        pytest.param(RATE, 100, 150, "+50.0%", id="more by half"),
        pytest.param(RATE, 100, 0, "-100%", id="nothing left"),
        pytest.param(RATE, 100, 1234, "x12.3", id="many times"),
        pytest.param(RATE, 1, 5390.7, "x5391", id="thousands of times"),
        pytest.param(RATE, 1e-9, 1e9, "x1e6+", id="from next to nothing"),
        pytest.param(RATE, 0, 5, "up", id="from nothing"),
        pytest.param(RATE, 5, -5, "down", id="below zero"),
        pytest.param(RATE, 5, 5, "=", id="the same"),
    ],
)
def test_a_change_is_told_in_a_word(metric: Metric, then: float, now: float, words: str) -> None:
    assert format_change(metric, then, now) == words


@given(st.floats(-1e9, 1e15), st.floats(-1e9, 1e15))
def test_a_change_is_never_wider_than_its_column(then: float, now: float) -> None:
    assert len(format_change(RATE, then, now)) <= 8


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_with_changes_is_as_kept(tmp_path: Path, width: int) -> None:
    write_machine(tmp_path)

    rendered = text.render([second_half(tmp_path, width)], RenderOptions(width=width, zone=UTC))

    assert rendered == golden(f"report-compared-{width}.txt", rendered)


def test_markdown_with_changes_is_as_kept(tmp_path: Path) -> None:
    write_machine(tmp_path)

    rendered = markdown.render([second_half(tmp_path)], RenderOptions(UTC))

    assert rendered == golden("report-compared.md", rendered)


def test_no_line_with_changes_is_too_wide(tmp_path: Path) -> None:
    write_machine(tmp_path)

    page = text.render([second_half(tmp_path)], RenderOptions(zone=UTC))

    assert max(map(len, page.splitlines())) <= 80


def test_json_with_changes_is_as_the_schema_says(tmp_path: Path) -> None:
    write_machine(tmp_path)

    assert errors(json.loads(as_json.render([second_half(tmp_path)], RenderOptions()))) == []


def test_csv_has_the_numbers_of_then_in_columns_of_their_own(tmp_path: Path) -> None:
    write_machine(tmp_path)
    report = second_half(tmp_path)

    rows = list(csv.DictReader(as_csv.render([report], RenderOptions()).splitlines()))

    row = next(row for row in rows if (row["series"], row["metric"]) == ("core=all", "cpu_usage_percent"))
    before = report.tables[0].series[0].metrics[0].before
    assert before is not None
    assert (row["before_samples"], float(row["before_mean"]), float(row["before_max"])) == (
        str(before.samples),
        before.mean,
        before.max,
    )


def test_the_numbers_of_then_are_those_of_a_report_of_then(tmp_path: Path) -> None:
    write_machine(tmp_path)
    first_half = build_report(replace(whole_hour(tmp_path), until=at(1800)), KNOWN, lambda _: 1).report

    report = second_half(tmp_path)

    befores = {
        (table.table.name, series.labels, item.metric.name): item.before
        for table in report.tables
        for series in table.series
        for item in series.metrics
    }
    then = {
        (table.table.name, series.labels, item.metric.name): item.stats
        for table in first_half.tables
        for series in table.series
        for item in series.metrics
    }
    assert {key: value for key, value in befores.items() if value is not None} == {
        key: value for key, value in then.items() if value is not None
    }


def test_a_period_of_which_nothing_is_stored_is_told(tmp_path: Path) -> None:
    write_machine(tmp_path)

    page = text.render([second_half(tmp_path, back=timedelta(days=7))], RenderOptions(zone=UTC))

    assert re.findall("compared.*", page) == ["compared with 2026-11-13 12:30:00 to 13:00:00 UTC: no data stored"]
