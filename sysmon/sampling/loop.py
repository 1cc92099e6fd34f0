"""The loop: a tick on every wall-clock multiple of the interval, late ones skipped and counted, never a burst."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sysmon.model import Event, Sample
from sysmon.sampling.agent import AgentMeter
from sysmon.sampling.clock import Clock, Moment
from sysmon.sampling.sampler import Sampler
from sysmon.sampling.schedule import Schedule
from sysmon.sampling.tables import AGENT

STEP = 0.25
"""Seconds by which two clocks must part to be called set (or asleep) and not merely corrected."""


class Waiting(Protocol):
    """What the loop sleeps with."""

    def until(self, deadline: float) -> bool:
        """Sleep until a monotonic second; False when asked to stop before."""


@dataclass(slots=True)
class Tally:
    """What a run has done so far, in base ticks."""

    first_tick: datetime
    last_tick: datetime | None = None
    ticks: int = 0
    missed: int = 0
    dropped: int = 0


class Loop:
    """Takes ticks until told to stop or `limit` of them are taken, and hands each sample with its events to `sink`.

    `dropped` returns how many samples storage has lost since it was last asked.
    """

    def __init__(
        self,
        sampler: Sampler,
        schedule: Schedule,
        *,
        clock: Clock,
        waiting: Waiting,
        run: str,
        sink: Callable[[Sample, list[Event]], None],
        dropped: Callable[[], int],
        limit: int | None = None,
    ) -> None:
        self._sampler = sampler
        self._schedule = schedule
        self._clock = clock
        self._waiting = waiting
        self._sink = sink
        self._dropped = dropped
        self._limit = limit
        self._seen = clock.moment()
        self._meter = AgentMeter(run, self._seen.monotonic)
        self._missed = 0
        self._events: list[Event] = []
        self.tally = Tally(schedule.after(self._seen.at))

    def once(self) -> None:
        """Take the sample of the first tick now, with every collector due."""
        self._tick(self.tally.first_tick, self._clock.moment(), frozenset(self._schedule.intervals))

    def run(self) -> None:
        """Take ticks until told to stop."""
        next_tick = self.tally.first_tick
        while self._limit is None or self.tally.ticks < self._limit:
            if not self._waiting.until(self._deadline(next_tick)):
                return
            moment = self._clock.moment()
            parted = self._notice(moment)
            tick = self._schedule.floor(moment.at)
            if parted or tick < next_tick:  # the clock was set: the instant that was waited for means nothing now
                next_tick = self._schedule.after(moment.at) if parted else next_tick
                continue
            self._missed += self._schedule.between(next_tick, tick)
            first = self.tally.last_tick is None
            self._tick(tick, moment, frozenset(self._schedule.intervals) if first else self._schedule.due(tick))
            next_tick = tick + timedelta(seconds=self._schedule.base)

    def _deadline(self, tick: datetime) -> float:
        """Return the monotonic second of an instant, by the clocks as they stand now."""
        moment = self._clock.moment()
        return moment.monotonic + (tick - moment.at).total_seconds()

    def _notice(self, moment: Moment) -> bool:
        """Compare the clocks with how they stood at the last look; note what happened to them."""
        before, self._seen = self._seen, moment
        asleep = (moment.boot - before.boot) - (moment.monotonic - before.monotonic)
        stepped = (moment.at - before.at).total_seconds() - (moment.boot - before.boot)
        if abs(asleep) > STEP:
            self._events.append(Event(moment.at, "suspend", {"seconds": round(asleep, 3)}))
        if abs(stepped) > STEP:
            self._events.append(Event(moment.at, "clock_step", {"seconds": round(stepped, 3)}))
        return abs(stepped) > STEP

    def _tick(self, at: datetime, moment: Moment, due: frozenset[str]) -> None:
        dropped = self._dropped()
        own = self._meter.row(
            monotonic=moment.monotonic,
            lateness=max(0.0, (moment.at - at).total_seconds()),
            missed=self._missed,
            dropped=dropped,
        )
        sample, events = self._sampler.take(at, due)
        sample = Sample(at, {**sample.rows, AGENT.name: [own]}, sample.failures)
        self.tally.last_tick = at
        self.tally.ticks += 1
        self.tally.missed += self._missed
        self.tally.dropped += dropped
        self._missed = 0
        self._sink(sample, [*self._events, *events])
        self._events = []
