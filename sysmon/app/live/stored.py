"""Looking back: everything that the files hold of an instant, and the way from one sample to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sysmon.app.live.cache import Shelf
from sysmon.errors import NothingFoundError
from sysmon.model import AlertEvent, Row, Table, Transition
from sysmon.reading import catalog
from sysmon.reading.alerts import active_alerts
from sysmon.reading.catalog import Host
from sysmon.reading.coverage import RunPeriod, find_run_periods
from sysmon.reading.infer_table import discover_table
from sysmon.reading.logs import AlertEntry, read_alerts, read_events
from sysmon.reading.seek import DamageOnce, SeekableTable
from sysmon.sampling.self_tables import AGENT, COLLECTOR
from sysmon.text.instants import EPOCH, from_ms, to_ms
from sysmon.text.names import RESERVED_TABLES, printable
from sysmon.view.snapshot import Moment, Shown

TRAIL = 160
"""Samples before a moment that its trends may show."""

USUAL = 10.0
"""Seconds between samples where nothing tells them."""

_STRETCH = 60
"""Samples that are read at once."""

_MS = timedelta(milliseconds=1)
_WIDER = (timedelta(days=1), timedelta(days=16), catalog.LAST - EPOCH)
_BEGUN = (Transition.FIRED, Transition.ESCALATED)


class Why(Enum):
    """Why the sample that is shown is not of the instant that was asked for."""

    NOT_RUNNING = "sysmon was not running"
    MISSED = "no sample was stored"
    BEFORE = "the samples begin later"


@dataclass(frozen=True, slots=True)
class Found:
    """The sample that holds at an instant; `why` says why it is none of that instant, None where it is one."""

    moment: Moment
    why: Why | None = None


class Lookback:
    """What the files of one host hold, instant by instant; `damage` counts what could not be read on the way."""

    def __init__(self, host: Host, known: Mapping[str, Table], *, now: datetime, strict: bool = False) -> None:
        self.host = host
        self.damage = DamageOnce(strict=strict)
        self._known = known
        self._nearby: dict[str, SeekableTable] = {}
        self._now = now
        self._edge = 0
        self._shelves: dict[str, Shelf] = {}
        self._length = 0
        self.look(now)

    @property
    def newest(self) -> int | None:
        """Return the newest sample that was seen, in milliseconds since the epoch."""
        return self._edge or None

    def look(self, now: datetime) -> bool:
        """Look for newer samples; return whether there are some."""
        self._now = now
        self._learn()
        pace, before = self._pace, self._edge if self._edge <= to_ms(now) else 0  # the clock may have been set back
        if pace is None:
            return False
        newer = pace.ticks(from_ms(before), now + _MS) if before else ()
        self._edge = max(newer, default=before) if before else pace.last_before(now + _MS) or 0
        return self._edge != before

    def find(self, at: datetime) -> Found:
        """Return the sample that holds at an instant, or the last one before it; before the first that one."""
        pace = self._pace
        ms = pace.last_before(at + _MS) if pace else None
        if ms is None:
            ms = pace.first_from(at) if pace else None
            if ms is None:
                raise NothingFoundError(self._nothing())
            return Found(self._moment(ms, self._runs(from_ms(ms))), Why.BEFORE)
        runs = self._runs(at)
        moment = self._moment(ms, runs)
        if at - moment.at < timedelta(seconds=moment.seconds):
            return Found(moment)
        return Found(moment, _why(runs, at))

    def find_newest(self) -> Found:
        """Return the newest sample, however old it is."""
        return self.find(from_ms(self._edge))

    def sample_before(self, at: datetime) -> datetime | None:
        """Return the latest sample before an instant."""
        return _instant(self._pace.last_before(at) if self._pace else None)

    def sample_after(self, at: datetime) -> datetime | None:
        """Return the earliest sample after an instant."""
        return _instant(self._pace.first_from(at + _MS) if self._pace else None)

    def first(self) -> datetime | None:
        """Return the first sample of all."""
        return _instant(self._pace.first_from(EPOCH) if self._pace else None)

    def alert_before(self, at: datetime) -> datetime | None:
        """Return when the latest alert before an instant fired, or became worse."""
        for width in _WIDER:
            since = EPOCH if at - EPOCH < width else at - width
            begun = [event.at for event in self._alerts(since, at) if since <= event.at < at]
            if begun:
                return max(begun)
        return None

    def alert_after(self, at: datetime) -> datetime | None:
        """Return when the earliest alert after an instant fired, or became worse."""
        for width in _WIDER:
            until = catalog.LAST if catalog.LAST - at < width else at + width
            begun = [event.at for event in self._alerts(at, until) if event.at > at]
            if begun:
                return min(begun)
        return None

    @property
    def _pace(self) -> SeekableTable | None:
        """Return the table that has a row for each sample."""
        return self._nearby.get(AGENT.name) or next(iter(self._nearby.values()), None)

    def _learn(self) -> None:
        """Get to know the tables that have come into being."""
        folder = self.host.folder
        there = {path.name for path in folder.iterdir()} - RESERVED_TABLES - self._nearby.keys()
        for name in sorted(there):
            table = self._known.get(name) or discover_table(folder / name, EPOCH, catalog.LAST)
            self._nearby[name] = SeekableTable(folder / name, table, self.damage)
        if there:
            order = {name: place for place, name in enumerate(self._known)}
            names = sorted(self._nearby, key=lambda name: (order.get(name, len(order)), name))
            self._nearby = {name: self._nearby[name] for name in names}

    def _nothing(self) -> str:
        """Return why there is no sample."""
        unread = self.damage.lines
        why = f"no sample can be read: {unread[0]}" if unread else "no samples: start `sysmon run`"
        return f"{printable(self.host.name)}: {why}"

    def _alerts(self, since: datetime, until: datetime) -> list[AlertEvent]:
        entries: list[AlertEntry] = read_alerts(self.host.folder, since, until, self.damage)
        return [entry for entry in entries if isinstance(entry, AlertEvent) and entry.transition in _BEGUN]

    def _runs(self, at: datetime) -> list[RunPeriod]:
        """Return the runs up to an instant, from the one that the samples before it are from."""
        events = read_events(self.host.folder, at, at + _MS, self.damage)
        return find_run_periods(events, until=at + _MS, now=self._now)

    def _moment(self, ms: int, runs: Sequence[RunPeriod]) -> Moment:
        run = next((one for one in reversed(runs) if one.start <= ms), None)
        seconds = run.seconds if run else {}
        begun = min((one.start for one in runs if run and one.id == run.id), default=0)
        base = min(seconds.values(), default=USUAL)
        tables = {}
        for name in self._nearby:
            shown = self._shown(name, ms, seconds.get(name, base), base=base, begun=begun)
            if shown is not None:
                tables[name] = shown
        alerts = active_alerts(read_alerts(self.host.folder, from_ms(ms), from_ms(ms + 1), self.damage))
        return Moment(self.host.name, from_ms(ms), base, _answering(tables), alerts)

    def _shown(self, name: str, ms: int, seconds: float, *, base: float, begun: int) -> Shown | None:
        table = self._nearby[name].table
        reach = TRAIL * base if is_charted(table, seconds, base) else 2 * seconds
        ticks = self._shelf(name, base).between(ms - round(1000 * reach), ms, edge=self._edge)
        return shown(table, ticks, ms, seconds, base=base, begun=begun)

    def _shelf(self, name: str, base: float) -> Shelf:
        length = max(1000, round(1000 * base * _STRETCH))
        if length != self._length:  # another run had another interval
            self._length = length
            self._shelves = {}
        if name not in self._shelves:
            self._shelves[name] = Shelf(self._nearby[name], length)
        return self._shelves[name]


def is_charted(table: Table, seconds: float, base: float) -> bool:
    """Say whether the course of a table's rows is of interest: those of every sample that are not about sysmon."""
    return table.series and not table.compact and table.name != AGENT.name and seconds == base


