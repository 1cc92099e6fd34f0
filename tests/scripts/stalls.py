"""Does anything that hangs hold up the sampling? A mount, the data disk, the screen, the process itself hang in turn.

    sudo python tests/scripts/stalls.py [--seconds 60]

`sysmon run --interval 1s` runs beside a FUSE mount that never answers, on an ext4 file system that is frozen, and into
a pipe that nobody reads. Prints for each how many ticks there are of how many there should be, how late they were, and
how long the end took after SIGTERM (on the frozen disk: after it thawed). Then the process itself is stopped (SIGSTOP)
for half of that time: what it missed must be told, counted, and never made up for. Exits with 1 when a tick is missing.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

HANGING_MOUNT = Path(__file__).with_name("hanging_mount.py")
SETTINGS = "collectors:\n  disk_usage: {interval: 1s}\n  process: {enabled: false}\n"
SYSMON = [sys.executable, "-m", "sysmon", "run", "--interval", "1s", "--log-level", "error"]
LATE = 0.25


def command(folder: Path, data: Path) -> list[str]:
    """Return the command line of a run."""
    (folder / "sysmon.yaml").write_text(SETTINGS)
    return [*SYSMON, "--config", str(folder / "sysmon.yaml"), "--data", str(data)]


def ticks(data: Path) -> tuple[int, int, float]:
    """Return how many ticks were stored, how many were missed, and how late the latest was."""
    lines = [line for path in sorted(data.glob("*/agent/*.jsonl")) for line in path.read_text().splitlines()]
    rows = [json.loads(line) for line in lines]
    cpu = [line for path in data.glob("*/cpu/*.jsonl") for line in path.read_text().splitlines() if '"all"' in line]
    late = max((row["agent_tick_lateness_seconds"] for row in rows), default=0.0)
    return min(len(rows), len(cpu)), sum(row["agent_samples_missed"] for row in rows), late


def ended(process: "subprocess.Popen[bytes]") -> float:
    """Ask a run to end; return the seconds that it took."""
    began = time.monotonic()
    process.terminate()
    process.wait(60)
    return time.monotonic() - began


def told(name: str, data: Path, end: float, *, at_least: int) -> bool:
    """Print one line; say whether it is well."""
    stored, missed, late = ticks(data)
    well = stored >= at_least and missed == 0 and late < LATE
    print(
        f"{name}: {stored} ticks, {missed} missed, latest {1000 * late:.0f} ms late, ended in {end:.2f} s", flush=True
    )
    return well


def mount(folder: Path, seconds: int) -> bool:
    """Sample beside a mount that never answers."""
    (folder / "mnt").mkdir()
    process = subprocess.Popen(
        [sys.executable, str(HANGING_MOUNT), str(folder / "mnt"), *command(folder, folder / "data")],
        stdout=subprocess.DEVNULL,
    )
    time.sleep(seconds)
    return told("a mount that hangs", folder / "data", ended(process), at_least=seconds - 3)


def wait_for(data: Path, count: int) -> None:
    """Wait until so many ticks are stored, for a minute at most."""
    end = time.monotonic() + 60
    while ticks(data)[0] < count and time.monotonic() < end:
        time.sleep(0.2)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a new ext4 file system in this namespace."""
    image, disk = folder / "image", folder / "disk"
    disk.mkdir()
    with image.open("wb") as file:
        file.truncate(2**30)  # sparse, and large enough for `min_free`
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(disk)], check=True)
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def frozen_disk(folder: Path, seconds: int) -> bool:
    """Freeze the disk while sampling, thaw it, freeze it again and ask for the end."""
    with small_disk(folder) as disk:
        process = subprocess.Popen(command(folder, disk / "data"), stdout=subprocess.DEVNULL)
        wait_for(disk / "data", 3)
        subprocess.run(["fsfreeze", "--freeze", str(disk)], check=True)
        time.sleep(seconds)
        subprocess.run(["fsfreeze", "--unfreeze", str(disk)], check=True)
        wait_for(disk / "data", seconds + 4)
        subprocess.run(["fsfreeze", "--freeze", str(disk)], check=True)
        process.terminate()
        time.sleep(3)
        subprocess.run(["fsfreeze", "--unfreeze", str(disk)], check=True)
        well = told("a disk that is frozen", disk / "data", ended(process), at_least=seconds + 4)
        fields = ("event", "count", "reason")
        paths = sorted((disk / "data").glob("*/events/*.jsonl"))
        events = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
        print("  events:", [{key: event[key] for key in fields if key in event} for event in events])
    return well


def silent_reader(folder: Path, seconds: int) -> bool:
    """Sample into a pipe that is full."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(writer, True)
    process = subprocess.Popen(command(folder, folder / "data"), stdout=writer)
    os.close(writer)
    time.sleep(seconds)
    well = told("a screen that nobody reads", folder / "data", ended(process), at_least=seconds - 3)
    os.close(reader)
    return well


def stored(data: Path, table: str) -> list[dict[str, object]]:
    """Return every row of a table."""
    paths = sorted(data.glob(f"*/{table}/*.jsonl"))
    return [json.loads(line) for path in paths for line in path.read_text().splitlines()]


def stopped(folder: Path, seconds: int) -> bool:
    """Stop the process, let it go on, and look at what it tells and at its rates."""
    data = folder / "data"
    process = subprocess.Popen(command(folder, data), stdout=subprocess.DEVNULL)
    wait_for(data, 3)
    process.send_signal(signal.SIGSTOP)
    time.sleep(seconds / 2)
    process.send_signal(signal.SIGCONT)
    wait_for(data, 6)
    end = ended(process)
    agent, told_of = stored(data, "agent"), [event for event in stored(data, "events") if event["event"] == "stalled"]
    at = [datetime.fromisoformat(str(row["timestamp"])) for row in agent]
    missed = sum(int(str(row["agent_samples_missed"])) for row in agent)
    exact = len(agent) + missed == round((at[-1] - at[0]).total_seconds()) + 1
    on_time = not any(instant.microsecond for instant in at)
    rates = [value for row in stored(data, "network") for name, value in row.items() if name.endswith("_per_second")]
    lowest = min(float(str(rate)) for rate in rates if rate is not None)
    held_up = [event["seconds"] for event in told_of]
    print(
        f"a process that is stopped: {len(agent)} ticks + {missed} missed, exact: {exact}, on whole seconds: {on_time},"
        f" told as stalled for {held_up} s, lowest rate {lowest}, ended in {end:.2f} s",
        flush=True,
    )
    return exact and on_time and len(held_up) == 1 and lowest >= 0.0


def main() -> int:
    """Have one thing after another hang."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=60)
    seconds = parser.parse_args().seconds
    if "SYSMON_STALLS" not in os.environ:  # mounts stay in a namespace of their own, and go with it
        unshare = shutil.which("unshare") or "unshare"
        os.execve(unshare, ["unshare", "--mount", sys.executable, *sys.argv], {**os.environ, "SYSMON_STALLS": "1"})
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    well = []
    for scene in (mount, frozen_disk, silent_reader, stopped):
        with tempfile.TemporaryDirectory() as name:
            well.append(scene(Path(name), seconds))
    return 0 if all(well) else 1


if __name__ == "__main__":
    sys.exit(main())
