"""How long does a step through time take? CPU of `sysmon show` and of each kind of step, on a made-up past.

    python -m benchmarks.snapshots [DATA] [DAYS]

Writes the past of 8 days (see machine.py) where DATA is not there yet, and packs all but the last two.
"""

import gzip
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import machine
from sysmon.app.catalog import tables
from sysmon.app.live.stored import StoredSnapshots
from sysmon.reading.archive import Archive
from sysmon.reading.seek import DamageOnce
from sysmon.text.spans import Look
from sysmon.view import full_screen
from sysmon.view.commands import Situation, View

STEPS = {"sample": timedelta(seconds=-10), "minute": timedelta(minutes=-1), "hour": timedelta(hours=-1)}
COUNT = 20


def write(data: Path, days: int, now: datetime) -> None:
    """Write a past up to now, packed as maintenance leaves it."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    machine.write(data, midnight - timedelta(days=days), now)
    unpacked = {f"{now - timedelta(days=back):%Y%m%d}" for back in (0, 1)}
    for path in data.glob("*/*/*.jsonl"):
        if path.parent.name != "events" and path.name.split("-")[1][:8] not in unpacked:
            path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes(), 6))
            path.unlink()


def milliseconds(work: Callable[[], object]) -> float:
    """Return the CPU that some work takes."""
    began = time.process_time()
    work()
    return 1000 * (time.process_time() - began)


def steps(files: StoredSnapshots, at: datetime, span: timedelta) -> list[float]:
    """Return what each of some steps takes."""
    costs = []
    for _ in range(COUNT):
        here = at

        def step(here: datetime = here) -> None:
            nonlocal at
            at = files.sample_before(here + span + timedelta(milliseconds=1)) or here
            files.find(at)

        costs.append(milliseconds(step))
    return costs


def main() -> None:
    """Measure, and print a table."""
    now = datetime.now(UTC)
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 8
    data = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp()) / "data"
    if not data.exists():
        write(data, days, now)
    before = os.times()
    subprocess.run([sys.executable, "-m", "sysmon", "show", "--data", str(data), "--at", "1h"], stdout=-3, check=False)
    after = os.times()
    cost = after.children_user + after.children_system - before.children_user - before.children_system
    print(f"sysmon show --at 1h: {cost:.2f} s")
    files = StoredSnapshots(Archive.open(data, None, DamageOnce(), tables()), now=now)
    for where, back in (("text", timedelta(hours=2)), ("packed", timedelta(days=days - 1))):
        for name, span in STEPS.items():
            costs = steps(files, now - back, span)
            print(f"{where:<8}{name:<8}mean {sum(costs) / COUNT:5.1f} ms, worst {max(costs):5.1f} ms")
    snapshot = files.find(now).snapshot
    for columns, rows in ((80, 24), (200, 60)):

        def draw(columns: int = columns, rows: int = rows) -> None:
            situation = Situation(now=now, live=True)
            full_screen.render(snapshot, View(), situation, host="x", columns=columns, rows=rows, look=Look(color=True))

        print(f"drawing {columns}x{rows}: {milliseconds(draw):.1f} ms")


if __name__ == "__main__":
    main()
