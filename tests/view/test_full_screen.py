import os
import re
from dataclasses import replace
from datetime import timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.model import Level
from sysmon.text.cells import width_of
from sysmon.text.spans import Look, load_style
from sysmon.view import blocks, full_screen, plain_page
from sysmon.view.commands import Command, Order, Situation, View
from sysmon.view.gauges import draw_gauges
from sysmon.view.layout import render_lines, stack
from sysmon.view.processes import draw_processes
from sysmon.view.snapshot import Snapshot, TableSnapshot
from tests.view.scenes import ALERTS, LIVE, NOON, PAST, PROCESSES, busy

GOLDEN = Path(__file__).parents[1] / "golden"
PLAIN = Look(color=False)
ASCII = Look(color=False, encoding="ascii", blocks=False)


def _golden(name: str, lines: list[str]) -> list[str]:
    """Return what a golden holds; `SYSMON_GOLDEN=write` writes it anew."""
    path = GOLDEN / name
    if os.environ.get("SYSMON_GOLDEN") == "write":
        path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path.read_text("utf-8").splitlines()


def _screen(
    snapshot: Snapshot | None,
    columns: int,
    rows: int,
    *,
    view: View = View(),  # noqa: B008 - it holds nothing that changes
    situation: Situation = LIVE,
    look: Look = PLAIN,
) -> list[str]:
    return full_screen.render(snapshot, view, situation, host="web-01", columns=columns, rows=rows, look=look).lines


@pytest.mark.parametrize(("columns", "rows"), [(50, 20), (80, 24), (120, 40), (200, 60)])
def test_the_screen_uses_the_size_that_it_has(columns: int, rows: int) -> None:
    lines = _screen(busy(), columns, rows)

    assert lines == _golden(f"screen-{columns}x{rows}.txt", lines)


@pytest.mark.parametrize(
    ("percent", "level", "style"),
    [
        pytest.param(79.9, None, "ok", id="usual"),
        pytest.param(80.0, None, "warning", id="high"),
        pytest.param(95.0, None, "critical", id="very high"),
        pytest.param(10.0, Level.CRITICAL, "critical", id="low and below the limit of a rule"),
        pytest.param(99.0, Level.INFO, "critical", id="the worse of both"),
    ],
)
def test_a_load_has_the_colour_of_its_height_or_of_its_alert(percent: float, level: Level | None, style: str) -> None:
    assert load_style(percent, level) == style


@pytest.mark.parametrize(
    ("started", "shown"),
    [
        pytest.param("2026-11-20T11:05:51Z", "20:05:51", id="the same day"),
        pytest.param("2026-11-19T11:05:51Z", "2026-11-19", id="another day"),
        pytest.param("-", "-", id="unknown"),
    ],
)
def test_the_start_of_a_process_is_short_and_local(started: str, shown: str) -> None:
    process = BUSY.tables["process"]
    place = process.table.columns.index("started")
    rows = [(*row[:place], started, *row[place + 1 :]) for row in process.rows]
    snapshot = replace(BUSY, tables={**BUSY.tables, "process": replace(process, rows=rows)})

    lines = draw_processes(snapshot, 200, PLAIN, Order.CPU, timezone(timedelta(hours=9)))

    assert {"".join(span.text for span in line).split()[-1] for line in lines[1:]} == {shown}


def test_the_shares_of_the_processor_begin_with_the_largest() -> None:
    cpu = BUSY.tables["cpu"]
    columns = cpu.table.columns
    shares = {"cpu_user_percent": 1.3, "cpu_nice_percent": 76.0, "cpu_system_percent": 16.5, "cpu_iowait_percent": 40.0}
    rows = [tuple(shares.get(name, cell) for name, cell in zip(columns, row, strict=True)) for row in cpu.rows]
    snapshot = replace(BUSY, tables={**BUSY.tables, "cpu": replace(cpu, rows=rows)})

    lines = draw_gauges(snapshot, 100, PLAIN)

    shown = "".join(span.text for span in lines[0])

    assert shown.index("nice 76.0") < shown.index("sys 16.5") < shown.index("user 1.3")


