"""Limits of the rules for each series, from the event log or a file: reports say for how long it was beyond them."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from sysmon import config as configuration
from sysmon.alerts.rule import Rule, matches
from sysmon.alerts.rules.loader import load_rules, read_rules
from sysmon.app.catalog import intervals, tables
from sysmon.errors import ConfigError
from sysmon.formats.records import RULES_HASH, RULES_TEXT, RUNNING
from sysmon.model import Event, Table
from sysmon.reading.coverage import read_intervals
from sysmon.text.names import printable
from sysmon.thresholds import Sign, Threshold

_NOT_COMPARABLE = "sum"
"""A rule that adds values up has a limit that no single value can be compared with."""


class RuleLimits:
    """The limits of rules, by table, labels and metric; the rules for silence have none.

    `origin` says in a report which rules these are.
    """

    def __init__(self, rules: Iterable[Rule] = (), origin: str = "") -> None:
        self.origin = origin
        self._rules: dict[str, list[Rule]] = {}
        for rule in rules:
            if not rule.absent and (rule.reduce is None or rule.reduce.function != _NOT_COMPARABLE):
                self._rules.setdefault(rule.table, []).append(rule)

    def of(self, table: Table, labels: Sequence[str]) -> Mapping[str, tuple[Threshold, ...]]:
        """Return the limits of a series by metric, mild to severe."""
        by_metric: dict[str, list[Threshold]] = {}
        by_name = dict(zip(table.labels, labels, strict=True))
        for rule in self._rules.get(table.name, ()):
            if matches(rule.match, by_name):
                by_metric.setdefault(rule.metric, []).extend(_read_limits(rule))
        return {
            metric: tuple(sorted(limits, key=lambda limit: limit.level.rank)) for metric, limits in by_metric.items()
        }


def load(*, rules: Path | None, config_file: Path | None, environ: Mapping[str, str]) -> RuleLimits:
    """Return the limits of the rules that `run` would use; raise ConfigError where these cannot be read."""
    config = configuration.load(config=config_file, rules=rules, environ=environ)
    way = "--rules" if rules is not None else "the event log has none for this range"
    origin = f"rules of {printable(str(config.rules))} ({way})"
    return RuleLimits(load_rules(config.rules, tables(), intervals(config)).rules, origin)


def read_logged(events: Iterable[Event]) -> RuleLimits | None:
    """Return the limits of the last rules in an event log; None where it has none that can be read."""
    last, seconds = None, dict[str, float]()
    for event in events:
        if event.kind in {RUNNING, "reloaded"}:
            last = event
        if event.kind == RUNNING:
            seconds = read_intervals(event.fields.get("intervals"))
    text = None if last is None else last.fields.get(RULES_TEXT)
    if last is None or not isinstance(text, str):
        return None
    origin = f"the rules of the run (hash {printable(str(last.fields.get(RULES_HASH)))})"
    # A collector that was slowed down since may be slower than its rules allow.
    for pace in (seconds, dict[str, float]()):
        with suppress(ConfigError):
            return RuleLimits(read_rules(text.encode(), Path("rules"), tables(), pace).rules, origin)
    return None


def _read_limits(rule: Rule) -> list[Threshold]:
    return [
        Threshold(rule.id, condition.level, Sign(condition.trigger.operator.sign), condition.trigger.limit)
        for condition in rule.conditions
    ]
