"""Cut the power of a small ext4 or XFS while sysmon writes to it, and count what is gone. Needs root and loop devices.

    python -m tests.scripts.power_cut [--kind ext4] [--times 10] [--seed 1] [--sync 1] [--grace 0]

The cut is the file system's own shutdown call without a flush of its log; then it is mounted again and read. Prints for
each cut how much is lost. Exits with 1 when that is more than the sync interval and one sample, when a finished file is
not what it was, when an alert that was printed is not stored, or when the next start fails.
"""

import argparse
import fcntl
import gzip
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sysmon.app.admin.verify import verify_files
from sysmon.datadir.damage import Damage
from sysmon.datadir.segments import Form
from sysmon.model import AlertEvent
from sysmon.reading import catalog
from sysmon.reading.logs import read_alerts
from sysmon.storage import inventory
from sysmon.text.instants import EPOCH
from tests.integration.crashes import printed_alerts, sequence
from tests.integration.processes import SYSMON, environment

SHUTDOWN = 0x8004587D
WITHOUT_LOG = 2
INTERVAL = 0.1
IMAGE = 400 * 2**20
"""Bytes of the file system, sparse: XFS does with no less."""

RULE = "  - {{id: at-{tick}, metric: agent_sequence, warning: {{at_least: {tick}, for: 0s, clear_for: 1h}}}}\n"


@dataclass(frozen=True, slots=True)
class Before:
    """What there was to read, and on the screen, just before the cut."""

    ticks: list[int]
    finished: dict[tuple[str, Form], bytes]
    printed: list[str]


@dataclass(frozen=True, slots=True)
class Cut:
    """What one cut did: how many of the samples before it are gone, and what is wrong."""

    samples: int
    lost: int
    finished: int
    alerts: int
    wrong: list[str]


def tool(*command: str) -> None:
    """Run a system's tool; its failure is ours."""
    program = shutil.which(command[0])
    if program is None:
        raise SystemExit(f"{command[0]} is not installed")
    subprocess.run([program, *command[1:]], check=True, capture_output=True)


@contextmanager
def mounted(image: Path, mount: Path) -> Iterator[None]:
    """Have the image mounted."""
    tool("mount", "-o", "loop", str(image), str(mount))
    try:
        yield
    finally:
        tool("umount", str(mount))


def cut(folder: Path, kind: str, seconds: float, sync: float, grace: float) -> Cut:
    """Run for some seconds, cut, and look at what is left."""
    image, mount = folder / "image", folder / "mount"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(IMAGE)
    tool(f"mkfs.{kind}", "-q", str(image))
    with mounted(image, mount):
        before = written_until(folder, mount, seconds, sync)
    with mounted(image, mount):
        after = [number for _, number in ticks(mount / "data")]
        wrong = list(faults(folder, mount / "data", before, after, most=(sync + grace) / INTERVAL + 1))
    return Cut(len(before.ticks), len(before.ticks) - len(after), len(before.finished), len(before.printed), wrong)


def written_until(folder: Path, mount: Path, seconds: float, sync: float) -> Before:
    """Run until the power goes; return what there was just before."""
    text = f"storage: {{rotation: 2s, compress_after: 0s, sync_interval: {sync:g}s, min_free: 0B}}\n"
    (folder / "sysmon.yaml").write_text(text)
    rules = [RULE.format(tick=tick) for tick in range(2, 200, 2)]
    (folder / "rules.yaml").write_text("version: 1\nrules:\n" + "".join(rules))
    data = mount / "data"
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(
            [*command(folder, data)], env=environment(), stdout=said, stderr=-3, start_new_session=True
        )
    with process:
        threading.Event().wait(seconds)
        printed = printed_alerts((folder / "said").read_text())
        before = Before([number for _, number in ticks(data)], dict(finished(data)), printed)
        descriptor = os.open(mount, os.O_RDONLY)
        fcntl.ioctl(descriptor, SHUTDOWN, struct.pack("I", WITHOUT_LOG))
        os.close(descriptor)
        os.killpg(process.pid, signal.SIGKILL)  # maintenance too
    return before


