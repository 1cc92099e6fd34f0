import csv
import json
import re
from dataclasses import replace
from datetime import UTC
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.history import AlertState, Coverage, PastAlert
from sysmon.model import Headline, Kind, Level, Metric, Origin, Table, Unit
from sysmon.report.overview import build_overview
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import csv as as_csv
from sysmon.report.render.formats import json as as_json
from sysmon.report.render.formats import markdown, text
from sysmon.report.summary import MetricSummary, Report, SeriesSummary, Stats, TableSummary
from sysmon.sampling.self_tables import COLLECTOR
from sysmon.text.cells import flow
from sysmon.text.instants import EPOCH, from_ms
from sysmon.text.names import printable
from sysmon.thresholds import Beyond, Sign, Threshold
from tests.report.render.test_formats import report
from tests.report.reports import write_machine

FULL = Coverage(60, 60, interval=60.0)
NETWORK = Table(
    "network",
    "Interfaces.",
    (
        Metric(
            "network_receive_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "", headline=Headline("network in")
        ),
        Metric("network_drop_percent", Kind.RATIO, Unit.PERCENT, ""),
    ),
    labels=("interface",),
)
OOM = Table(
    "memory", "Memory.", (Metric("oom_kills", Kind.COUNT, Unit.NONE, "", headline=Headline("OOM kills", rare=True)),)
)


def stats(low: float, high: float) -> Stats:
    """Return the numbers of a metric that went from low to high."""
    mean = (low + high) / 2
    return Stats(60, mean, low, mean, high, high, high, from_ms(60_000))


def series_of(table: Table, label: str, *stats_of_metrics: Stats | None, coverage: Coverage = FULL) -> SeriesSummary:
    """Return a series with these numbers."""
    metrics = [MetricSummary(metric, numbers) for metric, numbers in zip(table.metrics, stats_of_metrics, strict=True)]
    return SeriesSummary(tuple((name, label) for name in table.labels), coverage, tuple(metrics))


def page_of(*tables: TableSummary, hostname: str = "web-01") -> Report:
    """Return a report of the first hour."""
    return Report(
        Origin(hostname), EPOCH, from_ms(3_600_000), FULL, None, tables, (), (), 0, build_overview(tables, ())
    )


def body(*tables: TableSummary, width: int = 80) -> list[str]:
    """Return the text of these tables alone."""
    page = text.render([replace(page_of(*tables), overview=())], RenderOptions(width=width, zone=UTC))
    return page.split("\n\n", 1)[1].removeprefix("Alerts: none\n\n").removesuffix("\n").split("\n")


def test_series_in_which_nothing_happened_share_a_line() -> None:
    busy = series_of(NETWORK, "eth0", stats(0, 2000), stats(0, 0))
    idle = [series_of(NETWORK, f"veth{number}", stats(0, 0), None) for number in range(3)]

    assert body(TableSummary(NETWORK, (busy, *idle))) == [
        "network  interface=eth0    60 of 60 samples",
        "                  mean      min      p50      p95      p99      max  max at",
        "network_receive_bytes_per_second",
        "               1.0kB/s     0B/s  1.0kB/s  2.0kB/s  2.0kB/s  2.0kB/s  00:01:00",
        "all 0: network_drop_percent",
        "",
        "network  all 0 or no value: interface=veth0, interface=veth1, interface=veth2",
        "  60 of 60 samples",
    ]


def test_idle_series_with_holes_of_their_own_have_a_line_of_their_own() -> None:
    holed = series_of(NETWORK, "b", stats(0, 0), stats(0, 0), coverage=Coverage(58, 60, 120.0, EPOCH, 60.0))
    tables = TableSummary(NETWORK, (series_of(NETWORK, "a", stats(0, 0), stats(0, 0)), holed))

    assert body(tables) == [
        "network  all 0: interface=a    60 of 60 samples",
        "network  all 0: interface=b    58 of 60 samples, longest gap 2m at 00:00:00",
    ]


