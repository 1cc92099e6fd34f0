"""The agent without a terminal, signals or a service manager: in a thread of somebody else's program."""

import errno
import logging
import signal
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest

from sysmon import config
from sysmon.alerts.rules.loader import RuleSet, load_rules
from sysmon.app.agent.agent import Agent, collected_intervals
from sysmon.app.agent.log import LOGGER
from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.app.agent.storage import Storage
from sysmon.app.agent.systemd import ServiceAnnouncer, ServiceState
from sysmon.app.catalog import tables
from sysmon.config import Config
from sysmon.console.sd_notify import Supervisor
from sysmon.storage.lock import DataDirectory
from tests.integration.processes import rows
from tests.sampling.fakes import FakeClock, FakeWaiting

RULES = "version: 1\nrules: [{id: always, metric: cpu_count, for: 0s, warning: {at_least: 1}}]\n"


def _configure(folder: Path, interval: str = "50ms") -> Config:
    (folder / "rules.yaml").write_text(RULES)
    (folder / "sysmon.yaml").write_text(f"interval: {interval}\nrules: rules.yaml\ndata_dir: {folder}/data\n")
    return config.load(config=folder / "sysmon.yaml", environ={"HOME": "/nowhere"})


def _rules(settings: Config) -> RuleSet:
    return load_rules(settings.rules, tables(), collected_intervals(settings))


class FakeSleeper(FakeWaiting):
    """A wait that moves the clock, and can be ended."""

    def stop(self) -> None:
        self.enough = self.waits


class Listener(Observer):
    """Notes what it is called with, and lets go of a lock once it has heard enough ticks."""

    def __init__(self, enough: int = 1) -> None:
        self.heard: list[str] = []
        self.enough = threading.Semaphore(0)
        self._left = enough

    def open(self, _agent: Agent, /) -> None:
        self.heard.append("open")

    def start(self, entry: Entry, /) -> None:
        self.heard.append(entry.events[0].kind)

    def tick(self, entry: Entry, /) -> None:
        self.heard.append(f"tick with {len(entry.active)} alert")
        self._left -= 1
        if self._left == 0:
            self.enough.release()

    def stop(self, entry: Entry, /) -> None:
        self.heard.append(entry.events[0].kind)

    def close(self) -> None:
        self.heard.append("close")


def _run(agent: Agent) -> None:
    agent.start()
    while agent.tick():
        pass
    agent.stop()


def _run_in_a_thread(folder: Path) -> list[str]:
    """Run an agent beside the caller until it has taken three ticks; return what its listener heard."""
    settings = _configure(folder)
    rules = _rules(settings)
    directory = DataDirectory(settings.data_dir)
    listener = Listener(enough=3)
    agent = Agent(settings, rules, [listener, Storage(directory)])
    thread = threading.Thread(target=_run, args=(agent,))
    thread.start()
    ticked = listener.enough.acquire(timeout=180)
    agent.request_stop("the test is over")
    thread.join(180)
    directory.close()
    assert (ticked, thread.is_alive()) == (True, False)
    return listener.heard


def test_an_agent_in_a_thread_stores_what_a_run_stores_and_touches_no_signal(tmp_path: Path) -> None:
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]

    heard = _run_in_a_thread(tmp_path)

    after = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    events = [record for record in rows(tmp_path, "events") if record["event"] in {"running", "started", "stopped"}]
    alerts = [record["event"] for record in rows(tmp_path, "alerts")]
    agent = [row["agent_sequence"] for row in rows(tmp_path, "agent")]
    assert (before, len(rows(tmp_path, "memory"))) == (after, len(agent))
    assert [record["event"] for record in events] == ["running", "started", "stopped"]
    assert (events[-1]["reason"], events[-1]["ticks"], agent) == (
        "the test is over",
        len(agent),
        list(range(1, len(agent) + 1)),
    )
    assert alerts == ["active", "fired"]
    ticks = ["tick with 1 alert"] * len(agent)
    assert heard == ["open", "started", *ticks, "stopped", "close"]


def test_two_agents_work_one_after_the_other_in_one_process(tmp_path: Path) -> None:
    for _ in range(2):
        _run_in_a_thread(tmp_path)

    runs = [record["run"] for record in rows(tmp_path, "events") if record["event"] == "stopped"]
    stored = [row["run"] for row in rows(tmp_path, "agent")]
    fired = [record["event"] for record in rows(tmp_path, "alerts")].count("fired")
    assert (len(set(runs)), list(dict.fromkeys(stored)), fired) == (2, runs, 1)


