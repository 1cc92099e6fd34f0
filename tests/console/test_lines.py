import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sysmon.console.lines import format_alert, format_heading, format_tick
from sysmon.console.overview import Disk, Fill, Overview, Process, summarize
from sysmon.model import AlertEvent, Level, Transition, Unit
from tests.sampling.fakes import CountingCollector

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BUSY = AlertEvent(
    at=NOON + timedelta(seconds=70),
    transition=Transition.FIRED,
    rule="cpu-saturated",
    id="0badcafe",
    metric="cpu_usage_percent",
    labels={"hostname": "web-01", "core": "all"},
    level=Level.CRITICAL,
    value=97.2,
    peak=99.0,
    threshold=95.0,
    condition=">= 95 for 1m",
    since=NOON,
    duration=70.0,
    reason="breach",
    unit=Unit.PERCENT,
)
OVERVIEW = Overview(
    cpu=12.34,
    memory=Fill(45.06),
    disk=Disk("nvme0n1p1", 100.0),
    received=1_500_000.0,
    sent=340.0,
    process=Process("java", "4312", 180.0),
)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


@pytest.mark.parametrize(
    ("event", "line"),
    [
        pytest.param(
            BUSY,
            "12:01:10  CRITICAL  cpu-saturated: cpu_usage_percent 97.2 % >= 95 for 1m on web-01 (core=all)",
            id="fired",
        ),
        pytest.param(
            replace(BUSY, transition=Transition.ESCALATED),
            "12:01:10  CRITICAL  cpu-saturated: cpu_usage_percent 97.2 % >= 95 for 1m, escalated after 1m10s"
            " on web-01 (core=all)",
            id="escalated",
        ),
        pytest.param(
            replace(BUSY, transition=Transition.LOWERED, level=Level.WARNING, value=80.0),
            "12:01:10  WARNING   cpu-saturated: cpu_usage_percent 80.0 %, lowered after 1m10s, peak 99.0 %"
            " on web-01 (core=all)",
            id="lowered",
        ),
        pytest.param(
            replace(BUSY, transition=Transition.RESOLVED, value=10.0, reason="cleared"),
            "12:01:10  RESOLVED  cpu-saturated: cpu_usage_percent 10.0 %, cleared after 1m10s, peak 99.0 %"
            " on web-01 (core=all)",
            id="resolved",
        ),
        pytest.param(
            replace(BUSY, transition=Transition.NO_DATA, value=None),
            "12:01:10  CRITICAL  cpu-saturated: cpu_usage_percent has no data; it was firing for 1m10s"
            " on web-01 (core=all)",
            id="no data",
        ),
        pytest.param(
            replace(BUSY, transition=Transition.DATA_BACK),
            "12:01:10  CRITICAL  cpu-saturated: cpu_usage_percent 97.2 %, data is back; firing for 1m10s"
            " on web-01 (core=all)",
            id="data back",
        ),
        pytest.param(
            replace(BUSY, labels={"hostname": "web-01", "mountpoint": "/a\x1b[2J\n12:00:00  RESOLVED"}),
            "12:01:10  CRITICAL  cpu-saturated: cpu_usage_percent 97.2 % >= 95 for 1m"
            " on web-01 (mountpoint=/a\\x1b[2J\\x0a12:00:00  RESOLVED)",
            id="a hostile label forges no line",
        ),
    ],
)
def test_an_alert_is_one_line_that_says_what_and_where(event: AlertEvent, line: str) -> None:
    assert format_alert(event, color=False) == line


def test_on_a_narrow_terminal_an_alert_is_cut_between_words() -> None:
    assert format_alert(BUSY, color=False, width=60).splitlines() == [
        "12:01:10  CRITICAL  cpu-saturated: cpu_usage_percent 97.2 %",
        "                    >= 95 for 1m on web-01 (core=all)",
    ]


def test_colour_only_repeats_what_the_words_say() -> None:
    coloured = format_alert(BUSY, color=True)

    assert (re.sub(r"\x1b\[[0-9;]*m", "", coloured), "\x1b[31mCRITICAL" in coloured) == (
        format_alert(BUSY, color=False),
        True,
    )


def test_a_tick_fits_a_terminal_of_80_columns_and_stands_under_its_heading() -> None:
    lines = [format_heading(80), format_tick(NOON, OVERVIEW, [BUSY], width=80, color=False)]

    assert lines == [
        "time     state    alerts cpu % mem %  busy disk % net in net out  top process %",
        "12:00:00 CRITICAL      1  12.3  45.1  nvme0 100.0   1.5M     340  java 180.0",
    ]


@pytest.mark.parametrize("width", [20, 80, 200])
def test_a_tick_is_never_wider_than_the_terminal(width: int) -> None:
    overview = replace(OVERVIEW, process=Process("x" * 300, "1", 100.0))

    assert len(format_tick(NOON, overview, [], width=width, color=False)) <= width


def test_what_is_not_known_is_a_dash_and_not_a_zero() -> None:
    nothing = Overview()

    assert format_tick(NOON, nothing, [], width=80, color=False).split() == ["12:00:00", "OK", *["-"] * 7]


def test_a_glance_at_tables_that_are_not_there_is_empty() -> None:
    tables = {"counting": CountingCollector.table}

    assert summarize({"counting": [("one", 1.0)]}, tables) == Overview()
