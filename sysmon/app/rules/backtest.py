"""Backtest: stored rows through the rules, by the same step as the live ones. What would have fired?"""

import heapq
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from statistics import median_low

from sysmon.alerts.culprit import blaming_tables
from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.notify_policy import Mutes
from sysmon.alerts.rules.loader import RuleSet, load_rules
from sysmon.app.catalog import tables
from sysmon.app.rules.skip_hours import RangePart, SkipHours
from sysmon.app.selection import Selection, open_archive
from sysmon.datadir.damage import Damage
from sysmon.model import AlertEvent, Event, Origin, Row, Sample, Table, Transition
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host

_COLLECTOR = "collector"
_LOOKED_AT = 1000
_Tick = tuple[datetime, str, Origin, list[Row]]


@dataclass(slots=True)
class RuleTally:
    """What one rule did over a range: `seconds` in all, the longest alert, first and last instant it fired."""

    fired: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    flaps: int = 0
    first: datetime | None = None
    last: datetime | None = None


@dataclass(slots=True)
class Replay:
    """Stored rows of a host, to be put through rule files.

    `last` is the latest instant that was read.
    """

    selection: Selection
    archive: Archive
    intervals: Mapping[str, float]
    starts: Sequence[datetime]
    last: datetime | None = None

    @property
    def host(self) -> Host:
        """Return whose rows they are."""
        return self.archive.host

    @property
    def damage(self) -> Damage:
        """Return what could not be read."""
        return self.archive.damage

    def rules(self, path: Path) -> RuleSet:
        """Return the rules of a file, with the intervals that the rows have."""
        return load_rules(path, tables(), self.intervals)

    def events(self, rules: RuleSet, *, culprits: bool) -> Iterator[AlertEvent]:
        """Yield the events that the rules would have brought, in order; `culprits` reads the processes, too."""
        all_tables = tables()
        wanted = {rule.table for rule in rules.rules} | {_COLLECTOR}
        wanted |= blaming_tables(all_tables) if culprits else set()
        names = [name for name in sorted(wanted) if name in all_tables and name in self.host.tables()]
        player = _Player(rules, list(self.starts))
        hours = SkipHours(self.host.folder, [all_tables[name] for name in names], rules.rules, self.starts)
        for part in hours.parts(self.selection.since, self.selection.until):
            if part.skip and player.idle:
                continue
            ticks = heapq.merge(*(self._ticks(all_tables[name], part) for name in names), key=itemgetter(0))
            for at, group in itertools.groupby(ticks, key=itemgetter(0)):
                self.last = at
                yield from player.play(at, list(group))

    def _ticks(self, table: Table, part: RangePart) -> Iterator[_Tick]:
        rows = self.archive.reader(table).rows(part.since, part.until)
        for at, group in itertools.groupby(rows, key=lambda row: row.at):
            stored = list(group)
            yield at, table.name, stored[0].origin, [row.row for row in stored]


class _Player:
    """Puts ticks through rules, and lets durations go where a run began."""

    def __init__(self, rules: RuleSet, starts: list[datetime]) -> None:
        self._rules = rules
        self._starts = starts
        self._evaluator: Evaluator | None = None

    @property
    def idle(self) -> bool:
        """Say whether ticks have been seen, and nothing is pending or firing after them."""
        return self._evaluator is not None and self._evaluator.idle

    def play(self, at: datetime, parts: list[_Tick]) -> list[AlertEvent]:
        """Take one tick of all tables."""
        if self._evaluator is None:
            self._evaluator = Evaluator(self._rules.rules, tables(), parts[0][2], Mutes(self._rules.mute_times))
        starts = self._starts
        while starts and starts[0] <= at:
            if len(starts) == 1 or starts[1] > at:
                self._evaluator.resume(at)
            del starts[0]
        return self._evaluator.evaluate(Sample(at, {name: rows for _, name, _, rows in parts}))


def open_replay(selection: Selection) -> Replay:
    """Find the selected rows, how far apart they are, and when a run began among them."""
    archive = open_archive(selection, tables(), Damage())
    first_look = archive.uncounted()
    log = first_look.events(selection.since, selection.until)
    starts = [event.at for event in log if event.kind == "started" and event.at >= selection.since]
    spacings = {name: _find_spacing(first_look, name, selection) for name in archive.table_names if name in tables()}
    intervals = {name: seconds for name, seconds in spacings.items() if seconds is not None}
    return Replay(selection, archive, intervals | _read_intervals(log), starts)


def tally_rules(replay: Replay, rules: RuleSet) -> dict[str, RuleTally]:
    """Count what each rule would have done; what still fires at the end lasted until the last row."""
    return _tally(replay.events(rules, culprits=False), rules, lambda: replay.last or replay.selection.until)


def _tally(events: Iterable[AlertEvent], rules: RuleSet, end: Callable[[], datetime]) -> dict[str, RuleTally]:
    tallies = {rule.id: RuleTally() for rule in rules.rules}
    firing: dict[str, AlertEvent] = {}
    for event in events:
        tally = tallies[event.rule]
        if event.transition is Transition.FIRED:
            tally.fired, tally.first, tally.last = tally.fired + 1, tally.first or event.at, event.at
            firing[event.id] = event
        elif event.transition is Transition.FLAPPING:
            tally.flaps += 1
        elif event.transition is Transition.RESOLVED:
            firing.pop(event.id, None)
            _add(tally, event.duration)
    for event in firing.values():
        _add(tallies[event.rule], (end() - event.since).total_seconds())
    return tallies


def _add(tally: RuleTally, seconds: float) -> None:
    tally.seconds += seconds
    tally.longest = max(tally.longest, seconds)


def _read_intervals(log: Iterable[Event]) -> dict[str, float]:
    """Return the intervals that the latest run named."""
    intervals: dict[str, float] = {}
    for event in log:
        given = event.fields.get("intervals")
        if isinstance(given, Mapping):
            intervals |= {
                str(name): float(seconds) for name, seconds in given.items() if isinstance(seconds, int | float)
            }
    return intervals


def _find_spacing(archive: Archive, name: str, selection: Selection) -> float | None:
    """Return the median seconds between the first instants of a table; None where there are too few."""
    instants = _take_first(archive.table(name).instants(selection.since, selection.until))
    if len(instants) < 2:
        return None
    return median_low(late - early for early, late in itertools.pairwise(instants) if late > early) / 1000


def _take_first(instants: Iterable[int]) -> list[int]:
    return sorted({ms for ms, _ in itertools.groupby(itertools.islice(instants, 50 * _LOOKED_AT))})[:_LOOKED_AT]
