"""A real CPU hog, memory hog and disk writer: each is named first by the alert that it causes."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from sysmon.model import Culprit
from sysmon.text.culprits import format_culprit
from tests.integration.processes import rows, start, until

MIB = 2**20
SPIN = """
import hashlib, threading
for _ in range(8):  # beside other busy loops, too, one process with so many threads gets more than any of them
    threading.Thread(target=hashlib.pbkdf2_hmac, args=("sha256", b"", b"", 2**31 - 1)).start()
"""
FILL = "import time; block = bytearray(b'x') * {size}; time.sleep(600)"
WRITE = """
import os, sys
descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT)
while True:
    os.pwrite(descriptor, os.urandom(8 * 2**20), 0)
    os.fsync(descriptor)
"""
RULES = """\
version: 1
defaults: {{for: 400ms, clear_for: 0s, max_gap: 30s, attach: 5}}
rules:
  - id: hot
    metric: {metric}
    each: []
    warning: {{at_least: {limit}}}
"""


def _disk_is_counted(folder: Path) -> bool:
    """Say whether writes below a folder show in the kernel's accounts of processes and disks."""
    before, own = psutil.disk_io_counters(nowrap=False), psutil.Process().io_counters()
    with (folder / "probe").open("wb") as file:
        file.write(bytes(MIB))
        file.flush()
        os.fsync(file.fileno())
    after, mine = psutil.disk_io_counters(nowrap=False), psutil.Process().io_counters()
    return bool(before and after and after.write_bytes > before.write_bytes and mine.write_bytes > own.write_bytes)


@pytest.mark.parametrize("kind", ["cpu", "memory", "io"])
def test_who_did_it_is_named_by_its_alert(tmp_path: Path, kind: str) -> None:
    if kind == "io" and not _disk_is_counted(tmp_path):
        pytest.skip("writes here are not counted")
    resident = (process.info["memory_info"] for process in psutil.process_iter(["memory_info"]))
    third = sorted((memory.rss for memory in resident if memory), reverse=True)[:3][-1]  # not to fill a machine in use
    code, metric, limit = {
        "cpu": (SPIN, "cpu_usage_percent", 20),
        "memory": (
            FILL.format(size=third + 100 * MIB),
            "memory_used_bytes",
            psutil.virtual_memory().used + third + 50 * MIB,
        ),
        "io": (WRITE, "disk_write_bytes_per_second", MIB),
    }[kind]
    flags = ("--interval", "200ms")
    hogs = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "written")])]
    try:
        with start(tmp_path, *flags, rules=RULES.format(metric=metric, limit=limit), stdout=subprocess.PIPE) as run:
            until(lambda: _fired(tmp_path))
            run.terminate()
            said, _ = run.communicate(timeout=180)
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()

    (event,) = _fired(tmp_path)[:1]
    pids = [culprit["pid"] for culprit in event["top"]]
    assert (event["resource"], str(hogs[0].pid) in pids, event["top"][0]["value"] > 0) == (kind, True, True)
    assert f"top: {format_culprit(Culprit(**event['top'][0]), kind)}" in said.decode()


def _fired(folder: Path) -> list[dict[str, Any]]:
    return [record for record in rows(folder, "alerts") if record["event"] == "fired"]
