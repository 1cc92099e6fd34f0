"""The table of somebody else, with headlines: every overview shows them, and no overview knows the table."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sysmon.app.catalog import tables
from sysmon.console.status_model import RunInfo, StatusTracker
from sysmon.console.status_panel import render
from sysmon.headlines import pick_headlines
from sysmon.model import Headline, Kind, Metric, Row, Sample, Table, Unit
from sysmon.text.spans import Look
from sysmon.view.commands import View
from sysmon.view.full_screen import render as render_screen
from sysmon.view.plain_page import render as render_page
from sysmon.view.snapshot import TableSnapshot
from tests.view.scenes import LIVE, NOON, busy

TIDE = Table(
    "tide",
    "The sea, pier by pier.",
    (
        Metric("tide_low", Kind.GAUGE, Unit.NONE, "Low water."),
        Metric("tide_height", Kind.GAUGE, Unit.NONE, "Height.", headline=Headline("highest tide", 7)),
        Metric("tide_salt_percent", Kind.RATIO, Unit.PERCENT, "Salt.", headline=Headline("saltiest pier", 6)),
        Metric("tide_floods", Kind.COUNT, Unit.NONE, "Floods.", headline=Headline("floods", 5, rare=True)),
    ),
    labels=("pier",),
)
ROWS: list[Row] = [("north", 1, 3.5, None, 4), ("south", 1, 4.25, 3.25, 0)]
SHOWN = "saltiest pier south 3.2 %, highest tide south 4.25"
PLAIN = Look(color=False)


@pytest.mark.parametrize(
    ("table", "rows", "headlines"),
    [
        pytest.param(TIDE, ROWS, SHOWN, id="the worst row of each, in their order, none that is rare"),
        pytest.param(TIDE, [("north", 1, None, None, 0)], "", id="no value"),
        pytest.param(replace(TIDE, whole="south"), ROWS, "saltiest pier 3.2 %, highest tide 4.25", id="one for all"),
        pytest.param(replace(TIDE, series=False), ROWS, "", id="rows that are no series"),
        pytest.param(replace(TIDE, name="sea"), ROWS, "", id="a table that is shown elsewhere"),
    ],
)
def test_the_worst_row_of_each_headline_is_picked(table: Table, rows: list[Row], headlines: str) -> None:
    assert ", ".join(map(str, pick_headlines([(table, rows)], besides={"sea"}))) == headlines


def test_the_status_area_has_a_line_of_them() -> None:
    tracker = StatusTracker({**tables(), "tide": TIDE}, RunInfo("web-01", "10s", "/data"))

    status = tracker.update(Sample(NOON, {"tide": ROWS}), [])
    later = tracker.update(Sample(NOON + timedelta(seconds=10), {}), [])

    assert [
        [
            line.split(maxsplit=1)[1].rstrip()
            for line in render(each, columns=100, rows=60, look=PLAIN)
            if line.startswith("more")
        ]
        for each in (status, later)
    ] == [[SHOWN], [SHOWN]]


def test_the_page_of_an_instant_and_the_screen_have_a_line_of_them() -> None:
    snapshot = busy()
    snapshot = replace(snapshot, tables={**snapshot.tables, "tide": TableSnapshot(TIDE, NOON, ROWS, 10.0)})

    page = render_page(snapshot, LIVE, tables=(), width=100, look=PLAIN)
    screen = render_screen(snapshot, View(), LIVE, host="web-01", columns=101, rows=40, look=PLAIN).lines

    assert [
        [line.split(maxsplit=1)[1].rstrip() for line in lines if line.startswith("more")] for lines in (page, screen)
    ] == [[SHOWN], [SHOWN]]
