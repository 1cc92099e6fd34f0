"""Suggested limits from a machine's own history: above the usual, with a band, and how often they would have fired."""

from array import array
from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import floor, log10

from sysmon.alerts.rule import Condition, Direction, Edge, Operator, Rule, format_number, matches
from sysmon.alerts.rules.loader import RuleSet
from sysmon.app.catalog import tables
from sysmon.app.rules.backtest import Replay, tally_rules
from sysmon.model import Kind, Level, Table
from sysmon.stats.percentiles import nearest_rank
from sysmon.text.instants import format_instant
from sysmon.text.names import printable
from sysmon.text.units import format_duration

_USUAL = 990
_RARE = 999
"""The parts of a thousand values that stay at or below what is usual, and below what is rare."""

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


def suggest_rules(replay: Replay, rules: RuleSet) -> Iterator[str]:
    """Yield the lines of a rule file: the rules of another, with limits that suit the rows in question."""
    suggestions = [_suggest(replay, rule) for rule in rules.rules]
    tried = RuleSet(
        rules.path, tuple(_set_limit(suggestion) for suggestion in suggestions if suggestion.limit is not None)
    )
    counts = tally_rules(replay, tried)
    selection = replay.selection
    begin, end = format_instant(selection.since), format_instant(selection.until)
    yield f"# From the rows of {printable(replay.host.name)} from {begin} to {end}."
    yield "version: 1"
    yield "rules:" if tried.rules else "rules: []"
    for suggestion in suggestions:
        if suggestion.limit is None:
            yield f"  # {suggestion.rule.id}: {suggestion.why_not}"
            continue
        fired = counts[suggestion.rule.id].fired
        usual, most = format_number(_round(suggestion.usual)), format_number(_round(suggestion.most))
        yield f"  # It would have fired {fired} time{'' if fired == 1 else 's'}; p99 is {usual}, the maximum {most}."
        yield from _write(suggestion)


def _suggest(replay: Replay, rule: Rule) -> Suggestion:
    if rule.absent or rule.conditions[0].trigger.operator.direction is not Direction.UP:
        return Suggestion(rule, None, why_not="only rules about values that rise can be suggested")
    table = tables()[rule.table]
    values = sorted(_read_values(replay, rule, table))
    if not values:
        return Suggestion(rule, None, why_not="no values in this range")
    usual, rare = (values[nearest_rank(len(values), part, of=1000)] for part in (_USUAL, _RARE))
    most = values[-1]
    if most <= 0:
        return Suggestion(rule, None, why_not="always 0: any limit above that will do")
    limit = _round_up(rare * _ROOM)
    kind = next(metric.kind for metric in table.metrics if metric.name == rule.metric)
    if kind is Kind.RATIO:
        limit = min(limit, 100.0)
    clear = min(_round_up(usual), _round(0.95 * limit))
    return Suggestion(rule, limit, clear, usual, most)


def _read_values(replay: Replay, rule: Rule, table: Table) -> "array[float]":
    """Return all values of the rows that a rule is about."""
    column = table.columns.index(rule.metric)
    values = array("d")
    for stored in replay.archive.reader(table).rows(replay.selection.since, replay.selection.until):
        value = stored.row[column]
        labels = map(str, stored.row[: len(table.labels)])
        if isinstance(value, int | float) and matches(rule.match, dict(zip(table.labels, labels, strict=True))):
            values.append(value)
    return values


def _set_limit(suggestion: Suggestion) -> Rule:
    assert suggestion.limit is not None  # noqa: S101 - the caller asked
    mild = suggestion.rule.conditions[0]
    trigger, clear = Edge(Operator.AT_LEAST, suggestion.limit), Edge(Operator.BELOW, suggestion.clear)
    condition = Condition(Level.WARNING, trigger, clear, mild.hold, mild.clear_for, mild.count)
    return replace(suggestion.rule, conditions=(condition,), message=None)


def _write(suggestion: Suggestion) -> Iterator[str]:
    rule, condition = suggestion.rule, _set_limit(suggestion).conditions[0]
    yield f"  - id: {rule.id}"
    yield f"    metric: {rule.metric}"
    if rule.match:
        globs = ", ".join(f"{label}: [{', '.join(map(_quote, values))}]" for label, values in rule.match)
        yield f"    match: {{{globs}}}"
    yield f"    each: [{', '.join(rule.each)}]"
    yield f"    on_missing: {rule.on_missing.value}"
    hold = format_duration(condition.hold)
    if condition.count is not None:
        hold = f"{{bad: {condition.count.bad}, of: {condition.count.of}}}"
    limits = f"at_least: {format_number(condition.trigger.limit)}, clear_below: {format_number(condition.clear.limit)}"
    yield f"    warning: {{{limits}, for: {hold}, clear_for: {format_duration(condition.clear_for)}}}"


def _quote(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _round_up(value: float) -> float:
    """Return the next number with two digits that matter: nobody needs a limit of 83.7."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (floor(log10(value)) - 1)
    return _round(step * -(-value // step))


def _round(value: float) -> float:
    return float(f"{value:.3g}")
