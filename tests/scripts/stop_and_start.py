"""How long does a run take to end, and to begin again on a year of files?

    python -m tests.scripts.stop_and_start [--files 10000] [--times 5]

Makes so many files of old hours, then starts `sysmon run --interval 1s` with the default rules on them, waits for its
first line on the screen and for its first stored sample, and ends it with SIGTERM and SIGINT in turn. Prints the
seconds of each; exits with 1 when one is above two. (Beside a mount or a disk that hangs: tests/scripts/stalls.py.)
"""

import argparse
import gzip
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sysmon.app.catalog import tables
from sysmon.storage.host_writer import host_folder
from tests.integration.processes import SYSMON, environment

MOST = 2.0
"""Seconds that a start or an end may take."""

INTERVAL = 1.0


def make_files(data: Path, count: int) -> None:
    """Write packed files, the same few bytes in each, of as many hours as it takes."""
    names, host = sorted(tables()), host_folder(data, socket.gethostname())
    for name in names:
        (host / name).mkdir(parents=True)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    for number in range(count):
        name = names[number % len(names)]
        hour = end - timedelta(hours=1 + number // len(names))
        (host / name / f"{name}-{hour:%Y%m%dT%H%M%SZ}-1h.jsonl.gz").write_bytes(gzip.compress(b""))


def stored(data: Path) -> bool:
    """Say whether the run has stored a sample."""
    return any(path.stat().st_size for path in data.glob("*/agent/*.jsonl"))


def one(folder: Path, ending: signal.Signals) -> tuple[float, float, float]:
    """Start and end a run; return the seconds to its first line, from there to its first sample, and of its end."""
    data = folder / "data"
    for path in data.glob("*/agent/*.jsonl"):
        path.unlink()
    command = [*SYSMON, "run", "--data", str(data), "--config", str(folder / "sysmon.yaml"), "--interval", "1s"]
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert process.stdout is not None
    select.select([process.stdout], [], [], 60)
    spoke = time.monotonic()
    while not stored(data):
        time.sleep(0.005)
    sampled = time.monotonic()
    process.send_signal(ending)
    process.communicate()
    return spoke - began, sampled - spoke, time.monotonic() - sampled


def main() -> int:
    """Make files, start, stop, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--times", type=int, default=5)
    options = parser.parse_args()
    slow = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sysmon.yaml").touch()
        make_files(folder / "data", options.files)
        for number in range(options.times):
            ending = (signal.SIGTERM, signal.SIGINT)[number % 2]
            start, sample, end = one(folder, ending)
            slow += max(start, end) > MOST or sample > MOST + INTERVAL
            print(
                f"start {start:.2f} s, first sample after {sample:.2f} s, end by {ending.name} {end:.2f} s", flush=True
            )
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
