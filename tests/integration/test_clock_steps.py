"""What the real run does when it is stopped for a while, and (with libfaketime) when the clock is set."""

import signal
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from sysmon.reading import catalog
from tests.integration.crashes import sequence
from tests.integration.processes import SYSMON, answer, environment, rows, start, until

LIBRARIES = sorted(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"))
LIGHT = "collectors: {process: {enabled: false}, connections: {enabled: false}}\n"
FLAGS = ("--interval", "100ms", "--log-level", "error")


def told(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in rows(folder, "events") if event["event"] == kind]


def instants(folder: Path) -> list[datetime]:
    return [datetime.fromisoformat(row["timestamp"]) for row in rows(folder, "agent")]


def numbers(folder: Path) -> list[int]:
    """Return the numbers of all ticks that are stored, packed or not."""
    (host,) = catalog.hosts(folder / "data")
    return sorted(number for _, number in sequence(folder / "data", host))


def worst_rate(folder: Path) -> float:
    """Return the largest number of a table whose values may never leave 0 to 100."""
    shares = [value for row in rows(folder, "cpu") for name, value in row.items() if name.endswith("_percent")]
    assert all(share is None or 0 <= share <= 100 for share in shares)
    rates = [value for row in rows(folder, "network") for name, value in row.items() if name.endswith("_per_second")]
    return min((rate for rate in rates if rate is not None), default=0.0)


def test_a_process_that_was_stopped_says_so_and_makes_up_for_nothing(tmp_path: Path) -> None:
    with start(tmp_path, *FLAGS) as process:
        until(lambda: len(rows(tmp_path, "agent")) > 3)
        process.send_signal(signal.SIGSTOP)
        stopped = len(rows(tmp_path, "agent"))
        signal.sigtimedwait([], 1.5)
        process.send_signal(signal.SIGCONT)
        until(lambda: told(tmp_path, "stalled") and len(rows(tmp_path, "agent")) > stopped + 5)
        process.terminate()

    (stalled,) = told(tmp_path, "stalled")
    counted = [(row["agent_sequence"], row["agent_samples_missed"]) for row in rows(tmp_path, "agent")]
    first, last = instants(tmp_path)[0], instants(tmp_path)[-1]
    expected = round((last - first).total_seconds() / 0.1) + 1
    assert (
        1.0 < stalled["seconds"] < 3.0,
        len(counted) + sum(missed for _, missed in counted) == expected,
        worst_rate(tmp_path) >= 0.0,
    ) == (True, True, True)


@pytest.fixture
def clock(tmp_path: Path) -> Path:
    """Return the file by which libfaketime is told by how much the wall clock is off."""
    if not LIBRARIES:
        pytest.skip("libfaketime is not installed")
    file = tmp_path / "clock"
    file.write_text("+0s\n")
    return file


@pytest.mark.parametrize(
    ("offset", "seconds"),
    [
        pytest.param("+1h", 3600, id="an hour forward"),
        pytest.param("-1h", -3600, id="an hour back"),
        pytest.param("+40d", 40 * 86_400, id="forty days forward"),
        pytest.param("-1767225600s", -1_767_225_600, id="to 1970, as where the battery is flat"),
    ],
)
def test_a_clock_that_is_set_becomes_an_event_ticks_stay_on_multiples_and_nothing_is_lost(
    tmp_path: Path, clock: Path, offset: str, seconds: int
) -> None:
    faked = {
        "LD_PRELOAD": str(LIBRARIES[0]),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }
    with start(tmp_path, *FLAGS, env=environment(**faked), settings=LIGHT) as process:
        until(lambda: len(rows(tmp_path, "agent")) > 3)
        clock.write_text(f"{offset}\n")
        until(lambda: told(tmp_path, "clock_step"))
        after = len(rows(tmp_path, "agent"))
        until(lambda: len(rows(tmp_path, "agent")) > after + 3)
        process.terminate()

    stored = numbers(tmp_path)
    where = ["--data", str(tmp_path / "data")]
    maintained = subprocess.run(
        [*SYSMON, "maintain", *where], env=environment(**faked), capture_output=True, check=False, timeout=300
    )
    (step,) = told(tmp_path, "clock_step")
    off = {instant.microsecond % 100_000 for instant in instants(tmp_path)}
    assert (abs(step["seconds"] - seconds) < 1.0, off, worst_rate(tmp_path) >= 0.0, process.returncode) == (
        True,
        {0},
        True,
        0,
    )
    assert (stored, maintained.returncode, numbers(tmp_path)) == (list(range(1, len(stored) + 1)), 0, stored)
    assert answer("verify", str(tmp_path / "data")).returncode == 0
