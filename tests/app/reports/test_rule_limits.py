"""Which limits hold for which series, as the rule file says."""

from pathlib import Path

import pytest

from sysmon.app.catalog import tables
from sysmon.app.reports import rule_limits
from sysmon.errors import ConfigError
from sysmon.model import Level
from sysmon.thresholds import Sign, Threshold
from tests.config.places import NO_MACHINE

RULES = """\
version: 1
rules:
  - {id: hot, metric: cpu_usage_percent, match: {core: all}, critical: {at_least: 95}, warning: {above: 80}}
  - {id: warm, metric: cpu_usage_percent, info: {at_least: 60}}
  - {id: silent, metric: cpu_steal_percent, critical: {absent_for: 5m}}
  - {id: kills, metric: oom_kills, reduce: {fn: sum, over: 1h}, critical: {at_least: 3}}
  - {id: slow, metric: memory_usage_percent, reduce: {fn: mean, over: 5m}, warning: {at_least: 90}}
"""


def limits_of(folder: Path, table: str, *labels: str) -> dict[str, tuple[Threshold, ...]]:
    """Return the limits of a series by the rules above."""
    (folder / "rules.yaml").write_text(RULES)
    rule_limits_of_file = rule_limits.load(
        rules=folder / "rules.yaml", config_file=None, environ=NO_MACHINE | {"HOME": str(folder)}
    )
    return dict(rule_limits_of_file.of(tables()[table], labels))


def test_the_limits_of_all_rules_that_fit_are_there_from_mild_to_severe(tmp_path: Path) -> None:
    assert limits_of(tmp_path, "cpu", "all") == {
        "cpu_usage_percent": (
            Threshold("warm", Level.INFO, Sign.AT_LEAST, 60),
            Threshold("hot", Level.WARNING, Sign.ABOVE, 80),
            Threshold("hot", Level.CRITICAL, Sign.AT_LEAST, 95),
        )
    }


def test_a_series_that_a_rule_does_not_match_has_none_of_its_limits(tmp_path: Path) -> None:
    assert [limit.rule for limit in limits_of(tmp_path, "cpu", "0")["cpu_usage_percent"]] == ["warm"]


def test_silence_and_sums_have_no_limit_that_a_value_could_be_beyond(tmp_path: Path) -> None:
    assert list(limits_of(tmp_path, "memory")) == ["memory_usage_percent"]


def test_rules_that_cannot_be_read_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.yaml: cannot be read"):
        rule_limits.load(
            rules=tmp_path / "missing.yaml", config_file=None, environ=NO_MACHINE | {"HOME": str(tmp_path)}
        )
