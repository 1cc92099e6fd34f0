"""`sysmon show` and `sysmon top` on a real pseudo-terminal: keys, sizes, signals, and how the terminal is left."""

import re
import signal
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.integration.processes import SYSMON, environment, rows, run, start, until
from tests.integration.terminals import Terminal

XTERM = environment(TERM="xterm-256color", PYTHONIOENCODING="utf-8")
LEFT, RIGHT, UP, DOWN, HOME, END = "\x1b[D", "\x1b[C", "\x1b[A", "\x1b[B", "\x1b[H", "\x1b[F"
RESTORED = b"\x1b[?25h\x1b[?1049l"
ALWAYS = """\
version: 1
defaults: {for: 0s, clear_for: 0s}
rules:
  - id: exists
    metric: memory_total_bytes
    warning: {above: 1, clear_below: 1}
"""


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("looking")
    assert run(folder, "--interval", "100ms", "--ticks", "20", rules=ALWAYS).returncode == 0
    return folder


@contextmanager
def _watched(folder: Path) -> Iterator[None]:
    """Have a run at work that has stored some samples."""
    process = start(folder, "--interval", "100ms", stdout=subprocess.DEVNULL)
    try:
        until(lambda: len(rows(folder, "agent")) >= 5)
        yield
    finally:
        process.terminate()
        process.wait(180)


def _command(name: str, folder: Path, *more: str) -> list[str]:
    return [*SYSMON, name, "--data", str(folder / "data"), "--config", str(folder / "sysmon.yaml"), "--utc", *more]


def _header(terminal: Terminal) -> str:
    return str(terminal.screen.display[0])


def _to_instant(terminal: Terminal) -> str:
    """Return the instant that the screen shows, empty where it shows none."""
    match = re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d)?", _header(terminal))
    return match[0] if match else ""


def _instants(folder: Path) -> list[str]:
    """Return all samples, as they are shown."""
    stamps = [str(record["timestamp"]) for record in rows(folder, "agent")]
    return [f"{stamp[:10]} {stamp[11:19]}{'' if stamp[20] == '0' else stamp[19:21]}" for stamp in stamps]


def _quit(terminal: Terminal, process: "subprocess.Popen[bytes]", keys: str = "q") -> tuple[int, bool, bool]:
    """Leave; return the exit code, and whether the terminal's modes and screen are as they were."""
    terminal.type(keys)
    terminal.until(lambda: RESTORED in terminal.raw)
    return process.wait(180), terminal.left_as_it_was, terminal.raw.endswith(RESTORED)


def test_arrow_keys_step_from_sample_to_sample(stored: Path) -> None:
    instants = _instants(stored)
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("show", stored), XTERM)
        terminal.until(lambda: _to_instant(terminal) == instants[-1])
        for key, instant in (
            (LEFT, instants[-2]),
            (LEFT, instants[-3]),
            (RIGHT, instants[-2]),
            (HOME, instants[0]),
            (RIGHT, instants[1]),
            (UP, instants[0]),
            (END, instants[-1]),
        ):
            terminal.type(key)
            terminal.until(lambda instant=instant: _to_instant(terminal) == instant)  # type: ignore[misc]
        left = _quit(terminal, process)

    assert left == (0, True, True)


def test_keys_lead_from_alert_to_alert(stored: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("show", stored), XTERM)
        terminal.until(lambda: _to_instant(terminal))
        terminal.type("[")
        terminal.until(lambda: _to_instant(terminal) == _instants(stored)[0])
        terminal.type("[")
        terminal.until(lambda: "no alert fired before this sample" in terminal.screen.display[1])
        page = "\n".join(terminal.screen.display)
        _quit(terminal, process)

    assert re.search(r"WARNING +0s  exists", page)


def test_a_time_can_be_written(stored: Path) -> None:
    instants = _instants(stored)
    typed = instants[3].replace(" ", "T") + "Z"
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("show", stored), XTERM)
        terminal.until(lambda: _to_instant(terminal))
        terminal.type("g25:99\r")
        terminal.until(lambda: "invalid time '25:99'" in terminal.screen.display[1])
        terminal.type(f"g{typed}x\x7f")
        terminal.until(lambda: f"{typed}_" in terminal.screen.display[1])
        terminal.type("\r")
        terminal.until(lambda: _to_instant(terminal) == instants[3])
        left = _quit(terminal, process)

    assert left == (0, True, True)


