"""A run that loses samples says so: in its exit code, its last line, its last event and the status."""

import resource
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.disks import MIB, small_disk
from tests.integration.processes import answer, arguments, environment, rows, start, until


@pytest.mark.parametrize(
    ("limit", "flags", "lost"),
    [
        pytest.param("--nofile=20", ("--ticks", "3", "--interval", "100ms"), 3, id="no descriptors"),
        pytest.param("--fsize=120", ("--once",), 1, id="files of a few bytes"),
    ],
)
def test_a_bounded_run_that_could_store_nothing_whole_ends_with_1(
    tmp_path: Path, limit: str, flags: Sequence[str], lost: int
) -> None:
    command = ["prlimit", limit, *arguments(tmp_path, *flags, settings="storage: {min_free: 0B}\n")]
    variables = environment(PYTHONDONTWRITEBYTECODE="1")  # or the limit would cut off the modules' caches, too
    done = subprocess.run(command, env=variables, capture_output=True, text=True, check=False, timeout=300)

    assert (done.returncode, done.stdout.splitlines()[-1].endswith(f" 0 missed, {lost} dropped")) == (1, True), done
    assert done.stderr.splitlines()[-1].endswith(f"error: {lost} of {lost} samples could not be stored")


@pytest.mark.needs_root
def test_a_disk_that_fills_up_is_counted_everywhere(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 300 * 1024):
        command = arguments(tmp_path, "--interval", "50ms", "--ticks", "60", settings="storage: {min_free: 0B}\n")
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)
        stored = len(rows(tmp_path, "agent"))
        status = answer("status", "--data", str(tmp_path / "data"))

    last = done.stdout.splitlines()[-1]
    assert (done.returncode, 0 < stored < 60, last) == (
        1,
        True,
        f"sysmon stopped (done): 60 samples, 0 missed, {60 - stored} dropped",
    ), done.stderr
    assert f" 0 missed, {60 - stored} dropped" in status.stdout


@pytest.mark.needs_root
def test_a_disk_without_inodes_is_told_by_that_name(tmp_path: Path) -> None:
    with small_disk(tmp_path / "data", 20 * MIB, inodes=12):
        command = arguments(tmp_path, "--interval", "50ms", "--ticks", "3", settings="storage: {min_free: 0B}\n")
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=60)
        status = answer("status", "--data", str(tmp_path / "data"))

    assert (done.returncode, "cannot write (no inodes left)" in done.stderr, "No space" in done.stderr) == (
        1,
        True,
        False,
    )
    assert "CRITICAL no inodes left, so no file can be made" in status.stdout


def test_a_run_without_an_end_that_lost_samples_ends_with_0_when_it_is_told_to(tmp_path: Path) -> None:
    with start(tmp_path, "--interval", "50ms", stdout=-3, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        until(lambda: rows(tmp_path, "agent"))
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (0, 0))
        refused = process.stderr.readline()
        process.terminate()
        said = process.stderr.read()
        code = process.wait(180)

    assert (code, b"cannot write" in refused, b"could not be written before the end" in said) == (0, True, True)
