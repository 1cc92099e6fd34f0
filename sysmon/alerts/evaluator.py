"""Which alerts does a sample raise, keep or end? Feeds every instance of every rule, and names what comes of it."""

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import translate
from math import isfinite

from sysmon.alerts.conditions import Rule
from sysmon.alerts.machine import IDLE, Change, Signal, State, step
from sysmon.instants import format_instant
from sysmon.model import AlertEvent, Level, Origin, Row, Sample, Table, Transition

_COLLECTOR = "collector"
_ZERO = timedelta(0)
_Labels = tuple[str | int | float | None, ...]


class Evaluator:
    """Holds the state of all rules.

    Only what is pending or firing is remembered, so memory does not grow with devices that come and go.
    """

    def __init__(self, rules: Iterable[Rule], tables: Mapping[str, Table], origin: Origin) -> None:
        self._watches = [_Watch(rule, tables[rule.table], origin) for rule in rules]
        self._collector = tables.get(_COLLECTOR)

    def evaluate(self, sample: Sample) -> list[AlertEvent]:
        """Return what one sample changes, in the order of the rules.

        Whether a collector was up is read from the sample's own `collector` rows, which replayed files have too. A
        table that was not due (it has neither such a row nor rows of its own) changes nothing.
        """
        up = self._collectors_up(sample)
        events: list[AlertEvent] = []
        for watch in self._watches:
            table = watch.rule.table
            rows = sample.rows.get(table, ())
            if rows or table in up:
                events += watch.feed(sample.at, rows, collector_up=up.get(table, False))
        return events

    def active(self) -> list[AlertEvent]:
        """Return the latest event of each alert that fires, in the order of the rules."""
        return [event for watch in self._watches for event in watch.active()]

    def worst(self) -> Level | None:
        """Return the highest level that fires; None when all is well."""
        return max((event.level for event in self.active()), key=lambda level: level.rank, default=None)

    def _collectors_up(self, sample: Sample) -> dict[str, bool]:
        if self._collector is None:
            return {}
        columns = self._collector.columns
        name, up = columns.index(_COLLECTOR), columns.index("collector_up")
        return {str(row[name]): row[up] == 1 for row in sample.rows.get(_COLLECTOR, ())}


@dataclass(slots=True)
class _Instance:
    """One instance that is pending or firing."""

    state: State | None = IDLE
    id: str = ""
    latest: AlertEvent | None = None
    absent: timedelta | None = None
    absent_at: datetime | None = None


class _Watch:
    """One rule over the rows of its table."""

    def __init__(self, rule: Rule, table: Table, origin: Origin) -> None:
        self.rule = rule
        self._origin = origin
        self._width = len(table.labels)
        self._column = table.columns.index(rule.metric)
        self._each = [table.labels.index(label) for label in rule.each]
        self._tests = [
            (table.labels.index(label), re.compile("|".join(map(translate, globs)))) for label, globs in rule.match
        ]
        self._keys: dict[_Labels, _Labels | None] = {}
        self._instances: dict[_Labels, _Instance] = {}

    def feed(self, at: datetime, rows: Sequence[Row], *, collector_up: bool) -> list[AlertEvent]:
        """Feed every instance, known or in these rows, once."""
        present = self._values(rows)
        instances = self._instances
        events: list[AlertEvent] = []
        for key, instance in list(instances.items()):
            if key not in present:
                absent = self._absent(instance, at, collector_up=collector_up)
                events += self._step(key, instance, at, absent)
        for key, value in present.items():
            known = instances.get(key)
            if known is not None:
                known.absent = None
                events += self._step(key, known, at, Signal.MISSING if value is None else value)
            elif value is not None:
                state, changes = step(self.rule, IDLE, at, value)
                if state is not IDLE or changes:
                    fresh = instances[key] = _Instance(state)
                    events += self._told(key, fresh, at, changes)
        return events

    def active(self) -> list[AlertEvent]:
        """Return the latest event of each firing instance."""
        return [instance.latest for instance in self._instances.values() if instance.latest is not None]

    def _values(self, rows: Sequence[Row]) -> dict[_Labels, float | None]:
        """Return the worst value of each instance among the rows; None where it has a row but no value."""
        width, column, known = self._width, self._column, self._keys
        keys: dict[_Labels, _Labels | None] = {}
        values: dict[_Labels, float | None] = {}
        for row in rows:
            labels = row[:width]
            key = keys[labels] = known[labels] if labels in known else self._key(labels)
            if key is None:
                continue
            cell = row[column]
            value = None if cell is None or isinstance(cell, str) or not isfinite(cell) else cell
            before = values.get(key)
            values[key] = value if before is None else before if value is None else self.rule.worse(before, value)
        self._keys = keys  # only the latest rows' labels are kept: they are what the next tick will ask for
        return values

    def _key(self, labels: _Labels) -> _Labels | None:
        for index, pattern in self._tests:
            if not pattern.match(str(labels[index])):
                return None
        return tuple(labels[index] for index in self._each)

    def _absent(self, instance: _Instance, at: datetime, *, collector_up: bool) -> Signal:
        """Decide what to feed for an instance without a row: gone once it was seen to be absent for `gone_after`.

        Time in which the collector was not up is no time in which it was seen to be absent.
        """
        if not collector_up:
            return Signal.MISSING
        if instance.absent is None or instance.absent_at is None or at <= instance.absent_at:
            instance.absent = _ZERO
        else:
            instance.absent += min(at - instance.absent_at, self.rule.interval)
        instance.absent_at = at
        return Signal.GONE if instance.absent >= self.rule.gone_after else Signal.MISSING

    def _step(self, key: _Labels, instance: _Instance, at: datetime, value: float | Signal) -> list[AlertEvent]:
        instance.state, changes = step(self.rule, instance.state, at, value)
        return self._told(key, instance, at, changes)

    def _told(self, key: _Labels, instance: _Instance, at: datetime, changes: tuple[Change, ...]) -> list[AlertEvent]:
        events = []
        for change in changes:
            if change.transition is Transition.FIRED:
                instance.id = self._id(key, at)
            event = self._event(key, instance.id, at, change)
            instance.latest = None if change.transition is Transition.RESOLVED else event
            events.append(event)
        if instance.state is IDLE:
            del self._instances[key]
        return events

    def _event(self, key: _Labels, identity: str, at: datetime, change: Change) -> AlertEvent:
        own = {label: str(value) for label, value in zip(self.rule.each, key, strict=True)}
        return AlertEvent(
            at=at,
            transition=change.transition,
            rule=self.rule.id,
            id=identity,
            metric=self.rule.metric,
            labels={"hostname": self._origin.hostname, **self._origin.labels, **own},
            level=change.level,
            value=change.value,
            peak=change.peak,
            threshold=change.threshold,
            condition=self.rule.condition(change.level).words,
            since=change.since,
            duration=change.duration,
            reason=change.reason.value,
        )

    def _id(self, key: _Labels, at: datetime) -> str:
        """Return the alert's id. The configured labels are left out: editing them makes no new alert."""
        parts = [self.rule.id, self._origin.hostname, *zip(self.rule.each, key, strict=True), format_instant(at)]
        return f"{zlib.crc32(json.dumps(parts).encode()):08x}"
