"""A real run that may open no more files: it goes on, says so, and all is as before when it may again."""

import resource
import signal
import sys
from pathlib import Path

from tests.integration.processes import rows, start, until

COLLECTOR_DOWN = """\
version: 1
rules:
  - id: down
    metric: collector_up
    warning: {below: 1, for: 0s, clear_for: 1h}
"""
STORE = "import sys; open(sys.argv[1], 'ab').write(sys.stdin.buffer.read())"


def test_a_run_without_descriptors_goes_on_and_tries_again_what_needs_one(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STORE, str(tmp_path / "told")]
    settings = f"storage: {{rotation: 1s, min_free: 0B}}\nnotify: {{command: {command!r}}}\n"
    log = tmp_path / "log"
    with (
        log.open("wb") as stderr,
        start(
            tmp_path, "--interval", "50ms", rules=COLLECTOR_DOWN, settings=settings, stdout=-3, stderr=stderr
        ) as process,
    ):
        until(lambda: rows(tmp_path, "agent"))
        before = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (3, before[1]))
        complaints = ("collector failed", "alerts wait", "storage: cannot write", "maintenance: it cannot be started")
        until(lambda: all(text in log.read_text() for text in complaints))
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, before)
        recovered = rows(tmp_path, "agent")
        until(lambda: len(rows(tmp_path, "agent")) > len(recovered) + 5)
        until((tmp_path / "told").exists)
        process.send_signal(signal.SIGTERM)
        code = process.wait(180)

    lines = log.read_text().splitlines()
    (stopped,) = [event for event in rows(tmp_path, "events") if event["event"] == "stopped"]
    assert (code, stopped["reason"], sum("cannot be started" in line for line in lines)) == (0, "SIGTERM", 2), lines
    assert (tmp_path / "told").read_text().count('"rule":"down"') >= 1
