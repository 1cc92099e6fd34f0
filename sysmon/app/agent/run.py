"""`sysmon run`, put together: collectors, sampler, rules, files and the screen around one loop."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sysmon import __version__
from sysmon.alerts.rules.loader import RuleSet, load_rules
from sysmon.app.agent import banner, log, maintenance
from sysmon.app.agent.alerting import AlertPipeline, told
from sysmon.app.agent.console import Console, choose_mode
from sysmon.app.agent.gc import GarbageCollection
from sysmon.app.agent.maintenance import MaintenanceRunner
from sysmon.app.agent.resource_limits import ResourceWatch
from sysmon.app.agent.systemd import ServiceState, watch_sleep
from sysmon.app.catalog import tables
from sysmon.app.collectors import build_sampler, hostname, source_of
from sysmon.app.terminal.color import is_terminal, wants_color
from sysmon.config import Config
from sysmon.console.sd_notify import VARIABLES, Supervisor, find_supervisor
from sysmon.formats.records import RUNNING
from sysmon.model import AlertEvent, Event, Origin, Sample
from sysmon.sampling.clock import Clock, SystemClock
from sysmon.sampling.loop import Loop, Tally
from sysmon.sampling.masking import Masking
from sysmon.sampling.sanitize import LabelSanitizer
from sysmon.sampling.schedule import Schedule
from sysmon.sampling.self_tables import AGENT, COLLECTOR
from sysmon.sampling.sleeper import Sleeper, exit_code
from sysmon.storage.host_writer import HostWriter, host_folder
from sysmon.storage.lock import DataDirectory
from sysmon.storage.mask_key import mask_key
from sysmon.storage.writer import Writer
from sysmon.text.instants import format_instant
from sysmon.text.units import format_duration

FIRST_LOOK = 1.0
"""Seconds after which a first reading is shown on a terminal, and after which `--once` takes its sample."""

INTERNAL_ERROR = 70

OVER_LIMIT = 1
"""What a run ends with that used more than `resource_limits` allow, where their action is `stop`."""

_WRITER_SECONDS = 1.5
_SCREEN_SECONDS = 0.2
_COURIER_SECONDS = 0.3
_LOGGER = logging.getLogger(log.LOGGER)
_LEVELS = dict.fromkeys(("reloaded", "collector_recovered", "limit_kept_again"), logging.INFO)
_LEVELS["interval_changed"] = logging.DEBUG  # it is in the event log, and no news for whoever watches the alerts


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How long to run and what to show: `ticks` None is until told to stop; `once` takes one sample right away;
    `lines` wants a line a tick also where the terminal could do more."""

    ticks: int | None = None
    once: bool = False
    quiet: bool = False
    color: str = "auto"
    lines: bool = False


@dataclass(frozen=True, slots=True)
class _Identity:
    """Who runs: the `run` id is new at every start, the `boot` id at every start of the machine."""

    run: str
    boot: str
    origin: Origin
    intervals: Mapping[str, float]


def run(config: Config, asked: RunOptions, *, environ: Mapping[str, str], load: Callable[[], Config]) -> int:
    """Watch this machine until told to stop; return the exit code. Raise SysmonError where it cannot begin.

    `load` reads the configuration again, when it has changed.
    """
    _fill_standard_descriptors()
    intervals = {name: chosen.interval for name, chosen in config.collectors.items() if chosen.enabled}
    base = config.interval.total_seconds()
    everything = {**intervals, COLLECTOR.name: base, AGENT.name: base}
    rules = load_rules(config.rules, tables(), everything)
    source_of(config)  # a machine that is not where it should be is refused before anything is made
    directory = DataDirectory(config.data_dir)
    journal = log.start_logging(config.logging, environ)
    try:
        identity = _Identity(os.urandom(4).hex(), _boot_id(), Origin(hostname(), config.labels), everything)
        supervisor = find_supervisor(environ)
        # What else is started is not who the service manager waits for.
        others = {name: value for name, value in environ.items() if name not in VARIABLES}
        return _Run(config, asked, identity, rules, directory, others, load, supervisor).go()
    finally:
        journal.close(_SCREEN_SECONDS)
        directory.close()