def test_idle_series_that_come_and_go_share_a_line_however_many_they_are() -> None:
    passing = [
        series_of(NETWORK, f"veth{n}", None, None, coverage=Coverage(1 + n % 7, 60, 120.0 + n, EPOCH, 60.0))
        for n in range(40)
    ]

    lines = body(TableSummary(NETWORK, (series_of(NETWORK, "lo", None, None), *passing)))

    assert lines == [
        "network  no value: interface=lo    60 of 60 samples",
        "network  no value: interface=veth0, interface=veth1, interface=veth2,",
        "  interface=veth3, interface=veth4, interface=veth5, interface=veth6,",
        "  interface=veth7, interface=veth8, interface=veth9, interface=veth10,",
        "  interface=veth11, interface=veth12, interface=veth13, interface=veth14,",
        "  interface=veth15, 24 more    intermittent: 1 to 7 of 60 samples each",
    ]


def test_a_compact_table_has_a_line_for_each_series_and_tells_holes() -> None:
    series = (
        series_of(COLLECTOR, "cpu", stats(0.0001, 0.0003), stats(1, 1), stats(0, 0)),
        series_of(
            COLLECTOR, "disk_usage", None, stats(0, 1), stats(0, 2), coverage=Coverage(59, 60, 60.0, EPOCH, 60.0)
        ),
    )

    assert body(TableSummary(COLLECTOR, series)) == [
        "collector    collector_duration_seconds  collector_up  collector_errors",
        "                 mean      p95      max         share             total",
        "cpu             0.2ms    0.3ms    0.3ms         100 %                 0",
        "disk_usage          -        -        -          50 %                60",
        "  59 of 60 samples, longest gap 1m at 00:00:00",
    ]


def test_a_hole_that_all_share_is_told_once() -> None:
    hole = Coverage(59, 60, 60.0, EPOCH, 60.0)
    series = [series_of(COLLECTOR, name, None, stats(1, 1), stats(0, 0), coverage=hole) for name in ("cpu", "load")]

    lines = body(TableSummary(COLLECTOR, tuple(series)))

    assert (lines[0], len(lines)) == ("collector    59 of 60 samples, longest gap 1m at 00:00:00", 5)


def test_a_share_that_is_not_whole_never_says_100() -> None:
    up = replace(stats(0, 1), mean=0.9999)

    assert "99.9 %" in body(TableSummary(COLLECTOR, (series_of(COLLECTOR, "cpu", None, up, stats(0, 0)),)))[2]


def test_the_glance_names_the_worst_of_each_resource() -> None:
    tables = TableSummary(
        NETWORK, (series_of(NETWORK, "a", stats(0, 5), None), series_of(NETWORK, "b", stats(1, 9), None))
    )

    assert [(item.title, item.subject, item.mean, item.worst) for item in page_of(tables).overview] == [
        ("network in", "b", 5.0, 9)
    ]


@pytest.mark.parametrize(
    ("kills", "shown"),
    [
        pytest.param(stats(0, 0), [], id="none is no news"),
        pytest.param(replace(stats(0, 2), mean=0.05), [("OOM kills", None, 3)], id="all of them together"),
    ],
)
def test_what_is_rare_is_told_when_it_happened(kills: Stats, shown: list[tuple[str, None, int]]) -> None:
    tables = TableSummary(OOM, (series_of(OOM, "", kills),))

    assert [(item.title, item.mean, item.worst) for item in page_of(tables).overview] == shown


def test_colour_changes_nothing_but_colour(tmp_path: Path) -> None:
    write_machine(tmp_path)
    plain, painted = (text.render([report(tmp_path)], RenderOptions(zone=UTC, color=color)) for color in (False, True))

    codes = set(re.findall(r"\x1b\[[\d;]*m", painted))

    assert (re.sub(r"\x1b\[[\d;]*m", "", painted), codes, "\x1b" in plain) == (
        plain,
        {"\x1b[1m", "\x1b[0m", "\x1b[33m", "\x1b[31m"},
        False,
    )


