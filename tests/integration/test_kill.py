"""kill -9 at any moment: what a reader could see before is still there, and the next start just works."""

import random
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from tests.integration.processes import answer, start, until

KILLS = 25


def _whole_lines(folder: Path) -> dict[Path, bytes]:
    """Return what a reader takes from each file: everything up to its last newline."""
    sizes = {}
    for path in folder.glob("data/*/*/*"):
        data = path.read_bytes()
        sizes[path] = data[: data.rfind(b"\n") + 1]
    return sizes


@pytest.mark.parametrize("seed", [20261120])
def test_nothing_that_could_be_read_before_a_kill_is_gone_after_it(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same moments each time
    lost = []
    for _ in range(KILLS):
        with start(tmp_path, "--interval", "50ms", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            runs = len(list(tmp_path.glob("data/*/agent/*.jsonl")))
            until(lambda runs=runs: len(list(tmp_path.glob("data/*/agent/*.jsonl"))) > runs)  # type: ignore[misc]
            threading.Event().wait(chance.uniform(0, 0.2))
            before = _whole_lines(tmp_path)
            process.send_signal(signal.SIGKILL)
            process.wait(180)
        after = _whole_lines(tmp_path)
        lost += [path for path, data in before.items() if not after.get(path, b"").startswith(data)]

    report, export = (
        answer("report", "--since", "10m", "--data", str(tmp_path / "data")),
        answer("export", "--since", "10m", "--data", str(tmp_path / "data"), "-o", f"{tmp_path}/exported/"),
    )
    assert (lost, report.returncode, export.returncode, export.stderr) == ([], 0, 0, "")
