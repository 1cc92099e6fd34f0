"""Hours that a backtest can skip: those whose roll-ups show that no rule could have changed anything."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isfinite
from pathlib import Path

from sysmon.alerts.culprit import PROCESS
from sysmon.alerts.rule import Edge, Operator, Rule, matches
from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import FOLDER, Resolution, RollupFile
from sysmon.datadir.segments import SegmentFile
from sysmon.model import Table
from sysmon.reading import catalog, rollup_file
from sysmon.reading.aggregate import TableAggregate
from sysmon.stats.digest import Digest
from sysmon.stats.tick_runs import TickRuns
from sysmon.text.instants import to_ms

_HOUR = Resolution.HOUR.length
_LISTS = 3
"""Process lists that an hour must have, so that those named after it are the same."""

_ROUNDING = 1e-9
"""How far a mean may lie beyond the extremes of its values, as a share of them."""

Instances = frozenset[tuple[str, tuple[str, ...]]]


@dataclass(frozen=True, slots=True)
class RangePart:
    """A part of a range; `skip` says that it is an hour to pass over while nothing is pending or firing."""

    since: datetime
    until: datetime
    skip: bool


class SkipHours:
    """Looks at the roll-ups of some tables of a host on behalf of some rules.

    An hour without a breach is skipped if the next one has none either: that one is read, so that whatever looks back
    from beyond it finds what it would have found. Where anything is uncertain, the hour is not skipped.
    """

    def __init__(
        self, host: Path, tables: Sequence[Table], rules: Sequence[Rule], starts: Collection[datetime]
    ) -> None:
        self._host = host
        self._tables = tables
        self._rules = rules
        self._starts = {Resolution.HOUR.floor(start) for start in starts}
        self._looks_back = any(rule.absent or rule.reduce is not None for rule in rules)
        self._segments: dict[str, Mapping[datetime, list[SegmentFile]]] = {}
        self._calm: dict[datetime, Instances | None] = {}

    def parts(self, since: datetime, until: datetime) -> Iterator[RangePart]:
        """Yield the parts of [since, until) in order, the hours to skip one by one."""
        if not self._is_possible(since, until):
            yield RangePart(since, until, skip=False)
            return
        begin = since
        stored = {hour for hours in self._segments.values() for hour in hours}  # the others have nothing to skip
        for hour in sorted(stored):
            if since <= hour and hour + 2 * _HOUR <= until and self._can_skip(hour, since):
                if begin < hour:
                    yield RangePart(begin, hour, skip=False)
                begin = hour + _HOUR
                yield RangePart(hour, begin, skip=True)
        yield RangePart(begin, until, skip=False)

    def _is_possible(self, since: datetime, until: datetime) -> bool:
        """Say whether all rules forget within an hour, and each file has rows of one hour only."""
        if not (self._host / FOLDER / Resolution.HOUR).is_dir() or not all(map(_forgets, self._rules)):
            return False
        for table in self._tables:
            hours: dict[datetime, list[SegmentFile]] = {}
            for file in catalog.files(self._host / table.name, since - _HOUR, until):
                if file.segment.period is None or _HOUR % file.segment.period:
                    return False
                hours.setdefault(Resolution.HOUR.floor(file.segment.start), []).append(file)
            self._segments[table.name] = hours
        return True

    def _can_skip(self, hour: datetime, since: datetime) -> bool:
        here = self._find_instances(hour)
        if here is None or self._find_instances(hour + _HOUR) != here:
            return False
        return not self._looks_back or (hour - _HOUR >= since and self._find_instances(hour - _HOUR) == here)

    def _find_instances(self, hour: datetime) -> Instances | None:
        if hour not in self._calm:
            self._calm[hour] = self._read_instances(hour)
        return self._calm[hour]

    def _read_instances(self, hour: datetime) -> Instances | None:
        """Return the instances that rules about silence watch, each heard at every tick; None where nothing is sure."""
        if hour in self._starts:
            return None
        heard: set[tuple[str, tuple[str, ...]]] = set()
        ticks = 0
        for table in self._tables:
            summed = self._read_sum(table, hour)
            if summed is None or (table.name == PROCESS and sum(count for _, _, count in summed.ticks) < _LISTS):
                return None
            ticks += len(summed.ticks)
            for rule in self._rules:
                if rule.table == table.name:
                    instances = _find_calm(rule, table, summed, hour)
                    if instances is None:
                        return None
                    heard |= instances
        return frozenset(heard) if ticks else None

    def _read_sum(self, table: Table, hour: datetime) -> TableAggregate | None:
        """Return what the roll-up says, if it covers all rows and nothing was wrong with any."""
        files = self._segments[table.name].get(hour, [])
        if not files:
            return TableAggregate(None, ())
        file = RollupFile(table.name, Resolution.HOUR, hour)
        path = self._host / FOLDER / Resolution.HOUR / file.name
        if not _is_newer(path, [self._host / table.name / rows.name for rows in files if not rows.packed]):
            return None
        summed = rollup_file.read(path, file, Damage())
        stems = {rows.segment.stem for rows in files}
        return None if summed is None or summed.skipped or summed.sources != stems else summed


def _forgets(rule: Rule) -> bool:
    sums_up = rule.reduce is not None and (rule.absent or rule.reduce.function == "sum")
    return rule.span <= _HOUR and not sums_up


def _is_newer(rollup: Path, rows: Sequence[Path]) -> bool:
    try:
        made = rollup.stat().st_mtime_ns
        return all(path.stat().st_mtime_ns <= made for path in rows)
    except OSError:  # gone or out of reach: rows are read, and tell
        return False


def _find_calm(rule: Rule, table: Table, summed: TableAggregate, hour: datetime) -> Instances | None:
    """Return the instances that a rule about silence heard at each tick; None where the rule may have a breach."""
    heard: set[tuple[str, tuple[str, ...]]] = set()
    ticks = TickRuns(summed.ticks)
    if rule.absent and list(ticks) != list(range(to_ms(hour), to_ms(hour + _HOUR), _to_ms(rule.interval))):
        return None
    for series in summed.series:
        labels = tuple(series.labels.get(name) or "-" for name in table.labels)
        if not matches(rule.match, dict(zip(table.labels, labels, strict=True))):
            continue
        values = series.metrics.get(rule.metric)
        if rule.absent:
            if values is None or values.count != len(ticks) or len(TickRuns(series.ticks)) != len(ticks):
                return None
            heard.add((rule.id, labels))
        elif values is not None and _may_breach(rule, values):
            return None
    return frozenset(heard)


def _may_breach(rule: Rule, values: Digest) -> bool:
    low, high = values.low, values.high
    if not (isfinite(low) and isfinite(high)):
        return True
    if rule.reduce is not None:
        low, high = low - abs(low) * _ROUNDING, high + abs(high) * _ROUNDING
    return any(_may_hold(condition.trigger, low, high) for condition in rule.conditions)


def _may_hold(edge: Edge, low: float, high: float) -> bool:
    """Say whether a trigger may hold for some value between two."""
    if edge.operator is Operator.EQUALS:
        return low <= edge.limit <= high
    return edge.holds(low) or edge.holds(high)


def _to_ms(duration: timedelta) -> int:
    return max(1, round(duration.total_seconds() * 1000))
