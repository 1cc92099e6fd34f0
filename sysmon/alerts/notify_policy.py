"""Notification policy: mutes, cooldown, flap detection, reminders. Who is notified of what? The log stays whole."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sysmon.alerts.mute_times import MuteClock, MuteTime
from sysmon.alerts.rule import InstanceKey, Rule
from sysmon.alerts.silences import SilenceState
from sysmon.model import AlertEvent, Level, Transition

_WORSE = (Transition.FIRED, Transition.ESCALATED)
_FORGET_EVERY = 100
RuleInstance = tuple[str, InstanceKey]
"""One instance of one rule: the rule's id, and which of its instances."""


class Mutes:
    """What mutes notifications from outside a rule: mute times of the rule file, silences and acknowledgements."""

    def __init__(self, mute_times: Iterable[MuteTime] = (), silences: SilenceState | None = None) -> None:
        self.silences = silences or SilenceState()
        self.set_mute_times(mute_times)

    def set_mute_times(self, mute_times: Iterable[MuteTime]) -> None:
        """Take the mute times of another rule file."""
        self._clocks = [MuteClock(mute_time) for mute_time in mute_times]

    def find_reason(self, event: AlertEvent) -> str | None:
        """Return what mutes an event; None where nothing does."""
        for clock in self._clocks:
            if clock.mute_time.covers(event.rule, event.level) and clock.is_on(event.at):
                return f"quiet time {clock.mute_time.name}"
        silence = self.silences.find(event, event.at)
        if silence is not None:
            return f"silence {silence.id}"
        if event.transition is Transition.REMINDER and event.id in self.silences.acknowledged:
            return "acknowledged"
        return None


@dataclass(slots=True)
class _Notified:
    """What people were notified of for one instance.

    `fired` is when it fired of late, `level` the highest level notified (None where none was), `owed` what muted the
    news that people have yet to hear.
    """

    rule: Rule
    fired: list[datetime] = field(default_factory=list)
    flapping: bool = False
    resolved: datetime | None = None
    level: Level | None = None
    owed: str | None = None
    latest: AlertEvent | None = None

    @property
    def firing(self) -> bool:
        return self.latest is not None and self.latest.transition is not Transition.RESOLVED


