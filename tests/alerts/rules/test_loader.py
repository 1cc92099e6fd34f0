"""What a rule file means: limits, bands, and which of several durations counts."""

from datetime import timedelta
from pathlib import Path

import pytest

from sysmon.alerts.mute_times import MuteTime, parse_cron
from sysmon.alerts.rule import ABSENT, PRESENT, Condition, Count, Edge, Flap, OnMissing, Operator, Rule
from sysmon.alerts.rules.loader import RuleSet, load_rules
from sysmon.alerts.templates import Template
from sysmon.alerts.window import Reduce
from sysmon.app.catalog import tables
from sysmon.model import Level
from tests.alerts.scenes import TABLES

INTERVALS = {"work": 10.0, "whole": 60.0}
MINUTE = timedelta(minutes=1)


def load(tmp_path: Path, text: str) -> RuleSet:
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    return load_rules(file, TABLES, INTERVALS)


def only_rule(tmp_path: Path, lines: str, *, defaults: str = "{}") -> Rule:
    text = f"version: 1\ndefaults: {defaults}\nrules:\n- id: hot\n  metric: busy_percent\n{lines}"
    (rule,) = load(tmp_path, text).rules
    return rule


def test_a_short_rule_is_filled_up_with_what_holds_without_a_word(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, "  warning: {at_least: 90}\n")

    assert rule == Rule(
        id="hot",
        metric="busy_percent",
        table="work",
        conditions=(
            Condition(
                Level.WARNING, Edge(Operator.AT_LEAST, 90), Edge(Operator.BELOW, 90), hold=MINUTE, clear_for=2 * MINUTE
            ),
        ),
        interval=timedelta(seconds=10),
        max_gap=MINUTE,
        gone_after=MINUTE,
        on_missing=OnMissing.HOLD,
        match=(),
        each=("device", "kind"),
        repeat=timedelta(hours=4),
        flap=Flap(timedelta(hours=1), start=6, stop=2),
        attach=5,
    )


def test_a_long_rule_says_everything_itself(tmp_path: Path) -> None:
    rule = only_rule(
        tmp_path,
        "  match: {device: [sd*, nvme0n1], kind: disk}\n"
        "  each: kind\n"
        "  for: 30s\n"
        "  clear_for: 40s\n"
        "  max_gap: 30s\n"
        "  gone_after: 10m\n"
        "  on_missing: resolve\n"
        "  cooldown: 5m\n"
        "  repeat: 0s\n"
        "  attach: 3\n"
        "  flap: {window: 2h, start: 9, stop: 3}\n"
        "  reduce: {fn: max, over: 5m, min_coverage: 0.5}\n"
        "  message: '{{ value }} on {{ labels.device }}'\n"
        "  critical: {below: 1e3, clear_above: 1500.5, for: 0s}\n"
        "  info: {at_most: 2000, clear_for: 1h30m}\n",
    )

    assert rule == Rule(
        id="hot",
        metric="busy_percent",
        table="work",
        conditions=(
            Condition(
                Level.INFO,
                Edge(Operator.AT_MOST, 2000),
                Edge(Operator.ABOVE, 2000),
                hold=timedelta(seconds=30),
                clear_for=90 * MINUTE,
            ),
            Condition(
                Level.CRITICAL,
                Edge(Operator.BELOW, 1000),
                Edge(Operator.ABOVE, 1500.5),
                hold=timedelta(0),
                clear_for=timedelta(seconds=40),
            ),
        ),
        interval=timedelta(seconds=10),
        max_gap=timedelta(seconds=30),
        gone_after=timedelta(minutes=10),
        on_missing=OnMissing.RESOLVE,
        match=(("device", ("sd*", "nvme0n1")), ("kind", ("disk",))),
        each=("kind",),
        cooldown=5 * MINUTE,
        attach=3,
        flap=Flap(timedelta(hours=2), start=9, stop=3),
        reduce=Reduce("max", 5 * MINUTE, 0.5),
        message=Template("{{ value }} on {{ labels.device }}", ("", "value", " on ", "labels.device", "")),
    )


