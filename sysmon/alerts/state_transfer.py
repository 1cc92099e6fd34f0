"""What becomes of an alert when sysmon, or the rule file, begins anew? Its state is carried over; pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sysmon.alerts.rule import Condition, Rule
from sysmon.alerts.state_machine import IDLE, Change, Latch, Phase, Reason, State, change_of, over, restarted, shown
from sysmon.model import AlertEvent, Level, Transition

_FIRING = Latch(Phase.FIRING)
_OK = Latch(Phase.OK)


def seeded(rule: Rule, event: AlertEvent) -> State | None:
    """Return the state of an instance right after an event of the alert log; IDLE where no level of the rule fires."""
    latches = tuple(_FIRING if one.level.rank <= event.level.rank else _OK for one in rule.conditions)
    if event.transition is Transition.RESOLVED or latches[0] is _OK:
        return IDLE
    peak = 1.0 if rule.absent else event.threshold if event.peak is None else event.peak
    blind = event.transition is Transition.NO_DATA
    return State(latches, event.at, event.at, peak, event.since, blind=blind)


def agrees(rule: Rule, state: State | None, event: AlertEvent) -> bool:
    """Say whether a state may be what an event of the alert log left behind."""
    index = -1 if state is IDLE else shown(state.latches)
    if state is IDLE or index < 0 or event.transition is Transition.RESOLVED:
        return index < 0 and event.transition is Transition.RESOLVED
    return rule.conditions[index].level is event.level and state.blind is (event.transition is Transition.NO_DATA)


def resumed(rule: Rule, state: State | None, first_tick: datetime) -> State | None:
    """Return a state as of the first tick after a time in which nobody looked.

    Up to `max_gap` that is a hole like any other. Beyond it what fired still fires, what was about to does not, and
    nothing is told.
    """
    if state is IDLE or first_tick - state.last <= rule.max_gap:
        return state
    if shown(state.latches) < 0:
        return IDLE
    return replace(restarted(state, first_tick - rule.interval), resumed=True)


def same_instances(old: Rule, new: Rule) -> bool:
    """Say whether the instances of two versions of a rule are the same things, measured in the same way."""
    directions = {rule.conditions[0].trigger.operator.direction for rule in (old, new)}
    return (old.metric, old.each, old.absent) == (new.metric, new.each, new.absent) and len(directions) == 1


def adapted(old: Rule, new: Rule, state: State, at: datetime) -> tuple[State | None, tuple[Change, ...]]:
    """Return the state under another version of its rule, and what there is to tell.

    Levels keep their latches by name: a limit or a duration that changed counts from the next value on. A level that
    was taken out cannot fire any more.
    """
    before = {one.level: latch for one, latch in zip(old.conditions, state.latches, strict=True)}
    latches = [_kept(one, before, old) for one in new.conditions]
    for index, latch in enumerate(latches):
        if any(above.phase.held for above in latches[index + 1 :]) and not latch.phase.held:
            latches[index] = _FIRING
    after = replace(state, latches=tuple(latches))
    was, is_ = shown(state.latches), shown(after.latches)
    if is_ < 0:
        fresh = after if any(latch.phase is not Phase.OK for latch in latches) else IDLE
        return fresh, over(old, state, at, Reason.RULE_CHANGED)
    if was >= 0 and new.conditions[is_].level.rank < old.conditions[was].level.rank:
        return after, (change_of(new, after, Transition.LOWERED, is_, at, None, Reason.RULE_CHANGED),)
    return after, ()


def _kept(condition: Condition, before: Mapping[Level, Latch], old: Rule) -> Latch:
    latch = before.get(condition.level, _OK)
    if latch.phase is Phase.PENDING and old.condition(condition.level).count != condition.count:
        return _OK
    return latch
