"""What the alert rules mean, said a second time and slowly: letters for the inputs, a table, and the whole history.

It shares nothing with the machine but the rule. Each duration is measured afresh from all the values there were.
"""

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from itertools import pairwise

from sysmon.alerts.rule import Count, OnMissing, Rule
from sysmon.alerts.state_machine import Signal

Input = tuple[datetime, float | Signal]
Told = tuple[datetime, str, str | None]


class Lack(Enum):
    """What a tick brings where it brings no value: a row without one, no row, or a collector that failed."""

    NULL = "null"
    NO_ROW = "no row"
    FAILED = "failed"


Tick = tuple[datetime, float | Lack]

# Rows: phase. Columns: Breach, baNd, Clear, Missing, Gap, gone (X), clock Restart. `?` asks for how long it has lasted.
TABLE = {
    "ok": {"B": "pending?", "N": "ok", "C": "ok", "M": "ok", "G": "ok", "X": "ok", "R": "ok"},
    "pending": {"B": "pending?", "N": "ok", "C": "ok", "M": "pending", "G": "ok", "X": "ok", "R": "ok"},
    "firing": {"B": "firing", "N": "firing", "C": "clearing?", "M": "firing", "G": "firing", "X": "ok", "R": "firing"},
    "clearing": {
        "B": "firing",
        "N": "firing",
        "C": "clearing?",
        "M": "clearing",
        "G": "firing",
        "X": "ok",
        "R": "firing",
    },
}
LATCHED = {"firing", "clearing"}


@dataclass
class Account:
    """All that happened so far, and where it led."""

    phases: list[str]
    starts: list[float]
    values: list[float] = field(default_factory=list)
    blind: bool = False
    counted: dict[int, list[bool]] = field(default_factory=dict)
    told: list[Told] = field(default_factory=list)


def retell(rule: Rule, inputs: list[Input]) -> tuple[list[str], list[Told]]:
    """Return the phases after the last input, and every event of the whole series."""
    origin = inputs[0][0]
    account = Account(["ok"] * len(rule.conditions), [0.0] * len(rule.conditions))
    previous: float | None = None
    for at, value in inputs:
        second = (at - origin).total_seconds()
        if previous is not None and second <= previous:
            _row(rule, account, "R", at, second)
            account.values = [second]
        elif value is not Signal.GONE and _too_long(rule, account, second):
            if rule.absent:  # nobody listened: nothing is told, and silence is counted anew
                _row(rule, account, "R", at, second)
                account.values = [second]
            else:
                _gap(rule, account, at, second)
        _input(rule, account, at, second, value)
        previous = second
    return account.phases, account.told


def heard(rule: Rule, ticks: list[Tick]) -> list[Input]:
    """Return what a rule makes of the ticks of one instance, each decided afresh from all the ticks before it."""
    inputs: list[Input] = []
    remembered = False
    for number in range(len(ticks)):
        past = ticks[: number + 1]
        value = _looked_at(rule, past)
        gone = value is None and _vanished(rule, past)
        if not rule.absent:
            inputs.append((past[-1][0], Signal.GONE if gone else Signal.MISSING if value is None else value))
            continue
        if remembered or value is not None:
            inputs.append((past[-1][0], Signal.GONE if gone else 1.0 if value is None else 0.0))
        remembered = value is not None or (remembered and not gone)
    return inputs


def _looked_at(rule: Rule, past: list[Tick]) -> float | None:
    """Return the value of the latest tick, or the number for the time up to it where enough of that has values."""
    at, latest = past[-1]
    if rule.reduce is None:
        return None if isinstance(latest, Lack) else latest
    values = [value for when, value in past if not isinstance(value, Lack) and at - when < rule.reduce.over]
    wanted = round(rule.reduce.over / rule.interval)
    if not values or len(values) / wanted < rule.reduce.min_coverage:
        return None
    functions: dict[str, Callable[[list[float]], float]] = {
        "mean": statistics.fmean,
        "min": min,
        "max": max,
        "last": lambda window: window[-1],
        "sum": math.fsum,
    }
    return functions[rule.reduce.function](values)


