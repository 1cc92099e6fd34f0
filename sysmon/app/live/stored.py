"""Stored snapshots: everything that the files hold of an instant, and the way from one sample to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sysmon.app.live.cache import RowCache
from sysmon.datadir.names import RESERVED_TABLES
from sysmon.errors import DamagedError, NothingFoundError
from sysmon.model import AlertEvent, Row, Table, Transition
from sysmon.reading import catalog
from sysmon.reading.alerts import active_alerts
from sysmon.reading.archive import Archive
from sysmon.reading.coverage import RunPeriod
from sysmon.reading.seek import SeekableTable
from sysmon.sampling.self_tables import AGENT, COLLECTOR
from sysmon.text.instants import EPOCH, from_ms, to_ms
from sysmon.text.names import printable
from sysmon.view.snapshot import Snapshot, TableSnapshot

HISTORY_TICKS = 160
"""Samples before a snapshot that its trends may show."""

USUAL = 10.0
"""Seconds between samples where nothing tells them."""

_CHUNK = 60
"""Samples that are read at once."""

_MS = timedelta(milliseconds=1)
_SEARCH_WIDTHS = (timedelta(days=1), timedelta(days=16), catalog.LAST - EPOCH)
_STARTS = (Transition.FIRED, Transition.ESCALATED)


class Mismatch(Enum):
    """Why the sample that is shown is not of the instant that was asked for."""

    NOT_RUNNING = "sysmon was not running"
    MISSED = "no sample was stored"
    BEFORE = "the samples begin later"


@dataclass(frozen=True, slots=True)
class Lookup:
    """A snapshot that was looked up.

    `mismatch` says why it is not of the instant that was asked for, None where it is.
    """

    snapshot: Snapshot
    mismatch: Mismatch | None = None


class StoredSnapshots:
    """What the files of one host hold, instant by instant; `damage` counts what could not be read on the way."""

    def __init__(self, archive: Archive, *, now: datetime) -> None:
        self._archive = archive
        self.host = archive.host
        self.damage = archive.damage
        self._tables: dict[str, SeekableTable] = {}
        self._now = now
        self._edge = 0
        self._caches: dict[str, RowCache] = {}
        self._length = 0
        self.poll(now)

    @property
    def newest(self) -> int | None:
        """Return the newest sample that was seen, in milliseconds since the epoch."""
        return self._edge or None

    def poll(self, now: datetime) -> bool:
        """Look for newer samples; return whether there are some."""
        self._now = now
        self._discover_tables()
        table = self._tick_table
        if table is None:
            return False
        before = self._edge if self._edge <= to_ms(now) else 0  # the clock may have been set back
        newer = table.ticks(from_ms(before), now + _MS) if before else ()
        self._edge = max(newer, default=before) if before else table.last_before(now + _MS) or 0
        return self._edge != before

    def find(self, at: datetime) -> Lookup:
        """Return the sample that holds at an instant, or the last one before it; before the first that one."""
        table = self._tick_table
        ms = table.last_before(at + _MS) if table else None
        if ms is None:
            ms = table.first_from(at) if table else None
            if ms is None:
                raise self._explain_absence()
            return Lookup(self._take_snapshot(ms, self._read_runs(from_ms(ms))), Mismatch.BEFORE)
        runs = self._read_runs(at)
        snapshot = self._take_snapshot(ms, runs)
        if at - snapshot.at < timedelta(seconds=snapshot.seconds):
            return Lookup(snapshot)
        return Lookup(snapshot, _classify_gap(runs, at))

    def find_newest(self) -> Lookup:
        """Return the newest sample, however old it is."""
        return self.find(from_ms(self._edge))

    def sample_before(self, at: datetime) -> datetime | None:
        """Return the latest sample before an instant."""
        return _to_instant(self._tick_table.last_before(at) if self._tick_table else None)

    def sample_after(self, at: datetime) -> datetime | None:
        """Return the earliest sample after an instant."""
        return _to_instant(self._tick_table.first_from(at + _MS) if self._tick_table else None)

    def first(self) -> datetime | None:
        """Return the first sample of all."""
        return _to_instant(self._tick_table.first_from(EPOCH) if self._tick_table else None)

    def alert_before(self, at: datetime) -> datetime | None:
        """Return when the latest alert before an instant fired, or became worse."""
        for width in _SEARCH_WIDTHS:
            since = EPOCH if at - EPOCH < width else at - width
            fired = [event.at for event in self._alerts(since, at) if since <= event.at < at]
            if fired:
                return max(fired)
        return None

    def alert_after(self, at: datetime) -> datetime | None:
        """Return when the earliest alert after an instant fired, or became worse."""
        for width in _SEARCH_WIDTHS:
            until = catalog.LAST if catalog.LAST - at < width else at + width
            fired = [event.at for event in self._alerts(at, until) if event.at > at]
            if fired:
                return min(fired)
        return None

    def active_alerts(self, at: datetime) -> Sequence[AlertEvent]:
        """Return the alerts that fire at an instant, by the log."""
        return active_alerts(self._archive.alert_log(at, at + _MS))

    @property
    def _tick_table(self) -> SeekableTable | None:
        """Return the table that has a row for each sample."""
        return self._tables.get(AGENT.name) or next(iter(self._tables.values()), None)

    def _discover_tables(self) -> None:
        """Get to know the tables that have come into being."""
        there = {path.name for path in self.host.folder.iterdir()} - RESERVED_TABLES - self._tables.keys()
        for name in sorted(there):
            self._tables[name] = self._archive.table(name).seekable()
        if there:
            order = {name: place for place, name in enumerate(self._archive.declared)}
            names = sorted(self._tables, key=lambda name: (order.get(name, len(order)), name))
            self._tables = {name: self._tables[name] for name in names}

    def _explain_absence(self) -> NothingFoundError | DamagedError:
        """Return why there is no sample."""
        host = printable(self.host.name)
        if self.damage.count:
            return DamagedError("\n".join([f"{host}: no sample can be read", *self.damage.messages()]))
        return NothingFoundError(f"{host}: no samples: start `sysmon run`")

    def _alerts(self, since: datetime, until: datetime) -> list[AlertEvent]:
        entries = self._archive.alert_log(since, until)
        return [entry for entry in entries if isinstance(entry, AlertEvent) and entry.transition in _STARTS]

    def _read_runs(self, at: datetime) -> list[RunPeriod]:
        """Return the runs up to an instant, from the one that the samples before it are from."""
        return self._archive.run_periods(at, at + _MS, now=self._now)

    def _take_snapshot(self, ms: int, runs: Sequence[RunPeriod]) -> Snapshot:
        run = next((run for run in reversed(runs) if run.start <= ms), None)
        seconds = run.seconds if run else {}
        run_start = min((part.start for part in runs if run and part.id == run.id), default=0)
        base = min(seconds.values(), default=USUAL)
        tables = {}
        for name in self._tables:
            table = self._read_table(name, ms, seconds.get(name, base), base=base, run_start=run_start)
            if table is not None:
                tables[name] = table
        return Snapshot(self.host.name, from_ms(ms), base, _drop_failed(tables), self.active_alerts(from_ms(ms)))

    def _read_table(self, name: str, ms: int, seconds: float, *, base: float, run_start: int) -> TableSnapshot | None:
        table = self._tables[name].table
        reach = HISTORY_TICKS * base if is_charted(table, seconds, base) else 2 * seconds
        ticks = self._cache(name, base).read_between(ms - round(1000 * reach), ms, edge=self._edge)
        return take_table_snapshot(table, ticks, ms, seconds, base=base, run_start=run_start)

    def _cache(self, name: str, base: float) -> RowCache:
        length = max(1000, round(1000 * base * _CHUNK))
        if length != self._length:  # another run had another interval
            self._length = length
            self._caches = {}
        if name not in self._caches:
            self._caches[name] = RowCache(self._tables[name], length)
        return self._caches[name]


def is_charted(table: Table, seconds: float, base: float) -> bool:
    """Say whether the course of a table's rows is of interest: those of every sample that are not about sysmon."""
    return table.series and not table.compact and table.name != AGENT.name and seconds == base