def test_an_alert_too_long_for_a_line_goes_on_below_it() -> None:
    labels = {"hostname": "web-01", "mountpoint": f"/{'srv/' * 6}", "device": "/dev/mapper/vg0-data", "fstype": "ext4"}
    alert = PastAlert(
        id="aabbccdd",
        rule="inodes-nearly-exhausted",
        metric="inode_usage_percent",
        level=Level.CRITICAL,
        labels=labels,
        since=EPOCH,
        ended=None,
        duration=3000.0,
        value=99.0,
        peak=99.5,
        state=AlertState.FIRING,
    )

    page = text.render([replace(page_of(), alerts=(alert,))], RenderOptions(zone=UTC))

    assert page.split("Alerts\n")[1].splitlines() == [
        "CRITICAL  inodes-nearly-exhausted  mountpoint=/srv/srv/srv/srv/srv/srv/",
        "          device=/dev/mapper/vg0-data  fstype=ext4  since 00:00:00 for 50m",
        "          peak 99.5  firing",
    ]


def test_each_host_has_a_page_of_its_own() -> None:
    pages = text.render([page_of(hostname="a"), page_of(hostname="b")], RenderOptions(zone=UTC))

    assert [page.splitlines()[0] for page in pages.split(f"\n{'=' * 80}\n\n")] == ["a", "b"]


@given(st.lists(st.text("ab ", min_size=1, max_size=30), min_size=1), st.integers(20, 80))
def test_parts_flow_without_loss_and_none_is_cut(parts: list[str], width: int) -> None:
    lines = flow(parts, width)

    assert "".join("".join(lines).split()) == "".join("".join(parts).split())
    assert all(len(line.rstrip()) <= max(width, 2 + max(map(len, parts))) for line in lines)


def test_csv_holds_the_numbers_of_the_json(tmp_path: Path) -> None:
    write_machine(tmp_path)
    reports = [report(tmp_path)]
    host = json.loads(as_json.render(reports, RenderOptions()))["hosts"][0]
    expected = {
        (table["table"], ";".join(f"{key}={printable(value)}" for key, value in series["labels"].items()), name): (
            series["coverage"]["found"],
            series["coverage"]["expected"],
            metric["samples"],
            metric.get("mean"),
            metric.get("p99"),
            metric.get("max_at", ""),
        )
        for table in host["tables"]
        for series in table["series"]
        for name, metric in series["metrics"].items()
    }

    rows = [
        row for row in csv.DictReader(as_csv.render(reports, RenderOptions()).splitlines()) if row["table"] != "process"
    ]

    assert {
        (row["table"], row["series"], row["metric"]): (
            int(row["found"]),
            int(row["expected"]),
            int(row["samples"]),
            float(row["mean"]) if row["mean"] else None,
            float(row["p99"]) if row["p99"] else None,
            row["max_at"],
        )
        for row in rows
    } == expected


def test_csv_tells_processes_with_the_ticks_at_which_they_were_listed(tmp_path: Path) -> None:
    write_machine(tmp_path)

    rows = csv.DictReader(as_csv.render([report(tmp_path)], RenderOptions()).splitlines())

    backup = next(row for row in rows if row["series"].startswith("name=backup"))
    assert (backup["metric"], backup["found"], backup["expected"], backup["max"], backup["p50"]) == (
        "process_cpu_percent",
        "1",
        "52",
        "95.0",
        "",
    )


def test_no_cell_of_csv_is_run_by_a_spreadsheet() -> None:
    page = as_csv.render(
        [page_of(TableSummary(OOM, (series_of(OOM, "", stats(0, 1)),)), hostname="=cmd|calc")], RenderOptions()
    )

    assert page.splitlines()[1].startswith("'=cmd|calc,")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        pytest.param("cpu_usage_percent", "cpu_usage_percent", id="underscores within a word need nothing"),
        pytest.param("_a_ *b* `c`", r"\_a\_ \*b\* \`c\`", id="emphasis"),
        pytest.param("<img>|[x](y)", r"\<img\>\|\[x\](y)", id="markup, tables and links"),
        pytest.param("a\nb\x1b[0m", r"a\\x0ab\\x1b\[0m", id="control characters"),
    ],
)
def test_names_are_shown_by_markdown_as_they_are(name: str, shown: str) -> None:
    assert markdown.escape(name) == shown


def test_every_table_of_markdown_has_rows_of_one_width(tmp_path: Path) -> None:
    write_machine(tmp_path)
    page = markdown.render([report(tmp_path)], RenderOptions(UTC))

    tables = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)

    assert [len({len(line) for line in table.splitlines()}) for table in tables] == [1] * 9


