"""Kills or fails a command at its N-th file call, with strace, and looks at what is left."""

import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sysmon.app.maintain import maintain
from sysmon.app.verify import check
from sysmon.config import Retention, Storage
from sysmon.instants import EPOCH
from sysmon.model import Row
from sysmon.reading import store
from sysmon.reading.damage import Damage
from sysmon.reading.rows import read_rows
from sysmon.sampling.tables import AGENT
from sysmon.segments import Form
from tests.cli.processes import SYSMON, environment
from tests.reading.stored import ORIGIN, write_table

STRACE = shutil.which("strace")
CALLS = ("openat", "write", "fdatasync", "fsync", "rename", "unlink", "ftruncate", "fchmod", "mkdir", "utimensat")
SETTINGS = "storage: {rotation: 5s, compress_after: 0s, min_free: 0B, retention: {rows: 3h, csv: 2h}}\n"
STORAGE = Storage(
    compress_after=timedelta(0),
    min_free=0,
    retention=Retention(rows=timedelta(hours=3), csv=timedelta(hours=2)),
)
_LINE = re.compile(r"^(\d+) +(\w+)\((.*)$")


@dataclass(frozen=True, slots=True)
class Point:
    """The N-th call of one kind within a thread, and what becomes of it in strace's words."""

    call: str
    number: int
    fate: str

    @property
    def words(self) -> str:
        return f"inject={self.call}:{self.fate.format(number=self.number)}"


KILL = "signal=KILL:when={number}"
FATES = {
    "kill": KILL,
    "EIO once": "error=EIO:when={number}",
    "ENOSPC once": "error=ENOSPC:when={number}",
    "EIO for ever": "error=EIO:when={number}+",
    "ENOSPC for ever": "error=ENOSPC:when={number}+",
}


def past_data(data: Path, now: datetime) -> None:
    """Write five hours of an agent's rows up to the last full hour: the first two are due to go."""
    begin = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=5)
    row: list[tuple[datetime, list[Row]]] = [
        (begin + timedelta(minutes=10 * index), [("0badcafe", index + 1, 0.5, 2**24, 0.0, 0, 0)]) for index in range(30)
    ]
    for form in Form:
        write_table(data, AGENT, row, form=form)


def sequence(data: Path) -> list[int]:
    """Return the numbers of all stored ticks, in the order of the files."""
    rows: list[int] = []
    for host in store.hosts(data):
        found = read_rows(data / host / AGENT.name, AGENT, EPOCH, store.LAST, Damage())
        rows += [int(row.row[1] or 0) for row in found]
    return rows


def traced(command: Sequence[str], log: Path, *, fate: str = "") -> int:
    """Run a command under strace; return its exit code, negative for a signal."""
    assert STRACE is not None
    calls = ["-e", f"trace={','.join(CALLS)}", *(["-e", fate] if fate else [])]
    done = subprocess.run(
        [STRACE, "-f", "-y", "-o", str(log), *calls, *command],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=False,
        timeout=120,
    )
    return done.returncode


def points(log: Path, folder: Path, fates: Sequence[str], *, every: int) -> list[Point]:
    """Return every so-manieth call of a recorded run that concerned a folder, for each fate."""
    counts: Counter[tuple[str, str]] = Counter()
    found = []
    for line in log.read_text("utf-8", "replace").splitlines():
        match = _LINE.match(line)
        if match is None or match[2] not in CALLS:
            continue
        counts[(match[1], match[2])] += 1
        if str(folder) in match[3]:
            found.append((match[2], counts[(match[1], match[2])]))
    return [Point(call, number, FATES[fate]) for fate in fates for call, number in found[::every]]


def sweep_maintenance(folder: Path, fates: Sequence[str], *, every: int) -> tuple[int, list[str]]:
    """Crash `sysmon maintain` at its file calls; return how often, and what was wrong after which."""
    now = datetime.now(UTC)
    settings = folder / "sysmon.yaml"
    settings.write_text(SETTINGS)
    fresh, data = folder / "fresh", folder / "data"
    past_data(fresh, now)
    whole = sequence(fresh)
    command = [*SYSMON, "maintain", "--data", str(data), "--config", str(settings)]
    shutil.copytree(fresh, data)
    traced(command, folder / "log")
    kept = sequence(data)
    chosen = points(folder / "log", data, fates, every=every)
    wrong = []
    for point in chosen:
        shutil.rmtree(data)
        shutil.copytree(fresh, data)
        traced(command, folder / "again", fate=point.words)
        wrong += [f"{point.words}: {fault}" for fault in _after(data, whole, kept, now)]
    return len(chosen), wrong


def _after(data: Path, whole: Sequence[int], kept: Sequence[int], now: datetime) -> list[str]:
    """Return what is wrong after a crash, and after the next maintenance."""
    faults = []
    left = sequence(data)
    if left != list(whole[len(whole) - len(left) :]) or len(left) < len(kept):
        faults.append(f"{left} is left of {len(whole)}")
    again = maintain(data, STORAGE, now=now)
    if again.problems or sequence(data) != list(kept):
        faults.append(f"the next one leaves {sequence(data)} and says {again.problems}")
    faults += check(data, repair=False).faults
    faults += [f"{path} is left over" for path in (data / ORIGIN.hostname).rglob("*.tmp")]
    faults += [f"{path} is text" for path in (data / ORIGIN.hostname / AGENT.name).glob("*.jsonl")]
    return faults


def sweep_run(folder: Path, fates: Sequence[str], *, every: int) -> tuple[int, list[str]]:
    """Crash `sysmon run` at the file calls of its writer; return how often, and what was wrong after which."""
    settings, rules = folder / "sysmon.yaml", folder / "rules.yaml"
    settings.write_text(SETTINGS.replace("5s", "1s"))
    rules.write_text("version: 1\nrules: []\n")
    data = folder / "data"
    where = ["--data", str(data), "--config", str(settings)]
    command = [*SYSMON, "run", *where, "--rules", str(rules), "--interval", "50ms", "--ticks", "18"]
    traced(command, folder / "log")
    chosen = points(folder / "log", data / _host(data), fates, every=every)
    wrong = []
    for point in chosen:
        shutil.rmtree(data, ignore_errors=True)
        traced(command, folder / "again", fate=point.words)
        stored = sequence(data) if data.exists() else []
        if point.fate == KILL and stored != list(range(1, len(stored) + 1)):
            wrong.append(f"{point.words}: {stored}")
        if len(set(stored)) < len(stored):
            wrong.append(f"{point.words}: {stored} has some twice")
        once = subprocess.run(
            [*command[:-4], "--once"], env=environment(), capture_output=True, check=False, timeout=60
        )
        if once.returncode:
            wrong.append(f"{point.words}: the next start says {once.stderr.decode()}")
        verdict = check(data, repair=False)
        wrong += [
            f"{point.words}: {fault}" for fault in verdict.faults if "are missing" not in fault or "once" in point.fate
        ]
    return len(chosen), wrong


def _host(data: Path) -> str:
    return store.hosts(data)[0]
