import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.terminals import Terminal
from tests.programs import Program, children, kill

SLEEP = ["/bin/sleep", "600"]


def _runs(pid: int) -> bool:
    """Say whether a process is there and no zombie, which somebody else must collect."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_program_ends_with_a_block_that_fails() -> None:
    with pytest.raises(AssertionError), Program(SLEEP) as program:
        raise AssertionError

    assert program.returncode == -signal.SIGKILL


def test_what_a_program_has_started_ends_with_it() -> None:
    with Program(["/bin/sh", "-c", "sleep 600 & echo; wait"], stdout=subprocess.PIPE) as program:
        assert program.stdout is not None
        select.select([program.stdout], [], [], 180)
        started = children(program.pid)
        kill([program.pid])

    assert (len(started), [pid for pid in started if _runs(pid)]) == (1, [])


def test_a_program_is_one_of_our_children_until_it_has_ended() -> None:
    with Program(SLEEP) as program:
        running = program.pid in children(os.getpid())
        kill([program.pid])

    assert (running, program.pid in children(os.getpid())) == (True, False)


def test_a_program_that_ignores_a_hang_up_ends_with_its_terminal() -> None:
    with Terminal(80, 24) as terminal:
        program = terminal.start(["/bin/sh", "-c", "trap '' HUP; echo ready; sleep 600"], {"PATH": os.defpath})
        terminal.until(lambda: "ready" in terminal.lines)

    assert program.returncode == -signal.SIGKILL


@pytest.mark.parametrize("name", ["INT", "QUIT", "HUP", "TERM"])
def test_a_signal_that_we_were_started_to_ignore_ends_our_children(name: str) -> None:
    script = (
        "import signal, subprocess; from tests.programs import give_children_default_signals\n"
        "give_children_default_signals()\n"
        f"child = subprocess.Popen({SLEEP})\n"
        f"signal.raise_signal(signal.SIG{name}); child.send_signal(signal.SIG{name}); print(child.wait())"
    )
    command = ["/bin/sh", "-c", f"trap '' {name}; exec \"$@\"", "sh", sys.executable, "-c", script]

    ended = subprocess.run(command, capture_output=True, text=True, check=False, cwd=Path(__file__).parent.parent)

    assert (ended.stdout, ended.stderr) == (f"{-signal.Signals[f'SIG{name}']}\n", "")
