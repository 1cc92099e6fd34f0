"""`sysmon run`: an agent with its observers, signals, descriptors and exit codes."""

import logging
import os
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sysmon.alerts.rules.loader import load_rules
from sysmon.app.agent import log, maintenance
from sysmon.app.agent.agent import Agent, collected_intervals
from sysmon.app.agent.command_delivery import CommandDelivery
from sysmon.app.agent.console import Console, choose_mode
from sysmon.app.agent.event_log import EventLogger
from sysmon.app.agent.gc import GarbageCollection
from sysmon.app.agent.lock_watch import LockWatch
from sysmon.app.agent.maintenance import MaintenanceRunner
from sysmon.app.agent.observer import Observer
from sysmon.app.agent.resource_limits import STOP_REASON, ResourceLimiter
from sysmon.app.agent.storage import Storage
from sysmon.app.agent.systemd import ServiceAnnouncer, ServiceState, make_sleeper
from sysmon.app.catalog import tables
from sysmon.app.collectors import hostname, source_of
from sysmon.app.terminal.color import is_terminal, wants_color
from sysmon.config import Config
from sysmon.console.sd_notify import VARIABLES, Supervisor, find_supervisor
from sysmon.sampling.clock import SystemClock
from sysmon.sampling.loop import TickCounts
from sysmon.sampling.sleeper import Sleeper, exit_code
from sysmon.storage.host_writer import host_folder
from sysmon.storage.lock import MAINTENANCE_LOCK, DataDirectory
from sysmon.text.units import format_duration

LOST = 1
"""What a run of a given length ends with that could not store each of its samples."""

OVER_LIMIT = 71
"""What a run ends with that used more than `resource_limits` allow, where their action is `stop`."""

_ASK_FOR_THE_END = (
    *("SIGTERM", "SIGINT", "SIGQUIT"),
    *("SIGALRM", "SIGVTALRM", "SIGPROF", "SIGXCPU"),  # a time that somebody set is up: a timer outlives exec(2)
    "SIGPWR",  # how some containers are shut down
)
_MEAN_NOTHING = ("SIGUSR1", "SIGUSR2", "SIGIO", "SIGSTKFLT")
"""With the real-time signals; those that tell of a bug or of job control stay as they are."""

_LOG_SECONDS = 0.2
_LOGGER = logging.getLogger(log.LOGGER)


@dataclass(frozen=True, slots=True)
class RunOptions:
    """How long to run and what to show: `ticks` None is until told to stop; `once` takes one sample right away;
    `lines` wants a line a tick also where the terminal could do more."""

    ticks: int | None = None
    once: bool = False
    quiet: bool = False
    color: str = "auto"
    lines: bool = False

    @property
    def bounded(self) -> bool:
        """Say whether the run ends by itself."""
        return self.once or self.ticks is not None


def run(config: Config, options: RunOptions, *, environ: Mapping[str, str], load: Callable[[], Config]) -> int:
    """Watch this machine until told to stop; return the exit code. Raise SysmonError where it cannot begin.

    `load` reads the configuration again, when it has changed.
    """
    _fill_standard_descriptors()
    rules = load_rules(config.rules, tables(), collected_intervals(config))
    source_of(config)  # a machine that is not where it should be is refused before anything is made
    directory = DataDirectory(config.data_dir)
    log_writer = log.start_logging(config.logging, environ)
    try:
        supervisor = find_supervisor(environ)
        # What else is started is not who the service manager waits for.
        others = {name: value for name, value in environ.items() if name not in VARIABLES}
        clock = SystemClock()
        sleeper = make_sleeper(clock.monotonic, supervisor)
        console = _make_console(config, options, others)
        observers = [console, *_make_observers(config, options, directory, others, supervisor)]
        agent = Agent(
            config,
            rules,
            observers,
            limit=options.ticks,
            once=options.once,
            load=load,
            clock=clock,
            sleeper=sleeper,
        )
        code = _run(agent, sleeper, console)
        return _tell_lost(agent.counts) if options.bounded and agent.counts.dropped and not code else code
    finally:
        log_writer.close(_LOG_SECONDS)
        directory.close()


