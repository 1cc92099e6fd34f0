"""What the lines of a rule file mean that say how bad is bad and for how long: limits, clear edges, durations."""

import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from sysmon.adapters.yaml_nodes import Mapping, Node, Place, Problems, Scalar, known_keys, read_scalar
from sysmon.alerts.rule import (
    ABSENT,
    PRESENT,
    Condition,
    Count,
    Direction,
    Edge,
    Flap,
    OnMissing,
    Operator,
    format_number,
)
from sysmon.errors import UsageError
from sysmon.model import Level
from sysmon.text.spelling import closest
from sysmon.text.units import format_duration, parse_duration

_OPERATORS = {operator.key: operator for operator in Operator}
_CLEAR = {"clear_below": Operator.BELOW, "clear_above": Operator.ABOVE, "clear_equals": Operator.EQUALS}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_ABSENT = "absent_for"
_FLAP = Flap(timedelta(hours=1), start=6, stop=2)
_MOST_SAMPLES = 1000
_LONGEST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `defaults`, a rule and a level may all set; the nearest wins. `gone_after` None is `max_gap`."""

    hold: timedelta = timedelta(minutes=1)
    clear_for: timedelta = timedelta(minutes=2)
    max_gap: timedelta = timedelta(seconds=60)
    on_missing: OnMissing = OnMissing.HOLD
    gone_after: timedelta | None = None
    count: Count | None = None
    cooldown: timedelta = timedelta(0)
    repeat: timedelta = timedelta(hours=4)
    attach: int = 5
    flap: Flap = _FLAP


LEVEL_SETTINGS = ("for", "clear_for")
SETTINGS = (*LEVEL_SETTINGS, "max_gap", "on_missing", "gone_after", "cooldown", "repeat", "attach", "flap")
_DURATIONS: dict[str, Callable[[Settings, timedelta], Settings]] = {
    "for": lambda settings, span: replace(settings, hold=span, count=None),
    "clear_for": lambda settings, span: replace(settings, clear_for=span),
    "max_gap": lambda settings, span: replace(settings, max_gap=span),
    "gone_after": lambda settings, span: replace(settings, gone_after=span),
    "cooldown": lambda settings, span: replace(settings, cooldown=span),
    "repeat": lambda settings, span: replace(settings, repeat=span),
}


def misspelt(node: Mapping, known: Container[str], names: Iterable[str]) -> bool:
    """Say whether a key that is not known was probably meant for one of `names`: its own complaint is then enough."""
    wanted = list(names)
    return any(key not in known and closest(key, wanted) for key in node.entries)


def read_settings(entries: Iterable[tuple[str, Node]], base: Settings, problems: Problems, what: str) -> Settings:
    """Return `base` with what the entries set; entries that are no settings are passed over."""
    settings = base
    for key, node in entries:
        name = f"{key} of {what}"
        if key == "for" and isinstance(node, Mapping):
            settings = replace(settings, count=_count(node, problems, name) or settings.count)
        elif key == "flap":
            settings = replace(settings, flap=_flap(node, base.flap, problems, name))
        elif key == "attach":
            count = read_scalar(node, whole(0, 20), problems, name)
            settings = replace(settings, attach=base.attach if count is None else count)
        elif key in _DURATIONS:
            span = read_scalar(node, duration, problems, name)
            settings = settings if span is None else _DURATIONS[key](settings, span)
        elif key == "on_missing":
            settings = replace(settings, on_missing=read_scalar(node, _on_missing, problems, name) or base.on_missing)
    return settings


def read_level(level: Level, node: Node, base: Settings, problems: Problems, rule: str) -> Condition | None:
    """Read what one level of a rule asks for."""
    what = f"{level} of {rule}"
    entries = dict(known_keys(node, [*_OPERATORS, *_CLEAR, _ABSENT, *LEVEL_SETTINGS], problems, what))
    settings = read_settings(entries.items(), base, problems, what)
    if _ABSENT in entries:
        return _silence(level, entries, settings, problems, what)
    triggers = _edges(entries, _OPERATORS, problems, what)
    clears = _edges(entries, _CLEAR, problems, what)
    if not triggers:
        if isinstance(node, Mapping) and not misspelt(node, entries, [*_OPERATORS, _ABSENT]):
            problems.add(node.place, f"{what} has no limit: write one such as at_least: 90")
        elif isinstance(node, Scalar) and node.is_null:
            problems.add(node.place, f"{what} is empty: write {{at_least: 90}} or remove it")
        return None
    for edges in (triggers, clears):
        if len(edges) > 1:
            problems.add(_place(node, edges[1][0]), f"{what} has both {edges[0][0]} and {edges[1][0]}: keep one")
    key, trigger = triggers[0]
    if trigger is None or any(edge is None for _, edge in clears):
        return None
    clear = trigger.opposite()
    for clear_key, edge in clears[:1]:
        if edge is not None:
            clear = edge
            if trigger.overlaps(edge):
                problems.add(_place(node, clear_key), _wrong_side(what, key, trigger, clear_key, edge))
    hold = timedelta(0) if settings.count else settings.hold
    return Condition(level, trigger, clear, hold, settings.clear_for, settings.count)


def _silence(
    level: Level, entries: dict[str, Node], settings: Settings, problems: Problems, what: str
) -> Condition | None:
    """Read a level that asks for silence: it has no limit, and its own `absent_for` in place of `for`."""
    for key, node in entries.items():
        if key not in {_ABSENT, "clear_for"}:
            problems.add(node.place, f"{what} has both {_ABSENT} and {key}: write two rules, or remove {key}")
    span = read_scalar(entries[_ABSENT], _some_time, problems, f"{_ABSENT} of {what}")
    return None if span is None else Condition(level, ABSENT, PRESENT, span, settings.clear_for, absent=span)


def _count(node: Mapping, problems: Problems, what: str) -> Count | None:
    entries = dict(known_keys(node, ("bad", "of"), problems, what))
    for key in ("bad", "of"):
        if key not in entries and not misspelt(node, entries, [key]):
            problems.add(node.place, f"{what} has no {key!r}: write {{bad: 3, of: 5}}")
    numbers = {
        key: read_scalar(one, whole(1, _MOST_SAMPLES), problems, f"{key} in {what}") for key, one in entries.items()
    }
    bad, of = numbers.get("bad"), numbers.get("of")
    if bad is None or of is None:
        return None
    if bad > of:
        problems.add(node.place, f"{what}: {bad} of {of} can never be: write a bad that is {of} or less")
        return None
    return Count(bad, of)


def _flap(node: Node, base: Flap, problems: Problems, what: str) -> Flap:
    entries = dict(known_keys(node, ("window", "start", "stop"), problems, what))
    window = read_scalar(entries["window"], _some_time, problems, f"window of {what}") if "window" in entries else None
    start, stop = (
        read_scalar(entries[key], whole(low, _MOST_SAMPLES), problems, f"{key} of {what}") if key in entries else None
        for key, low in (("start", 2), ("stop", 1))
    )
    found = Flap(window or base.window, start or base.start, stop or base.stop)
    if found.stop > found.start:
        problems.add(
            node.place, f"{what}: stop ({found.stop}) is over start ({found.start}): write {found.start} or less"
        )
    return found


def level_warnings(node: Node, condition: Condition, interval: timedelta, what: str) -> list[str]:
    """Return what may stand in a file but hardly does what was meant."""
    told: list[str] = []
    if condition.absent is not None:
        return told
    if timedelta(0) < condition.hold < interval:
        told.append(
            f"{_place(node, 'for')}: for {format_duration(condition.hold)} of {what} is shorter than the"
            f" {format_duration(interval)} between two samples: write 0s or at least {format_duration(interval)}"
        )
    if not condition.clear_for and condition.clear == condition.trigger.opposite():
        told.append(
            f"{_place(node, 'clear_for')}: {what} clears at once and has no band, so it will flap:"
            " write a clear_for or a clear edge apart from the limit"
        )
    return told


def duration(text: str) -> timedelta:
    """Read a duration; one over a month is a mistake, and would have to be remembered for as long."""
    span = parse_duration(text)
    if span > _LONGEST:
        raise UsageError(f"{text} is too long: write {format_duration(_LONGEST)} or less")
    return span


def _some_time(text: str) -> timedelta:
    span = duration(text)
    if not span:
        raise UsageError(f"{text} is no time at all: write more, such as 2m")
    return span


def whole(at_least: int, at_most: int) -> Callable[[str], int]:
    """Return a reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or not at_least <= int(text) <= at_most:
            raise UsageError(f"{text!r}: write a whole number from {at_least} to {at_most}")
        return int(text)

    return read


