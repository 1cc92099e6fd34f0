"""A real run on bad days: its folder goes away, its disk fills up, readers ask while files are packed and deleted."""

import contextlib
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from sysmon.storage.queue import QUEUE_LIMIT
from tests.integration.disks import MIB, small_disk
from tests.integration.processes import answer, arguments, environment, rows, start, until
from tests.programs import Program

ROOT = Path(__file__).parent.parent.parent
INTERVAL = 0.02


def ending(process: "subprocess.Popen[bytes]") -> int:
    process.send_signal(signal.SIGTERM)
    return process.wait(180)


@pytest.mark.parametrize("moved", [True, False], ids=["moved", "deleted"])
def test_a_data_directory_that_goes_away_is_begun_anew_and_told_once(tmp_path: Path, moved: bool) -> None:
    with start(tmp_path, "--interval", "100ms", stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        until(lambda: len(rows(tmp_path, "agent")) > 3)
        if moved:
            (tmp_path / "data").rename(tmp_path / "old")
        else:
            subprocess.run(["/bin/rm", "-rf", str(tmp_path / "data")], check=False)
        until(lambda: len(rows(tmp_path, "agent")) > 3)
        code = ending(process)
        assert process.stderr is not None
        lines = process.stderr.read().decode().splitlines()

    numbers = [row["agent_sequence"] for row in rows(tmp_path, "agent")]
    anew = [line for line in lines if "begun anew" in line]
    assert (code, numbers == list(range(numbers[0], numbers[0] + len(numbers))), len(anew)) == (0, True, 1)


def small(folder: Path, text: str) -> list[str]:
    """Return the command line of a run with settings of its own."""
    command = arguments(folder, "--interval", f"{1000 * INTERVAL:g}ms")
    (folder / "sysmon.yaml").write_text(text)
    return command


def events(folder: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in rows(folder, "events") if event["event"] == kind]


@pytest.mark.needs_root
def test_a_foreign_file_that_fills_the_disk_costs_what_the_gap_says_and_no_line(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 8 * MIB):
        command = small(tmp_path, "storage: {min_free: 0B, max_bytes: 4MiB}\n")
        with Program[bytes](command, env=environment(), stdout=-3, stderr=-3) as process:
            until(lambda: len(rows(tmp_path, "agent")) > 3)
            filler = tmp_path / "data" / "filler"
            with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
                while file.write(b"x" * 65536):
                    pass
            stored = len(rows(tmp_path, "agent"))
            threading.Event().wait(QUEUE_LIMIT * INTERVAL + 1)  # more samples than memory holds
            filler.unlink()
            until(lambda: events(tmp_path, "gap"))
            until(lambda: len(rows(tmp_path, "agent")) > stored + 20)
            code = ending(process)
        numbers = [row["agent_sequence"] for row in rows(tmp_path, "agent")]
        (gap,) = events(tmp_path, "gap")
        verdict = answer("verify", str(tmp_path / "data"))

    missing = numbers[-1] - len(numbers)
    assert (code, len(set(numbers)) == len(numbers), missing > 0) == (0, True, True)
    assert (gap["count"], verdict.returncode, verdict.stdout) == (missing, 0, verdict.stdout)


@pytest.mark.needs_root
def test_a_small_disk_is_never_filled_beyond_the_bound(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 8 * MIB):
        command = small(
            tmp_path,
            "storage: {max_bytes: 1MiB, min_free: 0B, rotation: 1s, compress_after: 5s}\n",
        )
        largest = 0
        with Program[bytes](command, env=environment(), stdout=-3, stderr=-3) as process:
            for _ in range(100):
                seen = subprocess.run(["/usr/bin/du", "-sB1", str(tmp_path / "data")], capture_output=True, check=False)
                largest = max(largest, int(seen.stdout.split()[0] or 0))
                threading.Event().wait(0.05)
            code = ending(process)

    assert (code, MIB / 2 < largest < 2.5 * MIB) == (0, True)


def test_an_answer_is_one_piece_while_runs_come_and_go_and_files_rotate_are_packed_and_deleted() -> None:
    flags = ("--seconds", "9", "--life", "3", "--max-bytes", "1MiB")
    command = [sys.executable, "-m", "tests.scripts.read_while_writing", *flags]

    done = subprocess.run(
        command, cwd=ROOT, env=environment(), capture_output=True, text=True, check=False, timeout=600
    )

    assert (done.returncode, done.stdout.splitlines()[1:], done.stderr) == (0, ["0 wrong"], ""), done.stdout
