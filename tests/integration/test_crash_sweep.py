"""A crash or a failing disk at any file call: nothing written is lost, doubled or made up, and the next start works.

Every tenth call of a short run and every fourth of maintenance are tried here; tests/scripts/crash_sweep.py tries all.
"""

import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.integration.faulty_disk import CALLS
from tests.integration.processes import environment

ROOT = Path(__file__).parents[2]
STRACE = shutil.which("strace")
_COUNTED = re.compile(r"^\w+, [\w ]+: (\d+) points, (\d+) wrong$")
_CALL = re.compile(r"^(?P<process>\d+) +(?P<call>\w+)\((?P<rest>.*)$")

pytestmark = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="only Linux hands out process descriptors")


def swept(*flags: str) -> tuple[int, list[str]]:
    """Return how many points were tried, and what was wrong."""
    command = [sys.executable, "-m", "tests.scripts.crash_sweep", *flags]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=3000
    )
    lines = done.stdout.splitlines()
    counted = [match for match in map(_COUNTED.match, lines) if match]
    wrong = [line for line in (*lines, *done.stderr.splitlines()) if not _COUNTED.match(line)]
    return sum(int(match[1]) for match in counted), wrong


def test_a_run_survives_what_happens_at_a_file_call() -> None:
    tried, wrong = swept("--only", "run", "--every", "10", "--ticks", "13", "--at-once", "8")

    assert (tried > 80, wrong) == (True, [])


def test_maintenance_survives_what_happens_at_a_file_call() -> None:
    tried, wrong = swept("--only", "maintain", "--every", "4", "--at-once", "4")

    assert (tried > 150, wrong) == (True, [])


@pytest.mark.skipif(STRACE is None, reason="strace is not installed")
def test_no_file_call_of_maintenance_goes_past_those_that_are_counted(tmp_path: Path) -> None:
    log = tmp_path / "log"
    counting = [sys.executable, "-m", "tests.scripts.crash_sweep", "--count", str(tmp_path / "swept")]
    tracing = [str(STRACE), "-f", "-y", "-o", str(log), "-e", f"trace={','.join(sorted(set(CALLS.values())))}"]
    done = subprocess.run(
        [*tracing, *counting], cwd=ROOT, env=environment(), capture_output=True, text=True, check=True
    )

    seen = [match for match in map(_CALL.match, log.read_text("utf-8", "replace").splitlines()) if match]
    theirs = [match for match in seen if match["process"] != seen[0]["process"]]  # the first one made the files
    listing = "O_NONBLOCK|O_CLOEXEC|O_DIRECTORY"
    folder = str(tmp_path / "swept" / "data")
    traced = Counter(match["call"] for match in theirs if folder in match["rest"] and listing not in match["rest"])
    assert Counter(done.stdout.split()) == traced
