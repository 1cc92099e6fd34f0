"""Lock watch: a warning where a stranger holds the lock of maintenance for long, so that nothing expires."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import ClassVar

from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.model import Event
from sysmon.storage.lock_holder import find_strangers

EVERY = timedelta(minutes=10).total_seconds()
"""Seconds between two looks."""

PATIENCE = timedelta(hours=1).total_seconds()
"""Seconds that a stranger may hold the lock, as a backup may do."""


class LockWatch(Observer):
    """Looks at a lock every ten minutes; one event when it is held for an hour, and one when it is free again."""

    place: ClassVar[Place] = Place.LIMITS

    def __init__(self, path: Path, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._next = monotonic()
        self._since: float | None = None
        self._warned = False

    def tick(self, entry: Entry, /) -> None:
        """Add an event where the lock has been held for long, or is free again."""
        now = self._monotonic()
        if now < self._next:
            return
        self._next = now + EVERY
        strangers = find_strangers(self._path)
        if not strangers:
            if self._warned:
                entry.events.append(Event(entry.sample.at, "lock_released", {"file": self._path.name}))
            self._since, self._warned = None, False
            return
        if self._since is None:
            self._since = now
        if now - self._since >= PATIENCE and not self._warned:
            self._warned = True
            fields = {"file": self._path.name, "pid": strangers[0].pid, "command": strangers[0].command}
            entry.events.append(Event(entry.sample.at, "lock_held", fields))
