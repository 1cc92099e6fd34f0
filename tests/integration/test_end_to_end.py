"""The whole path: a machine that changes, a rule that sees it, the screen, the alert log and the report."""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from tests.integration.processes import answer, rows, start, until

MIB = 2**20
SHARED = Path("/dev/shm")
RULES = """\
version: 1
defaults: {{for: 100ms, clear_for: 100ms}}
rules:
  - id: shared-memory
    metric: memory_shared_bytes
    warning: {{at_least: {warning}, clear_below: {clear}}}
    critical: {{at_least: {critical}, clear_below: {clear}}}
"""


@contextmanager
def _shared_file() -> Iterator[Path]:
    path = SHARED / f"sysmon-test-{os.getpid()}"
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


@pytest.mark.usefixtures("shared_memory")
@pytest.mark.skipif(not SHARED.is_dir(), reason="there is no /dev/shm")
def test_a_rule_fires_escalates_and_resolves_once_on_the_screen_in_the_log_and_in_the_report(tmp_path: Path) -> None:
    now = psutil.virtual_memory().shared
    rules = RULES.format(clear=now + 20 * MIB, warning=now + 40 * MIB, critical=now + 120 * MIB)

    def events() -> list[str]:
        return [record["event"] for record in rows(tmp_path, "alerts")]

    flags = ("--interval", "50ms", "--color", "always")
    with _shared_file() as path, start(tmp_path, *flags, rules=rules, stdout=subprocess.PIPE) as process:
        until(lambda: rows(tmp_path, "agent"))
        path.write_bytes(bytes(80 * MIB))
        until(lambda: "fired" in events())
        with path.open("ab") as more:
            more.write(bytes(80 * MIB))
        until(lambda: "escalated" in events())
        path.unlink()
        until(lambda: "resolved" in events())
        process.terminate()
        said, _ = process.communicate(timeout=180)

    report = answer("report", "--since", "10m", "--data", str(tmp_path / "data"), "--format", "json")
    lines = [line for line in said.decode().splitlines() if "shared-memory" in line]
    (alert,) = json.loads(report.stdout)["hosts"][0]["alerts"]
    assert events() == ["active", "fired", "escalated", "resolved"]
    assert [line.split("\x1b[0m")[0].split("m")[-1].strip() for line in lines] == ["WARNING", "CRITICAL", "RESOLVED"]
    assert (alert["rule"], alert["state"], alert["peak"] >= now + 120 * MIB) == ("shared-memory", "resolved", True)
