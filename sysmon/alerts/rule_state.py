"""Rule state: the rows that one rule is about, the instances that they make, and what each of them remembers."""

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import isfinite

from sysmon.alerts import state_transfer
from sysmon.alerts.culprit import Sums
from sysmon.alerts.follow import Trail, begin
from sysmon.alerts.rule import InstanceKey, Rule, matches
from sysmon.alerts.state_machine import (
    IDLE,
    Phase,
    Reason,
    Signal,
    State,
    StateChange,
    find_level,
    resolve,
    restart_durations,
    step,
)
from sysmon.alerts.trend import Trend
from sysmon.alerts.window import SlidingWindow
from sysmon.model import AlertEvent, Origin, Row, Table, Transition, copy_blame
from sysmon.text.instants import format_instant

_ZERO = timedelta(0)


@dataclass(slots=True)
class Instance:
    """One instance that is pending or firing; of a rule that asks for silence, every one that ever had a value.

    `mark` is what the processes had used when the latest level began to be pending; `trail` whom it names.
    """

    state: State | None = IDLE
    id: str = ""
    latest: AlertEvent | None = None
    absent: timedelta | None = None
    absent_at: datetime | None = None
    trend: Trend = field(default_factory=Trend)
    mark: Sums | None = None
    marked: bool = False
    trail: Trail | None = None


