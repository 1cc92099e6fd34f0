"""Levels of a rule file: limits, clear edges, durations. How bad is bad, and for how long?"""

import re
from collections.abc import Callable, Container, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta

from sysmon.adapters.yaml_nodes import MappingNode, Node, Place, Problems, ScalarNode, known_keys, read_scalar
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
class LevelSettings:
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
_DURATIONS: dict[str, Callable[[LevelSettings, timedelta], LevelSettings]] = {
    "for": lambda settings, span: replace(settings, hold=span, count=None),
    "clear_for": lambda settings, span: replace(settings, clear_for=span),
    "max_gap": lambda settings, span: replace(settings, max_gap=span),
    "gone_after": lambda settings, span: replace(settings, gone_after=span),
    "cooldown": lambda settings, span: replace(settings, cooldown=span),
    "repeat": lambda settings, span: replace(settings, repeat=span),
}


def is_misspelt(node: MappingNode, allowed: Container[str], names: Iterable[str]) -> bool:
    """Say whether a key that is not allowed was probably meant for one of `names`: its own complaint is then enough."""
    wanted = list(names)
    return any(key not in allowed and closest(key, wanted) for key in node.entries)


def read_settings(
    entries: Iterable[tuple[str, Node]], base: LevelSettings, problems: Problems, subject: str
) -> LevelSettings:
    """Return `base` with what the entries set; entries that are no settings are passed over."""
    settings = base
    for key, node in entries:
        name = f"{key} of {subject}"
        if key == "for" and isinstance(node, MappingNode):
            settings = replace(settings, count=_read_count(node, problems, name) or settings.count)
        elif key == "flap":
            settings = replace(settings, flap=_read_flap(node, base.flap, problems, name))
        elif key == "attach":
            count = read_scalar(node, make_whole_reader(0, 20), problems, name)
            settings = replace(settings, attach=base.attach if count is None else count)
        elif key in _DURATIONS:
            span = read_scalar(node, read_duration, problems, name)
            settings = settings if span is None else _DURATIONS[key](settings, span)
        elif key == "on_missing":
            settings = replace(
                settings, on_missing=read_scalar(node, _read_on_missing, problems, name) or base.on_missing
            )
    return settings


def read_level(level: Level, node: Node, base: LevelSettings, problems: Problems, rule: str) -> Condition | None:
    """Read what one level of a rule asks for."""
    subject = f"{level} of {rule}"
    entries = dict(known_keys(node, [*_OPERATORS, *_CLEAR, _ABSENT, *LEVEL_SETTINGS], problems, subject))
    settings = read_settings(entries.items(), base, problems, subject)
    if _ABSENT in entries:
        return _read_absence(level, entries, settings, problems, subject)
    triggers = _read_edges(entries, _OPERATORS, problems, subject)
    clears = _read_edges(entries, _CLEAR, problems, subject)
    if not triggers:
        if isinstance(node, MappingNode) and not is_misspelt(node, entries, [*_OPERATORS, _ABSENT]):
            problems.add(node.place, f"{subject} has no limit: write one such as at_least: 90")
        elif isinstance(node, ScalarNode) and node.is_null:
            problems.add(node.place, f"{subject} is empty: write {{at_least: 90}} or remove it")
        return None
    for edges in (triggers, clears):
        if len(edges) > 1:
            problems.add(
                _find_place(node, edges[1][0]), f"{subject} has both {edges[0][0]} and {edges[1][0]}: keep one"
            )
    key, trigger = triggers[0]
    if trigger is None or any(edge is None for _, edge in clears):
        return None
    clear = trigger.opposite()
    for clear_key, edge in clears[:1]:
        if edge is not None:
            clear = edge
            if trigger.overlaps(edge):
                problems.add(_find_place(node, clear_key), _describe_wrong_side(subject, key, trigger, clear_key, edge))
    hold = timedelta(0) if settings.count else settings.hold
    return Condition(level, trigger, clear, hold, settings.clear_for, settings.count)


def _read_absence(
    level: Level, entries: dict[str, Node], settings: LevelSettings, problems: Problems, subject: str
) -> Condition | None:
    """Read a level that asks for silence: it has no limit, and its own `absent_for` in place of `for`."""
    for key, node in entries.items():
        if key not in {_ABSENT, "clear_for"}:
            problems.add(node.place, f"{subject} has both {_ABSENT} and {key}: write two rules, or remove {key}")
    span = read_scalar(entries[_ABSENT], _read_some_time, problems, f"{_ABSENT} of {subject}")
    return None if span is None else Condition(level, ABSENT, PRESENT, span, settings.clear_for, absent=span)


