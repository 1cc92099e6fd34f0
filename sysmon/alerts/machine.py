"""When does an alert fire, and when does it clear? A pure state machine: no clock, no files, no labels."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, StrEnum

from sysmon.alerts.conditions import Condition, OnMissing, Rule
from sysmon.model import Level, Transition

_ZERO = timedelta(0)


class Signal(Enum):
    """What is fed where there is no value: nobody knows it, or what it belonged to has gone away."""

    MISSING = "missing"
    GONE = "gone"


class Phase(Enum):
    """Where the latch of one level stands; while `held` is true the level is latched."""

    OK = ("ok", False)
    PENDING = ("pending", False)
    FIRING = ("firing", True)
    CLEARING = ("clearing", True)

    def __init__(self, _word: str, held: bool) -> None:
        self.held = held


class Reason(StrEnum):
    """Why an alert changed: a limit was breached or left, values stayed away or came back, the instance went."""

    BREACH = "breach"
    CLEARED = "cleared"
    NO_DATA = "no data"
    DATA_BACK = "data back"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Latch:
    """One level of one instance: its phase; for PENDING and CLEARING when it began and how much since was unseen."""

    phase: Phase
    began: datetime | None = None
    lost: timedelta = _ZERO


@dataclass(frozen=True, slots=True)
class State:
    """All that is remembered of one instance.

    `latches` follow the rule's conditions. `seen` is the instant of the last input, `last` of the last value, `since`
    of the alert's first breach; `peak` is the worst value since the first breach; `blind` means NO DATA was told.
    """

    latches: tuple[Latch, ...]
    seen: datetime
    last: datetime
    peak: float
    since: datetime | None = None
    blind: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """A transition before it has a name and labels; the fields mean what they mean in model.AlertEvent."""

    transition: Transition
    level: Level
    value: float | None
    peak: float
    threshold: float
    since: datetime
    duration: float
    reason: Reason


IDLE = None
"""The state of an instance with nothing pending and nothing latched: there is nothing to remember."""

_OK = Latch(Phase.OK)
_FIRING = Latch(Phase.FIRING)
_NONE = -1


def step(
    rule: Rule, state: State | None, at: datetime, value: float | Signal
) -> tuple[State | None, tuple[Change, ...]]:
    """Return the state after one input, and what there is to tell.

    A value that is not finite counts as missing. Where no value came for more than `max_gap`, that gap is applied
    first, then the return of the data, then the value; an instance that is gone is told alone. An instant that is not
    later than the one before makes every duration start again and tells nothing: only the clock cannot be trusted.
    """
    number = None if isinstance(value, Signal) or not math.isfinite(value) else value
    if state is None:
        if number is None or not rule.breached(number):
            return IDLE, ()
        return _take(rule, State((_OK,) * len(rule.conditions), at, at, number), at, number)
    if value is Signal.GONE:
        return IDLE, _over(rule, state, at, Reason.GONE)
    if at <= state.seen:
        state = State(_restarted(state.latches), at, at, state.peak, state.since, state.blind)
    elif at - state.last > rule.max_gap and not state.blind:
        return _after_gap(rule, state, at, number)
    if number is None:
        return _or_idle(State(state.latches, at, state.last, state.peak, state.since, state.blind)), ()
    if not state.blind:
        return _take(rule, state, at, number)
    back = _change(rule, state, Transition.DATA_BACK, _shown(state.latches), at, number, Reason.DATA_BACK)
    after, changes = _take(rule, state, at, number)
    return after, (back, *changes)


def _after_gap(rule: Rule, state: State, at: datetime, number: float | None) -> tuple[State | None, tuple[Change, ...]]:
    """Apply a gap that is over `max_gap`, then what ended it or confirms that it goes on."""
    shown = _shown(state.latches)
    after: State | None = IDLE
    if rule.on_missing is OnMissing.RESOLVE:
        told = _over(rule, state, at, Reason.NO_DATA)
    elif shown == _NONE:
        told = ()
    else:
        told = (_change(rule, state, Transition.NO_DATA, shown, at, None, Reason.NO_DATA),)
        # seen stays before `at`, so that the input itself still counts as later than it
        after = State(_restarted(state.latches), state.seen, state.last, state.peak, state.since, blind=True)
    after, changes = step(rule, after, at, Signal.MISSING if number is None else number)
    return after, told + changes


def _take(rule: Rule, state: State, at: datetime, number: float) -> tuple[State | None, tuple[Change, ...]]:
    """Apply one value to all latches and tell how the level shown changed."""
    unseen = max(_ZERO, at - state.last - rule.interval)
    latches = _advanced(rule.conditions, state.latches, at, number, unseen)
    peak = rule.worse(state.peak, number)
    if latches == state.latches:
        return State(latches, at, at, peak, state.since), ()
    before, after = _shown(state.latches), _shown(latches)
    if before == after:
        return _or_idle(State(latches, at, at, peak, state.since)), ()
    if after == _NONE:
        cleared = _cleared_at(state.latches, latches, at)
        over = _change(rule, state, Transition.RESOLVED, before, at, number, Reason.CLEARED, until=cleared)
        return _or_idle(State(latches, at, at, number)), (over,)
    since = _first_breach(state.latches, at) if before == _NONE else state.since
    left = State(latches, at, at, peak, since)
    if after < before:
        return left, (_change(rule, left, Transition.LOWERED, after, at, number, Reason.CLEARED),)
    transition = Transition.FIRED if before == _NONE else Transition.ESCALATED
    return left, (_change(rule, left, transition, after, at, number, Reason.BREACH),)


def _advanced(
    conditions: tuple[Condition, ...], latches: tuple[Latch, ...], at: datetime, number: float, unseen: timedelta
) -> tuple[Latch, ...]:
    """Move every latch, severe ones first: while one is latched, the milder ones are too."""
    moved: list[Latch] = []
    above = False
    for condition, latch in zip(reversed(conditions), reversed(latches), strict=True):
        if latch.phase.held:
            after = _clearing(condition, latch, at, number, unseen, above)
        else:
            after = _FIRING if above else _pending(condition, latch, at, number, unseen)
        above = after.phase.held
        moved.append(after)
    return tuple(reversed(moved))


def _pending(condition: Condition, latch: Latch, at: datetime, number: float, unseen: timedelta) -> Latch:
    if not condition.trigger.holds(number):
        return _OK
    if latch.phase is Phase.OK:
        latch = Latch(Phase.PENDING, at)
    elif unseen:
        latch = Latch(Phase.PENDING, latch.began, latch.lost + unseen)
    return _FIRING if _lasted(latch, at) >= condition.hold else latch


def _clearing(condition: Condition, latch: Latch, at: datetime, number: float, unseen: timedelta, above: bool) -> Latch:
    if not condition.clear.holds(number):
        return _FIRING
    if latch.phase is Phase.FIRING:
        latch = Latch(Phase.CLEARING, at)
    elif unseen:
        latch = Latch(Phase.CLEARING, latch.began, latch.lost + unseen)
    return _OK if not above and _lasted(latch, at) >= condition.clear_for else latch


def _lasted(latch: Latch, at: datetime) -> timedelta:
    return at - (latch.began or at) - latch.lost


def _restarted(latches: tuple[Latch, ...]) -> tuple[Latch, ...]:
    """Return the latches with every duration given up: what fired still fires, what was about to does not."""
    return tuple(_FIRING if latch.phase.held else _OK for latch in latches)


def _or_idle(state: State) -> State | None:
    for latch in state.latches:
        if latch.phase is not Phase.OK:
            return state
    return IDLE


def _shown(latches: tuple[Latch, ...]) -> int:
    for index in range(len(latches) - 1, _NONE, -1):
        if latches[index].phase.held:
            return index
    return _NONE


def _first_breach(latches: tuple[Latch, ...], at: datetime) -> datetime:
    return min(latch.began or at for latch in latches)


def _cleared_at(before: tuple[Latch, ...], after: tuple[Latch, ...], at: datetime) -> datetime:
    """Return the instant from which on no level was breached any more: the waiting for `clear_for` is not trouble."""
    ended = [old for old, new in zip(before, after, strict=True) if old.phase.held and not new.phase.held]
    return max(old.began or at if old.phase is Phase.CLEARING else at for old in ended)


def _over(rule: Rule, state: State, at: datetime, reason: Reason) -> tuple[Change, ...]:
    """Tell the end of an alert that no value ended; it lasted until the last value."""
    shown = _shown(state.latches)
    if shown == _NONE:
        return ()
    return (_change(rule, state, Transition.RESOLVED, shown, at, None, reason, until=state.last),)


def _change(
    rule: Rule,
    state: State,
    transition: Transition,
    shown: int,
    at: datetime,
    value: float | None,
    reason: Reason,
    *,
    until: datetime | None = None,
) -> Change:
    condition = rule.conditions[shown]
    since = state.since or at
    duration = max(0.0, ((until or at) - since).total_seconds())
    return Change(transition, condition.level, value, state.peak, condition.trigger.limit, since, duration, reason)