class RuleState:
    """Feeds the rows of a table to one rule."""

    def __init__(self, rule: Rule, table: Table, origin: Origin) -> None:
        self.rule = rule
        self.instances: dict[InstanceKey, Instance] = {}
        self._origin = origin
        self._table = table
        self._width = len(table.labels)
        self._column = table.columns.index(rule.metric)
        self._unit = table.metric(rule.metric).unit
        self._each = [table.labels.index(label) for label in rule.each]
        self._keys: dict[Row, InstanceKey | None] = {}
        self._windows: dict[InstanceKey, SlidingWindow] = {}
        self._filling: datetime | None = None
        self._moved = False
        self._pending = False

    def feed(self, at: datetime, rows: Sequence[Row], *, collector_up: bool) -> list[tuple[InstanceKey, AlertEvent]]:
        """Feed every instance, remembered or in these rows, once; return the events of each."""
        present = self._read_values(rows)
        if self.rule.reduce is not None:
            present = self._reduce(at, present)
            if self._filling is not None and at < self._filling:
                return []
        instances = self.instances
        events: list[tuple[InstanceKey, AlertEvent]] = []
        for key, instance in list(instances.items()):
            if key not in present:
                signal = self._judge_absence(instance, at, collector_up=collector_up)
                events += self._step(key, instance, at, signal)
        for key, value in present.items():
            if key not in instances:
                if value is None or not (self.rule.absent or self.rule.breached(value)):
                    continue
                instances[key] = Instance()
            instance = instances[key]
            instance.absent = None
            events += self._step(key, instance, at, Signal.MISSING if value is None else value)
        return events

    def active(self) -> list[AlertEvent]:
        """Return the latest event of each firing instance."""
        return [instance.latest for instance in self.instances.values() if instance.latest is not None]

    @property
    def pending(self) -> bool:
        """Say whether some level of some instance is about to fire."""
        if self._moved:
            self._moved = False
            self._pending = any(_is_pending(instance) for instance in self.instances.values())
        return self._pending

    @property
    def idle(self) -> bool:
        """Say whether no level of any instance is pending or firing."""
        return all(instance.state is IDLE for instance in self.instances.values())

    @property
    def moved(self) -> bool:
        """Say whether the latch of any instance has moved since this was last looked at."""
        return self._moved

    @property
    def unmarked(self) -> Iterator[Instance]:
        """Yield the instances of which a level has just begun to be pending, or fired at once."""
        return (instance for instance in self.instances.values() if not instance.marked)

    def find_key(self, event: AlertEvent) -> InstanceKey | None:
        """Return the instance that an event of the alert log is about; None where this rule has no such instances."""
        if event.metric != self.rule.metric or any(label not in event.labels for label in self.rule.each):
            return None
        return InstanceKey(tuple(event.labels[label] for label in self.rule.each))

    def adopt(self, key: InstanceKey, event: AlertEvent) -> None:
        """Believe an event of the alert log: its id and beginning, and its level where the state is another."""
        instance = self.instances.setdefault(key, Instance())
        if event.resource is not None:
            instance.trail = begin(event, None, event.peak)
        if event.transition is Transition.CULPRIT_CHANGED:
            if instance.latest is not None:
                instance.latest = replace(copy_blame(instance.latest, event), peak=event.peak)
            return
        if not state_transfer.agrees(self.rule, instance.state, event):
            instance.state = state_transfer.seed_state(self.rule, event)
        elif instance.state is not IDLE and event.transition is not Transition.RESOLVED:
            instance.state = replace(instance.state, since=event.since)
        instance.id = event.id
        instance.latest = None if event.transition is Transition.RESOLVED else event
        self._drop_idle(key, instance)

    def begin(self, at: datetime) -> None:
        """Take the states as they are at an instant, and rows from then on; up to `over` they only fill windows."""
        if self.rule.reduce is not None:
            at = self._filling = at + self.rule.reduce.over
        for instance in self.instances.values():
            if instance.state is not IDLE:
                instance.state = restart_durations(instance.state, at)

    def resume(self, first_tick: datetime) -> None:
        """Go on after a time in which nobody looked."""
        for key, instance in list(self.instances.items()):
            instance.state = state_transfer.resume_state(self.rule, instance.state, first_tick)
            instance.absent = None
            self._drop_idle(key, instance)

    def replace_rule(self, rule: Rule, at: datetime) -> tuple["RuleState", list[tuple[InstanceKey, AlertEvent]]]:
        """Return the state of another version of the rule, and the events of the change; instances are kept."""
        other = RuleState(rule, self._table, self._origin)
        if rule.reduce == self.rule.reduce and rule.interval == self.rule.interval:
            other._windows = self._windows
        events: list[tuple[InstanceKey, AlertEvent]] = []
        for key, instance in self.instances.items():
            changes: tuple[StateChange, ...] = ()
            if instance.state is not IDLE:
                instance.state, changes = state_transfer.adapt_state(self.rule, rule, instance.state, at)
            other.instances[key], other._moved = instance, True
            resolved = any(change.transition is Transition.RESOLVED for change in changes)
            events += other.apply(key, instance, at, changes, words=self.rule if resolved else rule)
        return other, events

    def end(self, at: datetime, reason: Reason) -> list[tuple[InstanceKey, AlertEvent]]:
        """Return the events that end what fires when the rule is given up."""
        events: list[tuple[InstanceKey, AlertEvent]] = []
        for key, instance in list(self.instances.items()):
            if instance.state is not IDLE:
                changes = resolve(self.rule, replace(instance.state, resumed=False), at, reason)
                instance.state = IDLE
                events += self.apply(key, instance, at, changes)
        return events

    def apply(
        self,
        key: InstanceKey,
        instance: Instance,
        at: datetime,
        changes: tuple[StateChange, ...],
        *,
        words: Rule | None = None,
    ) -> list[tuple[InstanceKey, AlertEvent]]:
        """Return changes as events, keep the latest, and forget the instance where there is nothing left to remember.

        `words` is the version of the rule whose condition they name, where that is not this one.
        """
        events = []
        for change in changes:
            if change.transition is Transition.FIRED:
                instance.id, instance.trail = self._make_id(key, at), None
            event = self._make_event(key, instance, at, change, words or self.rule)
            instance.latest = None if change.transition is Transition.RESOLVED else event
            events.append((key, event))
        self._drop_idle(key, instance)
        return events

    def _drop_idle(self, key: InstanceKey, instance: Instance) -> None:
        self._moved = True
        if instance.state is IDLE and not self.rule.absent:
            self.instances.pop(key, None)

    def _read_values(self, rows: Sequence[Row]) -> dict[InstanceKey, float | None]:
        """Return the worst value of each instance among the rows; None where it has a row but no value."""
        width, column, latest = self._width, self._column, self._keys
        keys: dict[Row, InstanceKey | None] = {}
        values: dict[InstanceKey, float | None] = {}
        for row in rows:
            labels = row[:width]
            key = keys[labels] = latest[labels] if labels in latest else self._make_key(labels)
            if key is None:
                continue
            cell = row[column]
            value = None if cell is None or isinstance(cell, str) or not isfinite(cell) else cell
            before = values.get(key)
            values[key] = value if before is None else before if value is None else self.rule.worse(before, value)
        self._keys = keys  # only the latest rows' labels are kept: they are what the next tick will ask for
        return values

    def _reduce(self, at: datetime, present: dict[InstanceKey, float | None]) -> dict[InstanceKey, float | None]:
        """Return one number for the last minutes of each instance in place of its value."""
        reduce = self.rule.reduce
        assert reduce is not None  # noqa: S101 - the caller asked
        reduced: dict[InstanceKey, float | None] = {}
        for key in dict.fromkeys([*self._windows, *present]):
            window = self._windows.get(key) or SlidingWindow(reduce, self.rule.interval)
            number = window.take(at, present.get(key))
            if number is not None or key in present:
                reduced[key] = number
            if len(window):
                self._windows[key] = window
            else:
                self._windows.pop(key, None)
        return reduced

    def _make_key(self, labels: Row) -> InstanceKey | None:
        """Return the instance of the rows with these labels, None where the rule is not about them."""
        texts = tuple(map(str, labels))
        if not matches(self.rule.match, dict(zip(self._table.labels, texts, strict=True))):
            return None
        return InstanceKey(tuple(texts[index] for index in self._each))

    def _judge_absence(self, instance: Instance, at: datetime, *, collector_up: bool) -> Signal:
        """Decide what to feed for an instance without a row: gone once it was seen to be absent for `gone_after`.

        Time in which the collector was not up is no time in which it was seen to be absent.
        """
        if not collector_up or self.rule.gone_after is None:
            return Signal.MISSING
        if instance.absent is None or instance.absent_at is None or at <= instance.absent_at:
            instance.absent = _ZERO
        else:
            instance.absent += min(at - instance.absent_at, self.rule.interval)
        instance.absent_at = at
        return Signal.GONE if instance.absent >= self.rule.gone_after else Signal.MISSING

    def _step(
        self, key: InstanceKey, instance: Instance, at: datetime, value: float | Signal
    ) -> list[tuple[InstanceKey, AlertEvent]]:
        before = instance.state
        after, changes = step(self.rule, before, at, value)
        instance.state = after
        if after is not IDLE and (before is IDLE or after.latches != before.latches):
            instance.marked = instance.marked and not _begins_pending(after, at)
            self._moved = True
        if not isinstance(value, Signal):
            instance.trend.add(value)
            if not changes and after is not IDLE and self._is_due(instance, after, at, value):
                return [(key, self._remind(instance, at, value, after))]
        if changes or after is IDLE:
            if value is Signal.GONE and self.rule.absent:
                self.instances.pop(key, None)
            return self.apply(key, instance, at, changes)
        return []

    def _is_due(self, instance: Instance, state: State, at: datetime, value: float) -> bool:
        """Say whether it is time for a reminder: it fires, it is bad right now, and the last event is long ago."""
        if not self.rule.repeat or instance.latest is None or at - instance.latest.at < self.rule.repeat:
            return False
        level = find_level(self.rule, state)
        for condition, latch in zip(self.rule.conditions, state.latches, strict=True):
            if condition.level is level:
                return latch.phase is Phase.FIRING and condition.trigger.holds(value)
        return False

    def _remind(self, instance: Instance, at: datetime, value: float, state: State) -> AlertEvent:
        assert instance.latest is not None  # noqa: S101 - only what fires is due
        peak = None if self.rule.absent else state.peak
        lasted = max(0.0, (at - instance.latest.since).total_seconds())
        instance.latest = replace(
            instance.latest,
            at=at,
            transition=Transition.REMINDER,
            value=None if self.rule.absent else value,
            peak=peak,
            duration=lasted,
            reason="still firing",
            notified=True,
            muted_by=None,
            unit=self._unit,
        )
        return instance.latest

    def note_culprits(self, instance: Instance, at: datetime) -> AlertEvent | None:
        """Have the latest event name whom the trail names; return what the log says about that."""
        if instance.latest is None or instance.trail is None or instance.state is IDLE:
            return None
        instance.latest = replace(copy_blame(instance.latest, instance.trail.blamed), peak=instance.state.peak)
        lasted = max(0.0, (at - instance.latest.since).total_seconds())
        return replace(
            instance.latest,
            at=at,
            transition=Transition.CULPRIT_CHANGED,
            value=None,
            duration=lasted,
            reason="culprit changed",
            notified=False,
            muted_by=None,
            message=None,
            trend=(),
        )

    def _make_event(
        self, key: InstanceKey, instance: Instance, at: datetime, change: StateChange, rule: Rule
    ) -> AlertEvent:
        own = dict(zip(self.rule.each, key, strict=True))
        event = AlertEvent(
            at=at,
            transition=change.transition,
            rule=self.rule.id,
            id=instance.id,
            metric=rule.metric,
            labels={"hostname": self._origin.hostname, **self._origin.labels, **own},
            level=change.level,
            value=change.value,
            peak=change.peak,
            threshold=change.threshold,
            condition=rule.condition(change.level).words,
            since=change.since,
            duration=change.duration,
            reason=change.reason.value,
            unit=self._unit,
            trend=() if rule.absent else instance.trend.values(),
        )
        return event if instance.trail is None else copy_blame(event, instance.trail.blamed)

    def _make_id(self, key: InstanceKey, at: datetime) -> str:
        """Return the alert's id. The configured labels are left out: editing them makes no new alert."""
        parts = [self.rule.id, self._origin.hostname, *zip(self.rule.each, key, strict=True), format_instant(at)]
        return f"{zlib.crc32(json.dumps(parts).encode()):08x}"


def _is_pending(instance: Instance) -> bool:
    state = instance.state
    return state is not None and any(latch.phase is Phase.PENDING for latch in state.latches)


def _begins_pending(state: State, at: datetime) -> bool:
    return any(latch.phase is Phase.PENDING and latch.began == at for latch in state.latches)
