"""What `sysmon run` and `sysmon maintain` leave when they are killed, or the disk fails, at their N-th file call.

For a process of its own (tests/scripts/crash_sweep.py): everything happens in forks of it, many at once.
"""

import ctypes
import json
import os
import re
import select
import shutil
import signal
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

from sysmon.app.admin.maintain import maintain
from sysmon.app.admin.verify import verify_files
from sysmon.cli import answer
from sysmon.collectors import discover
from sysmon.config import Retention, Storage
from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import FOLDER, Resolution
from sysmon.datadir.segments import Form
from sysmon.model import AlertEvent, Row
from sysmon.reading import catalog
from sysmon.reading.logs import read_alerts, read_events
from sysmon.reading.rows import RowReader
from sysmon.sampling.self_tables import AGENT
from sysmon.text.instants import EPOCH
from tests.integration.faulty_disk import Fate, FaultyDisk, Point
from tests.reading.stored import ORIGIN, write_table

PAST = ORIGIN.hostname
PATIENCE = 300.0
_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER (linux/prctl.h)


class Scene(Protocol):
    """Something that sysmon does, and what must hold after it was cut short."""

    @property
    def name(self) -> str:
        """Return what it is called."""

    def prepare(self, folder: Path) -> list[str]:
        """Make what it begins with below a folder; return the arguments of sysmon."""

    def judge(self, folder: Path, after: "Aftermath") -> Iterable[str]:
        """Look at `folder / "data"`; yield what is wrong."""


@dataclass(frozen=True, slots=True)
class Aftermath:
    """How a sysmon ended: its exit code (negative for a signal), what it said, what it had written when it did."""

    fate: Fate | None
    code: int
    said: str
    complained: str
    written: str

    @property
    def disorder(self) -> list[str]:
        """Return what is wrong with the end itself: a disk may refuse the start, and must never surprise."""
        deadly = self.fate is not None and self.fate.deadly
        expected = {-signal.SIGKILL, 0} if deadly else {0} if self.fate is None else {0, 1, 2}
        strange = "Traceback" in self.complained or "internal error" in self.complained
        return [f"it ended with {self.code}: {self.complained}"] if self.code not in expected or strange else []


def sequence(data: Path, host: str) -> list[tuple[str, int]]:
    """Return the run and the number of every stored tick of a host, in the order of the files."""
    rows = RowReader(data / host / AGENT.name, AGENT, Damage()).rows(EPOCH, catalog.LAST)
    return [(str(row.row[0]), int(row.row[1] or 0)) for row in rows]


def begun(disk: FaultyDisk, folder: Path, arguments: Sequence[str], point: Point | None = None) -> Aftermath:
    """Run sysmon in a fork to its end, with a point that comes to it, and wait for whatever it started."""
    names = ("said", "complained", "written")
    paths = [folder / name for name in names]
    for path in paths:
        path.unlink(missing_ok=True)
    child = os.fork()
    if not child:
        _become(disk, folder, arguments, point)
    code = _awaited(child)
    _reap_the_rest()
    texts = [path.read_text("utf-8") if path.exists() else "" for path in paths]
    return Aftermath(point.fate if point else None, code, *texts)


def _become(disk: FaultyDisk, folder: Path, arguments: Sequence[str], point: Point | None) -> None:
    """Be a sysmon in this process, which ends with it."""
    code = 70
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "said"), (2, "complained")):
            os.dup2(os.open(folder / name, os.O_WRONLY | os.O_CREAT, 0o600), number)
        disk.begin(folder / "data", point, watched=_is_agents, notes=folder / "written")
        code = answer(arguments)
        (folder / "calls").write_text("\n".join(disk.seen))
    except BaseException:  # noqa: BLE001 - this process ends here, and whoever judges it reads why
        traceback.print_exc()
    finally:
        os._exit(code)


def _is_agents(path: str) -> bool:
    return f"/{AGENT.name}/" in path and path.endswith(".jsonl")


def _awaited(child: int) -> int:
    """Wait for a child, and end one that hangs; return its exit code, negative for a signal."""
    descriptor = os.pidfd_open(child)
    if not select.select([descriptor], [], [], PATIENCE)[0]:
        os.kill(child, signal.SIGKILL)
    os.close(descriptor)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _reap_the_rest() -> None:
    """Wait for the maintenance that a run started: it outlives a run that was killed, and becomes ours."""
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