class NotificationPolicy:
    """Marks each event as notified or as muted by what, and adds FLAPPING, STEADY and the news that was owed."""

    def __init__(self, mutes: Mutes) -> None:
        self._mutes = mutes
        self._instances: dict[RuleInstance, _Notified] = {}
        self._waiting: set[RuleInstance] = set()
        self._calls = 0

    @property
    def is_waiting(self) -> bool:
        """Say whether there may be something to notify without any change."""
        return bool(self._waiting)

    def apply(self, rule: Rule, key: InstanceKey, event: AlertEvent) -> list[AlertEvent]:
        """Return an event of one instance as it is logged, and FLAPPING where it is one change too many."""
        notified = self._instances.setdefault((rule.id, key), _Notified(rule))
        notified.rule = rule
        begins_to_flap = self._count_fired(notified, event)
        marked = mute(event, self._find_reason(notified, event))
        events = [marked]
        if begins_to_flap:
            flapping = replace(event, transition=Transition.FLAPPING, reason="flapping")
            flapping = mute(flapping, self._mutes.find_reason(flapping))
            events.append(flapping)
            if flapping.notified:
                notified.level = event.level
        self._note(notified, marked)
        if notified.owed or notified.flapping:
            self._waiting.add((rule.id, key))
        elif not notified.firing and not rule.flap and not rule.cooldown:
            del self._instances[rule.id, key]
        return events

    def recall(self, rule: Rule, key: InstanceKey, event: AlertEvent) -> None:
        """Take an event of the alert log as notified, or as muted, as it says."""
        notified = self._instances.setdefault((rule.id, key), _Notified(rule))
        if event.transition in {Transition.FLAPPING, Transition.STEADY}:
            notified.flapping = event.transition is Transition.FLAPPING
        else:
            self._count_fired(notified, event)
            self._note(notified, event)
        if notified.owed or notified.flapping:
            self._waiting.add((rule.id, key))

    def settle(self, at: datetime, is_due: Callable[[Rule], bool]) -> list[tuple[InstanceKey, AlertEvent]]:
        """Return what a tick brings without any change: steadiness, and the news that was muted until now.

        `is_due` says whether the tick is one of a rule's table.
        """
        events: list[tuple[InstanceKey, AlertEvent]] = []
        for instance in sorted(self._waiting, key=repr) if self._waiting else ():
            notified = self._instances.get(instance)
            if notified is None:
                self._waiting.discard(instance)
                continue
            if is_due(notified.rule):
                events += [(instance[1], event) for event in self._settle_instance(notified, at)]
            if not notified.owed and not notified.flapping:
                self._waiting.discard(instance)
        self._calls += 1
        if self._calls % _FORGET_EVERY == 0:
            self._forget(at)
        return events

    def forget_rule(self, rule: str) -> None:
        """Drop all that is remembered of a rule that is gone."""
        for instance in [instance for instance, notified in self._instances.items() if notified.rule.id == rule]:
            del self._instances[instance]
            self._waiting.discard(instance)

    def _count_fired(self, notified: _Notified, event: AlertEvent) -> bool:
        """Count a FIRED; return whether the instance begins to flap with it."""
        flap = notified.rule.flap
        if flap is None or event.transition is not Transition.FIRED:
            return False
        notified.fired = [at for at in notified.fired if event.at - flap.window < at < event.at] + [event.at]
        begins = not notified.flapping and len(notified.fired) >= flap.start
        notified.flapping = notified.flapping or begins
        return begins

    def _find_reason(self, notified: _Notified, event: AlertEvent) -> str | None:
        """Return what mutes an event; where people were not notified of an alert, they are not of its change or end."""
        reason = self._find_mute(notified, event)
        if reason is None and event.transition not in _WORSE and event.transition is not Transition.REMINDER:
            return notified.owed
        return reason

    def _find_mute(self, notified: _Notified, event: AlertEvent) -> str | None:
        if notified.flapping and not (event.transition in _WORSE and _is_above(event.level, notified.level)):
            return "flapping"
        cooldown = notified.rule.cooldown
        if notified.resolved is not None and timedelta(0) <= event.at - notified.resolved < cooldown:
            return "cooldown"
        return self._mutes.find_reason(event)

    def _note(self, notified: _Notified, event: AlertEvent) -> None:
        if event.transition is Transition.FIRED and not notified.flapping:
            notified.level = None
        if event.notified:
            notified.level = event.level if _is_above(event.level, notified.level) else notified.level
            notified.owed = None
        elif event.transition in _WORSE:
            notified.owed = event.muted_by or "muted"
        if event.transition is Transition.RESOLVED:
            notified.resolved, notified.owed = event.at, None
        notified.latest = event

    def _settle_instance(self, notified: _Notified, at: datetime) -> list[AlertEvent]:
        flap, latest = notified.rule.flap, notified.latest
        if latest is None:
            return []
        lasted = (at - latest.since).total_seconds()
        now = replace(latest, at=at, value=None, duration=max(0.0, lasted), trend=())
        if notified.flapping:
            if flap is not None and sum(1 for fired in notified.fired if fired > at - flap.window) >= flap.stop:
                return []
            notified.flapping = False
            reason = "firing" if notified.firing else "calm"
            steady = replace(now, transition=Transition.STEADY, reason=reason)
            steady = mute(steady, self._mutes.find_reason(steady))
            if steady.notified:
                notified.owed, notified.level = None, latest.level
            return [steady]
        reminder = mute(replace(now, transition=Transition.REMINDER, reason="still firing"), None)
        if notified.owed and notified.firing and self._find_mute(notified, reminder) is None:
            notified.owed, notified.level = None, latest.level
            return [reminder]
        return []

    def _forget(self, at: datetime) -> None:
        for instance, notified in list(self._instances.items()):
            window = notified.rule.flap.window if notified.rule.flap else timedelta(0)
            old = notified.latest is None or at - notified.latest.at > max(window, notified.rule.cooldown)
            if old and not notified.firing and not notified.flapping:
                del self._instances[instance]
                self._waiting.discard(instance)


def mute(event: AlertEvent, reason: str | None) -> AlertEvent:
    """Return an event as muted for a reason; None means that people are notified of it."""
    return replace(event, notified=reason is None, muted_by=reason)


def _is_above(level: Level, other: Level | None) -> bool:
    return other is None or level.rank > other.rank
