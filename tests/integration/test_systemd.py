"""A real run under something that plays systemd's side: the notify socket and the watchdog."""

import os
import re
import shlex
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.integration.processes import arguments, environment, rows, start, until

RULES = "version: 1\nrules: [{id: always, metric: cpu_count, for: 0s, warning: {at_least: 1}}]\n"
NO_RULES = "version: 1\nrules: []\n"


class Manager:
    """Listens where a service says how it is; `said` holds the lines of all messages in order."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.address = address
        self.said: list[str] = []

    def hear(self, seconds: float = 30.0) -> bool:
        """Take the next message; say whether one came in time."""
        self.socket.settimeout(seconds)
        try:
            message = self.socket.recv(4096)
        except TimeoutError:
            return False
        self.said += message.decode("utf-8").splitlines()
        return True

    def wait_for(self, wanted: Callable[[str], bool], name: str) -> str:
        """Listen until a line comes that is wanted; return it."""
        seen = len(self.said)
        end = time.monotonic() + 180
        while time.monotonic() < end and self.hear():
            for line in self.said[seen:]:
                if wanted(line):
                    return line
            seen = len(self.said)
        raise AssertionError(f"no {name} in {self.said}")

    def words(self) -> list[str]:
        """Return what was said, each word once, signs of life and the state in words left out."""
        return list(dict.fromkeys(line for line in self.said if not line.startswith(("STATUS=", "WATCHDOG="))))


@pytest.fixture
def manager() -> Iterator[Manager]:
    """Listen at a path, as the manager of a machine does; the path of a socket is short."""
    with tempfile.TemporaryDirectory() as folder:
        manager = Manager(f"{folder}/notify")
        yield manager
        manager.socket.close()


@pytest.fixture
def abstract_manager() -> Iterator[Manager]:
    """Listen at an address that is no file, as managers in containers do."""
    manager = Manager(f"@sysmon-test-{os.getpid()}-{time.monotonic_ns()}")
    yield manager
    manager.socket.close()


@contextmanager
def service(folder: Path, manager: Manager, *more: str, rules: str = NO_RULES, **variables: str) -> Iterator[Any]:
    """Start a run as a service manager does."""
    env = environment(NOTIFY_SOCKET=manager.address, **variables)
    with (folder / "errors").open("wb") as errors:
        process = start(folder, *more, rules=rules, env=env, stdout=subprocess.DEVNULL, stderr=errors)
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


def is_(line: str) -> Callable[[str], bool]:
    """Return what recognises one line."""
    return lambda said: said == line


def test_a_service_is_ready_with_its_first_stored_sample_reloads_and_stops(tmp_path: Path, manager: Manager) -> None:
    with service(tmp_path, manager, "--interval", "100ms", WATCHDOG_USEC="400000") as process:
        manager.wait_for(is_("READY=1"), "READY")
        stored = len(rows(tmp_path, "agent"))
        process.send_signal(signal.SIGHUP)
        manager.wait_for(is_("READY=1"), "READY after the reload")
        manager.wait_for(is_("WATCHDOG=1"), "sign of life")
        process.send_signal(signal.SIGTERM)
        manager.wait_for(is_("STOPPING=1"), "STOPPING")
        process.wait(180)

    kinds = [re.sub(r"(USEC)=\d+", r"\1", line) for line in manager.words()]
    assert (process.returncode, stored > 0, kinds) == (
        0,
        True,
        ["EXTEND_TIMEOUT_USEC", "READY=1", "RELOADING=1", "MONOTONIC_USEC", "STOPPING=1"],
    )


def test_an_address_may_be_no_file(tmp_path: Path, abstract_manager: Manager) -> None:
    with service(tmp_path, abstract_manager, "--interval", "100ms"):
        abstract_manager.wait_for(is_("READY=1"), "READY")

    assert abstract_manager.words() == [abstract_manager.said[0], "READY=1"]


def test_the_instant_of_a_reload_is_told_by_the_clock_that_the_manager_compares(
    tmp_path: Path, manager: Manager
) -> None:
    with service(tmp_path, manager, "--interval", "100ms") as process:
        manager.wait_for(is_("READY=1"), "READY")
        before = time.monotonic_ns() // 1000
        process.send_signal(signal.SIGHUP)
        line = manager.wait_for(lambda line: line.startswith("MONOTONIC_USEC="), "instant")

    assert before <= int(line.partition("=")[2]) <= time.monotonic_ns() // 1000


def test_the_state_in_words_names_what_fires_and_counts_samples(tmp_path: Path, manager: Manager) -> None:
    with service(tmp_path, manager, "--interval", "100ms", rules=RULES):
        line = manager.wait_for(lambda line: "firing" in line, "state")

    assert re.fullmatch(r"STATUS=1 firing: WARNING always; \d+ samples, \d+ missed, 0 dropped", line)


def test_signs_of_life_come_while_a_long_interval_is_waited_for(tmp_path: Path, manager: Manager) -> None:
    # At one of these two the next sample is far away, at whatever minute this runs.
    interval = max((3600, "1h"), (3540, "59m"), key=lambda each: each[0] - time.time() % each[0])[1]
    with service(tmp_path, manager, "--interval", interval, WATCHDOG_USEC="200000"):
        for _ in range(3):
            manager.wait_for(is_("WATCHDOG=1"), "sign of life")

    assert (manager.said.count("READY=1"), rows(tmp_path, "agent")) == (1, [])


def test_a_run_that_is_stuck_gives_no_sign_of_life_and_says_where_it_was_when_it_is_ended(
    tmp_path: Path, manager: Manager
) -> None:
    with service(tmp_path, manager, "--interval", "100ms", WATCHDOG_USEC="400000") as process:
        manager.wait_for(is_("WATCHDOG=1"), "sign of life")
        process.send_signal(signal.SIGSTOP)
        until(lambda: not manager.hear(0.4))
        process.send_signal(signal.SIGABRT)
        process.send_signal(signal.SIGCONT)
        process.wait(180)

    trace = (tmp_path / "errors").read_text()
    # faulthandler looks at threads that go on meanwhile, and may itself stumble over one once it has begun to tell
    ended = process.returncode in {-signal.SIGABRT, -signal.SIGSEGV}
    assert (ended, "Fatal Python error: Aborted" in trace) == (True, True)


def test_a_service_that_is_watched_needs_no_standard_error(tmp_path: Path, manager: Manager) -> None:
    command = shlex.join(arguments(tmp_path, "--interval", "50ms", "--ticks", "3"))
    env = environment(NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="5000000")

    done = subprocess.run(["/bin/sh", "-c", f"{command} >&- 2>&-"], env=env, check=False, timeout=300)

    assert (done.returncode, len(rows(tmp_path, "agent"))) == (0, 3)


def test_a_watchdog_of_another_process_is_none_of_ours(tmp_path: Path, manager: Manager) -> None:
    with service(tmp_path, manager, "--interval", "50ms", "--ticks", "10", WATCHDOG_USEC="40000", WATCHDOG_PID="1"):
        manager.wait_for(is_("STOPPING=1"), "STOPPING")

    assert "WATCHDOG=1" not in manager.said


def test_a_disk_that_refuses_does_not_keep_a_service_from_being_ready(tmp_path: Path, manager: Manager) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / socket.gethostname()).write_text("a file where the host's folder belongs")

    with service(tmp_path, manager, "--interval", "100ms"):
        manager.wait_for(is_("READY=1"), "READY")
        line = manager.wait_for(lambda line: "cannot write" in line, "state")

    assert line.startswith("STATUS=cannot write (")


def test_nobody_listening_is_no_trouble(tmp_path: Path, manager: Manager) -> None:
    manager.socket.close()

    with service(tmp_path, manager, "--interval", "50ms", "--ticks", "3") as process:
        process.wait(180)

    assert (process.returncode, (tmp_path / "errors").read_text()) == (0, "")


def test_what_a_run_starts_is_not_asked_to_speak_for_it(tmp_path: Path, manager: Manager) -> None:
    script = f"env > {tmp_path}/new; mv {tmp_path}/new {tmp_path}/environment"
    settings = f"notify:\n  command: [/bin/sh, -c, '{script}']\n"
    variables = environment(NOTIFY_SOCKET=manager.address, WATCHDOG_USEC="5000000")
    output = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}

    with start(tmp_path, "--interval", "100ms", rules=RULES, settings=settings, env=variables, **output) as process:
        until((tmp_path / "environment").exists)
        process.send_signal(signal.SIGTERM)

    assert re.findall(r"^(?:NOTIFY_SOCKET|WATCHDOG)", (tmp_path / "environment").read_text(), re.MULTILINE) == []