@dataclass(frozen=True, slots=True)
class Run:
    """A run over some rotations, with alerts, and with old files for the maintenance that it starts."""

    disk: FaultyDisk
    now: datetime
    ticks: int
    name: str = "run"

    def prepare(self, folder: Path) -> list[str]:
        """Write rules that fire at one tick each, settings and old files."""
        past_data(folder / "data", self.now)
        off = "".join(f"  {name}: {{enabled: false}}\n" for name in discover() if name != "load")
        (folder / "sysmon.yaml").write_text(f"{settings(storage(self.now))}collectors:\n{off}")
        rules = [
            f"  - {{id: at-{tick}, metric: agent_sequence, warning: {{at_least: {tick}, for: 0s, clear_for: 1h}}}}\n"
            for tick in range(2, self.ticks, 3)
        ]
        (folder / "rules.yaml").write_text("version: 1\nrules:\n" + "".join(rules))
        return self._command(folder, self.ticks)

    def _command(self, folder: Path, ticks: int) -> list[str]:
        files = ["--config", str(folder / "sysmon.yaml"), "--rules", str(folder / "rules.yaml")]
        return ["run", "--data", str(folder / "data"), *files, "--interval", "100ms", "--ticks", str(ticks)]

    def judge(self, folder: Path, after: Aftermath) -> Iterator[str]:
        """Compare what is stored with what was written and printed, have the next start, and maintain."""
        data = folder / "data"
        yield from after.disorder
        written = [json.loads(line) for line in after.written.splitlines()]
        acknowledged = [(row["run"], row["agent_sequence"]) for row in written]
        stored = sequence(data, own_host(data))
        if stored != acknowledged:
            yield f"{acknowledged} was written, {stored} is stored"
        yield from _untold(data, after, self.ticks, len(stored))
        yield from _alerts(data, after.said)
        yield from self._next_start(folder, [number for _, number in stored])
        yield from tidied(data, storage(self.now))

    def _next_start(self, folder: Path, stored: list[int]) -> Iterator[str]:
        again = begun(self.disk, folder, self._command(folder, 2))
        yield from again.disorder
        data = folder / "data"
        left = sequence(data, own_host(data))
        if [number for _, number in left] != [*stored, 1, 2]:
            yield f"after the next start {left} is stored"


def own_host(data: Path) -> str:
    """Return the folder of the host that a run watched, or one that is not there: it may not have come so far."""
    return next((name for name in catalog.hosts(data) if name != PAST), "none")


def _untold(data: Path, after: Aftermath, ticks: int, stored: int) -> Iterator[str]:
    """A disk that failed once has all that a run took, or was told of the rest."""
    if after.fate is None or not after.fate.once or after.code:
        return
    events = read_events(data / own_host(data), EPOCH, catalog.LAST, Damage())
    lost = sum(int(str(event.fields["count"])) for event in events if event.kind == "gap")
    if ticks - stored > lost:
        yield f"{stored} of {ticks} ticks are stored, and {lost} were told as lost"


def _alerts(data: Path, said: str) -> Iterator[str]:
    """Nothing is printed without its mark that is not stored, and nothing is stored twice."""
    entries = read_alerts(data / own_host(data), EPOCH, catalog.LAST, Damage())
    events = [entry for entry in entries if isinstance(entry, AlertEvent)]
    for (_, *event), count in Counter((event.id, event.rule, event.transition) for event in events).items():
        if count > 1:
            yield f"{event} is in the log {count} times"
    stored = {event.rule for event in events}
    for shown in printed_alerts(said):
        if shown not in stored:
            yield f"{shown} was printed, and {stored} is stored"


def printed_alerts(said: str) -> list[str]:
    """Return the rules of the alerts that were shown without the mark of those that the disk did not take."""
    lines = re.split(r"^(?=\d\d:\d\d:\d\d +WARNING)", said, flags=re.MULTILINE)
    warnings = [re.match(r"\S+ +WARNING +([^:]+):", line) for line in lines if "(not stored)" not in line]
    return [match[1] for match in warnings if match is not None]


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Deleting, rolling up by hour and day, and compressing old files."""

    whole: list[int]
    kept: list[int]
    now: datetime
    name: str = "maintain"

    @classmethod
    def expected(cls, folder: Path, now: datetime) -> "Maintenance":
        """Return it with what is there before, and after one that nothing happened to."""
        past_data(folder, now)
        whole = [number for _, number in sequence(folder, PAST)]
        maintain(folder, storage(now), now=now)
        days = list((folder / PAST / FOLDER / Resolution.DAY).iterdir())
        assert days, "a day was to be rolled up"
        return cls(whole, [number for _, number in sequence(folder, PAST)], now)

    def prepare(self, folder: Path) -> list[str]:
        """Write settings and old files."""
        past_data(folder / "data", self.now)
        (folder / "sysmon.yaml").write_text(settings(storage(self.now)))
        return ["maintain", "--data", str(folder / "data"), "--config", str(folder / "sysmon.yaml")]

    def judge(self, folder: Path, after: Aftermath) -> Iterator[str]:
        """Only the oldest may be gone, and the next maintenance does what is left to do."""
        data = folder / "data"
        yield from after.disorder
        if after.fate is Fate.KILL and after.code == 0:
            yield "nothing killed it"
        left = [number for _, number in sequence(data, PAST)]
        if left != self.whole[len(self.whole) - len(left) :] or len(left) < len(self.kept):
            yield f"{left} is left of {len(self.whole)}"
        yield from tidied(data, storage(self.now))
        left = [number for _, number in sequence(data, PAST)]
        if left != self.kept:
            yield f"the next one leaves {left}"
        if not list(data.glob(f"{PAST}/{FOLDER}/{Resolution.DAY}/*")):
            yield "the next one rolls up no day"


def past_data(data: Path, now: datetime) -> None:
    """Write the last three hours of yesterday and the last one before now, for an agent: the first is due to go."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    hours = [midnight - timedelta(hours=back) for back in (3, 2, 1)]
    hours += [now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)] if now.hour > 1 else []
    instants = [hour + timedelta(minutes=10 * part) for hour in hours for part in range(6)]
    samples: list[tuple[datetime, list[Row]]] = [
        (instant, [("0badcafe", index + 1, 0.5, 2**24, 0.0, 0, 0)]) for index, instant in enumerate(instants)
    ]
    for form in Form:
        write_table(data, AGENT, samples, form=form)