def command(folder: Path, data: Path, *more: str) -> list[str]:
    """Return the command line of a run."""
    files = ["--config", str(folder / "sysmon.yaml"), "--rules", str(folder / "rules.yaml")]
    return [*SYSMON, "run", "--data", str(data), *files, "--interval", f"{INTERVAL * 1000:g}ms", *more]


def ticks(data: Path) -> list[tuple[str, int]]:
    """Return what is stored of the agent's own table."""
    return [number for host in (catalog.hosts(data) if data.exists() else []) for number in sequence(data, host)]


def finished(data: Path) -> Iterator[tuple[tuple[str, Form], bytes]]:
    """Yield what finished files hold: those that are synced when they end, and all that are packed."""
    for file in inventory.take_inventory(data).files:
        if file.segment is None or file.open:
            continue
        if file.segment.form is Form.JSONL or file.segment.packed:
            yield (f"{file.table}/{file.segment.segment.stem}", file.segment.form), content(file.path)


def content(path: Path) -> bytes:
    """Return what a file holds, packed or not; it may be packed while one looks."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        path = path.with_name(f"{path.name}.gz")
        data = path.read_bytes()
    return gzip.decompress(data) if path.suffix == ".gz" else data


def faults(folder: Path, data: Path, before: Before, after: list[int], *, most: float) -> Iterator[str]:
    """Yield what is not as promised."""
    lost = len(before.ticks) - len(after)
    if lost > most:
        yield f"{lost} samples of {len(before.ticks)} are lost"
    if after != list(range(1, len(after) + 1)):
        yield f"what is left is not the beginning: {after}"
    left = dict(finished(data)) if data.exists() else {}
    yield from (
        f"{stem}.{form} is not what it was"
        for (stem, form), held in before.finished.items()
        if left.get((stem, form)) != held
    )
    hosts = catalog.hosts(data) if data.exists() else []
    entries = [entry for host in hosts for entry in read_alerts(data / host, EPOCH, catalog.LAST, Damage())]
    stored = {entry.rule for entry in entries if isinstance(entry, AlertEvent)}
    yield from (f"{rule} was printed and is not stored" for rule in before.printed if rule not in stored)
    faults = verify_files(data, repair=False).faults if hosts else []
    yield from (fault for fault in faults if "NULs at the end" not in fault and ".csv" not in fault)
    again = subprocess.run(command(folder, data, "--ticks", "2"), env=environment(), capture_output=True, check=False)
    if again.returncode:
        yield f"the next start ends with {again.returncode}: {again.stderr.decode()}"


def main() -> int:
    """Cut some times, at random moments, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kind", choices=("ext4", "xfs"), default="ext4")
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1, help="the moments that chance chooses")
    parser.add_argument("--sync", type=float, default=1.0, help="storage.sync_interval in seconds")
    parser.add_argument("--grace", type=float, default=0.0, help="seconds that this disk may take for a sync")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.stderr.write("only root can mount file systems: try again with sudo\n")
        return 2
    if "SYSMON_POWER_CUT" not in os.environ:  # mounts stay in a namespace of their own, and go with it
        unshare = shutil.which("unshare") or "unshare"
        again = [sys.executable, "-m", "tests.scripts.power_cut", *sys.argv[1:]]
        os.execve(unshare, ["unshare", "--mount", *again], {**os.environ, "SYSMON_POWER_CUT": "1"})
    chance = random.Random(options.seed)  # noqa: S311 - the same moments each time
    bad = 0
    for _ in range(options.times):
        seconds = chance.uniform(options.sync + 1.0, options.sync + 8.0)
        with tempfile.TemporaryDirectory() as folder:
            loss = cut(Path(folder), options.kind, seconds, options.sync, options.grace)
        bad += len(loss.wrong)
        figures = (
            f"{loss.lost} of {loss.samples} samples lost, {loss.finished} finished files, {loss.alerts} printed alerts"
        )
        print(
            f"{options.kind}, cut after {seconds:.1f} s: {figures}: {len(loss.wrong)} wrong",
            *loss.wrong,
            sep="\n",
            flush=True,
        )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