def _run(agent: Agent, sleeper: Sleeper, console: Console) -> int:
    threading.excepthook = _make_thread_hook()
    _wait_for_children()
    stopping, ignoring = _signals()
    harmless = _harmless_signals()
    sleeper.on_ignored = agent.request_reload
    with sleeper.catch_signals(stopping, ignoring, harmless), console.attached():
        for warning in (*agent.config.warnings, *agent.rules.warnings):
            _LOGGER.warning("%s", warning)
        agent.start()
        if console.live and (sample := agent.preview()) is not None:
            console.show(sample, [])
        while agent.tick():
            pass
        agent.stop(sleeper.stopped_by.name if sleeper.stopped_by else "done")
    return OVER_LIMIT if agent.stop_reason == STOP_REASON else exit_code(sleeper.stopped_by)


def _tell_lost(counts: TickCounts) -> int:
    _LOGGER.error("%d of %d samples could not be stored", counts.dropped, counts.ticks)
    return LOST


def _make_console(config: Config, options: RunOptions, environ: Mapping[str, str]) -> Console:
    host = hostname()
    return Console(
        tables(),
        (host, format_duration(config.interval), str(host_folder(config.data_dir, host))),
        mode=choose_mode(environ, quiet=options.quiet, lines_wanted=options.lines),
        color=wants_color(options.color, environ),
        environ=environ,
    )


def _make_observers(
    config: Config,
    options: RunOptions,
    directory: DataDirectory,
    environ: Mapping[str, str],
    supervisor: Supervisor | None,
) -> list[Observer]:
    """Return what takes part in a run besides its console; `observer.Place` has their order, and why."""
    storage = Storage(directory, written=None if supervisor is None else supervisor.ready)
    observers: list[Observer] = [
        storage,
        ResourceLimiter(),
        CommandDelivery(config.notify, environ),
        EventLogger(),
        GarbageCollection(),
    ]
    # A short run leaves maintenance to the next.
    if not options.once and (options.ticks is None or options.ticks * config.interval >= config.storage.rotation):
        command, variables = maintenance.command(config), maintenance.environment(environ)
        observers.append(LockWatch(config.data_dir / MAINTENANCE_LOCK, SystemClock().monotonic))
        observers.append(MaintenanceRunner(command, variables, lambda: storage.segments_ended))
    if supervisor is not None:
        interval = config.interval.total_seconds()
        observers.append(ServiceAnnouncer(supervisor))
        observers.append(ServiceState(supervisor, interval=interval, trouble=lambda: storage.trouble))
    return observers


def _make_thread_hook() -> Callable[[Any], None]:
    """Return what logs the failure of a thread, once for each: the samples go on, whoever else may fail."""
    logged: set[str] = set()

    def log_failure(arguments: Any) -> None:
        thread = arguments.thread.name if arguments.thread else "a thread"
        failure = f"{thread} {arguments.exc_type.__name__}"
        if failure not in logged:
            logged.add(failure)
            _LOGGER.critical("internal error in %s: %r", thread, arguments.exc_value)

    return log_failure


def ticks_in(span: timedelta, interval: timedelta) -> int:
    """Return how many ticks a run of some length takes: at least one."""
    return max(1, round(span / interval))


def _wait_for_children() -> None:
    """Have ended children wait for us, also where we were started to ignore them: else nobody knew how they ended."""
    number = getattr(signal, "SIGCHLD", None)
    if number is not None and signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, signal.SIG_DFL)


def _signals() -> tuple[set[signal.Signals], set[signal.Signals]]:
    """Return the signals that end a run, and those that do nothing to it.

    A terminal that goes away ends the run that was started on it; elsewhere SIGHUP asks a service for something,
    and must not kill it.
    """
    stopping = {signal.Signals[name] for name in _ASK_FOR_THE_END if name in signal.Signals.__members__}
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is None:
        return stopping, set()
    on_terminal = is_terminal(0) or is_terminal(1)
    return (stopping | {hangup}, set()) if on_terminal else (stopping, {hangup})


def _harmless_signals() -> set[int]:
    """Return the signals that mean nothing here, and would end us without a word; what Python ignores stays so."""
    named = {signal.Signals[name] for name in _MEAN_NOTHING if name in signal.Signals.__members__}
    if not hasattr(signal, "SIGRTMIN"):
        return set(named)
    return named | set(range(signal.SIGRTMIN, signal.SIGRTMAX + 1))


def _fill_standard_descriptors() -> None:
    """Open what was started closed (`>&-`): else the next file opened would be taken for the screen."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)
