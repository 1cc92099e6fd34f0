"""Is every sample there, or counted as missed, while the machine is kept busy?

    python tests/scripts/under_load.py [--seconds 600]

Two busy loops and two programs that do nothing but fsync run beside `sysmon run --interval 100ms`. Exits with 1 when a
sample is neither stored nor counted, or when more than one in a thousand was missed.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from datetime import datetime
from multiprocessing import Process
from pathlib import Path

from sysmon.stats.percentiles import nearest_rank

INTERVAL = 0.1
MOST_MISSED = 0.001


def spin() -> None:
    """Use a core."""
    while True:
        pass


def storm(folder: str, number: int) -> None:
    """Use the disk: small writes, each put on it at once."""
    descriptor = os.open(Path(folder) / f"storm{number}", os.O_WRONLY | os.O_CREAT, 0o600)
    while True:
        os.pwrite(descriptor, b"x" * 4096, 0)
        os.fsync(descriptor)


def records(data: Path, table: str) -> list[dict[str, object]]:
    """Return every row of a table."""
    paths = sorted(data.glob(f"*/{table}/*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def verdict(data: Path) -> tuple[str, bool]:
    """Return what was found, in words, and whether it is well."""
    rows = records(data, "agent")
    (stopped,) = (event for event in records(data, "events") if event["event"] == "stopped")
    (started,) = (event for event in records(data, "events") if event["event"] == "started")
    first, last = (
        datetime.fromisoformat(str(event[key])) for event, key in ((started, "first_tick"), (stopped, "last_tick"))
    )
    expected = round((last - first).total_seconds() / INTERVAL) + 1
    ticks, missed, dropped = (int(str(stopped[key])) for key in ("ticks", "missed", "dropped"))
    late = sorted(float(str(row["agent_tick_lateness_seconds"])) for row in rows)
    exact = len(rows) + dropped == ticks and ticks + missed == expected
    p50, p99, most = (f"{1000 * late[at]:.1f}" for at in (*(nearest_rank(len(late), q) for q in (50, 99)), -1))
    figures = f"expected {expected}, stored {len(rows)}, missed {missed}, dropped {dropped}"
    words = f"{figures}, lateness p50 {p50} ms, p99 {p99} ms, most {most} ms"
    return words, exact and missed + dropped <= MOST_MISSED * expected


def main() -> int:
    """Load the machine, run, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=600)
    seconds = parser.parse_args().seconds
    with tempfile.TemporaryDirectory() as folder:
        others = [Process(target=spin, daemon=True) for _ in range(2)]
        others += [Process(target=storm, args=(folder, number), daemon=True) for number in range(2)]
        for other in others:
            other.start()
        (Path(folder) / "sysmon.yaml").touch()
        where = ["--config", f"{folder}/sysmon.yaml", "--data", f"{folder}/data"]
        command = [sys.executable, "-m", "sysmon", "run", *where]
        subprocess.run([*command, "--interval", "100ms", "--for", f"{seconds}s", "--quiet"], check=True)
        for other in others:
            other.kill()
        words, well = verdict(Path(folder) / "data")
    print(words)
    return 0 if well else 1


if __name__ == "__main__":
    sys.exit(main())
