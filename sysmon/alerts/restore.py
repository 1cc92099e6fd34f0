"""Restore after a restart: the alert log, and stored rows that pass the rules again, tell what was firing; pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.notify_policy import RuleInstance, mute
from sysmon.alerts.state_machine import Reason
from sysmon.formats.records import ActiveRecord, AlertEntry, update_active
from sysmon.model import AlertEvent, Sample, Transition


@dataclass(frozen=True, slots=True)
class Restored:
    """What the log says is firing, and the events that it lacks."""

    firing: list[AlertEvent]
    events: list[AlertEvent]


def restore(
    evaluator: Evaluator,
    log: Sequence[AlertEntry],
    samples: Iterable[Sample],
    *,
    begin: datetime,
    now: datetime,
    first_tick: datetime,
) -> Restored:
    """Bring an evaluator to where it was; what the log lacks gets events as of `now`.

    `log` are its entries in order, from before `begin` where there are such; `samples` what was stored from `begin`
    on. The log is believed: what the rows say at an instant up to an alert's last entry counts only where it is the
    same. Between two runs nobody looked, so that hole tells nothing, however long it is.
    """
    replay = _LogReplay(evaluator, log)
    replay.start(begin)
    events: list[AlertEvent] = []
    for sample in samples:
        replay.resume_before(sample.at)
        events += evaluator.evaluate(sample)
        replay.advance_to(sample.at)
    replay.advance_to(None)
    evaluator.resume(first_tick)
    new = [replace(event, at=now) for event in events if replay.lacks(event)]
    ended = {event.id for event in new if event.transition is Transition.RESOLVED}
    return Restored(replay.firing(), new + replay.end_orphans(now, ended))


class _LogReplay:
    """Goes through the alert log alongside the rows."""

    def __init__(self, evaluator: Evaluator, log: Sequence[AlertEntry]) -> None:
        self._evaluator = evaluator
        self._log = log
        self._next = 0
        self._opened = False
        self._firing: dict[str, AlertEvent] = {}
        self._last: dict[RuleInstance | None, datetime] = {}

    def start(self, begin: datetime) -> None:
        """Have what fired at an instant; entries before it count for nothing else."""
        for entry in self._take_entries(begin):
            if isinstance(entry, ActiveRecord):
                update_active(self._firing, entry)
            else:
                self._evaluator.recall(entry)
                self._keep(entry)
        for event in self._firing.values():
            self._evaluator.adopt(event)
        self._evaluator.begin(begin)

    def advance_to(self, at: datetime | None) -> None:
        """Believe every entry up to an instant; None is all of them."""
        for entry in self._take_entries(at):
            if isinstance(entry, ActiveRecord):
                self._open(entry)
            else:
                self._keep(entry)
                self._evaluator.adopt(entry)

    def resume_before(self, at: datetime) -> None:
        """Let go of the time between two runs, before the first sample after it."""
        while self._next < len(self._log) and self._log[self._next].at < at:
            self.advance_to(self._log[self._next].at)
        if self._opened:
            self._opened = False
            self._evaluator.resume(at)

    def lacks(self, event: AlertEvent) -> bool:
        """Say whether an event is later than all that the log has of its instance."""
        last = self._last.get(self._evaluator.find_instance(event))
        return last is None or event.at > last

    def firing(self) -> list[AlertEvent]:
        """Return what fires as far as the log tells."""
        return list(self._firing.values())

    def end_orphans(self, at: datetime, ended: set[str]) -> list[AlertEvent]:
        """Return the end of each alert whose rule is gone, or has no such instances any more."""
        rules = {rule.id for rule in self._evaluator.rules}
        alive = ended | {event.id for event in self._evaluator.active()}
        events = []
        for event in self._firing.values():
            if event.id not in alive:
                reason = Reason.RULE_CHANGED if event.rule in rules else Reason.RULE_REMOVED
                bare = replace(event, trend=(), message=None)
                bare = mute(bare, None)
                events.append(replace(bare, at=at, transition=Transition.RESOLVED, value=None, reason=reason.value))
        return events

    def _take_entries(self, at: datetime | None) -> Iterable[AlertEntry]:
        while self._next < len(self._log) and (at is None or self._log[self._next].at <= at):
            self._next += 1
            yield self._log[self._next - 1]

    def _open(self, opening: ActiveRecord) -> None:
        """Take the whole of what fires from the record that opens a segment."""
        self._opened = True
        listed = {event.id for event in opening.alerts}
        for id_, event in self._firing.items():
            if id_ not in listed:
                self._evaluator.adopt(replace(event, at=opening.at, transition=Transition.RESOLVED))
        for event in opening.alerts:
            if event.id not in self._firing:
                self._evaluator.adopt(event)
        update_active(self._firing, opening)

    def _keep(self, event: AlertEvent) -> None:
        self._last[self._evaluator.find_instance(event)] = event.at
        update_active(self._firing, event)