def _vanished(rule: Rule, past: list[Tick]) -> bool:
    """Say whether a working collector has brought no row for `gone_after`, as far as anybody watched."""
    if rule.gone_after is None or past[-1][1] is not Lack.NO_ROW:
        return False
    since = len(past)
    while since and past[since - 1][1] in {Lack.NO_ROW, Lack.FAILED} and _looked_at(rule, past[:since]) is None:
        since -= 1
    watched = [when for when, word in past[since:] if word is Lack.NO_ROW]
    spans = [min(late - early, rule.interval) for early, late in pairwise(watched)]
    return sum(spans, timedelta(0)) >= rule.gone_after


def _too_long(rule: Rule, account: Account, second: float) -> bool:
    return bool(account.values) and not account.blind and second - account.values[-1] > rule.max_gap.total_seconds()


def _gap(rule: Rule, account: Account, at: datetime, second: float) -> None:
    before = _shown(rule, account)
    if rule.on_missing is OnMissing.RESOLVE:
        _row(rule, account, "X", at, second)
        return
    _row(rule, account, "G", at, second)
    if before:
        account.told.append((at, "no_data", before))
    account.blind = before is not None


def _input(rule: Rule, account: Account, at: datetime, second: float, value: float | Signal) -> None:
    if value is Signal.GONE:
        _row(rule, account, "X", at, second)
        account.values, account.blind = [], False
    elif isinstance(value, Signal):
        _row(rule, account, "M", at, second)
    else:
        if account.blind:
            account.told.append((at, "data_back", _shown(rule, account)))
            account.blind = False
        account.values.append(second)
        _row(rule, account, value, at, second)


def _row(rule: Rule, account: Account, given: str | float, at: datetime, second: float) -> None:
    before = _shown(rule, account)
    for index in reversed(range(len(rule.conditions))):
        _cell(rule, account, index, given, second)
    after = _shown(rule, account)
    if before != after:
        account.told.append((at, _word(rule, before, after), after or before))


def _cell(rule: Rule, account: Account, index: int, given: str | float, second: float) -> None:
    condition = rule.conditions[index]
    letter = given
    if not isinstance(given, str):
        letter = "B" if condition.trigger.holds(given) else "C" if condition.clear.holds(given) else "N"
    old = account.phases[index]
    if condition.count is not None and old not in LATCHED:
        new = _counted(condition.count, account, index, str(letter), old)
    else:
        account.counted[index] = []
        new = _timed(rule, account, index, str(letter), second)
    if any(phase in LATCHED for phase in account.phases[index + 1 :]):
        if old not in LATCHED:
            new = "firing"
        elif new == "ok":
            new = "clearing"
    account.phases[index] = new


def _timed(rule: Rule, account: Account, index: int, letter: str, second: float) -> str:
    condition, old = rule.conditions[index], account.phases[index]
    new = TABLE[old][letter]
    if not new.endswith("?"):
        return new
    new = new[:-1]
    if new != old:
        account.starts[index] = second
    wanted, end = (condition.hold, "firing") if new == "pending" else (condition.clear_for, "ok")
    lasted = _watched(account.values, account.starts[index], second, rule)
    return end if lasted >= wanted.total_seconds() else new


def _counted(count: Count, account: Account, index: int, letter: str, old: str) -> str:
    """Keep every sample since the last thing that makes all of them count for nothing."""
    if letter == "M":
        return old
    if letter in "GXR":
        account.counted[index] = []
        return "ok"
    samples = account.counted.setdefault(index, [])
    samples.append(letter == "B")
    bad = sum(samples[-count.of :])
    return "firing" if bad >= count.bad else "pending" if bad else "ok"


def _watched(values: list[float], since: float, until: float, rule: Rule) -> float:
    """Return the time from one instant to another, less what lies further than an interval after a value."""
    instants = [second for second in values if since <= second <= until]
    spans = [late - early for early, late in pairwise(instants)]
    return sum(min(span, rule.interval.total_seconds()) for span in spans)


def _shown(rule: Rule, account: Account) -> str | None:
    latched = [c.level.value for c, phase in zip(rule.conditions, account.phases, strict=True) if phase in LATCHED]
    return latched[-1] if latched else None


def _word(rule: Rule, before: str | None, after: str | None) -> str:
    if before is None:
        return "fired"
    if after is None:
        return "resolved"
    order = [condition.level.value for condition in rule.conditions]
    return "escalated" if order.index(after) > order.index(before) else "lowered"