@pytest.mark.parametrize(
    ("defaults", "in_rule", "in_level", "seconds"),
    [
        pytest.param("{}", "", "", 60, id="nothing said"),
        pytest.param("{for: 20s}", "", "", 20, id="the defaults"),
        pytest.param("{for: 20s}", "  for: 30s\n", "", 30, id="the rule over the defaults"),
        pytest.param("{for: 20s}", "  for: 30s\n", ", for: 40s", 40, id="the level over the rule"),
    ],
)
def test_the_nearest_setting_wins(tmp_path: Path, defaults: str, in_rule: str, in_level: str, seconds: int) -> None:
    rule = only_rule(tmp_path, f"{in_rule}  warning: {{above: 1{in_level}}}\n", defaults=defaults)

    assert rule.conditions[0].hold == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("limit", "trigger", "clear"),
    [
        pytest.param("above: 5", "> 5", "<= 5", id="above"),
        pytest.param("at_least: 5", ">= 5", "< 5", id="at_least"),
        pytest.param("below: 5", "< 5", ">= 5", id="below"),
        pytest.param("at_most: 5", "<= 5", "> 5", id="at_most"),
        pytest.param("equals: 5", "== 5", "!= 5", id="equals"),
        pytest.param("not_equals: 5", "!= 5", "== 5", id="not_equals"),
        pytest.param("above: 5, clear_below: 5", "> 5", "< 5", id="a band of one number"),
        pytest.param("below: 5, clear_above: 5", "< 5", "> 5", id="a band of one number below"),
        pytest.param("above: 0, clear_equals: 0", "> 0", "== 0", id="cleared by one number"),
        pytest.param("equals: 0, clear_above: 0.5", "== 0", "> 0.5", id="equals with a band above"),
        pytest.param("not_equals: 1, clear_equals: 1", "!= 1", "== 1", id="not_equals with its own number"),
        pytest.param("at_least: -2.5e-1", ">= -0.25", "< -0.25", id="a small negative number"),
    ],
)
def test_a_limit_has_another_edge_even_when_none_is_given(tmp_path: Path, limit: str, trigger: str, clear: str) -> None:
    (condition,) = only_rule(tmp_path, f"  warning: {{{limit}}}\n").conditions

    assert (str(condition.trigger), str(condition.clear)) == (trigger, clear)


def test_a_gap_from_the_defaults_is_raised_to_three_intervals_of_the_table(tmp_path: Path) -> None:
    rules = load(
        tmp_path,
        "version: 1\ndefaults: {max_gap: 60s}\nrules:\n"
        "- {id: a, metric: busy_percent, warning: {above: 1}}\n"
        "- {id: b, metric: load, warning: {above: 1}}\n",
    ).rules

    assert [rule.max_gap for rule in rules] == [MINUTE, 3 * MINUTE]


def test_samples_may_be_counted_in_place_of_time(tmp_path: Path) -> None:
    condition = only_rule(tmp_path, "  warning: {above: 1, for: {bad: 3, of: 5}}\n").conditions[0]

    assert (condition.hold, condition.count, condition.words) == (timedelta(0), Count(3, 5), "> 1 in 3 of 5 samples")


def test_a_level_may_ask_for_silence_which_begins_with_the_last_value(tmp_path: Path) -> None:
    rule = only_rule(tmp_path, "  warning: {absent_for: 2m, clear_for: 0s}\n")

    level = Condition(
        Level.WARNING, ABSENT, PRESENT, timedelta(seconds=110), timedelta(0), absent=timedelta(seconds=120)
    )
    assert (rule.conditions, rule.absent, rule.gone_after, level.words) == ((level,), True, None, "absent for 2m")


def test_quiet_times_are_read(tmp_path: Path) -> None:
    rule_set = load(
        tmp_path,
        "version: 1\nrules:\n- {id: cpu-hot, metric: load, warning: {above: 1}}\nquiet:\n"
        "- {name: backup, cron: '0 2 * * *', for: 45m, rules: [cpu-*], max_level: warning}\n"
        "- {name: all, cron: '0 3 * * *', for: 1h}\n",
    )

    assert rule_set.mute_times == (
        MuteTime("backup", parse_cron("0 2 * * *"), timedelta(minutes=45), ("cpu-*",), Level.WARNING),
        MuteTime("all", parse_cron("0 3 * * *"), timedelta(hours=1)),
    )


def test_each_may_be_empty_to_make_all_rows_one_alert(tmp_path: Path) -> None:
    assert only_rule(tmp_path, "  each: []\n  warning: {above: 1}\n").each == ()


def test_a_file_may_have_no_rules_at_all(tmp_path: Path) -> None:
    assert load(tmp_path, "version: 1\nrules: []\n").rules == ()


