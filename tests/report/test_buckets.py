"""Time buckets: where the parts of a range begin, what is in each, and how the page shows it."""

import csv
import json
import math
from array import array
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.app.admin.maintain import maintain
from sysmon.app.reports.report import Detail, build_report
from sysmon.app.selection import Selection
from sysmon.config import Retention, Storage
from sysmon.errors import UsageError
from sysmon.model import Row
from sysmon.report.buckets import split_range, summarise_buckets
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import csv as as_csv
from sysmon.report.render.formats import json as as_json
from sysmon.report.render.formats import markdown, text
from sysmon.report.render.grid import wrap_name
from sysmon.report.summary import Bucket, Report
from sysmon.text.instants import EPOCH, format_instant, from_ms
from tests.reading.stored import CPU, DAY, HOUR, TABLES, at, event_lines, started, write_log, write_table
from tests.report.render.formats.test_json_schema import errors
from tests.report.render.test_formats import golden
from tests.report.reports import KNOWN, limits, whole_hour, write_machine

BERLIN = ZoneInfo("Europe/Berlin")
MINUTE = timedelta(minutes=1)


def instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("since", "until", "length", "zone", "edges"),
    [
        pytest.param(
            "2026-11-20T12:07Z", "2026-11-20T12:16Z", 5 * MINUTE, UTC, ["20T12:05", "20T12:10", "20T12:15", "20T12:20"],
            id="on multiples, though the range is not",
        ),
        pytest.param(
            "2026-11-20T12:05Z", "2026-11-20T12:15Z", 5 * MINUTE, UTC, ["20T12:05", "20T12:10", "20T12:15"],
            id="as the range is",
        ),
        pytest.param("2026-11-20T12:00Z", "2026-11-20T12:00:01Z", HOUR, UTC, ["20T12:00", "20T13:00"], id="only one"),
        pytest.param(
            "2026-11-20T12:00Z", "2026-11-21T12:00Z", DAY, BERLIN, ["19T23:00", "20T23:00", "21T23:00"],
            id="days of the zone",
        ),
        pytest.param(
            "2026-11-20T12:00Z", "2026-11-20T20:00Z", 6 * HOUR, BERLIN, ["20T11:00", "20T17:00", "20T23:00"],
            id="quarters of the zone's day",
        ),
        pytest.param(
            "2026-11-18T12:00Z", "2026-11-20T20:00Z", 7 * DAY, UTC, ["16T00:00", "23T00:00"], id="weeks from Monday"
        ),
    ],
)  # fmt: skip
def test_parts_begin_on_multiples_of_their_length(
    since: str, until: str, length: timedelta, zone: ZoneInfo, edges: list[str]
) -> None:
    starts = split_range(instant(since), instant(until), length, zone)

    assert [f"{edge:%dT%H:%M}" for edge in starts] == edges


@pytest.mark.parametrize(
    ("day", "hours", "parts"),
    [
        pytest.param("2026-03-29", 23, 4, id="an hour less"),
        pytest.param("2026-10-25", 25, 5, id="an hour more"),
    ],
)
def test_parts_begin_anew_on_the_day_after_the_clocks_are_set(day: str, hours: int, parts: int) -> None:
    since = datetime.fromisoformat(day).replace(tzinfo=BERLIN)
    until = since + timedelta(days=1)

    days, quarters = (split_range(since, until, length, BERLIN) for length in (DAY, 6 * HOUR))

    assert ((days[1] - days[0]) / HOUR, len(quarters) - 1, quarters[-1]) == (hours, parts, days[1])


