"""An upgrade beside live data: what the first version stored is read to the last number, and its alerts go on."""

import io
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.integration.processes import SYSMON, environment

ROOT = Path(__file__).parents[2]
FIRST_VERSION = "dc59efbaab2547feb16b06aa89b85325246dbd9f"
FIRES = (
    "version: 1\n"
    "rules:\n"
    "  - {id: has-memory, metric: memory_total_bytes, warning: {at_least: 1, for: 0s, clear_for: 1h}}\n"
    "  - {id: has-cores, metric: cpu_count, critical: {at_least: 1, for: 1s, clear_for: 1h}}\n"
)
SETTINGS = "interval: 100ms\nstorage: {min_free: 0B}\n"


@dataclass(frozen=True, slots=True)
class Upgraded:
    """A folder with data of the first version, and the command lines of both versions."""

    folder: Path
    old: Sequence[str]
    old_path: Path

    def ask_old(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of the first version to its end."""
        return self._ask(self.old, arguments, PYTHONPATH=str(self.old_path))

    def ask_new(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command of this version to its end."""
        return self._ask(SYSMON, arguments)

    def _ask(
        self, program: Sequence[str], arguments: Sequence[str], **variables: str
    ) -> "subprocess.CompletedProcess[str]":
        command = [*program, *arguments, "--data", str(self.folder / "data")]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=environment(**variables),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    @property
    def run_arguments(self) -> list[str]:
        """Return the arguments of a run of fifteen samples, the same for both versions."""
        files = ["--config", str(self.folder / "sysmon.yaml"), "--rules", str(self.folder / "rules.yaml")]
        return ["run", *files, "--ticks", "15"]

    def alert_events(self) -> list[dict[str, Any]]:
        """Return the lines of the alert log in their order, without those that open a segment."""
        paths = sorted(self.folder.glob("data/*/alerts/*.jsonl"))
        records = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
        return [record for record in records if record["event"] != "active"]


@pytest.fixture
def upgraded(tmp_path: Path) -> Upgraded:
    """Have the first version take its samples and fire its alerts; skip where its source cannot be had."""
    git = shutil.which("git")
    if git is None:
        pytest.skip("git is not installed: the first version cannot be had")
    archive = subprocess.run(
        [git, "-C", str(ROOT), "archive", FIRST_VERSION, "sysmon", "config"], capture_output=True, check=False
    )
    if archive.returncode:
        pytest.skip("the history does not go back to the first version")
    source = tmp_path / "first-version"
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(source, filter="data")
    (tmp_path / "rules.yaml").write_text(FIRES)
    (tmp_path / "sysmon.yaml").write_text(SETTINGS)
    upgrade = Upgraded(tmp_path, [sys.executable, "-P", "-m", "sysmon"], source)
    ran = upgrade.ask_old(*upgrade.run_arguments)
    assert (ran.returncode, ran.stdout.count("has-memory"), ran.stdout.count("has-cores")) == (0, 1, 1), ran.stderr
    return upgrade


def parse_lines(text: str) -> list[dict[str, Any]]:
    """Return the rows of an export."""
    return [json.loads(line) for line in text.splitlines()]


def test_every_number_that_was_stored_is_exported_as_before(upgraded: Upgraded) -> None:
    tables = sorted({path.name for path in upgraded.folder.glob("data/*/*") if path.name not in {"alerts", "events"}})
    everything = [["export", "--table", table, "--format", "jsonl", "--since", "1h", "-o", "-"] for table in tables]

    before = [parse_lines(upgraded.ask_old(*arguments).stdout) for arguments in everything]
    after = [parse_lines(upgraded.ask_new(*arguments).stdout) for arguments in everything]

    # A table may have grown columns since: those of old rows are null.
    grown = [
        dict.fromkeys(new.keys() - old.keys()) | old
        for olds, news in zip(before, after, strict=True)
        for old, new in zip(olds, news, strict=True)
    ]
    assert grown == [row for rows in after for row in rows]
    assert len(grown) > 15 * 3  # a guard: there was something to compare


def test_alerts_go_on_over_the_upgrade_without_a_message(upgraded: Upgraded) -> None:
    before = upgraded.alert_events()

    ran = upgraded.ask_new(*upgraded.run_arguments)

    assert (ran.returncode, ran.stdout.count("WARNING"), ran.stdout.count("CRITICAL")) == (0, 0, 0), ran.stderr
    assert upgraded.alert_events() == before
    active = json.loads(upgraded.ask_new("alerts", "--active", "--format", "json").stdout)["alerts"]
    fired = {(event["rule"], event["id"]) for event in before}
    assert {(alert["rule"], alert["id"]) for alert in active} == fired
