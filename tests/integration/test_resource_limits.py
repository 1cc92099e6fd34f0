"""What the real run does about its own cost."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.processes import rows, start, until

LITTLE = "resource_limits: {{cpu_percent: 0.0001, action: {action}}}\n"
FLAGS = ("--interval", "50ms", "--log-level", "error")


def told(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in rows(folder, "events") if event["event"] == kind]


def begin(folder: Path, action: str) -> Any:
    process = start(folder, *FLAGS, settings=LITTLE.format(action=action))
    until(lambda: told(folder, "limit_exceeded"))
    return process


def test_a_run_that_shall_stop_over_its_limit_stops_with_a_code_and_a_reason(tmp_path: Path) -> None:
    with begin(tmp_path, "stop") as process:
        code = process.wait(180)

    (stopped,) = told(tmp_path, "stopped")
    assert (code, stopped["reason"]) == (71, "resource_limits")


@pytest.mark.parametrize(
    ("action", "changed"),
    [
        pytest.param("slow_down", {"cpu": 0.1, "memory": 0.1}, id="slow down"),
        pytest.param("disable_collectors", {}, id="switch off one collector after another"),
    ],
)
def test_a_run_over_its_limit_reads_less(tmp_path: Path, action: str, changed: dict[str, float]) -> None:
    def limited() -> list[dict[str, Any]]:
        return [event for event in told(tmp_path, "interval_changed") if event["reason"] == "resource_limits"]

    with begin(tmp_path, action) as process:
        until(limited)
        process.terminate()
        code = process.wait(180)

    first = [event for event in limited() if event["timestamp"] == limited()[0]["timestamp"]]
    intervals = {event["collector"]: event["seconds"] for event in first}
    off = [name for name, seconds in intervals.items() if seconds is None]
    assert (code, {name: intervals[name] for name in changed}, len(off)) == (0, changed, 0 if changed else 1)
