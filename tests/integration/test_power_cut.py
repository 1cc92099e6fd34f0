"""The power goes while sysmon writes to a real file system: one cut each here, as many as you like in tests/scripts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.processes import environment

ROOT = Path(__file__).parents[2]
SOON = "1"
"""Chance lets this seed cut after three seconds."""

pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can mount file systems"),
    pytest.mark.skipif(not os.access("/dev/loop-control", os.W_OK), reason="there are no loop devices"),
]


@pytest.mark.parametrize("kind", ["ext4", "xfs"])
def test_a_power_cut_costs_a_sync_interval_and_a_sample_at_most_and_no_printed_alert(kind: str) -> None:
    if shutil.which(f"mkfs.{kind}") is None:
        pytest.skip(f"mkfs.{kind} is not installed")
    command = [sys.executable, "-m", "tests.scripts.power_cut", "--kind", kind, "--times", "1"]
    chosen = ["--seed", SOON, "--grace", "1"]  # other tests keep the disk busy

    done = subprocess.run(
        [*command, *chosen], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=600
    )

    assert (done.returncode, done.stdout.endswith(": 0 wrong\n"), done.stderr) == (0, True, "")
