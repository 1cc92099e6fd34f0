"""What holds for all tests."""

import fcntl
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.config.places import NO_MACHINE
from tests.programs import children, give_children_default_signals, kill
from tests.untried import untried

# Machines that build are slow now and then: how long one example takes says nothing about the code.
settings.register_profile("sysmon", deadline=None, max_examples=60)
# A change is judged by the same examples each time; new ones are looked for where somebody can look into them.
settings.register_profile("ci", settings.get_profile("sysmon"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "sysmon")

# No test sees the configuration and the samples of the machine that it runs on, nor does any program that it starts.
os.environ |= NO_MACHINE

# Programs that tests start can be ended by Ctrl-C, also where somebody started the tests in the background.
give_children_default_signals()


@pytest.fixture(autouse=True)
def _programs_end_with_their_test() -> Iterator[None]:
    before = children(os.getpid())
    yield
    kill(children(os.getpid()) - before)


@pytest.fixture
def shared_memory() -> Iterator[None]:
    """Let the tests that watch /dev/shm take turns: there is one for all processes."""
    with (Path(tempfile.gettempdir()) / "sysmon-tests-shared-memory").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what this machine could not try, above the lines that name each test."""
    terminalreporter.section("not tried here")
    for line in untried(terminalreporter.stats.get("skipped", [])):
        terminalreporter.write_line(line)
