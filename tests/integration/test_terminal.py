"""`sysmon run` on a real pseudo-terminal: what a person sees, and in what state the terminal is left."""

import signal
from pathlib import Path

import pytest

from tests.integration.processes import arguments, environment, rows
from tests.integration.terminals import Terminal

ALWAYS = """\
version: 1
defaults: {for: 0s, clear_for: 0s}
rules:
  - id: exists
    metric: memory_total_bytes
    warning: {above: 1, clear_below: 1}
"""
XTERM = environment(TERM="xterm-256color", PYTHONIOENCODING="utf-8")
AREA = ["WARNING", "cpu", "memory", "disk", "space", "network", "top", "samples", "files", "WARNING"]


def _first_words(lines: list[str]) -> list[str]:
    return [line.split()[0] if line else "" for line in lines]


def _ticks(terminal: Terminal) -> int:
    """Return the number of samples that the area shows."""
    shown = [line.split()[1] for line in terminal.lines if line.startswith("samples ")]
    return int(shown[-1]) if shown else 0


def _rest(terminal: Terminal) -> tuple[int, str]:
    """Return the column of the cursor and the line that it is on: 0 and empty but in the middle of a drawing."""
    cursor = terminal.screen.cursor
    return cursor.x, terminal.screen.display[cursor.y].strip()


@pytest.mark.parametrize(("columns", "height"), [(80, 24), (200, 50)])
def test_the_area_stands_once_below_the_alert_that_it_shows(tmp_path: Path, columns: int, height: int) -> None:
    with Terminal(columns, height) as terminal:
        process = terminal.start(arguments(tmp_path, "--interval", "100ms", rules=ALWAYS), XTERM)
        terminal.until(lambda: _ticks(terminal) >= 5 and _rest(terminal) == (0, ""))
        lines, resting = terminal.lines, _rest(terminal)
        terminal.type("\x03")
        process.wait(180)

    assert (_first_words(lines[-11:]), resting) == (["", *AREA], (0, ""))
    assert [line.split()[1] for line in lines[:-11] if "exists:" in line] == ["WARNING"]
    assert _first_words(lines).count("files") == 2  # where they go is said at the start, and in the area


def test_a_new_size_is_drawn_at_once_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(arguments(tmp_path, "--interval", "1h", rules=ALWAYS), XTERM)
        terminal.until(lambda: "files" in _first_words(terminal.lines[-1:]))
        widths = []
        for columns, height in ((200, 24), (50, 24), (120, 40)):
            terminal.resize(columns, height)
            terminal.until(lambda columns=columns: len(_header(terminal)) == columns - 1)  # type: ignore[misc]
            widths.append((_first_words(terminal.lines).count("samples"), max(map(len, terminal.lines[-9:]))))
        terminal.type("\x03")
        process.wait(180)

    assert widths == [(1, 199), (1, 49), (1, 119)]


def _header(terminal: Terminal) -> str:
    return next((line for line in terminal.lines if line.startswith("OK ")), "")


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param("\x03", 130, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 0, id="SIGTERM"),
    ],
)
def test_the_end_leaves_the_last_state_with_the_stop_line_below(
    tmp_path: Path, end: str | signal.Signals, code: int
) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(arguments(tmp_path, "--interval", "100ms", rules=ALWAYS), XTERM)
        terminal.until(lambda: _ticks(terminal) >= 2)
        terminal.type(end) if isinstance(end, str) else process.send_signal(end)
        terminal.until(lambda: "sysmon stopped" in terminal.lines[-1])
        process.wait(180)
        lines, restored, cursor = terminal.lines, terminal.left_as_it_was, terminal.screen.cursor

    ticks = len(rows(tmp_path, "agent"))
    assert (process.returncode, restored, cursor.x) == (code, True, 0)
    assert _first_words(lines[-12:]) == ["", *AREA, "sysmon"]
    assert (f": {ticks} samples, " in lines[-1], lines[-4].split()[1]) == (True, str(ticks))


def test_ctrl_z_clears_the_area_and_fg_brings_it_back(tmp_path: Path) -> None:
    command = " ".join(arguments(tmp_path, "--interval", "100ms", rules=ALWAYS))
    with Terminal(80, 24) as terminal:
        shell = terminal.start(["/bin/sh", "-mc", f"{command}; echo shell; read line; fg; echo left"], XTERM)
        terminal.until(lambda: _ticks(terminal) >= 2)
        terminal.type("\x1a")
        terminal.until(lambda: "shell" in terminal.lines)
        stopped, modes = terminal.lines, terminal.left_as_it_was
        before = len(rows(tmp_path, "agent"))
        terminal.type("\n")
        terminal.until(lambda: _ticks(terminal) >= before + 3)
        back = terminal.lines
        terminal.type("\x03")
        terminal.until(lambda: "left" in terminal.lines)
        shell.wait(180)
        restored = terminal.left_as_it_was

    assert ("samples" in _first_words(stopped), modes, restored) == (False, True, True)
    assert (_first_words(back[-11:]), _first_words(back).count("samples")) == (["", *AREA], 1)