def test_without_blocks_it_is_drawn_in_ascii() -> None:
    lines = _screen(busy(), 80, 24, look=ASCII, situation=PAST)

    assert lines == _golden("screen-80x24-ascii.txt", lines)


@pytest.mark.parametrize(("name", "tables"), [("all", ()), ("tables", ("disk_io", "collector"))])
def test_a_page_tells_everything_or_the_tables_that_were_asked_for(name: str, tables: tuple[str, ...]) -> None:
    lines = plain_page.render(busy(), PAST, tables=tables, width=80, look=PLAIN)

    assert lines == _golden(f"page-{name}.txt", lines)


def test_colour_only_repeats_what_the_words_say() -> None:
    coloured = _screen(busy(), 120, 40, look=Look(color=True))

    assert [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in coloured] == _screen(busy(), 120, 40)


def test_a_row_that_something_fires_about_has_its_colour_and_no_other_has() -> None:
    coloured = _screen(busy(), 120, 40, look=Look(color=True))

    painted = re.findall(r"(\x1b\[[0-9;]*m)?(/boot|/var/lib/docker) ", "\n".join(coloured[4:]))
    assert painted == [("\x1b[33m", "/var/lib/docker"), ("", "/boot")]


def test_the_help_names_every_command_whole() -> None:
    shown = "\n".join(_screen(busy(), 80, 24, view=View(helping=True)))

    assert [command for command in Command if command.value not in shown] == []


def test_before_the_first_sample_it_says_so() -> None:
    lines = _screen(None, 80, 24, situation=replace(LIVE, note="no sample yet"))

    assert (lines[:2], len(lines), lines[-1].startswith("q quit")) == (["web-01", "no sample yet"], 24, True)


def test_each_table_has_a_page_of_its_own() -> None:
    snapshot = busy()

    titles = [
        _screen(snapshot, 80, 24, view=View(page=number))[1].split()[0]
        for number in range(1, full_screen.pages(snapshot))
    ]

    assert titles == ["alerts", *snapshot.tables]


def test_the_page_of_the_processes_has_their_units_and_the_order_that_was_chosen() -> None:
    view = View(Order.IO, page=list(busy().tables).index("process") + 2)

    lines = _screen(busy(), 80, 40, view=view)

    assert [line.split()[-1] for line in lines if "unit=" in line] == [
        "unit=postgresql.service",
        "unit=shop.service",
        "unit=init.scope",
        "unit=user@1000.service",
        "unit=-",
    ]


def test_scrolling_ends_with_the_last_line() -> None:
    view = View(page=list(busy().tables).index("cpu") + 2, scroll=10_000)

    drawn = full_screen.render(busy(), view, LIVE, host="web-01", columns=80, rows=24, look=PLAIN)

    assert (drawn.scroll < 10_000, drawn.lines[-2] != "") == (True, True)


@pytest.mark.parametrize(
    ("order", "first"),
    [
        pytest.param(Order.CPU, ["java", "postgres", "zsh", "systemd", "other"], id="CPU"),
        pytest.param(Order.MEMORY, ["java", "postgres", "zsh", "systemd", "other"], id="memory"),
        pytest.param(Order.IO, ["postgres", "java", "systemd", "zsh", "other"], id="unknown I/O comes last"),
        pytest.param(Order.NAME, ["java", "postgres", "systemd", "zsh", "other"], id="name"),
    ],
)
def test_processes_are_sorted_and_all_others_come_last(order: Order, first: list[str]) -> None:
    lines = _screen(busy(), 120, 40, view=View(order))

    start = next(place for place, line in enumerate(lines) if line.startswith(f"process, by {order.value}"))
    assert [line.split()[0] for line in lines[start + 1 : start + 6]] == first


