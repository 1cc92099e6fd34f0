"""Limits of the rules for each series: reports say for how long it was beyond them."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from sysmon import config as configuration
from sysmon.alerts.rule import Rule, matches
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.catalog import intervals, tables
from sysmon.model import Table
from sysmon.thresholds import Sign, Threshold

_NOT_COMPARABLE = "sum"
"""A rule that adds values up has a limit that no single value can be compared with."""


class RuleLimits:
    """The limits of rules, by table, labels and metric; the rules for silence have none."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
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
    return RuleLimits(load_rules(config.rules, tables(), intervals(config)).rules)


def _read_limits(rule: Rule) -> list[Threshold]:
    return [
        Threshold(rule.id, condition.level, Sign(condition.trigger.operator.sign), condition.trigger.limit)
        for condition in rule.conditions
    ]
