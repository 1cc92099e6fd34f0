"""The child that maintains: when it starts, that nobody waits for it, and what it complains of."""

import logging
import os
import sys
from pathlib import Path

import pytest

from sysmon.app.agent.log import LOGGER
from sysmon.app.agent.maintenance import MaintenanceRunner
from tests.integration.processes import until


class Told(logging.Handler):
    """Keeps what was logged."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def told() -> list[str]:
    handler = Told()
    logging.getLogger(LOGGER).handlers = [handler]
    logging.getLogger(LOGGER).propagate = False
    return handler.lines


def upkeep(body: str) -> MaintenanceRunner:
    """Return one whose child runs some Python."""
    return MaintenanceRunner([sys.executable, "-c", body], dict(os.environ))


def finish(one: MaintenanceRunner, ended: int) -> None:
    """Look until the child is done."""

    def idle() -> bool:
        one.look(ended)
        return one.idle

    until(idle)


def test_it_starts_at_the_look_after_a_segment_has_ended_and_only_once(tmp_path: Path) -> None:
    one = upkeep(f"open({str(tmp_path / 'ran')!r}, 'a').write('x')")
    for ended in (0, 0, 1):
        one.look(ended)
    before = list(tmp_path.iterdir())

    one.look(1)
    finish(one, 1)
    one.look(1)
    finish(one, 1)

    assert (before, (tmp_path / "ran").read_text()) == ([], "x")


def test_one_complaint_is_logged_once_and_again_after_all_was_well(told: list[str], tmp_path: Path) -> None:
    good = tmp_path / "good"
    one = upkeep(f"import os, sys; os.path.exists({str(good)!r}) or sys.exit('sysmon: a: broken\\nsysmon: b: too')")
    for ended in (1, 2):
        one.look(ended)
        finish(one, ended)
    good.touch()
    one.look(3)
    finish(one, 3)
    good.unlink()
    one.look(4)
    finish(one, 4)

    assert told == ["maintenance: a: broken; sysmon: b: too"] * 2


def test_a_program_that_is_not_there_is_one_line(told: list[str]) -> None:
    one = MaintenanceRunner(["/no/such/program"], {})

    for ended in range(1, 9):
        one.look(ended)

    assert told == ["maintenance: it cannot be started (No such file or directory)"]


def test_a_child_at_work_is_not_waited_for_and_ends_with_the_run(told: list[str]) -> None:
    one = upkeep("import time; time.sleep(60)")
    one.look(1)
    one.look(1)

    one.close()
    finish(one, 1)

    assert told == ["maintenance: it was ended by signal 15"]
