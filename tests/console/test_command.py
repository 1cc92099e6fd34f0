"""A program is run for each alert: what it gets, what happens when it fails, hangs or does not listen."""

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from sysmon.console.command import LIMIT, Courier, run

ENVIRON = dict(os.environ)
STORE = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read())"
COUNT = "import sys; open(sys.argv[1], 'a').write('x'); sys.exit(3)"
HANG = "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"


def stored() -> threading.Event:
    event = threading.Event()
    event.set()
    return event


def program(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def test_a_program_gets_the_event_on_its_input(tmp_path: Path) -> None:
    trouble = run(program(STORE, str(tmp_path / "got")), b'{"event":"fired"}\n', ENVIRON, 30)

    assert (trouble, json.loads((tmp_path / "got").read_text())) == (None, {"event": "fired"})


def test_more_than_a_pipe_holds_arrives_whole(tmp_path: Path) -> None:
    data = b"x" * 2_000_000

    trouble = run(program(STORE, str(tmp_path / "got")), data, ENVIRON, 30)

    assert (trouble, (tmp_path / "got").read_bytes() == data) == (None, True)


@pytest.mark.parametrize(
    ("command", "trouble"),
    [
        pytest.param(program("import sys; sys.exit(3)"), "it ended with 3", id="an exit code"),
        pytest.param(program("import os; os.kill(os.getpid(), 9)"), "it ended with -9", id="a signal"),
        pytest.param(["/no/such/program"], "it cannot be started (No such file or directory)", id="not there"),
        pytest.param(program(""), None, id="one that does not read"),
    ],
)
def test_how_it_ended_is_told(command: list[str], trouble: str | None) -> None:
    assert run(command, b"x" * 200_000, ENVIRON, 30) == trouble


def test_nothing_of_a_shell_is_in_between(tmp_path: Path) -> None:
    run(program(STORE, str(tmp_path / "$HOME; touch evil && `id`")), b"", ENVIRON, 30)

    assert [path.name for path in tmp_path.iterdir()] == ["$HOME; touch evil && `id`"]


def test_one_that_hangs_is_ended_with_all_that_it_started() -> None:
    began = time.monotonic()

    assert run(program(HANG), b"", ENVIRON, 0.5) == "it took too long and was ended"
    assert time.monotonic() - began < 20


def test_one_that_fails_is_tried_once_more_and_then_told_of(tmp_path: Path) -> None:
    said: list[str] = []
    courier = Courier(program(COUNT, str(tmp_path / "tries")), ENVIRON, seconds=30, tell=said.append, pause=0)

    courier.send(b"{}", stored())
    courier.close(30)

    assert ((tmp_path / "tries").read_text(), said) == (
        "xx",
        [f"{sys.executable} was not told of an alert: it ended with 3"],
    )


def test_events_arrive_in_order(tmp_path: Path) -> None:
    said: list[str] = []
    courier = Courier(program(STORE, str(tmp_path / "got")), ENVIRON, seconds=30, tell=said.append)

    for number in range(3):
        courier.send(b"%d\n" % number, stored())
    courier.close(30)

    assert ((tmp_path / "got").read_text(), said) == ("0\n1\n2\n", [])


def test_a_program_that_is_too_slow_holds_up_nobody_and_what_it_missed_is_counted(tmp_path: Path) -> None:
    said: list[str] = []
    never = threading.Event()
    courier = Courier(program(STORE, str(tmp_path / "got")), ENVIRON, seconds=30, tell=said.append)

    for _ in range(LIMIT + 11):
        courier.send(b"", never)
    began = time.monotonic()
    courier.send(b"", never)

    assert time.monotonic() - began < 1
    assert courier._left_out >= 10