def shown(
    table: Table, ticks: Mapping[int, Sequence[Row]], ms: int, seconds: float, *, base: float, begun: int = 0
) -> Shown | None:
    """Return the rows of a table that hold at a sample: those of its latest turn, or of the one before.

    `ticks` are those up to the sample, `begun` is when the run began: what another one saw holds no more.
    """
    step = round(1000 * seconds)
    least = max(begun, (ms // step - 1) * step)
    held = max((one for one in ticks if one >= least), default=None)
    if held is None:
        return None
    return Shown(table, from_ms(held), ticks[held], seconds, ticks if is_charted(table, seconds, base) else {})


def _why(runs: Sequence[RunPeriod], at: datetime) -> Why:
    """Tell a pause from a loss: nobody sampled between the end of one run and the beginning of the next."""
    ms = to_ms(at)
    for run in runs:
        step = round(1000 * min(run.seconds.values(), default=USUAL))
        if run.start <= ms and (not run.closed or ms < run.last + step):
            return Why.MISSED
    return Why.NOT_RUNNING if runs else Why.MISSED


def _answering(tables: Mapping[str, Shown]) -> dict[str, Shown]:
    """Leave out what a collector failed to read: its older rows say nothing about this moment."""
    failed: set[str] = set()
    if COLLECTOR.name in tables:
        shown = tables[COLLECTOR.name]
        failed = {str(one["collector"]) for one in shown.records() if one.get("collector_up") == 0}
        failed = {name for name in failed if name in tables and tables[name].at < shown.at}
    return {name: shown for name, shown in tables.items() if name not in failed}


def _instant(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
