"""A real run whose output goes to the journal, or to something else."""

import os
import re
import signal
from pathlib import Path

import pytest

from tests.integration.processes import environment, start, until

RULES = "version: 1\nrules: [{id: always, metric: cpu_count, for: 0s, critical: {at_least: 1}}]\n"


@pytest.mark.parametrize(
    ("ours", "alert", "note"),
    [
        pytest.param(True, r"<2>\S+ +CRITICAL +always: ", r"<6>reloaded: ", id="the journal"),
        pytest.param(False, r"\S+ +CRITICAL +always: ", r"\S+Z info: reloaded: ", id="a pipe"),
    ],
)
def test_the_journal_is_told_how_much_each_line_matters(tmp_path: Path, ours: bool, alert: str, note: str) -> None:
    reading, writing = os.pipe()
    about = os.fstat(writing)
    stream = f"{about.st_dev}:{about.st_ino + (not ours)}"
    env = environment(JOURNAL_STREAM=stream)
    said = b""

    def heard(pattern: str) -> bool:
        nonlocal said
        said += os.read(reading, 65536)
        return re.search(rf"^{pattern}", said.decode(), re.MULTILINE) is not None

    with start(tmp_path, "--interval", "100ms", rules=RULES, env=env, stdout=writing, stderr=writing) as process:
        os.close(writing)
        until(lambda: heard(alert))
        process.send_signal(signal.SIGHUP)
        until(lambda: heard(note))
        process.send_signal(signal.SIGTERM)
    os.close(reading)

    assert process.returncode == 0
