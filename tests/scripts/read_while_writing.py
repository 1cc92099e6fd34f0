"""Ask for the same table again and again while its files are rotated, packed and deleted: is each answer one piece?

    python -m tests.scripts.read_while_writing [--seconds 300] [--life 20] [--max-bytes 2GiB]

`sysmon run` samples every 50 ms, rotates every second, packs after two and deletes after a minute, or what is too much;
every 20 s it is ended, in order or by kill -9, and started again. Beside it `sysmon export --table agent` answers in a
loop. In each answer the samples of each run must be numbered without a hole, none may be there twice, and none may be
missing that the answer before had, but for the oldest. Exits with 1 otherwise.
"""

import argparse
import itertools
import json
import signal
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.integration.processes import answer, rows, start, until

SETTINGS = (
    "storage: {{rotation: 1s, compress_after: 2s, min_free: 0B, max_bytes: {most}, retention: {{rows: 1m, csv: 1m}}}}\n"
)


def numbers(text: str) -> dict[str, list[int]]:
    """Return the numbers of the samples in an answer, by run, as they come."""
    by_table: dict[str, list[int]] = defaultdict(list)
    for line in text.splitlines():
        row = json.loads(line)
        by_table[row["run"]].append(row["agent_sequence"])
    return by_table


def fault(after: dict[str, list[int]], before: dict[str, list[int]]) -> str | None:
    """Return what is wrong with an answer that came after another one."""
    for run, numbered in after.items():
        if numbered != list(range(numbered[0], numbered[0] + len(numbered))):
            return f"run {run} is in pieces: {numbered}"
    for run in itertools.islice(after, 1, None):
        if after[run][0] != 1:
            return f"run {run} lacks its beginning, and an older one is there"
    last = next(reversed(before), None)
    if last is not None and (last not in after or after[last][-1] < before[last][-1]):
        return f"run {last} was there up to {before[last][-1]}, and is so no more"
    return None


def main() -> int:
    """Run, ask, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--life", type=float, default=20.0, help="seconds from one start to the next")
    parser.add_argument("--max-bytes", default="2GiB")
    options = parser.parse_args()
    end = time.monotonic() + options.seconds
    settings = SETTINGS.format(most=options.max_bytes)
    answers = samples = deleted = 0
    wrong: list[str] = []
    before: dict[str, list[int]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        export = ("export", "--table", "agent", "--format", "jsonl", "--data", str(folder / "data"), "-o", "-")
        for fatal in itertools.cycle((signal.SIGTERM, signal.SIGKILL)):
            if time.monotonic() >= end:
                break
            with start(
                folder, "--interval", "50ms", "--quiet", settings=settings, stdout=subprocess.DEVNULL
            ) as process:
                ours = len(rows(folder, "agent"))
                until(lambda ours=ours: len(rows(folder, "agent")) != ours)  # type: ignore[misc]  # bound now
                born = time.monotonic()
                while time.monotonic() < min(born + options.life, end):
                    said = answer(*export)
                    after = numbers(said.stdout)
                    bad = said.stderr if said.returncode else fault(after, before)
                    wrong += [bad] if bad else []
                    deleted += bool(before) and next(iter(after.values()))[0] != next(iter(before.values()))[0]
                    before, answers, samples = after, answers + 1, sum(map(len, after.values()))
                process.send_signal(fatal)
    print(f"{answers} answers, the last of {samples} samples of {len(before)} runs; the oldest went {deleted} times")
    print(f"{len(wrong)} wrong", *wrong, sep="\n")
    return 1 if wrong or not answers else 0


if __name__ == "__main__":
    sys.exit(main())
