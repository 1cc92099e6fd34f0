"""What the lines of a rule file mean that say how bad is bad and for how long: limits, clear edges, durations."""

import difflib
import re
from collections.abc import Callable, Container, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from sysmon.alerts.conditions import Condition, Direction, Edge, OnMissing, Operator, format_number
from sysmon.errors import UsageError
from sysmon.model import Level
from sysmon.units import format_duration, parse_duration
from sysmon.yamlnodes import Mapping, Node, Place, Problems, Scalar, known_keys, read_scalar

_OPERATORS = {operator.key: operator for operator in Operator}
_CLEAR = {"clear_below": Operator.BELOW, "clear_above": Operator.ABOVE, "clear_equals": Operator.EQUALS}
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_LATER_IN_A_LEVEL = ("absent_for",)


@dataclass(frozen=True, slots=True)
class Settings:
    """What `defaults`, a rule and a level may all set; the nearest wins. `gone_after` None is `max_gap`."""

    hold: timedelta = timedelta(minutes=1)
    clear_for: timedelta = timedelta(minutes=2)
    max_gap: timedelta = timedelta(seconds=60)
    on_missing: OnMissing = OnMissing.HOLD
    gone_after: timedelta | None = None


LEVEL_SETTINGS = ("for", "clear_for")
SETTINGS = (*LEVEL_SETTINGS, "max_gap", "on_missing", "gone_after")
_DURATIONS: dict[str, Callable[[Settings, timedelta], Settings]] = {
    "for": lambda settings, span: replace(settings, hold=span),
    "clear_for": lambda settings, span: replace(settings, clear_for=span),
    "max_gap": lambda settings, span: replace(settings, max_gap=span),
    "gone_after": lambda settings, span: replace(settings, gone_after=span),
}


def supported_keys(
    node: Node, allowed: Iterable[str], later: Iterable[str], problems: Problems, what: str
) -> Iterator[tuple[str, Node]]:
    """Yield the allowed keys of a mapping; note those that a later version will take, and those that none will."""
    if isinstance(node, Mapping):
        soon = [key for key in node.entries if key in later]
        for key in soon:
            problems.add(node.keys[key], f"{key!r} is not supported yet: remove it")
        node = replace(node, entries={key: value for key, value in node.entries.items() if key not in soon})
    return known_keys(node, allowed, problems, what)


def misspelt(node: Mapping, known: Container[str], names: Iterable[str]) -> bool:
    """Say whether a key that is not known was probably meant for one of `names`: its own complaint is then enough."""
    wanted = list(names)
    return any(key not in known and difflib.get_close_matches(key, wanted, n=1, cutoff=0.6) for key in node.entries)


def read_settings(entries: Iterable[tuple[str, Node]], base: Settings, problems: Problems, what: str) -> Settings:
    """Return `base` with what the entries set; entries that are no settings are passed over."""
    settings = base
    for key, node in entries:
        name = f"{key} of {what}"
        if key == "for" and isinstance(node, Mapping):
            problems.add(node.place, f"{name}: counting samples is not supported yet: write a duration such as 1m")
        elif key in _DURATIONS:
            span = read_scalar(node, parse_duration, problems, name)
            settings = settings if span is None else _DURATIONS[key](settings, span)
        elif key == "on_missing":
            settings = replace(settings, on_missing=read_scalar(node, _on_missing, problems, name) or base.on_missing)
    return settings


def read_level(level: Level, node: Node, base: Settings, problems: Problems, rule: str) -> Condition | None:
    """Read what one level of a rule asks for."""
    what = f"{level} of {rule}"
    entries = dict(supported_keys(node, [*_OPERATORS, *_CLEAR, *LEVEL_SETTINGS], _LATER_IN_A_LEVEL, problems, what))
    settings = read_settings(entries.items(), base, problems, what)
    triggers = _edges(entries, _OPERATORS, problems, what)
    clears = _edges(entries, _CLEAR, problems, what)
    if not triggers:
        if isinstance(node, Mapping) and not misspelt(node, entries, [*_OPERATORS, *_LATER_IN_A_LEVEL]):
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
    return Condition(level, trigger, clear, settings.hold, settings.clear_for)


def level_warnings(node: Node, condition: Condition, interval: timedelta, what: str) -> list[str]:
    """Return what may stand in a file but hardly does what was meant."""
    told = []
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
