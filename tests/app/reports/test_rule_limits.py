"""Which limits hold for which series, as the rule file says."""

from pathlib import Path

import pytest

from sysmon.app.catalog import tables
from sysmon.app.reports import rule_limits
from sysmon.errors import ConfigError
from sysmon.formats.records import LONGEST_RULES, RUNNING, rules_fields
from sysmon.model import Event, Level
from sysmon.thresholds import Sign, Threshold
from tests.config.places import NO_MACHINE
from tests.reading.stored import at

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


def logged(*texts: str, intervals: dict[str, float] | None = None) -> list[Event]:
    """Return the events of a run that began with the first rules and read the others later."""
    opening = {"run": "r1", "intervals": intervals or {"cpu": 10.0}}
    kinds = [RUNNING, *["reloaded"] * (len(texts) - 1)]
    return [
        Event(at(number), kind, {**(opening if kind == RUNNING else {}), **rules_fields(text)})
        for number, (kind, text) in enumerate(zip(kinds, texts, strict=True))
    ]


def logged_limits(events: list[Event]) -> list[float] | None:
    """Return the limits of the processors by the rules of a log."""
    limits = rule_limits.read_logged(events)
    if limits is None:
        return None
    thresholds = limits.of(tables()["cpu"], ["all"]).get("cpu_usage_percent", ())
    return [threshold.value for threshold in thresholds]


OTHER = RULES.replace("above: 80", "above: 70")


def test_the_last_rules_of_the_log_hold() -> None:
    assert logged_limits(logged(RULES, OTHER)) == [60, 70, 95]


def test_the_report_says_which_rules_of_the_run_these_are() -> None:
    limits = rule_limits.read_logged(logged(RULES))

    assert limits is not None
    assert limits.origin == f"the rules of the run (hash {rules_fields(RULES)['rules_hash']})"


def test_a_collector_that_was_slowed_down_costs_no_limits() -> None:
    windows = RULES.replace("metric: cpu_usage_percent, info", "metric: cpu_usage_percent, max_gap: 30s, info")

    assert logged_limits(logged(windows, intervals={"cpu": 300.0})) == [60, 80, 95]


@pytest.mark.parametrize(
    "events",
    [
        pytest.param([], id="no log"),
        pytest.param([Event(at(0), RUNNING, {"run": "r1"})], id="of an older sysmon"),
        pytest.param([*logged(RULES), Event(at(9), RUNNING, {"run": "r2"})], id="of an older sysmon that came back"),
        pytest.param(logged(RULES, RULES + "#" * LONGEST_RULES), id="too long to be logged"),
        pytest.param(logged(RULES, "version: 2\n"), id="of a newer sysmon"),
        pytest.param([Event(at(0), RUNNING, {"rules_hash": 1, "rules_text": [1], "intervals": 7})], id="none at all"),
    ],
)
def test_a_log_without_rules_that_can_be_read_has_no_limits(events: list[Event]) -> None:
    assert logged_limits(events) is None
