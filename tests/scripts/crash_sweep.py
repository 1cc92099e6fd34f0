"""Try a crash, half a write, an I/O error and a full disk at every file call of a run and of maintenance.

    python -m tests.scripts.crash_sweep [--every 10] [--at-once 16] [--only run]

Each point is a fork that is killed, or whose disk fails, at that call; then what is left is compared with what was
written and printed, the next start is tried, and maintenance. Exits with 1 when something was wrong.
"""

import argparse
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from tests.integration.faulty_disk import Fate, FaultyDisk, Point


def tell(name: str, results: Iterable[tuple[Point, list[str]]]) -> int:
    """Print what was wrong, and a line for each fate; return how many points were wrong."""
    tried: Counter[Fate] = Counter()
    bad: Counter[Fate] = Counter()
    for point, wrong in results:
        tried[point.fate] += 1
        bad[point.fate] += bool(wrong)
        for fault in wrong:
            print(f"{name}, {point.fate} at call {point.number}: {fault}", flush=True)
    for fate in Fate:
        print(f"{name}, {fate}: {tried[fate]} points, {bad[fate]} wrong", flush=True)
    return bad.total()


def main() -> int:
    """Sweep and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--every", type=int, default=1, help="try every so-manieth call")
    parser.add_argument("--at-once", type=int, default=16, help="so many at the same time: they mostly wait")
    parser.add_argument("--ticks", type=int, default=23, help="how long each run is, in ticks of 100 ms")
    parser.add_argument("--only", choices=("run", "maintain"))
    parser.add_argument("--count", type=Path, metavar="FOLDER", help="only list the file calls of a maintenance there")
    options = parser.parse_args()
    disk = FaultyDisk()
    from tests.integration import crashes  # now that sysmon finds the wrapped calls when it is imported

    if options.count is not None:
        options.count.mkdir()
        print("\n".join(crashes.calls(disk, crashes.Maintenance([], [], datetime.now(UTC)), options.count)))
        return 0
    with tempfile.TemporaryDirectory() as name:
        folder, now = Path(name), datetime.now(UTC)
        scenes: list[crashes.Scene] = [
            crashes.Run(disk, now, options.ticks),
            crashes.Maintenance.expected(folder / "expected", now),
        ]
        bad = 0
        for scene in scenes:
            if options.only in (None, scene.name):
                (folder / scene.name).mkdir()
                results = crashes.sweep(
                    disk, scene, folder / scene.name, list(Fate), every=options.every, at_once=options.at_once
                )
                bad += tell(scene.name, results)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