@pytest.mark.parametrize(
    ("level", "warnings"),
    [
        pytest.param(
            "{above: 1, clear_below: 0.5, for: 5s}",
            [
                "4:73: for 5s of warning of rule 'hot' is shorter than the 10s between two samples:"
                " write 0s or at least 10s"
            ],
            id="for under an interval",
        ),
        pytest.param("{above: 1, clear_below: 0.5, for: 0s}", [], id="for of nothing"),
        pytest.param("{above: 1, clear_below: 0.5, for: 10s}", [], id="for of an interval"),
        pytest.param(
            "{above: 1, clear_for: 0s}",
            [
                "4:55: warning of rule 'hot' clears at once and has no band, so it will flap:"
                " write a clear_for or a clear edge apart from the limit"
            ],
            id="clears at once without a band",
        ),
        pytest.param("{above: 1, clear_below: 0.5, clear_for: 0s}", [], id="clears at once with a band"),
    ],
)
def test_what_hardly_does_what_was_meant_is_warned_about(tmp_path: Path, level: str, warnings: list[str]) -> None:
    loaded_warnings = load(
        tmp_path, f"version: 1\nrules:\n\n- {{id: hot, metric: busy_percent, warning: {level}}}\n"
    ).warnings

    assert list(loaded_warnings) == [f"{tmp_path / 'rules.yaml'}:{line}" for line in warnings]


def test_a_warning_points_at_the_setting_even_when_the_level_inherits_it(tmp_path: Path) -> None:
    rule_set = load(tmp_path, "version: 1\nrules:\n- id: hot\n  metric: load\n  for: 5s\n  warning: {above: 1}\n")

    assert rule_set.warnings == (
        f"{tmp_path / 'rules.yaml'}:6:12: for 5s of warning of rule 'hot' is shorter than the 1m between two samples:"
        " write 0s or at least 1m",
    )


DEFAULT_RULES = Path(__file__).parents[3] / "config" / "rules.yaml"


def test_the_default_rules_are_fine_and_have_a_band_each() -> None:
    all_tables = tables()

    rule_set = load_rules(
        DEFAULT_RULES, all_tables, {name: 60.0 if name == "disk_usage" else 10.0 for name in all_tables}
    )

    assert rule_set.warnings == ()
    assert [rule.id for rule in rule_set.rules] == [
        "cpu-saturated",
        "memory-low",
        "oom-kill",
        "disk-busy",
        "disk-slow",
        "network-saturated",
        "network-drops",
        "disk-full",
        "inodes-full",
        "pressure-memory",
        "pressure-io",
        "pressure-cpu",
    ]
    assert [
        rule.id
        for rule in rule_set.rules
        for condition in rule.conditions
        if condition.clear == condition.trigger.opposite()
    ] == []


def test_the_default_rules_fire_at_these_limits() -> None:
    all_tables = tables()

    rules = load_rules(DEFAULT_RULES, all_tables, dict.fromkeys(all_tables, 10.0)).rules

    assert [
        f"{rule.id}: {rule.metric} {condition.words} {condition.level}"
        for rule in rules
        for condition in rule.conditions
    ] == [
        "cpu-saturated: cpu_usage_percent >= 80 for 5m warning",
        "cpu-saturated: cpu_usage_percent >= 95 for 1m critical",
        "memory-low: memory_usage_percent >= 85 for 1m warning",
        "memory-low: memory_usage_percent >= 95 for 1m critical",
        "oom-kill: oom_kills >= 1 critical",
        "disk-busy: disk_io_util_percent >= 80 for 5m warning",
        "disk-slow: disk_await_ms >= 100 for 1m warning",
        "disk-slow: disk_await_ms >= 500 for 1m critical",
        "network-saturated: network_bandwidth_usage_percent >= 80 for 1m warning",
        "network-saturated: network_bandwidth_usage_percent >= 95 for 1m critical",
        "network-drops: network_drop_percent >= 1 for 1m warning",
        "disk-full: disk_usage_percent >= 80 for 5m warning",
        "disk-full: disk_usage_percent >= 90 for 1m critical",
        "inodes-full: inode_usage_percent >= 80 for 5m warning",
        "inodes-full: inode_usage_percent >= 90 for 1m critical",
        "pressure-memory: pressure_some_percent >= 10 for 2m info",
        "pressure-io: pressure_some_percent >= 40 for 5m info",
        "pressure-cpu: pressure_some_percent >= 50 for 10m info",
    ]