class _Run:
    """One run, from its first reading to its last line."""

    def __init__(
        self,
        config: Config,
        asked: RunOptions,
        identity: _Identity,
        rules: RuleSet,
        directory: DataDirectory,
        environ: Mapping[str, str],
        load: Callable[[], Config],
        supervisor: Supervisor | None,
    ) -> None:
        self._config = config
        self._supervisor = supervisor
        self._directory = directory
        self._asked = asked
        self._identity = identity
        self._rules = rules
        self._clock: Clock = SystemClock()
        self._folder = host_folder(config.data_dir, identity.origin.hostname)
        self._sampler, self._governor = build_sampler(config, self._clock.monotonic, _stored(config))
        self._schedule = Schedule(config.interval.total_seconds())
        self._alarms = AlertPipeline(
            config, rules, identity.origin, intervals=identity.intervals, load=load, environ=environ
        )
        now = self._clock.now()
        self._alarms.resume(self._folder, now=now, first_tick=self._schedule.after(now))
        self._limits = ResourceWatch(config.resource_limits, self._governor, stop=self._limit_stop)
        self._sleeper = Sleeper(self._clock.monotonic)
        self._screen = Console(
            tables(),
            (identity.origin.hostname, format_duration(config.interval), str(self._folder)),
            face=choose_mode(environ, quiet=asked.quiet, lines_wanted=asked.lines),
            color=wants_color(asked.color, environ),
            environ=environ,
        )
        self._writer = self._make_writer()
        self._upkeep = self._make_upkeep(environ)
        self._supervised: ServiceState | None = None
        self._tidying = GarbageCollection()
        self._broken = False
        self._over_limit = False

    def go(self) -> int:
        """Run, and return the exit code."""
        threading.excepthook = self._thread_broke
        stopping, ignoring = _signals()
        with self._sleeper.catching(stopping, ignoring), self._screen.attended():
            self._writer.start()
            self._say_hello()
            self._sampler.prime()
            loop = self._make_loop()
            if self._asked.once:
                loop.tally.first_tick = _to_milliseconds(self._clock.now() + timedelta(seconds=FIRST_LOOK))
            self._record(self._started(loop.tally), self._alarms.owed)
            if self._supervisor is not None:
                self._supervised = ServiceState(self._supervisor, loop.tally)
                self._supervised.expect((loop.tally.first_tick - self._clock.now()).total_seconds())
            self._take(loop)
            self._sampler.close()
            self._stop(loop.tally)
        if self._broken or self._over_limit:
            return INTERNAL_ERROR if self._broken else OVER_LIMIT
        return exit_code(self._sleeper.stopped_by)

    def _take(self, loop: Loop) -> None:
        soon = self._clock.monotonic() + FIRST_LOOK
        if self._asked.once:
            if self._sleeper.until(soon):
                loop.once()
            return
        wait = (loop.tally.first_tick - self._clock.now()).total_seconds()
        if self._screen.live and wait > 1.5 * FIRST_LOOK and self._sleeper.until(soon):
            self._screen.tick(self._sampler.preview(self._clock.now()), [])
        loop.run()

    def _sink(self, sample: Sample, events: list[Event]) -> None:
        reload, self._sleeper.nudged = self._sleeper.nudged, False
        if reload and self._supervised is not None:
            self._supervised.reloading()
        alerts, news = self._alarms.take(sample, reload=reload)
        active = self._alarms.active()
        events += news
        events += self._limits.check(sample.at, sample.rows[AGENT.name][0])
        stored = self._writer.put(sample, events=events, alerts=alerts, active=active)
        if self._upkeep is not None:
            self._upkeep.look(self._writer.ended)
        self._screen.alerts(told(alerts), stored)
        self._alarms.send(alerts, stored)
        self._screen.tick(sample, active)
        for event in events:
            _LOGGER.log(_LEVELS.get(event.kind, logging.WARNING), "%s", _in_words(event))
        if self._supervised is not None:
            happened = bool(alerts or events)
            self._supervised.tick(active, self._writer.trouble, news=happened, reloaded=reload)
        self._tidying.look(sample.at)

    def _stop(self, tally: Tally) -> None:
        if self._supervised is not None:
            self._supervised.stopping()
        tally.dropped += self._writer.dropped()
        reason = self._sleeper.stopped_by.name if self._sleeper.stopped_by else "done"
        reason = "resource_limits" if self._over_limit else reason
        last = None if tally.last_tick is None else format_instant(tally.last_tick)
        counts: dict[str, object] = {"ticks": tally.ticks, "missed": tally.missed, "dropped": tally.dropped}
        fields = {"run": self._identity.run, "reason": reason, "last_tick": last, **counts}
        self._record(Event(self._clock.now(), "stopped", fields))
        if self._upkeep is not None:
            self._upkeep.close()
        if not self._writer.close(_WRITER_SECONDS):
            _LOGGER.error("the disk does not answer: what is still in memory is lost")
        self._alarms.close(_COURIER_SECONDS)
        samples = "1 sample" if tally.ticks == 1 else f"{tally.ticks} samples"
        said = f"sysmon stopped ({reason}): {samples}, {tally.missed} missed, {tally.dropped} dropped"
        self._screen.close(_SCREEN_SECONDS, saying=said)

    def _record(self, event: Event, alerts: Sequence[AlertEvent] = ()) -> None:
        """Hand over an event that belongs to no tick."""
        stored = self._writer.put(Sample(event.at, {}), events=[event], alerts=alerts, active=self._alarms.active())
        self._screen.alerts(told(alerts), stored)
        self._alarms.send(alerts, stored)

    def _make_writer(self) -> Writer:
        storage = self._config.storage
        files = HostWriter(
            self._folder,
            self._identity.origin,
            tables().values(),
            layout=storage,
            opening=self._running,
            tell=self._tell_of_disk,
            guard=self._hold_directory,
        )
        files.set_active(self._alarms.logged)
        return Writer(
            files,
            sync_seconds=storage.sync_interval.total_seconds(),
            tell=self._tell_of_disk,
            on_first_write=None if self._supervisor is None else self._supervisor.ready,
        )

    def _make_upkeep(self, environ: Mapping[str, str]) -> MaintenanceRunner | None:
        """Return what maintains the data beside a run; a short one leaves that to the next."""
        ticks, config = self._asked.ticks, self._config
        if self._asked.once or (ticks is not None and ticks * config.interval < config.storage.rotation):
            return None
        return MaintenanceRunner(maintenance.command(config), maintenance.environment(environ))

    def _hold_directory(self) -> None:
        if self._directory.hold():
            self._tell_of_disk(f"{self._directory.path} was moved or deleted: it is begun anew")

    def _make_loop(self) -> Loop:
        return Loop(
            self._sampler,
            self._schedule,
            self._governor,
            clock=self._clock,
            waiting=watch_sleep(self._sleeper, self._supervisor),
            run=self._identity.run,
            sink=self._sink,
            dropped=self._writer.dropped,
            wanted=self._alarms.wanted,
            limit=self._asked.ticks,
        )

    def _running(self, at: datetime) -> Event:
        identity = self._identity
        uptime = round(self._clock.moment().boot, 3)
        who = {"run": identity.run, "boot": identity.boot, "uptime": uptime, "version": __version__}
        return Event(at, RUNNING, {**who, "intervals": self._intervals()})

    def _intervals(self) -> dict[str, float]:
        """Return the intervals that hold now, by table; what the governor stopped reading is left out."""
        own = {name: self._identity.intervals[name] for name in (COLLECTOR.name, AGENT.name)}
        return self._governor.intervals | own

    def _started(self, tally: Tally) -> Event:
        opening = self._running(self._clock.now())
        return Event(opening.at, "started", {**opening.fields, "first_tick": format_instant(tally.first_tick)})

    def _tell_of_disk(self, text: str) -> None:
        _LOGGER.warning("storage: %s", text)

    def _thread_broke(self, arguments: Any) -> None:
        self._broken = True
        thread = arguments.thread.name if arguments.thread else "a thread"
        _LOGGER.critical("internal error in %s: %s", thread, repr(arguments.exc_value), exc_info=arguments.exc_value)
        os.kill(os.getpid(), signal.SIGTERM)

    def _limit_stop(self) -> None:
        self._over_limit = True
        os.kill(os.getpid(), signal.SIGTERM)

    def _say_hello(self) -> None:
        for warning in (*self._config.warnings, *self._rules.warnings):
            _LOGGER.warning("%s", warning)
        start = banner.Start(
            host=self._identity.origin.hostname,
            folder=self._folder,
            run=self._identity.run,
            rules=len(self._rules.rules),
            active=self._alarms.in_words(),
        )
        lines = banner.on_a_terminal if self._screen.live else banner.in_a_pipe
        self._screen.say(*lines(start, self._config))