def take_table_snapshot(
    table: Table, ticks: Mapping[int, Sequence[Row]], ms: int, seconds: float, *, base: float, run_start: int = 0
) -> TableSnapshot | None:
    """Return the rows of a table that hold at a sample: those of its latest turn, or of the one before.

    `ticks` are those up to the sample, `run_start` is when the run began: what another one saw holds no more.
    """
    step = round(1000 * seconds)
    least = max(run_start, (ms // step - 1) * step)
    held = max((tick for tick in ticks if tick >= least), default=None)
    if held is None:
        return None
    return TableSnapshot(table, from_ms(held), ticks[held], seconds, ticks if is_charted(table, seconds, base) else {})


def _classify_gap(runs: Sequence[RunPeriod], at: datetime) -> Mismatch:
    """Tell a pause from a loss: nobody sampled between the end of one run and the beginning of the next."""
    ms = to_ms(at)
    for run in runs:
        step = round(1000 * min(run.seconds.values(), default=USUAL))
        if run.start <= ms and (not run.closed or ms < run.last + step):
            return Mismatch.MISSED
    return Mismatch.NOT_RUNNING if runs else Mismatch.MISSED


def _drop_failed(tables: Mapping[str, TableSnapshot]) -> dict[str, TableSnapshot]:
    """Leave out what a collector failed to read: its older rows say nothing about this instant."""
    failed: set[str] = set()
    if COLLECTOR.name in tables:
        collectors = tables[COLLECTOR.name]
        failed = {str(record["collector"]) for record in collectors.records() if record.get("collector_up") == 0}
        failed = {name for name in failed if name in tables and tables[name].at < collectors.at}
    return {name: table for name, table in tables.items() if name not in failed}


def _to_instant(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