def test_a_limit_of_ticks_ends_it_without_being_asked(tmp_path: Path) -> None:
    settings = _configure(tmp_path)
    listener = Listener()

    _run(Agent(settings, _rules(settings), [listener], limit=2))

    assert (listener.heard.count("tick with 1 alert"), listener.heard[-1]) == (2, "close")


def test_it_cannot_tick_before_it_has_started(tmp_path: Path) -> None:
    settings = _configure(tmp_path)

    with pytest.raises(RuntimeError, match="has not been started"):
        Agent(settings, _rules(settings), sleeper=FakeSleeper(FakeClock(datetime.now(UTC)), enough=1)).tick()


def test_observers_are_called_in_the_declared_order_whatever_order_they_are_given_in(tmp_path: Path) -> None:
    called: list[Place] = []

    class Recorder(Observer):
        place: ClassVar[Place]

        def tick(self, _entry: Entry, /) -> None:
            called.append(self.place)

    recorders = [type(place.name, (Recorder,), {"place": place})() for place in reversed(Place)]
    settings = _configure(tmp_path)

    _run(Agent(settings, _rules(settings), recorders, limit=1))

    assert called == sorted(Place)


@contextmanager
def _service_manager() -> Iterator[tuple[socket.socket, str]]:
    """Listen as a service manager does; the path of a socket is short."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"{folder}/notify")
        listening.setblocking(False)
        yield listening, f"{folder}/notify"


def _messages(listening: socket.socket) -> list[str]:
    lines: list[str] = []
    while True:
        try:
            lines += listening.recv(4096).decode().splitlines()
        except BlockingIOError:
            return [line for line in lines if not line.startswith("STATUS=")]


@pytest.mark.parametrize(
    ("interval", "minute", "second", "messages"),
    [
        pytest.param("1h", 20, 0, ["EXTEND_TIMEOUT_USEC=2460000000", "READY=1"], id="far from the next sample"),
        pytest.param("1h", 59, 40, ["EXTEND_TIMEOUT_USEC=80000000", "READY=1"], id="shortly before it"),
        pytest.param("30s", 59, 40, ["EXTEND_TIMEOUT_USEC=80000000"], id="an interval that is waited for"),
    ],
)
def test_a_service_with_a_long_interval_is_ready_at_once_at_any_minute_of_the_hour(
    interval: str, minute: int, second: int, messages: list[str], tmp_path: Path
) -> None:
    clock = FakeClock(datetime(2026, 11, 20, 12, minute, second, tzinfo=UTC))
    settings = _configure(tmp_path, interval)
    with _service_manager() as (listening, address):
        supervisor = Supervisor(address)
        seconds = settings.interval.total_seconds()
        observers = [ServiceAnnouncer(supervisor), ServiceState(supervisor, interval=seconds, trouble=lambda: None)]
        rules = _rules(settings)
        agent = Agent(settings, rules, observers, clock=clock, sleeper=FakeSleeper(clock, enough=1))

        agent.start()
        at_the_start = _messages(listening)
        agent.stop()
        supervisor.close()

    assert at_the_start == messages


class Refused(Observer):
    """An observer to whom the system refuses something at its first two ticks."""

    place: ClassVar[Place] = Place.DELIVERY

    def __init__(self) -> None:
        self.ticks = 0

    def tick(self, _entry: Entry, /) -> None:
        self.ticks += 1
        if self.ticks <= 2:
            raise OSError(errno.EMFILE, "Too many open files")


class Messages(logging.Handler):
    """Keeps what is logged, as text; on the program's own logger, so that no other test's handlers matter."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def test_an_observer_to_whom_something_is_refused_ends_nothing_and_is_told_once(tmp_path: Path) -> None:
    settings = _configure(tmp_path)
    refused, listener, messages = Refused(), Listener(), Messages()
    logger = logging.getLogger(LOGGER)
    logger.addHandler(messages)

    try:
        _run(Agent(settings, _rules(settings), [refused, listener], limit=3))
    finally:
        logger.removeHandler(messages)

    assert (refused.ticks, listener.heard) == (3, ["open", "started", *["tick with 1 alert"] * 3, "stopped", "close"])
    assert messages.texts == ["Refused: [Errno 24] Too many open files"]