def test_in_the_background_only_alerts_are_shown(tmp_path: Path) -> None:
    command = " ".join(arguments(tmp_path, "--interval", "50ms", rules=ALWAYS))
    with Terminal(80, 24) as terminal:
        shell = terminal.start(["/bin/sh", "-mc", f"{command} & read line; kill %1; wait; echo left"], XTERM)
        terminal.until(lambda: len(rows(tmp_path, "agent")) >= 10)
        terminal.type("\n")
        terminal.until(lambda: "left" in terminal.lines)
        shell.wait(180)

    words = _first_words(terminal.lines)
    shown = "\n".join(terminal.lines)
    assert (words.count("samples"), "exists:" in shown, "sysmon stopped (SIGTERM)" in shown) == (0, True, True)


def test_a_terminal_that_goes_away_ends_the_run_with_everything_stored(tmp_path: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(arguments(tmp_path, "--interval", "50ms", rules=ALWAYS), XTERM)
        terminal.until(lambda: _ticks(terminal) >= 3)
        terminal.hang_up()
        process.wait(180)

    stopped = [record for record in rows(tmp_path, "events") if record["event"] == "stopped"]
    ends = [(record["reason"], record["ticks"]) for record in stopped]
    assert (process.returncode, ends) == (129, [("SIGHUP", len(rows(tmp_path, "agent")))])


def test_a_line_of_the_log_stands_above_the_area(tmp_path: Path) -> None:
    with Terminal(80, 24) as terminal:
        command = arguments(tmp_path, "--interval", "100ms", rules=ALWAYS)
        (tmp_path / "sysmon.yaml").write_text("resource_limits: {memory: 1MiB}\n")
        process = terminal.start(command, XTERM)
        terminal.until(lambda: _ticks(terminal) >= 5)
        lines = terminal.lines
        terminal.type("\x03")
        process.wait(180)

    logged = [number for number, line in enumerate(lines) if " warning: limit" in line]
    assert (len(logged), logged[0] < len(lines) - 11, _first_words(lines[-11:])) == (1, True, ["", *AREA])


def test_a_terminal_that_takes_nothing_holds_up_no_sample(tmp_path: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(arguments(tmp_path, "--interval", "50ms", rules=ALWAYS), XTERM)
        terminal.until(lambda: _ticks(terminal) >= 2)
        terminal.type("\x13")
        seen = len(rows(tmp_path, "agent"))
        terminal.until(lambda: len(rows(tmp_path, "agent")) >= seen + 20)
        waiting = len(terminal.raw)
        terminal.type("\x11")
        terminal.until(lambda: _ticks(terminal) >= seen + 20)
        caught_up = terminal.raw[waiting:].count(b"samples")
        process.terminate()
        process.wait(180)

    assert (process.returncode, caught_up < 10) == (0, True)


@pytest.mark.parametrize(
    ("size", "flags", "term"),
    [
        pytest.param((80, 24), (), "dumb", id="a terminal without a cursor"),
        pytest.param((80, 24), (), "", id="an unknown terminal"),
        pytest.param((80, 5), (), "xterm", id="too few rows"),
        pytest.param((20, 24), (), "xterm", id="too few columns"),
        pytest.param((80, 24), ("--lines",), "xterm", id="lines are wanted"),
    ],
)
def test_where_no_area_can_be_there_is_a_line_a_tick(
    tmp_path: Path, size: tuple[int, int], flags: tuple[str, ...], term: str
) -> None:
    command = arguments(tmp_path, "--interval", "50ms", "--ticks", "3", "--color", "never", *flags)
    with Terminal(*size) as terminal:
        process = terminal.start(command, environment(TERM=term))
        terminal.until(lambda: b"sysmon stopped" in terminal.raw)
        process.wait(180)

    ticks = [line for line in terminal.raw.decode().splitlines() if line[9:11] == "OK"]
    assert (len(ticks), b"\x1b" in terminal.raw) == (3, False)


def test_no_frame_hides_the_cursor_or_leaves_the_screen(tmp_path: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(arguments(tmp_path, "--interval", "50ms", "--ticks", "3", rules=ALWAYS), XTERM)
        terminal.until(lambda: b"sysmon stopped" in terminal.raw)
        process.wait(180)

    assert b"\x1b[?" not in terminal.raw