def test_where_rows_are_few_the_others_are_still_the_last_of_the_processes() -> None:
    listed = [(str(number), *row[1:]) for number in range(5) for row in PROCESSES[:-1]]
    snapshot = busy()
    process = replace(snapshot.tables["process"], rows=[*listed, PROCESSES[-1]])

    lines = _screen(replace(snapshot, tables={**snapshot.tables, "process": process}), 80, 24)

    assert lines[-2].startswith("other processes")


def test_a_table_that_should_be_newer_says_how_old_it_is() -> None:
    snapshot = busy()
    stuck = replace(snapshot.tables["disk_usage"], at=NOON - timedelta(seconds=90))

    lines = _screen(replace(snapshot, tables={**snapshot.tables, "disk_usage": stuck}), 120, 40)

    assert len([line for line in lines if "mount 90s old" in line]) == 1


def test_many_cores_get_a_character_each() -> None:
    snapshot = busy()
    whole, first, *_ = snapshot.tables["cpu"].rows
    cpu = replace(snapshot.tables["cpu"], rows=[whole, *((str(number), *first[1:]) for number in range(256))])

    block = blocks.draw_cores(replace(snapshot, tables={"cpu": cpu}), 60, PLAIN)

    assert block is not None
    assert "".join(span.text for line in block.rows for span in line) == "▅" * 256


@pytest.mark.parametrize(("height", "characters"), [(3, 8), (5, 0)])
def test_where_there_is_no_room_for_bars_each_core_is_a_character(height: int, characters: int) -> None:
    block = blocks.draw_cores(busy(), 38, PLAIN)

    assert block is not None
    strips = [text for text in render_lines(stack([block], height), 38, PLAIN) if re.fullmatch("[▁-█]+", text)]
    assert sum(map(len, strips)) == characters


def test_a_hostile_name_moves_no_cursor_and_breaks_no_line() -> None:
    nasty = "a\x1b[2J\nb\u202e[bold]"
    snapshot = busy()
    tables = {
        name: replace(
            shown,
            rows=[(*(nasty for _ in shown.table.labels), *row[len(shown.table.labels) :]) for row in shown.rows],
        )
        for name, shown in snapshot.tables.items()
    }
    alert = replace(ALERTS[0], rule=nasty, labels={"mountpoint": nasty}, condition=nasty)
    snapshot = replace(snapshot, host=nasty, tables=tables, alerts=(alert,))

    screens = [_screen(snapshot, 120, 40, view=View(page=number)) for number in range(full_screen.pages(snapshot))]

    plain = plain_page.render(snapshot, LIVE, tables=(), width=80, look=PLAIN)
    assert [line for lines in [*screens, plain] for line in lines if not line.isprintable()] == []


def _without(snapshot: Snapshot, names: set[str]) -> dict[str, TableSnapshot]:
    return {name: shown for name, shown in snapshot.tables.items() if name not in names}


BUSY = busy()


@given(
    st.integers(1, 220),
    st.integers(1, 70),
    st.sets(st.sampled_from(list(BUSY.tables))),
    st.integers(0, 13),
    st.booleans(),
    st.sampled_from(["", "x" * 300, "世界" * 60]),
    st.sampled_from([PLAIN, ASCII]),
)
def test_it_never_takes_more_room_than_there_is(
    columns: int, rows: int, missing: set[str], number: int, helping: bool, note: str, look: Look
) -> None:
    snapshot = replace(BUSY, tables=_without(BUSY, missing))
    situation = replace(PAST, note=look.sanitize(note), skipped=3)
    view = View(page=number if snapshot.tables else 0, helping=helping)

    lines = full_screen.render(
        snapshot, view, situation, host="web-01" * 9, columns=columns, rows=rows, look=look
    ).lines

    assert (len(lines), max(map(width_of, lines)) <= max(1, columns - 1)) == (rows, True)
