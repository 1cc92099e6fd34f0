"""Snapshot sources: the files that another process writes, or samples taken on the spot."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from sysmon.app.live.stored import Lookup, Mismatch, StoredSnapshots, take_table_snapshot
from sysmon.model import AlertEvent, Row, Sample, Table
from sysmon.storage.lock import is_recording
from sysmon.text.instants import from_ms, to_ms
from sysmon.text.units import format_age
from sysmon.view.snapshot import Snapshot

if TYPE_CHECKING:
    from sysmon.alerts.evaluator import Evaluator

LATE = 3
"""Intervals without a new sample after which something is wrong."""

KEPT = 600
"""Samples of our own that are remembered."""

_MS = timedelta(milliseconds=1)


class SnapshotSource(Protocol):
    """Where snapshots come from: files, or samples that are taken as one looks."""

    @property
    def skipped(self) -> int:
        """Return how much could not be read."""

    def find(self, at: datetime | None) -> Lookup | None:
        """Return the sample that holds at an instant, for None the newest one; None where there is none at all."""

    def sample_before(self, at: datetime) -> datetime | None:
        """Return the latest sample before an instant."""

    def sample_after(self, at: datetime) -> datetime | None:
        """Return the earliest sample after an instant."""

    def first(self) -> datetime | None:
        """Return the first sample of all."""

    def alert_before(self, at: datetime) -> datetime | None:
        """Return when the latest alert before an instant fired."""

    def alert_after(self, at: datetime) -> datetime | None:
        """Return when the earliest alert after an instant fired."""

    def trouble(self, now: datetime) -> str | None:
        """Return why the newest sample is not how things are now; empty where it is, None where nobody samples."""


class FileSource:
    """What a `sysmon run` stores, or has stored."""

    def __init__(self, files: StoredSnapshots, data: Path) -> None:
        self._files = files
        self._data = data
        self._latest: tuple[int, Lookup] | None = None

    @property
    def skipped(self) -> int:
        """Return how much could not be read."""
        return self._files.damage.count

    def poll(self, now: datetime) -> bool:
        """Look for newer samples; return whether there are some."""
        return self._files.poll(now)

    def find(self, at: datetime | None) -> Lookup | None:
        """Return the sample that holds at an instant, for None the newest one."""
        if at is not None:
            return self._files.find(at)
        newest = self._files.newest
        if newest is None:
            return None
        if self._latest is None or self._latest[0] != newest:
            self._latest = newest, self._files.find_newest()
        return self._latest[1]

    def sample_before(self, at: datetime) -> datetime | None:
        """Return the latest sample before an instant."""
        return self._files.sample_before(at)

    def sample_after(self, at: datetime) -> datetime | None:
        """Return the earliest sample after an instant."""
        return self._files.sample_after(at)

    def first(self) -> datetime | None:
        """Return the first sample of all."""
        return self._files.first()

    def alert_before(self, at: datetime) -> datetime | None:
        """Return when the latest alert before an instant fired."""
        return self._files.alert_before(at)

    def alert_after(self, at: datetime) -> datetime | None:
        """Return when the earliest alert after an instant fired."""
        return self._files.alert_after(at)

    def trouble(self, now: datetime) -> str | None:
        """Return why the newest sample is not how things are now; empty where it is, None where nobody samples."""
        if not is_recording(self._data):
            return None
        newest = self.find(None)
        if newest is None:
            return ""
        age = (now - newest.snapshot.at).total_seconds()
        return f"no sample for {format_age(age)}" if age > LATE * newest.snapshot.seconds + 1 else ""


class LiveSource:
    """Samples that are taken while somebody looks, and remembered for a while; the time before is in the files.

    `seconds` says how often each table is read now, `past` is what was stored before, None where nothing was, `remark`
    what else a person must know. While `is_recording` a recorder works beside us: the alerts are those of its log.
    """

    def __init__(
        self,
        host: str,
        tables: Mapping[str, Table],
        evaluator: "Evaluator",
        *,
        base: float,
        seconds: Callable[[], Mapping[str, float]],
        past: StoredSnapshots | None,
        is_recording: Callable[[], bool] = lambda: False,
        remark: Callable[[], str] = lambda: "",
    ) -> None:
        self._host = host
        self._tables = tables
        self._seconds = seconds
        self._base = base
        self._remark = remark
        self._evaluator = evaluator
        self._past = past
        self._is_recording = is_recording
        self._samples: OrderedDict[int, tuple[Sample, Sequence[AlertEvent]]] = OrderedDict()
        self._fired: list[datetime] = []

    @property
    def skipped(self) -> int:
        """Return how much could not be read."""
        return self._past.damage.count if self._past else 0

    def add(self, sample: Sample) -> None:
        """Remember a sample, with the alerts that are on after it."""
        _, before = next(reversed(self._samples.values()), (None, ()))
        earlier = {event.id for event in before}
        self._evaluator.evaluate(sample)
        recorded = self._past if self._is_recording() else None
        active = self._evaluator.active() if recorded is None else recorded.active_alerts(sample.at)
        self._fired += [sample.at for event in active if event.id not in earlier]
        self._samples[to_ms(sample.at)] = sample, active
        while len(self._samples) > KEPT:
            self._samples.popitem(last=False)

    def find(self, at: datetime | None) -> Lookup | None:
        """Return the sample that holds at an instant, for None the newest one; the older ones are in the files."""
        own = [ms for ms in self._samples if at is None or ms <= to_ms(at)]
        if not own:
            return self._past.find(at) if self._past and at is not None else None
        snapshot = self._take_snapshot(own[-1])
        exact = at is None or at - snapshot.at < timedelta(seconds=self._base)
        return Lookup(snapshot, None if exact else Mismatch.MISSED)

    def sample_before(self, at: datetime) -> datetime | None:
        """Return the latest sample before an instant."""
        own = [ms for ms in self._samples if from_ms(ms) < at]
        if own:
            return from_ms(own[-1])
        return self._past.sample_before(at) if self._past else None

    def sample_after(self, at: datetime) -> datetime | None:
        """Return the earliest sample after an instant."""
        stored = self._past.sample_after(at) if self._past else None
        own = [from_ms(ms) for ms in self._samples if from_ms(ms) > at]
        return min([*own[:1], *([stored] if stored else [])], default=None)

    def first(self) -> datetime | None:
        """Return the first sample of all."""
        stored = self._past.first() if self._past else None
        return stored or next((from_ms(ms) for ms in self._samples), None)

    def alert_before(self, at: datetime) -> datetime | None:
        """Return when the latest alert before an instant fired."""
        own = [fired for fired in self._fired if fired < at]
        if own:
            return own[-1]
        return self._past.alert_before(at) if self._past else None

    def alert_after(self, at: datetime) -> datetime | None:
        """Return when the earliest alert after an instant fired."""
        stored = self._past.alert_after(at) if self._past else None
        return stored or next((fired for fired in self._fired if fired > at), None)

    def trouble(self, now: datetime) -> str | None:
        """Return the remark: what is seen is how things are."""
        return self._remark()

    def _take_snapshot(self, ms: int) -> Snapshot:
        sample, active = self._samples[ms]
        seconds = self._seconds()
        tables = {}
        for name, table in self._tables.items():
            ticks: dict[int, Sequence[Row]] = {
                tick: past.rows[name] for tick, (past, _) in self._samples.items() if tick <= ms and name in past.rows
            }
            held = take_table_snapshot(table, ticks, ms, seconds.get(name, self._base), base=self._base)
            if held is not None:
                tables[name] = held
        failed = {failure.collector for failure in sample.failures}
        return Snapshot(
            self._host,
            sample.at,
            self._base,
            {name: table for name, table in tables.items() if name not in failed},
            active,
        )