def test_pages_help_and_order_are_a_key_away(stored: Path) -> None:
    with Terminal(100, 30) as terminal:
        process = terminal.start(_command("show", stored), XTERM)
        terminal.until(lambda: "process, by CPU" in "\n".join(terminal.screen.display))
        terminal.type("m")
        terminal.until(lambda: "process, by memory" in "\n".join(terminal.screen.display))
        terminal.type("\t")
        terminal.until(lambda: "   1 of " in "\n".join(terminal.screen.display))
        terminal.type("?")
        terminal.until(lambda: "previous alert" in "\n".join(terminal.screen.display))
        terminal.type("\x1b")
        terminal.until(lambda: "process, by memory" in "\n".join(terminal.screen.display))
        left = _quit(terminal, process)

    assert left == (0, True, True)


def test_top_follows_a_run_goes_back_and_returns_to_now(tmp_path: Path) -> None:
    with Terminal(80, 24) as terminal, _watched(tmp_path):
        process = terminal.start(_command("top", tmp_path), XTERM)
        terminal.until(lambda: "LIVE, every 100ms" in _header(terminal))
        first = _to_instant(terminal)
        terminal.until(lambda: _to_instant(terminal) > first)
        terminal.type(" ")
        terminal.until(lambda: "PAST" in _header(terminal))
        paused = _to_instant(terminal)
        before = len(rows(tmp_path, "agent"))
        terminal.type(LEFT)
        terminal.until(lambda: _to_instant(terminal) < paused and _to_instant(terminal) in _instants(tmp_path))
        until(lambda: len(rows(tmp_path, "agent")) > before + 3)
        back = _to_instant(terminal)
        terminal.type(END)
        terminal.until(lambda: "LIVE" in _header(terminal) and _to_instant(terminal) > paused)
        left = _quit(terminal, process)

    assert (back in _instants(tmp_path), left) == (True, (0, True, True))


def test_top_says_when_the_run_has_ended(tmp_path: Path) -> None:
    with Terminal(80, 24) as terminal:
        with _watched(tmp_path):
            process = terminal.start(_command("top", tmp_path), XTERM)
            terminal.until(lambda: "LIVE" in _header(terminal))
        terminal.until(lambda: "PAST" in _header(terminal))
        left = _quit(terminal, process)

    assert left == (0, True, True)


def test_top_samples_by_itself_where_nothing_runs_and_stores_nothing(tmp_path: Path) -> None:
    (tmp_path / "sysmon.yaml").write_text("")
    with Terminal(100, 30) as terminal:
        process = terminal.start(_command("top", tmp_path, "--interval", "100ms"), XTERM)
        terminal.until(lambda: "LIVE, every 100ms" in _header(terminal))
        first = _to_instant(terminal)
        terminal.until(lambda: _to_instant(terminal) > first)
        terminal.type(LEFT)
        terminal.until(lambda: "PAST" in _header(terminal))
        page = "\n".join(terminal.screen.display)
        left = _quit(terminal, process)

    assert ("process, by CPU" in page, left, list(tmp_path.iterdir())) == (
        True,
        (0, True, True),
        [tmp_path / "sysmon.yaml"],
    )


def test_keys_are_heeded_however_often_samples_are_taken(tmp_path: Path) -> None:
    (tmp_path / "sysmon.yaml").write_text("")
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("top", tmp_path, "--interval", "10ms"), XTERM)
        terminal.until(lambda: "LIVE, every 10ms" in _header(terminal))
        left = _quit(terminal, process)

    assert left == (0, True, True)


def test_what_was_stored_is_the_past_of_what_is_sampled_now(stored: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("top", stored, "--interval", "100ms"), XTERM)
        terminal.until(lambda: "LIVE" in _header(terminal))
        terminal.type(HOME)
        terminal.until(lambda: _to_instant(terminal) == _instants(stored)[0])
        _quit(terminal, process)

    assert process.returncode == 0


def test_a_new_size_is_drawn_at_once(stored: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("show", stored), XTERM)
        terminal.until(lambda: "q quit" in terminal.screen.display[23])
        seen = []
        for columns, height in ((200, 50), (50, 12), (120, 40)):
            terminal.resize(columns, height)
            terminal.until(lambda height=height: "q quit" in terminal.screen.display[height - 1])  # type: ignore[misc]
            seen.append([place for place, line in enumerate(terminal.screen.display) if "q quit" in line])
        left = _quit(terminal, process)

    assert (seen, left) == ([[49], [11], [39]], (0, True, True))


