"""Attack sysmon as a stranger would, each attack in a folder of its own; say how many went wrong.

    python -m tests.scripts.attacks [--only PATTERN ...] [--quick] [--list]

Some need root, faketime, unshare or DuckDB, and are named where they could not be tried. Exits with 1 when something
was wrong. Other scripts beside this one try a crash or a failing disk at every file call (crash_sweep.py), power cuts
(power_cut.py), mounts that hang and frozen disks (stalls.py, hanging_mount.py), disks that fill up (overfill.py) and
readers beside a writer (read_while_writing.py); fuzz.py looks for inputs that break a reader.
"""

import argparse
import sys
import tempfile
import time
import traceback
from fnmatch import fnmatch
from pathlib import Path

from tests.attacks.box import Attack, Box, UntriedError
from tests.attacks.catalog import ATTACKS, QUICK
from tests.programs import give_children_default_signals


def attempt(attack: Attack) -> list[str]:
    """Return what went wrong; raise UntriedError where the attack could not be tried."""
    with tempfile.TemporaryDirectory(prefix="sysmon-attack-", ignore_cleanup_errors=True) as name:
        try:
            return list(attack(Box(Path(name))))
        except UntriedError:
            raise
        except Exception:  # noqa: BLE001 - an attack that is itself wrong must not hide the others
            return [f"the attack itself failed: {traceback.format_exc(limit=-2).strip()}"]


def main() -> int:
    """Try the attacks and print the verdict."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=["*"], metavar="PATTERN", help="names or patterns of attacks")
    parser.add_argument("--quick", action="store_true", help="those that are tests, too")
    parser.add_argument("--list", action="store_true", help="only list them, with what is right")
    options = parser.parse_args()
    chosen = {
        name: attack
        for name, attack in ATTACKS.items()
        if any(fnmatch(name, pattern) for pattern in options.only) and (attack in QUICK or not options.quick)
    }
    if options.list:
        print("\n".join(f"{name}: {attack.__doc__}" for name, attack in chosen.items()))
        return 0
    give_children_default_signals()
    tried = bad = untried = 0
    for name, attack in chosen.items():
        begin = time.monotonic()
        try:
            wrong = attempt(attack)
        except UntriedError as error:
            untried += 1
            print(f"not tried  {name}: {error}", flush=True)
            continue
        tried += 1
        bad += bool(wrong)
        print(f"{'WRONG' if wrong else 'fine':<9}  {name} ({time.monotonic() - begin:.1f} s)", flush=True)
        if wrong:
            print(f"           right: {attack.__doc__}")
        for line in wrong:
            print(f"           {line}", flush=True)
    print(f"tried {tried}, wrong {bad}, could not be tried {untried}")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
