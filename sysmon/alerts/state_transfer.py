"""State transfer: the state of an alert is carried over a restart of sysmon and a reload of the rule file; pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sysmon.alerts.rule import Condition, Rule
from sysmon.alerts.state_machine import (
    IDLE,
    Latch,
    Phase,
    Reason,
    State,
    StateChange,
    find_level,
    make_change,
    resolve,
    restart_durations,
)
from sysmon.model import AlertEvent, Level, Transition

_FIRING = Latch(Phase.FIRING)
_OK = Latch(Phase.OK)


def seed_state(rule: Rule, event: AlertEvent) -> State | None:
    """Return the state of an instance right after an event of the alert log; IDLE where no level of the rule fires."""
    latches = tuple(_FIRING if condition.level.rank <= event.level.rank else _OK for condition in rule.conditions)
    if event.transition is Transition.RESOLVED or latches[0] is _OK:
        return IDLE
    peak = 1.0 if rule.absent else event.threshold if event.peak is None else event.peak
    blind = event.transition is Transition.NO_DATA
    return State(latches, event.at, event.at, peak, event.since, blind=blind)


def agrees(rule: Rule, state: State | None, event: AlertEvent) -> bool:
    """Say whether a state may be what an event of the alert log left behind."""
    level = None if state is IDLE else find_level(rule, state)
    if state is IDLE or level is None or event.transition is Transition.RESOLVED:
        return level is None and event.transition is Transition.RESOLVED
    return level is event.level and state.blind is (event.transition is Transition.NO_DATA)


def resume_state(rule: Rule, state: State | None, first_tick: datetime) -> State | None:
    """Return a state as of the first tick after a time in which nobody looked.

    Up to `max_gap` that is a hole like any other. Beyond it what fired still fires, what was about to does not, and
    nothing changes.
    """
    if state is IDLE or first_tick - state.last <= rule.max_gap:
        return state
    if find_level(rule, state) is None:
        return IDLE
    return replace(restart_durations(state, first_tick - rule.interval), resumed=True)


def have_same_instances(old: Rule, new: Rule) -> bool:
    """Say whether the instances of two versions of a rule are the same things, measured in the same way."""
    directions = {rule.conditions[0].trigger.operator.direction for rule in (old, new)}
    return (old.metric, old.each, old.absent) == (new.metric, new.each, new.absent) and len(directions) == 1


def adapt_state(old: Rule, new: Rule, state: State, at: datetime) -> tuple[State | None, tuple[StateChange, ...]]:
    """Return the state under another version of its rule, and what changed.

    Levels keep their latches by name: a limit or a duration that changed counts from the next value on. A level that
    was taken out cannot fire any more.
    """
    by_level = {condition.level: latch for condition, latch in zip(old.conditions, state.latches, strict=True)}
    latches = [_keep_latch(condition, by_level, old) for condition in new.conditions]
    for index, latch in enumerate(latches):
        if any(above.phase.latched for above in latches[index + 1 :]) and not latch.phase.latched:
            latches[index] = _FIRING
    after = replace(state, latches=tuple(latches))
    before, level = find_level(old, state), find_level(new, after)
    if level is None:
        fresh = after if any(latch.phase is not Phase.OK for latch in latches) else IDLE
        return fresh, resolve(old, state, at, Reason.RULE_CHANGED)
    if before is not None and level.rank < before.rank:
        return after, (make_change(new, after, Transition.LOWERED, level, at, None, Reason.RULE_CHANGED),)
    return after, ()


def _keep_latch(condition: Condition, by_level: Mapping[Level, Latch], old: Rule) -> Latch:
    latch = by_level.get(condition.level, _OK)
    if latch.phase is Phase.PENDING and old.condition(condition.level).count != condition.count:
        return _OK
    return latch
