import os
import re
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.console.overview import Disk, Fill, Mount, Overview, Process
from sysmon.console.status_model import ActiveAlert, RunInfo, RunStatus
from sysmon.console.status_panel import MOST_LINES, render
from sysmon.text.cells import width_of
from sysmon.text.spans import Look
from tests.console.statuses import ALERTS, BUSY, FIRST, NOON

GOLDEN = Path(__file__).parents[1] / "golden"
PLAIN = Look(color=False)


@pytest.fixture(autouse=True)
def _utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "UTC")


def _golden(name: str, lines: list[str]) -> list[str]:
    """Return what a golden holds; `SYSMON_GOLDEN=write` writes it anew."""
    path = GOLDEN / name
    if os.environ.get("SYSMON_GOLDEN") == "write":
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path.read_text("utf-8").splitlines()


@pytest.mark.parametrize(("columns", "rows"), [(40, 10), (80, 24), (120, 30), (200, 50)])
def test_the_area_uses_the_size_that_it_has(columns: int, rows: int) -> None:
    lines = render(BUSY, columns=columns, rows=rows, look=PLAIN)

    assert lines == _golden(f"panel-{columns}x{rows}.txt", lines)


def test_without_blocks_it_is_drawn_in_ascii() -> None:
    lines = render(BUSY, columns=80, rows=24, look=Look(color=False, encoding="ascii", blocks=False))

    assert lines == _golden("panel-80x24-ascii.txt", lines)


def test_before_the_first_sample_it_says_so() -> None:
    lines = render(FIRST, columns=80, rows=24, look=PLAIN)

    assert lines == _golden("panel-80x24-first.txt", lines)


def test_colour_only_repeats_what_the_words_say() -> None:
    plain = render(BUSY, columns=80, rows=24, look=PLAIN)
    coloured = render(BUSY, columns=80, rows=24, look=Look(color=True))

    stripped = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured]
    open_ended = [line for line in coloured if line.rfind("\x1b[0m") < max(line.rfind("\x1b[3"), line.rfind("\x1b[2m"))]
    assert (stripped, open_ended, coloured[0].startswith("\x1b[1m\x1b[31mCRITICAL")) == (plain, [], True)


@pytest.mark.parametrize(
    ("rows", "kept"),
    [
        pytest.param(3, ["CRITICAL"], id="one line"),
        pytest.param(5, ["CRITICAL", "cpu", "CRITICAL"], id="three lines"),
        pytest.param(12, ["CRITICAL", "cpu", "memory", "disk", "space", "network", "top", "samples", "CRITICAL", "+4"]),
    ],
)
def test_where_rows_are_few_the_most_important_lines_stay(rows: int, kept: list[str]) -> None:
    lines = render(BUSY, columns=80, rows=rows, look=PLAIN)

    assert [line.split()[0] for line in lines] == kept


def test_as_many_alerts_as_fit_are_shown_without_a_count() -> None:
    lines = render(replace(BUSY, alerts=ALERTS[:4]), columns=80, rows=24, look=PLAIN)

    assert [line.split()[2] for line in lines[9:]] == ["cpu-saturated", "disk-full", "memory-low", "swapping"]


def test_a_hostile_name_moves_no_cursor_and_breaks_no_line() -> None:
    nasty = "a\x1b[2J\nb\u202e"
    overview = replace(BUSY.overview, process=Process(nasty, "1", 5.0), mount=Mount(nasty, 5.0), disk=Disk(nasty, 5.0))
    status = replace(
        BUSY, about=RunInfo(nasty, "10s", nasty), overview=overview, alerts=(replace(ALERTS[0], where=nasty),)
    )

    lines = render(status, columns=200, rows=50, look=PLAIN)

    assert [line for line in lines if not line.isprintable()] == []


T = TypeVar("T")
NAMES = st.text(st.sampled_from("aé世\u0301/\x1b-"), max_size=90)
PERCENT = st.floats(0, 12_800)
BYTES = st.floats(0, 1e16)


def _maybe(values: st.SearchStrategy[T]) -> st.SearchStrategy[T | None]:
    return st.none() | values


OVERVIEW = st.builds(
    Overview,
    cpu=_maybe(PERCENT),
    memory=_maybe(st.builds(Fill, PERCENT, BYTES, BYTES)),
    swap=_maybe(st.builds(Fill, PERCENT, BYTES, BYTES)),
    disk=_maybe(st.builds(Disk, NAMES, PERCENT, BYTES, _maybe(BYTES))),
    mount=_maybe(st.builds(Mount, NAMES, PERCENT, BYTES)),
    received=_maybe(BYTES),
    sent=_maybe(BYTES),
    process=_maybe(st.builds(Process, NAMES, st.just("4194303"), PERCENT)),
    largest=_maybe(st.builds(Process, NAMES, st.just("4194303"), BYTES)),
)
FIRING = st.builds(
    ActiveAlert, st.sampled_from([alert.level for alert in ALERTS]), NAMES, NAMES, st.just("x > 1"), BYTES
)
STATUSES = st.builds(
    RunStatus,
    about=st.builds(RunInfo, NAMES, st.just("10s"), NAMES),
    at=st.just(NOON),
    running=st.floats(0, 1e9),
    overview=OVERVIEW,
    history=st.integers(0, 200).map(lambda count: BUSY.history[:count]),
    alerts=st.lists(FIRING, max_size=6).map(tuple),
    ticks=_maybe(st.integers(1, 10**9)),
    missed=st.integers(0, 10**9),
)


@given(STATUSES, st.integers(1, 220), st.integers(1, 60), st.sampled_from(["utf-8", "ascii"]))
def test_it_never_takes_more_room_than_there_is(status: RunStatus, columns: int, rows: int, encoding: str) -> None:
    lines = render(status, columns=columns, rows=rows, look=Look(False, encoding, blocks=encoding == "utf-8"))

    widest = max(width_of(line) for line in lines)
    assert (widest < columns, 1 <= len(lines) <= max(1, min(rows - 2, max(MOST_LINES, rows // 3)))) == (True, True)