def _read_count(node: MappingNode, problems: Problems, subject: str) -> Count | None:
    entries = dict(known_keys(node, ("bad", "of"), problems, subject))
    for key in ("bad", "of"):
        if key not in entries and not is_misspelt(node, entries, [key]):
            problems.add(node.place, f"{subject} has no {key!r}: write {{bad: 3, of: 5}}")
    numbers = {
        key: read_scalar(item, make_whole_reader(1, _MOST_SAMPLES), problems, f"{key} in {subject}")
        for key, item in entries.items()
    }
    bad, of = numbers.get("bad"), numbers.get("of")
    if bad is None or of is None:
        return None
    if bad > of:
        problems.add(node.place, f"{subject}: {bad} of {of} can never be: write a bad that is {of} or less")
        return None
    return Count(bad, of)


def _read_flap(node: Node, base: Flap, problems: Problems, subject: str) -> Flap:
    entries = dict(known_keys(node, ("window", "start", "stop"), problems, subject))
    window = (
        read_scalar(entries["window"], _read_some_time, problems, f"window of {subject}")
        if "window" in entries
        else None
    )
    start, stop = (
        read_scalar(entries[key], make_whole_reader(low, _MOST_SAMPLES), problems, f"{key} of {subject}")
        if key in entries
        else None
        for key, low in (("start", 2), ("stop", 1))
    )
    flap = Flap(window or base.window, start or base.start, stop or base.stop)
    if flap.stop > flap.start:
        problems.add(
            node.place, f"{subject}: stop ({flap.stop}) is over start ({flap.start}): write {flap.start} or less"
        )
    return flap


def check_level(node: Node, condition: Condition, interval: timedelta, subject: str) -> list[str]:
    """Return what may stand in a file but hardly does what was meant."""
    warnings: list[str] = []
    if condition.absent is not None:
        return warnings
    if timedelta(0) < condition.hold < interval:
        warnings.append(
            f"{_find_place(node, 'for')}: for {format_duration(condition.hold)} of {subject} is shorter than the"
            f" {format_duration(interval)} between two samples: write 0s or at least {format_duration(interval)}"
        )
    if not condition.clear_for and condition.clear == condition.trigger.opposite():
        warnings.append(
            f"{_find_place(node, 'clear_for')}: {subject} clears at once and has no band, so it will flap:"
            " write a clear_for or a clear edge apart from the limit"
        )
    return warnings


def read_duration(text: str) -> timedelta:
    """Read a duration; one over a month is a mistake, and would have to be remembered for as long."""
    span = parse_duration(text)
    if span > _LONGEST:
        raise UsageError(f"{text} is too long: write {format_duration(_LONGEST)} or less")
    return span


def _read_some_time(text: str) -> timedelta:
    span = read_duration(text)
    if not span:
        raise UsageError(f"{text} is no time at all: write more, such as 2m")
    return span


def make_whole_reader(at_least: int, at_most: int) -> Callable[[str], int]:
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


def _read_edges(
    entries: dict[str, Node], operators: dict[str, Operator], problems: Problems, subject: str
) -> list[tuple[str, Edge | None]]:
    edges: list[tuple[str, Edge | None]] = []
    for key, operator in operators.items():
        if key in entries:
            limit = read_scalar(entries[key], read_number, problems, f"{key} of {subject}")
            edges.append((key, None if limit is None else Edge(operator, limit)))
    return edges


def _describe_wrong_side(subject: str, key: str, trigger: Edge, clear_key: str, clear: Edge) -> str:
    limit = format_number(trigger.limit)
    way = {
        Direction.UP: f"write clear_below with {limit} or less",
        Direction.DOWN: f"write clear_above with {limit} or more",
        Direction.EXACT: "write clear_equals with another number",
    }[trigger.operator.direction]
    if trigger.operator is Operator.NOT_EQUALS:
        way = f"write clear_equals: {limit}"
    return f"{clear_key} ({format_number(clear.limit)}) of {subject} is on the wrong side of {key} ({limit}): {way}"


def _read_on_missing(text: str) -> OnMissing:
    try:
        return OnMissing(text)
    except ValueError:
        raise UsageError(f"{text!r} is neither hold nor resolve: write hold or resolve") from None


def _find_place(node: Node, key: str) -> Place:
    return node.keys.get(key, node.place) if isinstance(node, MappingNode) else node.place
