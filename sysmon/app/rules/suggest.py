"""Limits from a machine's own history: above what it usually does, with a band, and how often they would have fired."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from math import floor, log10

from sysmon.alerts.rule import Condition, Direction, Edge, Operator, Rule, format_number
from sysmon.alerts.rules.loader import RuleSet
from sysmon.app.catalog import tables
from sysmon.app.rules.backtest import Replay, tally
from sysmon.model import Kind, Level, Table
from sysmon.reading.rows import read_rows
from sysmon.text.instants import format_instant
from sysmon.text.names import printable
from sysmon.text.units import format_duration

_USUAL = 0.99
_RARE = 0.999
_ROOM = 1.05


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A rule with other limits, or why there is none; `usual` and `most` are the p99 and the maximum."""

    rule: Rule
    limit: float | None
    clear: float = 0.0
    usual: float = 0.0
    most: float = 0.0
    why_not: str = ""


def suggest(found: Replay, rules: RuleSet) -> Iterator[str]:
    """Yield the lines of a rule file: the rules of another, with limits that suit the rows in question."""
    made = [_suggestion(found, rule) for rule in rules.rules]
    tried = RuleSet(rules.path, tuple(_with_limit(one) for one in made if one.limit is not None))
    counts = tally(found, tried)
    selection = found.selection
    begin, end = format_instant(selection.since), format_instant(selection.until)
    yield f"# From the rows of {printable(found.host.name)} from {begin} to {end}."
    yield "version: 1"
    yield "rules:" if tried.rules else "rules: []"
    for one in made:
        if one.limit is None:
            yield f"  # {one.rule.id}: {one.why_not}"
            continue
        fired = counts[one.rule.id].fired
        usual, most = format_number(_rounded(one.usual)), format_number(_rounded(one.most))
        yield f"  # It would have fired {fired} time{'' if fired == 1 else 's'}; p99 is {usual}, the maximum {most}."
        yield from _written(one)


def _suggestion(found: Replay, rule: Rule) -> Suggestion:
    if rule.absent or rule.conditions[0].trigger.operator.direction is not Direction.UP:
        return Suggestion(rule, None, why_not="only rules about values that rise can be suggested")
    table = tables()[rule.table]
    values = sorted(_values(found, rule, table))
    if not values:
        return Suggestion(rule, None, why_not="no values in this range")
    last = len(values) - 1
    usual, rare, most = values[floor(_USUAL * last)], values[floor(_RARE * last)], values[-1]
    if most <= 0:
        return Suggestion(rule, None, why_not="always 0: any limit above that will do")
    limit = _above(rare * _ROOM)
    kind = next(metric.kind for metric in table.metrics if metric.name == rule.metric)
    if kind is Kind.RATIO:
        limit = min(limit, 100.0)
    clear = min(_above(usual), _rounded(0.95 * limit))
    return Suggestion(rule, limit, clear, usual, most)


def _values(found: Replay, rule: Rule, table: Table) -> "array[float]":
    """Return all values of the rows that a rule is about."""
    column = table.columns.index(rule.metric)
    tests = [(table.labels.index(label), globs) for label, globs in rule.match]
    values = array("d")
    folder = found.host.folder / table.name
    for stored in read_rows(folder, table, found.selection.since, found.selection.until, found.damage):
        value = stored.row[column]
        if isinstance(value, int | float) and all(
            any(fnmatchcase(str(stored.row[place]), glob) for glob in globs) for place, globs in tests
        ):
            values.append(value)
    return values


def _with_limit(one: Suggestion) -> Rule:
    assert one.limit is not None  # noqa: S101 - the caller asked
    mild = one.rule.conditions[0]
    trigger, clear = Edge(Operator.AT_LEAST, one.limit), Edge(Operator.BELOW, one.clear)
    condition = Condition(Level.WARNING, trigger, clear, mild.hold, mild.clear_for, mild.count)
    return replace(one.rule, conditions=(condition,), message=None)


def _written(one: Suggestion) -> Iterator[str]:
    rule, condition = one.rule, _with_limit(one).conditions[0]
    yield f"  - id: {rule.id}"
    yield f"    metric: {rule.metric}"
    if rule.match:
        globs = ", ".join(f"{label}: [{', '.join(map(_quoted, values))}]" for label, values in rule.match)
        yield f"    match: {{{globs}}}"
    yield f"    each: [{', '.join(rule.each)}]"
    yield f"    on_missing: {rule.on_missing.value}"
    hold = format_duration(condition.hold)
    if condition.count is not None:
        hold = f"{{bad: {condition.count.bad}, of: {condition.count.of}}}"
    limits = f"at_least: {format_number(condition.trigger.limit)}, clear_below: {format_number(condition.clear.limit)}"
    yield f"    warning: {{{limits}, for: {hold}, clear_for: {format_duration(condition.clear_for)}}}"


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _above(value: float) -> float:
    """Return the next number with two digits that matter: nobody needs a limit of 83.7."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (floor(log10(value)) - 1)
    return _rounded(step * -(-value // step))


def _rounded(value: float) -> float:
    return float(f"{value:.3g}")
