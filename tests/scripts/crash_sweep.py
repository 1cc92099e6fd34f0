"""Try a crash, an I/O error and a full disk at every file call of maintenance and of a run. Needs strace.

python -m tests.scripts.crash_sweep [EVERY]
"""

import sys
import tempfile
from pathlib import Path

from tests.crashes import FATES, STRACE, sweep_maintenance, sweep_run


def main() -> int:
    """Sweep and tell."""
    every = int(sys.argv[1]) if len(sys.argv) > 1 else 1
    if STRACE is None:
        sys.stderr.write("strace is not installed\n")
        return 2
    bad = 0
    for sweep in (sweep_maintenance, sweep_run):
        for fate in FATES:
            with tempfile.TemporaryDirectory() as folder:
                tried, wrong = sweep(Path(folder), [fate], every=every)
            bad += len(wrong)
            sys.stdout.write(
                "\n".join([f"{sweep.__name__}, {fate}: {tried} points, {len(wrong)} wrong", *wrong]) + "\n"
            )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
