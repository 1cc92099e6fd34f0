"""Cut the power of a small ext4 or XFS while sysmon writes to it, and count what is gone. Needs root and loop devices.

    python -m tests.scripts.power_cut [ext4|xfs] [TIMES]

The cut is the file system's own shutdown call without a flush of its log; then it is mounted again and read.
"""

import fcntl
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from sysmon.app.verify import check
from tests.cli.processes import SYSMON, environment
from tests.crashes import sequence

SHUTDOWN = 0x8004587D
WITHOUT_LOG = 2
INTERVAL = 0.1
SYNC = 1.0
SETTINGS = "storage: {rotation: 2s, compress_after: 0s, sync_interval: 1s, min_free: 0B}\n"


def run(*command: str) -> None:
    """Run a system's tool; its failure is ours."""
    subprocess.run(command, check=True, capture_output=True)


def tool(name: str) -> str:
    """Return where a system's tool is."""
    found = shutil.which(name)
    if found is None:
        raise SystemExit(f"{name} is not installed")
    return found


def cut(folder: Path, kind: str, seconds: float) -> list[str]:
    """Run for some seconds, cut, and return what is wrong."""
    image, mount = folder / "image", folder / "mount"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(400 * 2**20)
    run(tool(f"mkfs.{kind}"), "-q", str(image))
    run(tool("mount"), "-o", "loop", str(image), str(mount))
    try:
        before = _written_until(folder, mount, seconds)
    finally:
        run(tool("umount"), str(mount))
    run(tool("mount"), "-o", "loop", str(image), str(mount))
    try:
        return _judged(before, mount / "data")
    finally:
        run(tool("umount"), str(mount))


def _written_until(folder: Path, mount: Path, seconds: float) -> list[int]:
    (folder / "sysmon.yaml").write_text(SETTINGS)
    (folder / "rules.yaml").write_text("version: 1\nrules: []\n")
    data = mount / "data"
    files = ["--config", str(folder / "sysmon.yaml"), "--rules", str(folder / "rules.yaml")]
    command = [*SYSMON, "run", "--data", str(data), *files, "--interval", f"{INTERVAL * 1000:g}ms"]
    with subprocess.Popen(command, env=environment(), stdout=-3, stderr=-3) as process:
        threading.Event().wait(seconds)
        before = sequence(data)
        descriptor = os.open(mount, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        os.close(descriptor)
        process.send_signal(signal.SIGKILL)
    return before


def _judged(before: list[int], data: Path) -> list[str]:
    after = sequence(data) if data.exists() else []
    lost = len(before) - len(after)
    wrong = []
    if lost > SYNC / INTERVAL + 2:
        wrong.append(f"{lost} samples of {len(before)} are lost")
    if after != list(range(1, len(after) + 1)):
        wrong.append(f"what is left is not the beginning: {after}")
    faults = check(data, repair=False).faults if data.exists() else []
    return wrong + [fault for fault in faults if "NULs at the end" not in fault and ".csv" not in fault]


def main() -> int:
    """Cut some times, at random moments, and tell."""
    kind = sys.argv[1] if len(sys.argv) > 1 else "ext4"
    times = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    chance = random.Random(1)  # noqa: S311 - the same moments each time
    bad = 0
    for _ in range(times):
        seconds = chance.uniform(2.0, 9.0)
        with tempfile.TemporaryDirectory() as folder:
            wrong = cut(Path(folder), kind, seconds)
        bad += len(wrong)
        sys.stdout.write("\n".join([f"{kind}, cut after {seconds:.1f} s: {len(wrong)} wrong", *wrong]) + "\n")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
