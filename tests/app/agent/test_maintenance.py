"""The child that maintains: when it starts, that nobody waits for it, and what it complains of."""

import logging
import os
import resource
import sys
from pathlib import Path

import pytest

from sysmon.app.agent.log import LOGGER
from sysmon.app.agent.maintenance import MaintenanceRunner
from sysmon.app.agent.observer import Entry
from sysmon.model import Sample
from sysmon.sampling.loop import TickCounts
from sysmon.text.instants import EPOCH
from tests.integration.processes import until


class Logged(logging.Handler):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def logged() -> list[str]:
    handler = Logged()
    logging.getLogger(LOGGER).handlers = [handler]
    logging.getLogger(LOGGER).propagate = False
    return handler.lines


class Runner:
    """A runner beside a writer whose ended segments the test counts."""

    def __init__(self, *command: str) -> None:
        self.ended = 0
        self.seconds = 0.0
        self.maintenance = MaintenanceRunner(
            command, dict(os.environ), lambda: self.ended, longest=3600, monotonic=lambda: self.seconds
        )

    def look(self, ended: int) -> None:
        self.ended = ended
        self.maintenance.look()

    def finish(self, ended: int) -> None:
        """Look until the child is done."""

        def idle() -> bool:
            self.look(ended)
            return self.maintenance.idle

        until(idle)

    def stop(self) -> None:
        """End as a run does."""
        self.maintenance.stop(Entry(Sample(EPOCH, {}), [], TickCounts(EPOCH)))


def runner_of(body: str) -> Runner:
    """Return one whose child runs some Python."""
    return Runner(sys.executable, "-c", body)


def test_it_starts_at_the_look_after_a_segment_has_ended_and_only_once(tmp_path: Path) -> None:
    runner = runner_of(f"open({str(tmp_path / 'ran')!r}, 'a').write('x')")
    for ended in (0, 0, 1):
        runner.look(ended)
    before = list(tmp_path.iterdir())

    runner.look(1)
    runner.finish(1)
    runner.look(1)
    runner.finish(1)

    assert (before, (tmp_path / "ran").read_text()) == ([], "x")


def test_one_complaint_is_logged_once_and_again_after_all_was_well(logged: list[str], tmp_path: Path) -> None:
    good = tmp_path / "good"
    runner = runner_of(
        f"import os, sys; os.path.exists({str(good)!r}) or sys.exit('sysmon: a: broken\\nsysmon: b: too')"
    )
    for ended in (1, 2):
        runner.look(ended)
        runner.finish(ended)
    good.touch()
    runner.look(3)
    runner.finish(3)
    good.unlink()
    runner.look(4)
    runner.finish(4)

    assert logged == ["maintenance: a: broken; sysmon: b: too"] * 2


def test_a_program_that_is_not_there_is_one_line(logged: list[str]) -> None:
    runner = Runner("/no/such/program")

    for ended in range(1, 9):
        runner.look(ended)

    assert logged == ["maintenance: it cannot be started (No such file or directory)"]


def test_a_child_at_work_is_not_waited_for_and_ends_with_the_run(logged: list[str]) -> None:
    runner = runner_of("import time; time.sleep(60)")
    runner.look(1)
    runner.look(1)

    runner.stop()
    runner.finish(1)

    assert logged == ["maintenance: it was ended by signal 15"]


def test_a_child_that_hangs_is_killed_after_a_time_and_the_next_one_starts(logged: list[str], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    runner = runner_of(f"open({str(tmp_path / 'ran')!r}, 'a').write('x'); open({str(tmp_path / 'fifo')!r})")
    runner.look(1)
    runner.look(1)
    until((tmp_path / "ran").exists)

    runner.seconds = 3600
    runner.look(2)
    before = runner.maintenance.idle, list(logged)
    runner.seconds = 3601
    runner.finish(2)
    runner.look(2)
    until(lambda: (tmp_path / "ran").read_text() == "xx")

    runner.stop()
    assert (before, logged) == ((False, []), ["maintenance: it did not end within 1h, and is killed"])


def test_one_that_cannot_be_started_for_want_of_descriptors_is_started_when_there_are_some(
    logged: list[str], tmp_path: Path
) -> None:
    runner = runner_of(f"open({str(tmp_path / 'ran')!r}, 'a').write('x')")
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    runner.look(1)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        for _ in range(3):
            runner.look(1)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    runner.look(1)
    runner.finish(1)

    complaint = "maintenance: it cannot be started (Too many open files)"
    assert ((tmp_path / "ran").read_text(), logged) == ("x", [complaint])
