"""A run that a service manager started keeps it informed: when it is ready, how it is, and that it is not stuck."""

import faulthandler
import time
from collections.abc import Sequence

from sysmon.console.sd_notify import Supervisor
from sysmon.model import AlertEvent
from sysmon.sampling.loop import Tally, Waiting

READY_WITHIN = 30.0
"""Seconds that a service manager waits for the first sample; one that comes later is not waited for."""

_NAMED = 3


class ServiceState:
    """What a run tells its service manager, tick by tick."""

    def __init__(self, supervisor: Supervisor, tally: Tally) -> None:
        self._supervisor = supervisor
        self._tally = tally
        self._trouble: str | None = None

    def expect(self, seconds: float) -> None:
        """Say in how many seconds the first sample is due."""
        if self._supervisor.watchdog is not None:
            # A watchdog ends a stuck run by SIGABRT: the journal then shows where it was.
            faulthandler.enable(file=2)
        self._supervisor.starting(seconds)
        if seconds > READY_WITHIN:
            self._supervisor.ready()

    def reloading(self) -> None:
        """Say that the configuration is about to be read again."""
        self._supervisor.reloading()

    def tick(self, active: Sequence[AlertEvent], trouble: str | None, *, news: bool, reloaded: bool) -> None:
        """Tell of a tick that is done; `trouble` is why nothing can be stored."""
        if reloaded:
            self._supervisor.reloaded()
        if trouble is not None:  # a disk that refuses is no reason to be started again: the rules go on
            self._supervisor.ready()
        news = news or trouble != self._trouble
        self._trouble = trouble
        self._supervisor.alive(lambda: state_line(self._tally, active, trouble), news=news)

    def stopping(self) -> None:
        """Say that the end has begun."""
        self._supervisor.stopping()


class WatchedSleeper:
    """Waits like another, and gives signs of life meanwhile: a long interval is no stuck run."""

    def __init__(self, waiting: Waiting, supervisor: Supervisor, watchdog: float) -> None:
        self._waiting = waiting
        self._supervisor = supervisor
        self._pause = watchdog / 2

    def until(self, deadline: float) -> bool:
        """Sleep until a monotonic second; False when asked to stop before."""
        while (soon := time.monotonic() + self._pause) < deadline:
            if not self._waiting.until(soon):
                return False
            self._supervisor.alive()
        return self._waiting.until(deadline)


def watch_sleep(waiting: Waiting, supervisor: Supervisor | None) -> Waiting:
    """Return what a run waits with: as it is where nobody watches over it."""
    if supervisor is None or supervisor.watchdog is None:
        return waiting
    return WatchedSleeper(waiting, supervisor, supervisor.watchdog)


def state_line(tally: Tally, active: Sequence[AlertEvent], trouble: str | None) -> str:
    """Return how a run is in one line: what is wrong first, the numbers last."""
    said = [] if trouble is None else [f"cannot write ({trouble})"]
    if active:
        worst = sorted(active, key=lambda event: -event.level.rank)[:_NAMED]
        names = [f"{event.level.upper()} {event.rule}" for event in worst]
        more = [f"{len(active) - _NAMED} more"] if len(active) > _NAMED else []
        said.append(f"{len(active)} firing: {', '.join([*names, *more])}")
    counts = f"{tally.ticks} samples, {tally.missed} missed, {tally.dropped} dropped"
    return "; ".join([*said, counts])
