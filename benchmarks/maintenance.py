"""What do roll-ups and compression cost? A host of 8 cores, 4 disks and 20 processes, sampled every 10 s.

    python -m benchmarks.maintenance [DIR] [DAYS]

Makes a day of samples, puts it there for each day, and measures `sysmon maintain` as it is.
"""

import os
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

HOST = "bench-01"


def measured(title: str, *arguments: str) -> None:
    """Run a command; print its CPU time and its largest memory."""
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "sysmon", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    took, memory = time.monotonic() - began, usage.ru_maxrss / 1024
    print(f"{title:24} {cpu:6.2f} s CPU {took:6.2f} s {memory:6.1f} MB  exit code {child.returncode}")


def size(folder: Path, pattern: str) -> str:
    """Return the megabytes of files."""
    return f"{sum(path.stat().st_size for path in folder.rglob(pattern)) / 1e6:.2f} MB"


def main() -> None:
    """Make the data and measure."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    now = datetime.now(UTC)
    data = folder / "data"
    # In a process of its own: children inherit the largest memory of their parent.
    subprocess.run([sys.executable, "-m", "benchmarks.machine", str(data), str(days)], check=True)
    print(f"{days} days: {size(data, '*.jsonl')} of JSON Lines; a day of CSV: {size(data, '*.csv')}")
    config = folder / "sysmon.yaml"
    config.write_text("storage: {compress_after: 5200w, max_bytes: 1TiB, min_free: 0B}\n")
    where = ["--data", str(data), "--config", str(config)]
    measured(f"roll up {days} days", "maintain", *where)
    rollup = data / HOST / "rollup"
    for path in [*rollup.glob(f"1h/*-{now - timedelta(days=1):%Y%m%d}T12.jsonl.gz")]:
        path.unlink()
    measured("roll up one hour", "maintain", *where)
    measured("nothing to do", "maintain", *where)
    print(f"a day of hours: {size(rollup / '1h', f'*-{now - timedelta(days=1):%Y%m%d}T*')}", end=", ")
    print(f"a day of days: {size(rollup / '1d', f'*-{now - timedelta(days=1):%Y%m%d}.*')}")
    config.write_text("storage: {compress_after: 1d, max_bytes: 1TiB, min_free: 0B}\n")
    yesterday = f"*-{now - timedelta(days=2):%Y%m%d}T*.jsonl"
    for path in data.rglob("*.jsonl"):
        if path.parent.name != "events" and not path.match(yesterday):
            path.unlink()
    for path in data.rglob("*.csv"):
        moved = path.name.replace(f"{now - timedelta(days=1):%Y%m%d}", f"{now - timedelta(days=2):%Y%m%d}")
        path.rename(path.with_name(moved))
    measured("compress a day", "maintain", *where)
    print(f"a day compressed: {size(data / HOST, f'{yesterday}.gz')} of JSON Lines", end=", ")
    print(f"{size(data, '*.csv.gz')} of CSV")


if __name__ == "__main__":
    main()
