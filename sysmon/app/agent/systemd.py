"""Service manager notifications: when a run is ready, how it is, and that it is not stuck."""

import faulthandler
from collections.abc import Callable, Sequence
from typing import ClassVar

from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.console.sd_notify import Supervisor
from sysmon.model import AlertEvent
from sysmon.sampling.loop import TickCounts
from sysmon.sampling.sleeper import Sleeper

READY_WITHIN = 30.0
"""The longest interval in seconds at which a service is ready with its first sample; at longer ones it is at once.

The interval decides and not how near the first sample is: that depends on the minute at which a service starts.
"""

_NAMED = 3


class ServiceAnnouncer(Observer):
    """Says what is about to begin."""

    place: ClassVar[Place] = Place.ANNOUNCE

    def __init__(self, supervisor: Supervisor) -> None:
        self._supervisor = supervisor

    def tick(self, entry: Entry, /) -> None:
        """Say that the configuration is about to be read again."""
        if entry.reload:
            self._supervisor.reloading()

    def stop(self, _entry: Entry, /) -> None:
        """Say that the end has begun."""
        self._supervisor.stopping()


class ServiceState(Observer):
    """Says how a run is, tick by tick; `trouble` returns why nothing can be stored, None where all is well."""

    place: ClassVar[Place] = Place.SERVICE

    def __init__(self, supervisor: Supervisor, *, interval: float, trouble: Callable[[], str | None]) -> None:
        self._supervisor = supervisor
        self._interval = interval
        self._trouble = trouble
        self._last_trouble: str | None = None

    def start(self, entry: Entry, /) -> None:
        """Say in how many seconds the first sample is due."""
        if self._supervisor.watchdog is not None:
            # A watchdog ends a stuck run by SIGABRT: the journal then shows where it was.
            faulthandler.enable(file=2)
        self._supervisor.starting((entry.counts.first_tick - entry.sample.at).total_seconds())
        if self._interval > READY_WITHIN:
            self._supervisor.ready()

    def tick(self, entry: Entry, /) -> None:
        """Say that a tick is done."""
        if entry.reload:
            self._supervisor.reloaded()
        trouble = self._trouble()
        if trouble is not None:  # a disk that refuses is no reason to be started again: the rules go on
            self._supervisor.ready()
        news = bool(entry.alerts or entry.events) or trouble != self._last_trouble
        self._last_trouble = trouble
        self._supervisor.alive(lambda: describe_state(entry.counts, entry.active, trouble), news=news)


class WatchedSleeper(Sleeper):
    """Gives signs of life while it sleeps: a long interval is no stuck run."""

    def __init__(self, monotonic: Callable[[], float], supervisor: Supervisor, watchdog: float) -> None:
        super().__init__(monotonic)
        self._supervisor = supervisor
        self._pause = watchdog / 2

    def sleep_until(self, deadline: float) -> bool:
        """Sleep until a monotonic second; return whether it came (False when asked to stop before)."""
        while (soon := self._monotonic() + self._pause) < deadline:
            if not super().sleep_until(soon):
                return False
            self._supervisor.alive()
        return super().sleep_until(deadline)


def make_sleeper(monotonic: Callable[[], float], supervisor: Supervisor | None) -> Sleeper:
    """Return what a run sleeps with: a plain sleeper where nobody watches over it."""
    if supervisor is None or supervisor.watchdog is None:
        return Sleeper(monotonic)
    return WatchedSleeper(monotonic, supervisor, supervisor.watchdog)


def describe_state(counts: TickCounts, active: Sequence[AlertEvent], trouble: str | None) -> str:
    """Return how a run is in one line: what is wrong first, the numbers last."""
    parts = [] if trouble is None else [f"cannot write ({trouble})"]
    if active:
        worst = sorted(active, key=lambda event: -event.level.rank)[:_NAMED]
        names = [f"{event.level.upper()} {event.rule}" for event in worst]
        more = [f"{len(active) - _NAMED} more"] if len(active) > _NAMED else []
        parts.append(f"{len(active)} firing: {', '.join([*names, *more])}")
    parts.append(f"{counts.ticks} samples, {counts.missed} missed, {counts.dropped} dropped")
    return "; ".join(parts)
