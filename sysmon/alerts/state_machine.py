"""Alert state machine: when does an alert fire, and when does it clear? Pure: no clock, no files, no labels."""

import math
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from sysmon.alerts.rule import Condition, Count, Edge, OnMissing, Rule
from sysmon.model import Level, Transition

_ZERO = timedelta(0)


class Signal(Enum):
    """What is fed where there is no value: nobody knows it, or what it belonged to has gone away."""

    MISSING = "missing"
    GONE = "gone"


class Phase(Enum):
    """Where the latch of one level stands; while `latched` is true the level fires."""

    OK = ("ok", False)
    PENDING = ("pending", False)
    FIRING = ("firing", True)
    CLEARING = ("clearing", True)

    def __init__(self, _word: str, latched: bool) -> None:
        self.latched = latched


class Reason(StrEnum):
    """Why an alert changed: a limit was breached or left, values stayed away or came back, the instance went.

    After a restart that left a hole, an alert that is never seen bad again ends for that reason; one that another
    rule file does not ask for any more, for one of the last two.
    """

    BREACH = "breach"
    CLEARED = "cleared"
    NO_DATA = "no data"
    DATA_BACK = "data back"
    GONE = "gone"
    ABSENT = "absent"
    AFTER_RESTART = "after restart"
    RULE_REMOVED = "rule removed"
    RULE_CHANGED = "rule changed"


