"""The agent: samples one machine, evaluates rules, and hands each tick to its observers.

It needs no terminal, no signals and no service manager, and may run in a thread of another program:

    agent = Agent(config, rules, [Storage(directory)])
    agent.start()
    while agent.tick():
        pass
    agent.stop()

`agent.request_stop` ends that loop from any thread.
"""

import logging
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from sysmon import __version__
from sysmon.alerts.rules.loader import RuleSet
from sysmon.app.agent.alerting import AlertPipeline
from sysmon.app.agent.log import LOGGER
from sysmon.app.agent.observer import Entry, Observer
from sysmon.app.collectors import build_sampler, hostname
from sysmon.config import Config
from sysmon.formats.records import RULES_TEXT, RUNNING
from sysmon.model import Event, Origin, Sample
from sysmon.sampling.clock import Clock, SystemClock
from sysmon.sampling.loop import Loop, TickCounts, Waiting
from sysmon.sampling.masking import Masking
from sysmon.sampling.sanitize import LabelSanitizer
from sysmon.sampling.schedule import Schedule
from sysmon.sampling.self_tables import AGENT, COLLECTOR
from sysmon.sampling.sleeper import Sleeper
from sysmon.storage.host_writer import host_folder
from sysmon.storage.mask_key import mask_key
from sysmon.text.instants import format_instant

_LOGGER = logging.getLogger(LOGGER)

FIRST_LOOK = 1.0
"""Seconds after which a preview is taken, and the sample of an agent that takes just one."""


class Stoppable(Waiting, Protocol):
    """What an agent sleeps with."""

    def stop(self) -> None:
        """End the sleep for good, from whatever thread."""


@dataclass(frozen=True, slots=True)
class Identity:
    """Who runs: the `run` id is new at every start, the `boot` id at every start of the machine."""

    run: str
    boot: str
    origin: Origin
    intervals: Mapping[str, float]


