"""Can the past be read with little memory, however much of it there is?

    python -m tests.scripts.readers_memory [--days 7] [--mebibytes 150]

Makes so many days of a host of 8 cores, 4 disks and 20 processes (150 MB a day), and has every command that reads them
do so with no more address space than that. Prints the largest memory of each; exits with 1 when one did not get by.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

MIB = 2**20
SETTINGS = "storage: {compress_after: 5200w, max_bytes: 1TiB, min_free: 0B}\n"
ANSWERED = {0, 1, 3}
"""Exit codes of an answer: the made-up host counts its ticks anew each day, which verify tells."""


def commands(folder: Path, days: int) -> list[list[str]]:
    """Return what is to be tried, in this order: the first report finds no roll-ups."""
    data = ["--data", str(folder / "data")]
    settings = ["--config", str(folder / "sysmon.yaml")]
    since = ["--since", f"{days + 1}d"]
    return [
        ["report", *since, *data],
        ["maintain", *data, *settings],
        ["report", *since, *data],
        ["maintain", "--rebuild", *data, *settings],
        ["export", *since, *data, "-o", f"{folder}/exported/"],
        ["alerts", *data],
        ["status", *data],
        ["verify", str(folder / "data")],
    ]


def tried(command: list[str], most: int) -> bool:
    """Run a command with so much address space; print what it took, and say whether it got by."""
    bound = partial(resource.setrlimit, resource.RLIMIT_AS, (most, most))
    child = subprocess.Popen(
        [sys.executable, "-m", "sysmon", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, preexec_fn=bound
    )
    assert child.stderr is not None
    said = child.stderr.read().decode()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    seconds = usage.ru_utime + usage.ru_stime
    shown = " ".join(command[:2] if command[1].startswith("--r") else command[:1])
    print(
        f"{shown:20} {usage.ru_maxrss / 1024:6.1f} MiB {seconds:6.1f} s CPU, exit code {child.returncode}", flush=True
    )
    well = child.returncode in ANSWERED and "Memory" not in said
    if not well:
        print(said)
    return well


def main() -> int:
    """Make the data, try the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=7)
    parser.add_argument("--mebibytes", type=int, default=150)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "sysmon.yaml").write_text(SETTINGS)
        # In a process of its own: children inherit the largest memory of their parent.
        subprocess.run(
            [sys.executable, "-m", "benchmarks.machine", str(folder / "data"), str(options.days)], check=True
        )
        size = sum(path.stat().st_size for path in folder.rglob("*.*"))
        print(
            f"{options.days} days, {size / MIB:.0f} MiB; each with {options.mebibytes} MiB of address space", flush=True
        )
        well = [tried(command, options.mebibytes * MIB) for command in commands(folder, options.days)]
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
