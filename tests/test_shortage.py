"""What is used up is told in a line of its own, and tried again."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.integration.processes import SYSMON, arguments, environment

AS_NOBODY = """\
import os, resource, sys
import sysmon.cli

assert sysmon.cli.answer([*sys.argv[1:], "--data", sys.argv[-1] + "0"]) == 0  # loads what nobody might not read
os.chown(os.path.dirname(sys.argv[-1]), 65534, 65534)
os.setresuid(65534, 65534, 65534)
resource.setrlimit(resource.RLIMIT_NPROC, (1, 1))
sys.exit(sysmon.cli.answer(sys.argv[1:]))
"""


@pytest.mark.needs_root
def test_a_run_that_may_start_no_thread_says_so_in_a_line() -> None:
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        Path(folder, "own").mkdir()
        flags = arguments(Path(folder), "--once", "--quiet", "--data", f"{folder}/own/data")[len(SYSMON) :]
        command = [sys.executable, "-c", AS_NOBODY, *flags]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)

    way = "raise the limit of processes (`ulimit -u`, TasksMax) or free memory"
    said = f"sysmon: no further thread can be started: {way}\n"
    assert (done.returncode, done.stdout, done.stderr) == (2, "", said)
