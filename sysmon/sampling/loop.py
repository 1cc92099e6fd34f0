"""Sampling loop: a tick on every wall-clock multiple of the interval, late ones skipped and counted, never a burst."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from sysmon.model import Event, Sample
from sysmon.sampling.clock import Clock, ClockReading
from sysmon.sampling.governor import Governor
from sysmon.sampling.sampler import Sampler
from sysmon.sampling.schedule import Schedule, select_due
from sysmon.sampling.self_metrics import AgentMeter
from sysmon.sampling.self_tables import AGENT
from sysmon.text.instants import format_instant

STEP = 0.25
"""Seconds by which two clocks must part to be called set (or asleep) and not merely corrected."""

STALL = 1.0
"""Seconds by which a tick must be late for the process to be called held up (stopped, or starved of CPU)."""

_NOTHING: Mapping[str, str] = {}


class Waiting(Protocol):
    """What the loop sleeps with."""

    def sleep_until(self, deadline: float) -> bool:
        """Sleep until a monotonic second; False when asked to stop before."""


@dataclass(slots=True)
class TickCounts:
    """What a run has done so far, in base ticks."""

    first_tick: datetime
    last_tick: datetime | None = None
    ticks: int = 0
    missed: int = 0
    dropped: int = 0


@dataclass(frozen=True, slots=True)
class _ClockChange:
    """What happened to the clocks while nobody looked."""

    stepped: bool
    asleep: bool


class Loop:
    """Takes ticks until told to stop or `limit` of them are taken, and hands each sample with its events to `sink`.

    Which collectors are read at a tick follows from the intervals that the governor names then.

    `dropped` returns how many samples storage has lost since it was last asked, `wanted` which collectors to read at
    a tick besides those that are due.
    """

    def __init__(
        self,
        sampler: Sampler,
        schedule: Schedule,
        governor: Governor,
        *,
        clock: Clock,
        waiting: Waiting,
        run: str,
        sink: Callable[[Sample, list[Event]], None],
        dropped: Callable[[], int],
        wanted: Callable[[], frozenset[str]] = frozenset,
        limit: int | None = None,
    ) -> None:
        self._sampler = sampler
        self._schedule = schedule
        self._governor = governor
        self._clock = clock
        self._waiting = waiting
        self._sink = sink
        self._dropped = dropped
        self._wanted = wanted
        self._limit = limit
        self._seen = clock.read()
        self._meter = AgentMeter(run, self._seen.monotonic)
        self._missed = 0
        self._events: list[Event] = []
        self.counts = TickCounts(schedule.after(self._seen.at))
        self._next: datetime | None = None

    def once(self) -> None:
        """Take the sample of the first tick now, with every collector due."""
        self._tick(self.counts.first_tick, self._clock.read(), frozenset(self._governor.intervals))

    def run(self) -> None:
        """Take ticks until told to stop."""
        while self.step():
            pass

    def step(self) -> bool:
        """Wait for the next tick and take it; False when told to stop before, or when all are taken."""
        next_tick = self._next or self.counts.first_tick
        while self._limit is None or self.counts.ticks < self._limit:
            deadline = self._deadline(next_tick)
            if not self._waiting.sleep_until(deadline):
                return False
            reading = self._clock.read()
            change = self._notice(reading, deadline)
            tick = self._schedule.floor(reading.at)
            if change.stepped or tick < next_tick:  # the instant that was waited for means nothing now
                next_tick = self._schedule.after(reading.at) if change.stepped else next_tick
                continue
            if not change.asleep:
                self._missed += self._schedule.between(next_tick, tick)
            intervals = self._governor.intervals
            every = self.counts.last_tick is None
            names = intervals.keys() if every else select_due(tick, intervals) | (self._wanted() & intervals.keys())
            self._tick(tick, reading, frozenset(names))
            self._next = tick + timedelta(seconds=self._schedule.base)
            return True
        return False

    def _deadline(self, tick: datetime) -> float:
        """Return the monotonic second of an instant, by the clocks as they stood at the last look."""
        return self._seen.monotonic + (tick - self._seen.at).total_seconds()

    def _notice(self, reading: ClockReading, deadline: float) -> _ClockChange:
        """Compare the clocks with how they stood at the last look, and with the deadline; note what happened.

        What a machine slept through is not missed: it is told by the clock as it went before it was set, so that
        readers can take it out of the time in which samples should be.
        """
        before, self._seen = self._seen, reading
        asleep = (reading.boot - before.boot) - (reading.monotonic - before.monotonic)
        stepped = (reading.at - before.at).total_seconds() - (reading.boot - before.boot)
        late = reading.monotonic - deadline
        change = _ClockChange(abs(stepped) > STEP, abs(asleep) > STEP)
        if late > STALL:
            self._tell("stalled", reading.at, late)
        last = self.counts.last_tick
        since = {} if last is None else {"last_tick": format_instant(last)}
        if change.asleep:
            self._tell("suspend", reading.at - timedelta(seconds=stepped if change.stepped else 0.0), asleep, since)
        if change.stepped:
            self._tell("clock_step", reading.at, stepped, since)
        return change

    def _tell(self, kind: str, at: datetime, seconds: float, since: Mapping[str, str] = _NOTHING) -> None:
        self._events.append(Event(at, kind, {"seconds": round(seconds, 3), **since}))

    def _tick(self, at: datetime, reading: ClockReading, due: frozenset[str]) -> None:
        dropped = self._dropped()
        own = self._meter.row(
            monotonic=reading.monotonic,
            lateness=max(0.0, (reading.at - at).total_seconds()),
            missed=self._missed,
            dropped=dropped,
        )
        sample, events = self._sampler.take(at, due)
        events += self._governor.note(at, self._sampler.costs)
        sample = Sample(at, {**sample.rows, AGENT.name: [own]}, sample.failures)
        self.counts.last_tick = at
        self.counts.ticks += 1
        self.counts.missed += self._missed
        self.counts.dropped += dropped
        self._missed = 0
        self._sink(sample, [*self._events, *events])
        self._events = []
