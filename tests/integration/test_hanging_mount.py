"""A mount that never answers, as a real FUSE mount: nothing waits for it but one process, and everything ends."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.processes import arguments, environment, rows, until

SCRIPT = Path(__file__).parent.parent / "scripts/hanging_mount.py"
SETTINGS = "collectors:\n  disk_usage: {interval: 100ms}\n"


def can_mount() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and os.access("/dev/fuse", os.R_OK | os.W_OK)


pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(not can_mount(), reason="only root can mount FUSE file systems here"),
]


@pytest.fixture
def beside(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Run sysmon beside a mount that never answers."""
    (tmp_path / "mnt").mkdir()
    command = arguments(tmp_path, "--interval", "100ms", "--log-level", "error")
    (tmp_path / "sysmon.yaml").write_text(SETTINGS)
    beside = subprocess.Popen(
        [sys.executable, str(SCRIPT), str(tmp_path / "mnt"), *command],
        env=environment(),
        stdout=subprocess.DEVNULL,
    )
    until(lambda: rows(tmp_path, "agent"))
    yield beside
    beside.terminate()
    beside.wait(180)


def told(folder: Path) -> list[str]:
    return [event["event"] for event in rows(folder, "events") if event["event"].startswith("mount_")]


def test_a_mount_that_hangs_is_told_when_it_begins_and_when_it_ends(
    beside: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    until(lambda: told(tmp_path) == ["mount_stuck"])
    beside.send_signal(signal.SIGUSR1)
    until(lambda: told(tmp_path) == ["mount_stuck", "mount_back"])
    mine = [row for row in rows(tmp_path, "disk_usage") if row["mountpoint"] == str(tmp_path / "mnt")]
    until(lambda: [row for row in rows(tmp_path, "disk_usage") if row["disk_total_bytes"] == 4_096_000])

    assert mine[0]["disk_total_bytes"] is None


def test_a_mount_that_hangs_delays_no_tick_and_not_the_end(beside: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    until(lambda: told(tmp_path) == ["mount_stuck"])
    beside.terminate()
    code = beside.wait(60)
    with (tmp_path / "data/lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    sampled = {row["timestamp"] for row in rows(tmp_path, "cpu")}
    assert (code, sampled) == (0, {row["timestamp"] for row in rows(tmp_path, "agent")})