class Agent:
    """One run, from its first reading to its last event.

    `limit` is the number of ticks after which it ends by itself; `once` takes one sample a second after the start.
    `load` reads the configuration again when its files have changed; without it they are not looked at. `sleeper` is
    whose owner closes it; without one the agent sleeps by itself.
    """

    def __init__(
        self,
        config: Config,
        rules: RuleSet,
        observers: Iterable[Observer] = (),
        *,
        limit: int | None = None,
        once: bool = False,
        load: Callable[[], Config] | None = None,
        clock: Clock | None = None,
        sleeper: Stoppable | None = None,
    ) -> None:
        self.config = config
        self.rules = rules
        self.identity = Identity(
            os.urandom(4).hex(), _boot_id(), Origin(hostname(), config.labels), collected_intervals(config)
        )
        self.folder = host_folder(config.data_dir, self.identity.origin.hostname)
        self._clock = clock or SystemClock()
        self._own_sleeper: Sleeper | None = None
        if sleeper is None:
            sleeper = self._own_sleeper = Sleeper(self._clock.monotonic)
        self._sleeper = sleeper
        self._limit = limit
        self._once = once
        self._sampler, self.governor = build_sampler(config, self._clock.monotonic, _label_sanitizer(config))
        self._schedule = Schedule(config.interval.total_seconds())
        self.alerts = AlertPipeline(config, rules, self.identity.origin, intervals=self.identity.intervals, load=load)
        now = self._clock.now()
        self.alerts.resume(self.folder, now=now, first_tick=self._schedule.after(now))
        self._observers = sorted([*observers, self.alerts], key=lambda observer: observer.place)
        self._count_dropped: Callable[[], int] = lambda: 0
        self._settle: Callable[[], None] = lambda: None
        self._refused: set[Observer] = set()
        self._reload = False
        self._stop_reason: str | None = None
        self._loop: Loop | None = None

    @property
    def stop_reason(self) -> str | None:
        """Return the reason of the first `request_stop`; None where nobody has asked for the end."""
        return self._stop_reason

    @property
    def counts(self) -> TickCounts:
        """Return what the run has done so far; at the end with all that it lost."""
        return self._started_loop().counts

    def start(self) -> None:
        """Open the observers and take the first readings, from which the first sample has its rates."""
        for observer in self._observers:
            observer.open(self)
        self._sampler.prime()
        loop = self._loop = self._make_loop()
        if self._once:
            loop.counts.first_tick = _to_milliseconds(self._clock.now() + timedelta(seconds=FIRST_LOOK))
        opening = self.running_event(self._clock.now())
        # The record that opens the segment has the text of the rules.
        fields = {name: value for name, value in opening.fields.items() if name != RULES_TEXT}
        fields["first_tick"] = format_instant(loop.counts.first_tick)
        entry = Entry(Sample(opening.at, {}), [Event(opening.at, "started", fields)], loop.counts)
        for observer in self._observers:
            observer.start(entry)

    def tick(self) -> bool:
        """Wait for the next tick and take it; False when the end was asked for before, or nothing is left to take."""
        loop = self._started_loop()
        if not self._once:
            return loop.step()
        if loop.counts.ticks or not self._sleeper.sleep_until(self._clock.monotonic() + FIRST_LOOK):
            return False
        loop.once()
        return True

    def stop(self, reason: str = "done") -> None:
        """End the run; `reason` stands in the log where nobody asked for the end with another one."""
        self._sampler.close()
        counts = self.counts
        self._settle()
        counts.dropped += self._count_dropped()
        last = None if counts.last_tick is None else format_instant(counts.last_tick)
        fields: dict[str, object] = {
            "run": self.identity.run,
            "reason": self._stop_reason or reason,
            "last_tick": last,
            "ticks": counts.ticks,
            "missed": counts.missed,
            "dropped": counts.dropped,
        }
        at = self._clock.now()
        entry = Entry(Sample(at, {}), [Event(at, "stopped", fields)], counts)
        for observer in self._observers:
            self._call(observer, lambda: observer.stop(entry))  # noqa: B023 - called at once
        for observer in self._observers:
            self._call(observer, observer.close)
        if self._own_sleeper is not None:
            self._own_sleeper.close()

    def preview(self) -> Sample | None:
        """Return what a tick would see a second from now; None where the first tick is as near as that."""
        now, soon = self._clock.now(), self._clock.monotonic() + FIRST_LOOK
        wait = (self._started_loop().counts.first_tick - now).total_seconds()
        if self._once or wait <= 1.5 * FIRST_LOOK or not self._sleeper.sleep_until(soon):
            return None
        return self._sampler.preview(self._clock.now())

    def request_stop(self, reason: str) -> None:
        """Have the wait for the next tick end at once, and no further tick be taken; from whatever thread."""
        self._stop_reason = self._stop_reason or reason
        self._sleeper.stop()

    def request_reload(self) -> None:
        """Have the configuration read again at the next tick, changed or not; from whatever thread."""
        self._reload = True

    def count_dropped(self, dropped: Callable[[], int], *, settle: Callable[[], None] = lambda: None) -> None:
        """Ask `dropped`, at each tick and at the end, how many samples were lost since it was last asked.

        `settle` is called before it is asked at the end: from then on each sample is stored, or counted as lost.
        """
        self._count_dropped, self._settle = dropped, settle

    def running_event(self, at: datetime) -> Event:
        """Return the event that opens each segment of the event log: who runs, and what holds now."""
        identity = self.identity
        uptime = round(self._clock.read().boot, 3)
        run = {"run": identity.run, "boot": identity.boot, "uptime": uptime, "version": __version__}
        # What the governor stopped reading is left out.
        own = {name: identity.intervals[name] for name in (COLLECTOR.name, AGENT.name)}
        intervals = self.governor.intervals | own
        return Event(at, RUNNING, {**run, "intervals": intervals, **self.alerts.rules_fields})

    def _take(self, sample: Sample, events: list[Event]) -> None:
        reload, self._reload = self._reload, False
        entry = Entry(sample, events, self._started_loop().counts, reload)
        for observer in self._observers:
            self._call(observer, lambda: observer.tick(entry))  # noqa: B023 - called at once

    def _call(self, observer: Observer, act: Callable[[], None]) -> None:
        """Have an observer do something; what the system refuses it is told once, and ends nothing."""
        try:
            act()
        except OSError as error:
            if observer not in self._refused:
                _LOGGER.error("%s: %s", type(observer).__name__, error)  # noqa: TRY400 - no bug of ours
            self._refused.add(observer)
        else:
            self._refused.discard(observer)

    def _make_loop(self) -> Loop:
        return Loop(
            self._sampler,
            self._schedule,
            self.governor,
            clock=self._clock,
            waiting=self._sleeper,
            run=self.identity.run,
            sink=self._take,
            dropped=self._count_dropped,
            wanted=self.alerts.wanted,
            limit=self._limit,
        )

    def _started_loop(self) -> Loop:
        if self._loop is None:
            raise RuntimeError("the agent has not been started")
        return self._loop


def collected_intervals(config: Config) -> dict[str, float]:
    """Return the seconds between two ticks of each table that is collected."""
    base = config.interval.total_seconds()
    machine = {name: chosen.interval for name, chosen in config.collectors.items() if chosen.enabled}
    return {**machine, COLLECTOR.name: base, AGENT.name: base}


def _to_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _label_sanitizer(config: Config) -> LabelSanitizer:
    """Return what escapes and masks labels; the key of the pseudonyms is made when it is first needed."""
    return LabelSanitizer(Masking(config.mask, mask_key(config.data_dir)) if config.mask else None)


def _boot_id() -> str:
    """Return random/boot_id (random(4)), new at every start of the machine; `-` on other systems."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return "-"
