"""`sysmon status`, beside a run and without one."""

import signal
import subprocess
from pathlib import Path

from tests.integration.processes import answer, rows, run, start, until


def status(folder: Path) -> tuple[int, list[str]]:
    """Return the exit code and the lines above the first part."""
    ended = answer("status", "--data", str(folder / "data"), "--config", str(folder / "sysmon.yaml"))
    return ended.returncode, ended.stdout.split("\n\n")[0].splitlines()


def test_a_run_that_samples_is_well(tmp_path: Path) -> None:
    with start(tmp_path, "--interval", "200ms", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        until(lambda: len(rows(tmp_path, "agent")) > 3)
        ended = status(tmp_path)
        process.send_signal(signal.SIGTERM)

    assert ended == (0, ["sysmon OK"])


def test_where_nothing_runs_it_says_so_and_how_old_the_last_sample_is(tmp_path: Path) -> None:
    run(tmp_path, "--once")

    code, first = status(tmp_path)

    assert (code, first) == (1, ["sysmon CRITICAL", "CRITICAL not running: start `sysmon run`"])


def test_without_samples_there_is_one_line(tmp_path: Path) -> None:
    ended = answer("status", "--data", str(tmp_path / "none"))

    assert (ended.returncode, ended.stdout, len(ended.stderr.splitlines())) == (1, "", 1)


def test_a_plugin_is_told_what_is_unknown_in_its_own_way(tmp_path: Path) -> None:
    ended = answer("status", "--nagios", "--data", str(tmp_path / "none"))

    assert (ended.returncode, ended.stdout.startswith("SYSMON UNKNOWN - "), ended.stderr) == (3, True, "")


def test_verify_of_a_run_finds_everything_sound(tmp_path: Path) -> None:
    run(tmp_path, "--interval", "50ms", "--ticks", "10")

    ended = answer("verify", str(tmp_path / "data"))

    assert (ended.returncode, ended.stdout.splitlines()[-1].endswith("all sound")) == (0, True)


def test_verify_of_damaged_files_ends_with_three(tmp_path: Path) -> None:
    run(tmp_path, "--once")
    (path,) = (tmp_path / "data").glob("*/agent/*.jsonl")
    path.write_bytes(path.read_bytes() + b"what\n")

    ended = answer("verify", str(tmp_path / "data"))

    assert (ended.returncode, ended.stdout.splitlines()[0].startswith(f"{path}:2: no row")) == (3, True)


def test_maintain_is_silent_where_nobody_watches(tmp_path: Path) -> None:
    run(tmp_path, "--once")

    ended = answer("maintain", "--data", str(tmp_path / "data"), "--config", str(tmp_path / "sysmon.yaml"))

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