@dataclass(frozen=True, slots=True)
class Latch:
    """One level of one instance: its phase; for PENDING and CLEARING when it began and how much since was unseen.

    Where samples are counted, `recent` has an entry for each of the last ones: its instant if it was a breach.
    """

    phase: Phase
    began: datetime | None = None
    lost: timedelta = _ZERO
    recent: tuple[datetime | None, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """All that is remembered of one instance.

    `latches` follow the rule's conditions. `seen` is the instant of the last input, `last` of the last value, `since`
    of the alert's first breach; `peak` is the worst value since the first breach; `blind` means that NO DATA came, and
    `resumed` that sysmon was away while it fired, and has seen nothing bad since.
    """

    latches: tuple[Latch, ...]
    seen: datetime
    last: datetime
    peak: float
    since: datetime | None = None
    blind: bool = False
    resumed: bool = False


@dataclass(frozen=True, slots=True)
class StateChange:
    """A transition before it has a name and labels; the fields mean what they mean in model.AlertEvent."""

    transition: Transition
    level: Level
    value: float | None
    peak: float | None
    threshold: float
    since: datetime
    duration: float
    reason: Reason


_ABSENT_REASONS = {Reason.BREACH: Reason.ABSENT, Reason.CLEARED: Reason.DATA_BACK}

IDLE = None
"""The state of an instance with nothing pending and nothing latched: there is nothing to remember."""

_OK = Latch(Phase.OK)
_FIRING = Latch(Phase.FIRING)


def step(
    rule: Rule, state: State | None, at: datetime, value: float | Signal
) -> tuple[State | None, tuple[StateChange, ...]]:
    """Return the state after one input, and what changed.

    A value that is not finite counts as missing. Where no value came for more than `max_gap`, that gap is applied
    first, then the return of the data, then the value; for an instance that is gone, its end and nothing else. An
    instant that is not later than the one before makes every duration start again and changes nothing: only the clock
    cannot be trusted.
    """
    if rule.absent:
        return _step_absent(rule, state, at, value)
    number = None if isinstance(value, Signal) or not math.isfinite(value) else value
    if state is None:
        if number is None or not rule.breached(number):
            return IDLE, ()
        return _take(rule, State((_OK,) * len(rule.conditions), at, at, number), at, number)
    if value is Signal.GONE:
        return IDLE, resolve(rule, state, at, Reason.GONE)
    if at <= state.seen:
        state = restart_durations(state, at)
    elif at - state.last > rule.max_gap and not state.blind:
        return _after_gap(rule, state, at, number)
    if number is None:
        return _or_idle(State(state.latches, at, state.last, state.peak, state.since, state.blind, state.resumed)), ()
    level = find_level(rule, state) if state.blind else None
    after, changes = _take(rule, state, at, number)
    if level is None:
        return after, changes
    return after, (make_change(rule, state, Transition.DATA_BACK, level, at, number, Reason.DATA_BACK), *changes)


def _step_absent(
    rule: Rule, state: State | None, at: datetime, value: float | Signal
) -> tuple[State | None, tuple[StateChange, ...]]:
    """Apply one input of a rule that asks for silence: time without any input is time that nobody saw."""
    if value is Signal.GONE and rule.gone_after is not None:
        return IDLE, () if state is None else resolve(rule, state, at, Reason.GONE)
    number = 1.0 if isinstance(value, Signal) or not math.isfinite(value) else 0.0
    if state is None:
        return _take(rule, State((_OK,) * len(rule.conditions), at, at, number), at, number) if number else (IDLE, ())
    if at <= state.seen or at - state.seen > rule.max_gap:
        state = restart_durations(state, at)
    return _take(rule, state, at, number)


def _after_gap(
    rule: Rule, state: State, at: datetime, number: float | None
) -> tuple[State | None, tuple[StateChange, ...]]:
    """Apply a gap that is over `max_gap`, then what ended it or confirms that it goes on."""
    level = find_level(rule, state)
    after: State | None = IDLE
    if rule.on_missing is OnMissing.RESOLVE:
        by_gap = resolve(rule, state, at, Reason.NO_DATA)
    elif level is None:
        by_gap = ()
    else:
        by_gap = (make_change(rule, state, Transition.NO_DATA, level, at, None, Reason.NO_DATA),)
        # seen stays before `at`, so that the input itself still counts as later than it
        after = replace(state, latches=_drop_durations(state.latches), blind=True)
    after, by_input = step(rule, after, at, Signal.MISSING if number is None else number)
    return after, by_gap + by_input


def _take(rule: Rule, state: State, at: datetime, number: float) -> tuple[State | None, tuple[StateChange, ...]]:
    """Apply one value to all latches, and say how the level that fires changed."""
    unseen = max(_ZERO, at - state.last - rule.interval)
    latches = _advance(rule.conditions, state.latches, at, number, unseen)
    peak = rule.worse(state.peak, number)
    resumed = state.resumed and not any(latch.phase is Phase.FIRING for latch in latches)
    if latches == state.latches:
        return State(latches, at, at, peak, state.since, resumed=resumed), ()
    before, after = find_level(rule, state), _find_latched(rule.conditions, latches)
    if before is after:
        return _or_idle(State(latches, at, at, peak, state.since, resumed=resumed)), ()
    if after is None:
        assert before is not None  # noqa: S101 - it differs from `after`
        cleared = _find_cleared_at(state.latches, latches, at)
        reason = Reason.AFTER_RESTART if state.resumed else Reason.CLEARED
        resolved = make_change(rule, state, Transition.RESOLVED, before, at, number, reason, until=cleared)
        return _or_idle(State(latches, at, at, number)), (resolved,)
    since = _find_first_breach(state.latches, at) if before is None else state.since
    firing = State(latches, at, at, peak, since, resumed=resumed)
    if before is not None and after.rank < before.rank:
        return firing, (make_change(rule, firing, Transition.LOWERED, after, at, number, Reason.CLEARED),)
    transition = Transition.FIRED if before is None else Transition.ESCALATED
    return firing, (make_change(rule, firing, transition, after, at, number, Reason.BREACH),)


def _advance(
    conditions: tuple[Condition, ...], latches: tuple[Latch, ...], at: datetime, number: float, unseen: timedelta
) -> tuple[Latch, ...]:
    """Move every latch, severe ones first: while one is latched, the milder ones are too."""
    moved: list[Latch] = []
    above = False
    for condition, latch in zip(reversed(conditions), reversed(latches), strict=True):
        if latch.phase.latched:
            after = _step_clearing(condition, latch, at, number, unseen, above)
        else:
            after = _FIRING if above else _step_pending(condition, latch, at, number, unseen)
        above = after.phase.latched
        moved.append(after)
    return tuple(reversed(moved))


def _step_pending(condition: Condition, latch: Latch, at: datetime, number: float, unseen: timedelta) -> Latch:
    if condition.count is not None:
        return _count_breaches(condition.trigger, condition.count, latch, at, number)
    if not condition.trigger.holds(number):
        return _OK
    if latch.phase is Phase.OK:
        latch = Latch(Phase.PENDING, at)
    elif unseen:
        latch = Latch(Phase.PENDING, latch.began, latch.lost + unseen)
    return _FIRING if _measure_time(latch, at) >= condition.hold else latch


def _count_breaches(trigger: Edge, count: Count, latch: Latch, at: datetime, number: float) -> Latch:
    recent = (*latch.recent, at if trigger.holds(number) else None)[-count.of :]
    bad = [instant for instant in recent if instant is not None]
    if not bad:
        return _OK
    return _FIRING if len(bad) >= count.bad else Latch(Phase.PENDING, bad[0], recent=recent)


def _step_clearing(
    condition: Condition, latch: Latch, at: datetime, number: float, unseen: timedelta, above: bool
) -> Latch:
    if not condition.clear.holds(number):
        return _FIRING
    if latch.phase is Phase.FIRING:
        latch = Latch(Phase.CLEARING, at)
    elif unseen:
        latch = Latch(Phase.CLEARING, latch.began, latch.lost + unseen)
    return _OK if not above and _measure_time(latch, at) >= condition.clear_for else latch


def _measure_time(latch: Latch, at: datetime) -> timedelta:
    return at - (latch.began or at) - latch.lost


def restart_durations(state: State, at: datetime) -> State:
    """Return a state with every duration given up, as of an instant."""
    return replace(state, latches=_drop_durations(state.latches), seen=at, last=at)


def _drop_durations(latches: tuple[Latch, ...]) -> tuple[Latch, ...]:
    """Return the latches with every duration given up: what fired still fires, what was about to does not."""
    return tuple(_FIRING if latch.phase.latched else _OK for latch in latches)


def _or_idle(state: State) -> State | None:
    for latch in state.latches:
        if latch.phase is not Phase.OK:
            return state
    return IDLE


def find_level(rule: Rule, state: State) -> Level | None:
    """Return the level that fires, the highest that is latched; None where none is."""
    return _find_latched(rule.conditions, state.latches)


def _find_latched(conditions: tuple[Condition, ...], latches: tuple[Latch, ...]) -> Level | None:
    for condition, latch in zip(reversed(conditions), reversed(latches), strict=True):
        if latch.phase.latched:
            return condition.level
    return None


def _find_first_breach(latches: tuple[Latch, ...], at: datetime) -> datetime:
    return min(latch.began or at for latch in latches)


def _find_cleared_at(before: tuple[Latch, ...], after: tuple[Latch, ...], at: datetime) -> datetime:
    """Return the instant from which on no level was breached any more: the waiting for `clear_for` is not trouble."""
    ended = [old for old, new in zip(before, after, strict=True) if old.phase.latched and not new.phase.latched]
    return max(old.began or at if old.phase is Phase.CLEARING else at for old in ended)


def resolve(rule: Rule, state: State, at: datetime, reason: Reason) -> tuple[StateChange, ...]:
    """Return the end of an alert that no value ended; it lasted until the last value."""
    level = find_level(rule, state)
    if level is None:
        return ()
    reason = Reason.AFTER_RESTART if state.resumed else reason
    return (make_change(rule, state, Transition.RESOLVED, level, at, None, reason, until=state.last),)


def make_change(
    rule: Rule,
    state: State,
    transition: Transition,
    level: Level,
    at: datetime,
    value: float | None,
    reason: Reason,
    *,
    until: datetime | None = None,
) -> StateChange:
    """Return a change of an instance that is about one of its levels."""
    condition = rule.condition(level)
    since = state.since or at
    duration = max(0.0, ((until or at) - since).total_seconds())
    if rule.absent:  # the ones and zeros that stood for values are nobody's business
        reason = _ABSENT_REASONS.get(reason, reason)
        return StateChange(transition, level, None, None, condition.threshold, since, duration, reason)
    return StateChange(transition, level, value, state.peak, condition.threshold, since, duration, reason)