def ticks_in(span: timedelta, interval: timedelta) -> int:
    """Return how many ticks a run of some length takes: at least one."""
    return max(1, round(span / interval))


def _signals() -> tuple[set[signal.Signals], set[signal.Signals]]:
    """Return the signals that end a run, and those that do nothing to it.

    A terminal that goes away ends the run that was started on it; elsewhere SIGHUP asks a service for something,
    and must not kill it.
    """
    stopping = {signal.SIGTERM, signal.SIGINT}
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None:
        return stopping, set()
    on_terminal = is_terminal(0) or is_terminal(1)
    return (stopping | {hangup}, set()) if on_terminal else (stopping, {hangup})


def _fill_standard_descriptors() -> None:
    """Open what was started closed (`>&-`): else the next file opened would be taken for the screen."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


def _in_words(event: Event) -> str:
    return f"{event.kind.replace('_', ' ')}: " + ", ".join(f"{name} {value}" for name, value in event.fields.items())


def _to_milliseconds(at: datetime) -> datetime:
    return at.replace(microsecond=at.microsecond // 1000 * 1000)


def _stored(config: Config) -> LabelSanitizer:
    """Return how names are stored; the key of their pseudonyms is made when it is first needed."""
    return LabelSanitizer(Masking(config.mask, mask_key(config.data_dir)) if config.mask else None)


def _boot_id() -> str:
    """Return random/boot_id (random(4)), new at every start of the machine; `-` on other systems."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
    except OSError:
        return "-"