HOT = Threshold("hot", Level.WARNING, Sign.AT_LEAST, 90)
LOST = Threshold("lost", Level.CRITICAL, Sign.ABOVE, 20)


def watched(*limits: tuple[Threshold, int], low: float = 0, high: float = 100, exact: bool = True) -> TableSummary:
    """Return a table with a metric that was beyond limits for so many of 60 samples, a minute each."""
    metric = NETWORK.metrics[1]
    beyond = tuple(Beyond(limit, samples, 60, 60.0 * samples, exact=exact) for limit, samples in limits)
    summary = MetricSummary(metric, stats(low, high), beyond=beyond)
    series = SeriesSummary((("interface", "eth0"),), FULL, (summary,))
    return TableSummary(replace(NETWORK, metrics=(metric,), compact=False), (series,))


@pytest.mark.parametrize(
    ("table", "last"),
    [
        pytest.param(
            watched((HOT, 12), (LOST, 0)), "  warning >= 90 %: 12m (20 %)   critical > 20 %: never", id="how long"
        ),
        pytest.param(watched((HOT, 12), exact=False), "  warning >= 90 %: about 12m (20 %)", id="from roll-ups"),
        pytest.param(watched((HOT, 0), exact=False), "  warning >= 90 %: hardly ever", id="nearly never"),
        pytest.param(watched((HOT, 60), low=95, high=95), "  warning >= 90 %: 1h (100 %)", id="never anything else"),
        pytest.param(watched((HOT, 3), (HOT, 3)), "  warning >= 90 %: 3m (5 %)", id="two rules of one limit"),
    ],
)
def test_the_time_beyond_a_limit_stands_below_the_metric(table: TableSummary, last: str) -> None:
    assert body(table)[-1] == last


def test_of_what_never_moved_and_was_within_its_limits_there_is_no_more_to_say() -> None:
    assert body(watched((HOT, 0), low=5, high=5))[-1] == "constant: network_drop_percent 5.00%"


@pytest.mark.parametrize(
    ("limits", "painted"),
    [
        pytest.param([(HOT, 3)], ["100%"] * 3, id="warning"),
        pytest.param([], [], id="no limit"),
    ],
)
def test_numbers_beyond_a_limit_have_its_colour(limits: list[tuple[Threshold, int]], painted: list[str]) -> None:
    page = text.render([page_of(watched(*limits))], RenderOptions(zone=UTC, color=True))

    assert re.findall(r"\x1b\[33m([\d.]+%)\x1b", page) == painted


def test_csv_has_the_limit_of_each_level_and_the_time_beyond_it() -> None:
    (row,) = csv.DictReader(as_csv.render([page_of(watched((HOT, 12), (LOST, 0)))], RenderOptions()).splitlines())

    assert {name: value for name, value in row.items() if name.startswith(("info_", "warning_", "critical_"))} == {
        "info_limit": "",
        "info_samples": "",
        "info_seconds": "",
        "warning_limit": ">= 90",
        "warning_samples": "12",
        "warning_seconds": "720.0",
        "critical_limit": "> 20",
        "critical_samples": "0",
        "critical_seconds": "0.0",
    }


def test_the_glance_has_the_colours_of_the_limits() -> None:
    metric = Metric("cpu_usage_percent", Kind.RATIO, Unit.PERCENT, "", headline=Headline("CPU"))
    beyond = (Beyond(HOT, 1, 60, 60.0), Beyond(LOST, 60, 60, 3600.0))
    series = SeriesSummary((), FULL, (MetricSummary(metric, stats(10, 95), beyond=beyond),))
    report = page_of(TableSummary(Table("cpu", "", (metric,)), (series,)))

    (line,) = (
        line for line in text.render([report], RenderOptions(zone=UTC, color=True)).splitlines() if line[:3] == "CPU"
    )

    assert re.sub(r" +", " ", line) == "CPU \x1b[1m\x1b[31m52.5 %\x1b[0m \x1b[1m\x1b[31m95.0 %\x1b[0m 00:01:00"