def read_number(text: str) -> float:
    """Read a plain decimal number; raise UsageError for anything else, with what was probably meant."""
    if _NUMBER.fullmatch(text):
        value = float(text)
        if abs(value) != float("inf"):
            return value
        raise UsageError(f"{text!r} is too large: write a number below 1e308")
    bare = text.rstrip("%").rstrip()
    if bare != text and _NUMBER.fullmatch(bare):
        raise UsageError(f"{text!r} is no plain number: write {bare}")
    raise UsageError(f"{text!r} is no number: write one such as 90 or 0.5")


def _edges(
    entries: dict[str, Node], operators: dict[str, Operator], problems: Problems, what: str
) -> list[tuple[str, Edge | None]]:
    found: list[tuple[str, Edge | None]] = []
    for key, operator in operators.items():
        if key in entries:
            limit = read_scalar(entries[key], read_number, problems, f"{key} of {what}")
            found.append((key, None if limit is None else Edge(operator, limit)))
    return found


def _wrong_side(what: str, key: str, trigger: Edge, clear_key: str, clear: Edge) -> str:
    limit = format_number(trigger.limit)
    way = {
        Direction.UP: f"write clear_below with {limit} or less",
        Direction.DOWN: f"write clear_above with {limit} or more",
        Direction.EXACT: "write clear_equals with another number",
    }[trigger.operator.direction]
    if trigger.operator is Operator.NOT_EQUALS:
        way = f"write clear_equals: {limit}"
    return f"{clear_key} ({format_number(clear.limit)}) of {what} is on the wrong side of {key} ({limit}): {way}"


def _on_missing(text: str) -> OnMissing:
    try:
        return OnMissing(text)
    except ValueError:
        raise UsageError(f"{text!r} is neither hold nor resolve: write hold or resolve") from None


def _place(node: Node, key: str) -> Place:
    return node.keys.get(key, node.place) if isinstance(node, Mapping) else node.place