@pytest.mark.parametrize(
    ("length", "message"),
    [
        pytest.param(7 * MINUTE, "--bucket 7m does not divide a day: write 1m, 5m", id="no part of a day"),
        pytest.param(36 * HOUR, "--bucket 1d12h does not divide a day", id="no whole days"),
        pytest.param(timedelta(seconds=1), "would be more than 10000 lines: write 9s or more", id="too many"),
    ],
)
def test_parts_that_nobody_can_use_are_refused(length: timedelta, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        split_range(EPOCH, EPOCH + DAY, length, UTC)

    assert message in str(refused.value)


SAMPLES = st.lists(
    st.tuples(st.integers(0, 999), st.one_of(st.just(math.nan), st.floats(-1e6, 1e6))),
    unique_by=lambda sample: sample[0],
)


@given(SAMPLES, st.lists(st.integers(0, 1000), min_size=2, unique=True))
def test_every_sample_counts_in_the_part_that_it_lies_in(samples: list[tuple[int, float]], edges: list[int]) -> None:
    samples, edges = sorted(samples, key=lambda sample: sample[0]), sorted(edges)
    parts = [[value for ms, value in samples if begin <= ms < end and value == value] for begin, end in pairwise(edges)]

    buckets = summarise_buckets(
        [ms for ms, _ in samples], array("d", [value for _, value in samples]), [*map(from_ms, edges)]
    )

    assert buckets == [
        Bucket(len(part), math.fsum(part) / len(part), min(part), max(part)) if part else None for part in parts
    ]


@given(st.from_regex(r"[a-z]{1,20}(_[a-z]{1,20}){0,4}", fullmatch=True), st.integers(8, 32))
def test_a_long_name_is_broken_and_not_lost(name: str, width: int) -> None:
    lines = wrap_name(name, width)

    assert max(map(len, lines)) <= width
    assert "".join(lines) == name or "..." in "".join(lines)


def half_hour(data: Path, length: timedelta = 5 * MINUTE) -> Report:
    """Return a time table of some of the small machine, with the hole in it."""
    selection = replace(whole_hour(data), since=at(1200), until=at(2820), tables=["cpu", "load", "disk_usage"])
    edges = split_range(selection.since, selection.until, length, UTC)
    return build_report(selection, KNOWN, lambda _: 1, Detail(limits=limits(data), edges=edges)).report


@pytest.mark.parametrize("width", [80, 120])
def test_a_time_table_is_as_kept(tmp_path: Path, width: int) -> None:
    write_machine(tmp_path)

    rendered = text.render([half_hour(tmp_path)], RenderOptions(width=width, zone=UTC))

    assert rendered == golden(f"report-buckets-{width}.txt", rendered)
    assert max(map(len, rendered.splitlines())) <= width


def test_a_part_without_samples_is_a_line_that_counts_none(tmp_path: Path) -> None:
    write_machine(tmp_path)

    lines = text.render([half_hour(tmp_path, MINUTE)], RenderOptions(zone=UTC)).splitlines()

    first = next(place for place, line in enumerate(lines) if line.startswith("12:24:00"))
    assert lines[first : first + 3] == [
        "12:24:00      1    30.0%    30.0%    30.0%",
        "12:25:00      0        -        -        -",
        "12:26:00      0        -        -        -",
    ]


def test_a_time_table_in_markdown_is_as_kept(tmp_path: Path) -> None:
    write_machine(tmp_path)

    rendered = markdown.render([half_hour(tmp_path)], RenderOptions(UTC))

    assert rendered == golden("report-buckets.md", rendered)


def test_a_time_table_in_json_is_as_the_schema_says(tmp_path: Path) -> None:
    write_machine(tmp_path)

    assert errors(json.loads(as_json.render([half_hour(tmp_path)], RenderOptions()))) == []


def test_a_time_table_in_csv_has_a_line_for_each_part(tmp_path: Path) -> None:
    write_machine(tmp_path)

    rows = csv.DictReader(as_csv.render([half_hour(tmp_path)], RenderOptions()).splitlines())

    disks = [row for row in rows if (row["series"] or "").startswith("mountpoint=/;") and row["metric"] == "inode_used"]
    assert [(row["since"], row["until"], row["samples"], row["max"]) for row in disks][:2] == [
        (format_instant(at(1200)), format_instant(at(1500)), "1", "411000.0"),
        (format_instant(at(1500)), format_instant(at(1800)), "1", "411000.0"),
    ]


def days_of_rows() -> list[tuple[datetime, list[Row]]]:
    """Return two days of rows each ten minutes, without those of one night."""
    return [(at(600 * n), [("all", n % 97 / 3, None if n % 5 else float(n))]) for n in range(288) if not 70 <= n < 110]


@pytest.mark.parametrize(
    ("length", "sources"),
    [pytest.param(HOUR, ("1h", "rows"), id="hours"), pytest.param(DAY, ("1d", "1h", "rows"), id="days")],
)
def test_sums_tell_the_same_as_rows(tmp_path: Path, length: timedelta, sources: tuple[str, ...]) -> None:
    write_table(tmp_path, CPU, days_of_rows())
    write_log(tmp_path, "events", event_lines([started(0, "r", {"cpu": 600.0})]))
    maintain(tmp_path, Storage(compress_after=timedelta(0), min_free=0), now=at(0) + 2 * DAY + HOUR)
    selection = Selection(tmp_path, at(0), at(0) + 2 * DAY - 30 * MINUTE, at(0) + 3 * DAY)
    detail = Detail(edges=split_range(selection.since, selection.until, length, UTC))

    rolled, exact = (
        build_report(replace(selection, exact=exact), TABLES, lambda _: 1, detail).report for exact in (False, True)
    )

    assert (rolled.sources, exact.sources) == (sources, ("rows",))
    for near, real in zip(rolled.tables[0].series[0].metrics, exact.tables[0].series[0].metrics, strict=True):
        assert [bucket and (bucket.samples, bucket.min, bucket.max) for bucket in near.buckets] == [
            bucket and (bucket.samples, bucket.min, bucket.max) for bucket in real.buckets
        ]
        means = [bucket.mean for bucket in real.buckets if bucket]
        assert [bucket.mean for bucket in near.buckets if bucket] == pytest.approx(means, rel=1e-9)


def test_minutes_tell_what_no_row_is_left_of(tmp_path: Path) -> None:
    paths = write_table(tmp_path, CPU, [(at(20 * n), [("all", n % 7.0, None)]) for n in range(720)])
    write_log(tmp_path, "events", event_lines([started(0, "r", {"cpu": 20.0})]))
    selection = Selection(tmp_path, at(0), at(4 * 3600), at(0) + DAY)
    detail = Detail(edges=split_range(selection.since, selection.until, 5 * MINUTE, UTC))
    whole = build_report(selection, TABLES, lambda _: 1, detail).report
    maintain(tmp_path, Storage(retention=Retention(minutes=30 * DAY), min_free=0), now=at(0) + DAY)
    for path in paths[:2]:
        for old in path.parent.glob(f"{path.name}*"):
            old.unlink()

    left = build_report(selection, TABLES, lambda _: 1, detail).report

    before, after = (report.tables[0].series[0].metrics[0].buckets for report in (whole, left))
    assert left.sources == ("1m", "rows")
    assert [bucket and (bucket.samples, bucket.min, bucket.max) for bucket in after] == [
        bucket and (bucket.samples, bucket.min, bucket.max) for bucket in before
    ]
    assert [bucket.mean for bucket in after if bucket] == pytest.approx([bucket.mean for bucket in before if bucket])