@pytest.mark.parametrize(
    ("end", "code"),
    [
        pytest.param("q", 0, id="q"),
        pytest.param("\x03", 130, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 0, id="SIGTERM"),
        pytest.param(signal.SIGHUP, 129, id="SIGHUP"),
    ],
)
def test_however_it_ends_the_terminal_is_as_it_was(stored: Path, end: str | signal.Signals, code: int) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("show", stored), XTERM)
        terminal.until(lambda: _to_instant(terminal))
        hidden, taken = terminal.screen.cursor.hidden, not terminal.left_as_it_was
        terminal.type(end) if isinstance(end, str) else process.send_signal(end)
        terminal.until(lambda: RESTORED in terminal.raw)
        process.wait(180)
        left = terminal.left_as_it_was

    assert (hidden, taken, process.returncode, left) == (True, True, code, True)


def test_ctrl_z_gives_the_terminal_back_and_fg_takes_it_again(stored: Path) -> None:
    command = " ".join(_command("show", stored))
    with Terminal(80, 24) as terminal:
        shell = terminal.start(["/bin/sh", "-mc", f"{command}; echo shell; read line; fg; echo left"], XTERM)
        terminal.until(lambda: _to_instant(terminal))
        instant = _to_instant(terminal)
        terminal.type("\x1a")
        terminal.until(lambda: b"shell" in terminal.raw)
        stopped = terminal.left_as_it_was
        terminal.type("\n")
        terminal.until(lambda: _to_instant(terminal) == instant and terminal.screen.cursor.hidden)
        terminal.type("q")
        terminal.until(lambda: b"left" in terminal.raw)
        shell.wait(180)
        restored = terminal.left_as_it_was

    assert (stopped, restored) == (True, True)


def test_a_terminal_that_goes_away_ends_it(stored: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("show", stored), XTERM)
        terminal.until(lambda: _to_instant(terminal))
        terminal.hang_up()

        assert process.wait(180) in {0, 129}


def test_a_terminal_that_takes_nothing_does_not_keep_it_from_ending(stored: Path) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("show", stored), XTERM)
        terminal.until(lambda: "q quit" in terminal.screen.display[23])
        terminal.type("\x13")
        terminal.type(LEFT)
        process.terminate()

        assert (process.wait(180), terminal.modes_as_they_were) == (0, True)


def _characters(raw: bytes) -> tuple[bool, bool]:
    """Return whether there is colour in what was written, and whether there is anything but ASCII."""
    return re.search(rb"\x1b\[[0-9;]*[1-9][0-9;]*m", raw) is not None, not raw.isascii()


@pytest.mark.parametrize(
    ("more", "colour", "blocks"),
    [
        pytest.param({}, True, True, id="a terminal of today"),
        pytest.param({"NO_COLOR": "1"}, False, True, id="no colour is wanted"),
        pytest.param({"PYTHONIOENCODING": "ascii"}, True, False, id="no Unicode"),
        pytest.param({"TERM": "linux"}, True, False, id="a console whose font lacks blocks"),
    ],
)
def test_colours_and_blocks_are_used_where_they_can_be(
    stored: Path, more: dict[str, str], colour: bool, blocks: bool
) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start(_command("show", stored), XTERM | more)
        terminal.until(lambda: "q quit" in terminal.screen.display[23])
        _quit(terminal, process)

    assert _characters(terminal.raw) == (colour, blocks)


@pytest.mark.parametrize(
    ("size", "term", "more"),
    [
        pytest.param((80, 24), "dumb", (), id="a terminal without a cursor"),
        pytest.param((20, 5), "xterm", (), id="a tiny terminal"),
        pytest.param((80, 24), "xterm", ("--plain",), id="a page is wanted"),
    ],
)
def test_where_no_screen_can_be_or_is_wanted_there_is_a_page(
    stored: Path, size: tuple[int, int], term: str, more: Sequence[str]
) -> None:
    with Terminal(*size) as terminal:
        process = terminal.start(_command("show", stored, "--color", "never", *more), environment(TERM=term))
        terminal.until(lambda: b"other processes" in terminal.raw)
        code = process.wait(180)

    assert (code, b"\x1b" in terminal.raw) == (0, False)
