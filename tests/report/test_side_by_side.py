"""Series and hosts side by side: which come first, what is told of them, and how the page shows it."""

import csv
import json
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest

from sysmon.app.reports.report import Detail, build_report, build_reports
from sysmon.errors import UsageError
from sysmon.history import Coverage
from sysmon.model import Headline, Kind, Level, Metric, Row, Table, Unit
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import csv as as_csv
from sysmon.report.render.formats import json as as_json
from sysmon.report.render.formats import markdown, text
from sysmon.report.side_by_side import name_series, select_metrics, sort_worst_first
from sysmon.report.summary import MetricSummary, Report, SeriesSummary, Stats, TableSummary
from sysmon.text.instants import EPOCH
from sysmon.thresholds import Beyond, Sign, Threshold
from tests.reading.stored import (
    CPU,
    DISK_USAGE,
    LOAD,
    ORIGIN,
    at,
    event_lines,
    started,
    stopped,
    write_log,
    write_table,
)
from tests.report.render.formats.test_json_schema import errors
from tests.report.render.test_formats import golden
from tests.report.reports import KNOWN, limits, whole_hour, write_machine

READ = Metric("disk_read_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "")
AWAIT = Metric("disk_await_ms", Kind.GAUGE, Unit.MILLISECONDS, "")
UTIL = Metric("disk_io_util_percent", Kind.RATIO, Unit.PERCENT, "", headline=Headline("busiest disk"))
QUEUE = Metric("disk_queue_length", Kind.GAUGE, Unit.NONE, "")
SLOW = Threshold("slow", Level.WARNING, Sign.AT_LEAST, 100)


def disk(name: str, read: float, wait: float, util: float) -> SeriesSummary:
    """Return a disk with these maxima; its queue is always empty."""

    def watch(metric: Metric, high: float, *limits: Threshold) -> MetricSummary:
        beyond = tuple(Beyond(limit, int(limit.exceeded(high)), 2, None) for limit in limits)
        return MetricSummary(metric, Stats(2, high / 2, 0, 0, 0, 0, high, EPOCH), beyond=beyond)

    metrics = (watch(READ, read), watch(AWAIT, wait, SLOW), watch(UTIL, util), watch(QUEUE, 0))
    return SeriesSummary((("device", name), ("model", "x")), Coverage(2, 2), metrics)


def test_what_matters_most_comes_first_and_what_is_always_0_not_at_all() -> None:
    assert select_metrics([disk("a", 1, 1, 1), disk("b", 2, 2, 2)]) == [UTIL, AWAIT, READ]


def test_what_was_beyond_a_limit_comes_before_what_was_merely_busier() -> None:
    disks = (disk("calm", 9, 1, 20), disk("busy", 1, 1, 90), disk("slow", 1, 150, 30))

    ranked = sort_worst_first(
        TableSummary(Table("disk_io", "", (READ, AWAIT, UTIL, QUEUE), labels=("device", "model")), disks)
    )

    assert [series.labels[0][1] for series in ranked] == ["slow", "busy", "calm"]


def test_the_whole_stays_on_top() -> None:
    table = Table("disk_io", "", (READ, AWAIT, UTIL, QUEUE), labels=("device", "model"), whole="all")

    ranked = sort_worst_first(TableSummary(table, (disk("a", 1, 1, 90), disk("all", 1, 1, 45))))

    assert [series.labels[0][1] for series in ranked] == ["all", "a"]


@pytest.mark.parametrize(
    ("names", "shown"),
    [
        pytest.param(["sda", "sdb"], ["sda", "sdb"], id="enough"),
        pytest.param(["sda", "sda"], ["sda model=x", "sda model=x"], id="not enough"),
    ],
)
def test_a_series_has_as_many_labels_as_tell_it_apart(names: list[str], shown: list[str]) -> None:
    assert [side.name for side in name_series([disk(name, 1, 1, 1) for name in names], "device")] == shown


def page_by(data: Path, label: str, **more: object) -> Report:
    """Return the hour of the small machine by a label."""
    selection = replace(whole_hour(data), **more)  # type: ignore[arg-type]  # whatever a question may ask
    return build_report(selection, KNOWN, lambda _: 1, Detail(limits=limits(data), by=label)).report


@pytest.mark.parametrize("label", ["core", "mountpoint", "unit"])
def test_a_page_by_label_is_as_kept(tmp_path: Path, label: str) -> None:
    write_machine(tmp_path)

    rendered = text.render([page_by(tmp_path, label)], RenderOptions(zone=UTC))

    assert rendered == golden(f"report-by-{label}-80.txt", rendered)
    assert max(map(len, rendered.splitlines())) <= 80


def test_a_label_that_no_row_has_is_refused(tmp_path: Path) -> None:
    write_machine(tmp_path)

    with pytest.raises(UsageError) as refused:
        page_by(tmp_path, "rack")

    labels = "core, device, fstype, host, mountpoint, name, run, unit, username"
    assert str(refused.value) == f"--by rack: no table here has such rows: write {labels}"


def several(data: Path, **more: object) -> list[Report]:
    """Return the small machine and two others that have less to tell, side by side."""
    write_machine(data)
    for name, high in (("calm", 20.0), ("mad", 99.0)):
        write_table(
            data,
            CPU,
            [(at(60 * n), [("all", high - n, 0.0)]) for n in range(10)],
            origin=replace(ORIGIN, hostname=name),
        )
        write_table(
            data, LOAD, [(at(60 * n), [(high / 50, None)]) for n in range(9)], origin=replace(ORIGIN, hostname=name)
        )
    selection = replace(whole_hour(data), **more)  # type: ignore[arg-type]  # whatever a question may ask
    host_reports = build_reports(selection, ["all"], KNOWN, lambda _: 1, Detail(limits=limits(data), by="host"))
    return [host_report.report for host_report in host_reports.reports]


@pytest.mark.parametrize(
    ("name", "more"),
    [
        pytest.param("report-by-host", {}, id="at a glance"),
        pytest.param("report-by-host-metrics", {"metrics": ["cpu_usage*", "load*1m"]}, id="some metrics"),
    ],
)
def test_hosts_side_by_side_are_as_kept(tmp_path: Path, name: str, more: dict[str, object]) -> None:
    reports = several(tmp_path, **more)

    shown = text.render(reports, RenderOptions(zone=UTC)), markdown.render(reports, RenderOptions(UTC))

    assert shown == (golden(f"{name}-80.txt", shown[0]), golden(f"{name}.md", shown[1]))
    assert max(map(len, shown[0].splitlines())) <= 80


def test_the_hosts_in_trouble_come_first(tmp_path: Path) -> None:
    assert [report.origin.hostname for report in several(tmp_path)] == ["web-01", "mad", "calm"]


def test_other_forms_keep_the_order_and_say_by_what(tmp_path: Path) -> None:
    write_machine(tmp_path)
    report = page_by(tmp_path, "core")

    page = json.loads(as_json.render([report], RenderOptions()))

    rows = csv.DictReader(as_csv.render([report], RenderOptions()).splitlines())
    cores = [series["labels"]["core"] for series in page["hosts"][0]["tables"][0]["series"]]
    assert (errors(page), page["hosts"][0]["by"], cores) == ([], "core", ["all", "0", "1"])
    assert [row["series"] for row in rows if row["metric"] == "cpu_usage_percent"] == ["core=all", "core=0", "core=1"]


def many_disks(data: Path, count: int, **more: object) -> Report:
    """Return a machine of so many mounts, each fuller than the one before."""
    minutes: list[list[Row]] = [
        [(f"/mnt/{n:02}", f"/dev/sd{n}", "ext4", 1e9 * n, 0.0 if n else None) for n in range(count + 1)]
        for _ in range(3)
    ]
    write_table(data, DISK_USAGE, [(at(60 * minute), rows) for minute, rows in enumerate(minutes)])
    selection = replace(whole_hour(data), **more)  # type: ignore[arg-type]  # whatever a question may ask
    return build_report(selection, KNOWN, lambda _: 1).report


@pytest.mark.parametrize(
    ("count", "more", "blocks", "lines", "has_more"),
    [
        pytest.param(12, {}, 12, 0, False, id="a dozen"),
        pytest.param(13, {}, 0, 13, False, id="more"),
        pytest.param(20, {}, 0, 16, True, id="many"),
        pytest.param(20, {"tables": ["disk_usage"]}, 20, 0, False, id="many that were asked for"),
    ],
)
def test_of_a_crowd_the_worst_are_told_in_a_line_each(
    tmp_path: Path, count: int, more: dict[str, object], blocks: int, lines: int, has_more: bool
) -> None:
    page = text.render([many_disks(tmp_path, count, **more)], RenderOptions(zone=UTC)).splitlines()

    names = [line.split()[0] for line in page if line.startswith("/mnt/")]
    assert (len(names), names[:1]) == (lines, [f"/mnt/{count}"][: bool(lines)])
    assert sum(line.startswith("disk_usage  mountpoint=") for line in page) == blocks
    assert "disk_usage  all 0 or no value: mountpoint=/mnt/00 device=/dev/sd0 fstype=ext4" in page
    assert ("  and 4 more: --table disk_usage --by mountpoint shows all" in page) == has_more


def test_what_was_idle_shares_a_line_side_by_side_too(tmp_path: Path) -> None:
    write_machine(tmp_path)
    idle: list[Row] = [(f"/idle/{n}", f"/dev/sd{n}", "ext4", 0.0, None) for n in range(30)]
    write_table(tmp_path, DISK_USAGE, [(at(3601), idle)])
    selection = replace(whole_hour(tmp_path), until=at(3700), now=at(3701), tables=["disk_usage"])

    report = build_report(selection, KNOWN, lambda _: 1, Detail(by="mountpoint")).report

    lines = text.render([report], RenderOptions(zone=UTC)).splitlines()
    starts = [line.split()[0] for line in lines if line.startswith(("/", "disk_usage"))]
    assert (starts, "14 more" in "".join(lines)) == (
        ["disk_usage", "/", "/mnt/usb\\xe2\\x80\\xae2J", "disk_usage"],
        True,
    )


def test_of_holes_only_the_first_are_told(tmp_path: Path) -> None:
    samples = [
        (at(60 * m), [(f"/mnt/{n}", "d", "ext4", 1e9 * m, None) for n in range(8) if m not in (n, n + 1)])
        for m in range(20)
    ]
    write_table(tmp_path, DISK_USAGE, samples)
    write_log(tmp_path, "events", event_lines([started(0, "r", {"disk_usage": 60.0}), stopped(1199, "r", 1199)]))

    page = text.render([page_by(tmp_path, "mountpoint")], RenderOptions(zone=UTC)).splitlines()

    assert (sum("longest gap" in line for line in page[4:]), page[-1]) == (4, "  and 4 more with gaps of their own")
