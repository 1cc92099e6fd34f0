"""A program is run for each alert: what it gets, what happens when it fails, hangs or does not listen."""

import json
import os
import subprocess
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
LEAVES = "import os, time; os.setpgid(0, os.getpgid(os.getppid())); time.sleep(60)"
DAEMON = """\
import os, sys, time
for _ in range(2):
    if os.fork():
        time.sleep(60)
    os.setsid()
open(sys.argv[1], 'w').write(str(os.getpid()))
time.sleep(60)
"""


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
    assert time.monotonic() - began < 60


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

    assert time.monotonic() - began < 15  # the program that is too slow takes up to 30 s
    assert courier._left_out >= 10


def test_one_that_leaves_its_group_is_ended_by_its_own_id() -> None:
    assert run(program(LEAVES), b"", ENVIRON, 0.5) == "it took too long and was ended"


def test_what_daemonized_under_a_program_ends_with_it(tmp_path: Path) -> None:
    trouble = run(program(DAEMON, str(tmp_path / "pid")), b"", ENVIRON, 2)

    pid = int((tmp_path / "pid").read_text())
    assert (trouble, is_alive(pid)) == ("it took too long and was ended", False)


def is_alive(pid: int) -> bool:
    """Say whether a process is there and no zombie (proc(5): the state follows the name)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_an_internal_error_costs_its_alert_only(tmp_path: Path) -> None:
    class Broken(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise ZeroDivisionError("by zero")

    said: list[str] = []
    courier = Courier(program(STORE, str(tmp_path / "got")), ENVIRON, seconds=30, tell=said.append)

    courier.send(b"first", Broken())
    courier.send(b"second", stored())
    courier.close(30)

    lost = f"{sys.executable} was not told of an alert: internal error: ZeroDivisionError('by zero')"
    assert ((tmp_path / "got").read_text(), said) == ("second", [lost])


def test_an_alert_waits_for_descriptors_and_is_handed_over_when_there_are_some(tmp_path: Path) -> None:
    """In a process of its own: the limit holds for all of it."""
    code = """\
import os, resource, sys, threading
from sysmon.console.command import Courier
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
free = os.open(os.devnull, os.O_RDONLY)
os.close(free)
refused = threading.Event()

def tell(text):
    print(text, flush=True)
    refused.set()

courier = Courier(sys.argv[1:], dict(os.environ), seconds=30, tell=tell, pause=0.01)
stored = threading.Event()
stored.set()
resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))
courier.send(b"waited", stored)
refused.wait(180)
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
courier.close(30)
"""
    command = [sys.executable, "-c", code, *program(STORE, str(tmp_path / "got"))]
    done = subprocess.run(command, env=ENVIRON, capture_output=True, text=True, check=False, timeout=300)

    waits = f"{sys.executable} cannot be started (Too many open files): alerts wait\n"
    assert ((tmp_path / "got").read_text(), done.stdout, done.stderr) == ("waited", waits, "")


@pytest.mark.needs_root
def test_one_that_may_not_be_ended_as_what_sudo_runs_is_left_alone_in_time_and_reaped_later() -> None:
    """In a process of its own, which becomes another user while the program runs."""
    code = """\
import os, sys, threading, time
from sysmon.console import command

command._ENDED_WITHIN = 0.1
told = []
waiting = threading.Thread(target=lambda: told.append(command.run(["sleep", "2"], b"", dict(os.environ), 0.5)))
waiting.start()
time.sleep(0.25)
os.setresuid(65534, 65534, 65534)
waiting.join()
stuck = len(command._stuck)
os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
command.run(["true"], b"", dict(os.environ), 30)
print(*told, stuck, len(command._stuck))
"""
    done = subprocess.run([sys.executable, "-c", code], env=ENVIRON, capture_output=True, text=True, check=False)

    assert done.stdout == "it took too long and could not be ended 1 0\n"