def storage(now: datetime) -> Storage:
    """Return settings by which the rows of one old hour, and the CSV of two, are to go."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    today = timedelta(seconds=int((now - midnight).total_seconds()) - 1)
    return Storage(
        rotation=timedelta(seconds=1),
        compress_after=timedelta(0),
        sync_interval=timedelta(milliseconds=400),
        min_free=0,
        retention=Retention(rows=today + timedelta(hours=2), csv=today + timedelta(hours=1)),
    )


def settings(storage: Storage) -> str:
    """Return them as a configuration file has them."""
    kept = storage.retention
    return (
        "storage: {rotation: 1s, compress_after: 0s, sync_interval: 400ms, min_free: 0B, "
        f"retention: {{rows: {kept.rows.total_seconds():.0f}s, csv: {kept.csv.total_seconds():.0f}s}}}}\n"
    )


def tidied(data: Path, storage: Storage) -> Iterator[str]:
    """Maintain what a crash left; yield what is wrong then."""
    if not data.is_dir():
        return
    done = maintain(data, storage, now=datetime.now(UTC) + timedelta(seconds=1))  # the last second has ended
    yield from done.problems
    if done.busy:
        yield "something still maintains"
    if catalog.hosts(data):
        yield from verify_files(data, repair=False).faults
    yield from (f"{path} is left over" for path in data.rglob("*.tmp") if path.parent != data)
    yield from (f"{path} is still text" for path in data.glob(f"*/{AGENT.name}/*.jsonl"))


def sweep(
    disk: FaultyDisk, scene: Scene, folder: Path, fates: Iterable[Fate], *, every: int, at_once: int
) -> Iterator[tuple[Point, list[str]]]:
    """Yield each so-manieth file call of a scene with each fate, and what was wrong after it."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1)  # each fork is one, too, and waits for what sysmon started
    (folder / "whole").mkdir()
    total = len(calls(disk, scene, folder / "whole"))
    points = [
        Point(number, fate)
        for offset, fate in enumerate(fates)
        for number in range(1 + offset % every, total + 1, every)
    ]
    yield from in_forks(points, lambda point: _crashed(disk, scene, folder, point), at_once=at_once)


def calls(disk: FaultyDisk, scene: Scene, folder: Path) -> list[str]:
    """Return the file calls of a scene that nothing happens to."""
    begun(disk, folder, scene.prepare(folder))
    return (folder / "calls").read_text().splitlines()


def _crashed(disk: FaultyDisk, scene: Scene, folder: Path, point: Point) -> list[str]:
    place = folder / f"{point.number}-{point.fate.name}"
    place.mkdir()
    after = begun(disk, place, scene.prepare(place), point)
    wrong = list(scene.judge(place, after))
    if not wrong:
        shutil.rmtree(place)
    return wrong


def in_forks(
    points: Sequence[Point], look: Callable[[Point], list[str]], *, at_once: int
) -> Iterator[tuple[Point, list[str]]]:
    """Look at each point in a process of its own, some at once; yield what each found."""
    waiting = list(reversed(points))
    at_work: dict[int, tuple[Point, int]] = {}
    while waiting or at_work:
        while waiting and len(at_work) < at_once:
            point = waiting.pop()
            reading, writing = os.pipe()
            child = os.fork()
            if not child:
                _answer(point, look, writing)
            os.close(writing)
            at_work[child] = (point, reading)
        child, _ = os.wait()
        point, reading = at_work.pop(child)
        with os.fdopen(reading, "rb") as pipe:
            said = pipe.read()
        yield point, json.loads(said) if said else ["it could not be judged"]


def _answer(point: Point, look: Callable[[Point], list[str]], writing: int) -> None:
    """Look, answer, and end this process; what is too long for a pipe is cut."""
    try:
        ctypes.CDLL(None).prctl(_SUBREAPER, 1)
        faults = look(point)
    except BaseException:  # noqa: BLE001 - this process ends here
        faults = [traceback.format_exc()]
    os.write(writing, json.dumps([fault[:2000] for fault in faults[:20]]).encode()[:60_000])
    os._exit(0)
