"""The lock of maintenance in strange hands: told after an hour, once, and when it is free again."""

import os
from collections.abc import Sequence
from pathlib import Path

from sysmon.app.agent.lock_watch import LockWatch
from sysmon.app.agent.observer import Entry
from sysmon.model import Sample
from sysmon.sampling.loop import TickCounts
from sysmon.storage.lock import open_lock
from sysmon.text.instants import EPOCH
from tests.storage.strangers import locked


class Watched:
    """A watch whose clock the test sets; it keeps what was told."""

    def __init__(self, path: Path) -> None:
        self.minute = 0.0
        self.watch = LockWatch(path, lambda: 60 * self.minute)
        self.told: list[tuple[float, str]] = []

    def look(self, minutes: Sequence[int]) -> None:
        for minute in minutes:
            self.minute = minute
            entry = Entry(Sample(EPOCH, {}), [], TickCounts(EPOCH))
            self.watch.tick(entry)
            self.told += [(minute, event.kind) for event in entry.events]


def test_a_stranger_is_told_once_after_an_hour_and_so_is_the_end(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "maintain.lock")
    with locked(tmp_path / "maintain.lock", "SH"):
        watched.look(range(150))
    watched.look(range(150, 300))

    assert watched.told == [(60, "lock_held"), (150, "lock_released")]


def test_a_backup_that_takes_less_than_an_hour_is_no_news(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "maintain.lock")
    for begin in (0, 60):
        with locked(tmp_path / "maintain.lock", "EX"):
            watched.look(range(begin, begin + 50))
        watched.look(range(begin + 50, begin + 60))

    assert watched.told == []


def test_another_maintenance_is_no_stranger(tmp_path: Path) -> None:
    watched = Watched(tmp_path / "maintain.lock")
    held = open_lock(tmp_path / "maintain.lock")
    watched.look(range(150))
    os.close(held)

    assert watched.told == []
