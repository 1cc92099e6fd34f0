"""A real run in namespaces of its own, as in a container, with the machine mounted below a folder."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.processes import SYSMON, answer, environment, rows

SCRIPT = """
set -e
mount --rbind / "$1/host"
mount -t proc proc /proc
mkdir -p "$1/own"
mount -t tmpfs own "$1/own"
shift
cd /
exec "$@"
"""


def can_unshare() -> bool:
    return sys.platform == "linux" and os.geteuid() == 0 and shutil.which("unshare") is not None


def interfaces() -> set[str]:
    """Return the machine's network interfaces; other tests make some and take them away."""
    return {line.partition(":")[0].strip() for line in Path("/proc/1/net/dev").read_text().splitlines()[2:]}


@pytest.mark.needs_root
@pytest.mark.skipif(not can_unshare(), reason="only root can make namespaces")
def test_from_within_a_container_the_machine_is_seen_and_not_the_container(tmp_path: Path) -> None:
    (tmp_path / "host").mkdir()
    (tmp_path / "sysmon.yaml").write_text("collectors: {disk_usage: {include: ['/*', /]}, network: {include: [lo]}}\n")
    where = ["--config", str(tmp_path / "sysmon.yaml"), "--data", str(tmp_path / "data")]
    run = [*SYSMON, "run", "--once", *where, "--rootfs", str(tmp_path / "host")]
    namespaces = ["--mount", "--propagation", "private", "--pid", "--fork", "--net"]

    before = interfaces()
    done = subprocess.run(
        [shutil.which("unshare") or "", *namespaces, "sh", "-c", SCRIPT, "sh", str(tmp_path), *run],
        env=environment(PYTHONPATH=str(Path(__file__).parents[2])),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )

    mounted = {row["mountpoint"] for row in rows(tmp_path, "disk_usage")}
    seen = {row["interface"] for row in rows(tmp_path, "network")}
    processes = sum(name.isdecimal() for name in os.listdir("/proc"))  # noqa: PTH208 - names are all that is needed
    assert (done.returncode, done.stderr) == (0, "")
    assert ("/" in mounted, [name for name in mounted if name.startswith(str(tmp_path))]) == (True, [])
    assert (before & interfaces() <= seen, rows(tmp_path, "load")[0]["processes_total"] > processes / 2) == (True, True)


def test_a_machine_that_is_not_there_is_refused_in_a_line_and_nothing_is_made(tmp_path: Path) -> None:
    data = tmp_path / "data"

    done = answer("run", "--once", "--data", str(data), "--rootfs", str(tmp_path / "host"))

    complaint = "rootfs leads here, and there is no 1/mountinfo: mount the machine's /proc there"
    assert (done.returncode, done.stderr, data.exists()) == (2, f"sysmon: {tmp_path}/host/proc: {complaint}\n", False)
