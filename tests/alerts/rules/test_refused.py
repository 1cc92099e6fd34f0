"""Every way to get a rule file wrong has one line: where it stands, what was found, what to write instead."""

from pathlib import Path

import pytest

from sysmon.alerts.rules.loader import load_rules
from sysmon.errors import ConfigError
from tests.alerts.scenes import TABLES

RULE = "version: 1\nrules:\n  - id: hot\n    metric: busy_percent\n"


def complaints(tmp_path: Path, text: str) -> list[str]:
    """Return the lines for a rule file of this text, each without the file's name."""
    file = tmp_path / "rules.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_rules(file, TABLES, {"work": 10.0, "whole": 10.0})
    return [line.removeprefix(f"{file}:") for line in str(caught.value).split("\n")]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param("", "1:1: the file is empty: write version: 1 and a list under rules:", id="empty file"),
        pytest.param("rules: []\n", "1:1: version is missing: write version: 1", id="no version"),
        pytest.param(
            "version: 2\nrules: []\n",
            "1:10: version is '2', and this sysmon reads version 1: write version: 1",
            id="version 2",
        ),
        pytest.param(
            "version: [1]\nrules: []\n",
            "1:10: version is no single value, and this sysmon reads version 1: write version: 1",
            id="version list",
        ),
        pytest.param("version: 1\n", "1:1: no rules: write them as a list under rules:", id="no rules"),
        pytest.param("version: 1\nrules:\n", "2:7: rules is no list: begin each rule with `- id:`", id="rules null"),
        pytest.param(
            "version: 1\nrules: {a: 1}\n", "2:8: rules is no list: begin each rule with `- id:`", id="rules mapping"
        ),
        pytest.param(
            "version: 1\nrule: []\nrules: []\n",
            "2:1: unknown key 'rule' in the rule file: did you mean 'rules'?",
            id="unknown top key",
        ),
        pytest.param(
            "version: 1\nrules:\n  - hot\n",
            "3:5: rule 1 is no mapping: begin it with `- id:` and `metric:` below",
            id="rule scalar",
        ),
        pytest.param(
            "version: 1\nrules:\n  - metric: busy_percent\n    warning: {at_least: 90}\n",
            "3:5: rule 1 has no id: write a short name that stays, such as id: cpu-hot",
            id="no id at all",
        ),
        pytest.param(
            "version: 1\nrules:\n  - id: CPU Hot\n    metric: busy_percent\n    warning: {at_least: 90}\n",
            "3:9: id of rule 1: 'CPU Hot': write at most 64 of a-z, 0-9, - and _, with a letter or digit first",
            id="bad id",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n  - id: hot\n    metric: busy_percent\n    warning: {at_least: 90}\n",
            "6:9: rule id 'hot' again (first in line 3): choose another",
            id="a rule id twice",
        ),
        pytest.param(
            "version: 1\nrules:\n  - id: hot\n    warning: {at_least: 90}\n",
            "3:5: rule 'hot' has no metric: write one such as metric: cpu_usage_percent",
            id="no metric",
        ),
        pytest.param(
            "version: 1\nrules:\n  - id: hot\n    metric: busy_percnt\n    warning: {at_least: 90}\n",
            "4:13: unknown metric 'busy_percnt' in rule 'hot': did you mean 'busy_percent'?",
            id="unknown metric",
        ),
        pytest.param(
            "version: 1\nrules:\n  - id: hot\n    metric: zzz\n    warning: {at_least: 90}\n",
            "4:13: unknown metric 'zzz' in rule 'hot': write a column of the data files, units and all",
            id="a metric like no other",
        ),
        pytest.param(
            "version: 1\nrules:\n  - id: hot\n    metric: process_cpu_percent\n    warning: {at_least: 90}\n",
            "4:13: metric 'process_cpu_percent' in rule 'hot' is of table 'process', which lists only the busiest rows"
            ", so nothing can be told from an absent one:"
            " watch a metric of another table",
            id="a metric of busy rows only",
        ),
        pytest.param(RULE, "3:5: rule 'hot' has no level: write one such as warning: {at_least: 90}", id="no level"),
        pytest.param(
            RULE + "    warning: 90\n",
            "5:14: warning of rule 'hot' is a single value: write `key: value` lines",
            id="level scalar",
        ),
        pytest.param(
            RULE + "    warning:\n",
            "5:13: warning of rule 'hot' is empty: write {at_least: 90} or remove it",
            id="level null",
        ),
        pytest.param(
            RULE + "    warning: {for: 1m}\n",
            "5:14: warning of rule 'hot' has no limit: write one such as at_least: 90",
            id="a level without a limit",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90, above: 80}\n",
            "5:15: warning of rule 'hot' has both above and at_least: keep one",
            id="two limits",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90, clear_below: 80, clear_above: 70}\n",
            "5:46: warning of rule 'hot' has both clear_below and clear_above: keep one",
            id="two clear edges",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90, clear_below: 95}\n",
            "5:29: clear_below (95) of warning of rule 'hot' is on the wrong side of at_least (90):"
            " write clear_below with 90 or less",
            id="a clear edge over a limit",
        ),
        pytest.param(
            RULE + "    warning: {below: 10, clear_above: 5}\n",
            "5:26: clear_above (5) of warning of rule 'hot' is on the wrong side of below (10):"
            " write clear_above with 10 or more",
            id="a clear edge under a falling limit",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90, clear_above: 70}\n",
            "5:29: clear_above (70) of warning of rule 'hot' is on the wrong side of at_least (90):"
            " write clear_below with 90 or less",
            id="a clear edge of the wrong kind",
        ),
        pytest.param(
            RULE + "    warning: {equals: 3, clear_equals: 3}\n",
            "5:26: clear_equals (3) of warning of rule 'hot' is on the wrong side of equals (3):"
            " write clear_equals with another number",
            id="a clear edge at the limit itself",
        ),
        pytest.param(
            RULE + "    warning: {not_equals: 3, clear_below: 2}\n",
            "5:30: clear_below (2) of warning of rule 'hot' is on the wrong side of not_equals (3):"
            " write clear_equals: 3",
            id="a clear edge beside not_equals",
        ),
        pytest.param(
            RULE + "    warning: {below: 10}\n    critical: {above: 90}\n",
            "6:15: rule 'hot': warning is < 10 and critical is > 90, which look in different directions:"
            " write two rules",
            id="levels of two directions",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90, for: 5}\n",
            "5:34: for of warning of rule 'hot': '5' is no duration: write 5s, 5m or 5h",
            id="a duration without a unit",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90%}\n",
            "5:25: at_least of warning of rule 'hot': '90%' is no plain number: write 90",
            id="percent",
        ),
        pytest.param(
            RULE + "    warning: {at_least: nan}\n",
            "5:25: at_least of warning of rule 'hot': 'nan' is no number: write one such as 90 or 0.5",
            id="nan",
        ),
        pytest.param(
            RULE + "    warning: {at_least: .inf}\n",
            "5:25: at_least of warning of rule 'hot': '.inf' is no number: write one such as 90 or 0.5",
            id="inf",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 1e400}\n",
            "5:25: at_least of warning of rule 'hot': '1e400' is too large: write a number below 1e308",
            id="huge",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 017}\n",
            "5:25: at_least of warning of rule 'hot': '017' is no number: write one such as 90 or 0.5",
            id="a leading zero",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 10:30}\n",
            "5:25: at_least of warning of rule 'hot': '10:30' is no number: write one such as 90 or 0.5",
            id="minutes and seconds",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 1_000}\n",
            "5:25: at_least of warning of rule 'hot': '1_000' is no number: write one such as 90 or 0.5",
            id="digits in groups",
        ),
        pytest.param(
            RULE + "    warning: {at_least: [90]}\n",
            "5:25: at_least of warning of rule 'hot' is a list: write a single value",
            id="limit list",
        ),
        pytest.param(
            RULE + "    warning: {at_least: }\n",
            "5:24: at_least of warning of rule 'hot': '' is no number: write one such as 90 or 0.5",
            id="a limit without number",
        ),
        pytest.param(
            RULE + "    warning: {at_lest: 90}\n",
            "5:15: unknown key 'at_lest' in warning of rule 'hot': did you mean 'at_least'?",
            id="unknown level key",
        ),
        pytest.param(
            RULE + "    warnig: {at_least: 90}\n    warning: {at_least: 90}\n",
            "5:5: unknown key 'warnig' in rule 'hot': did you mean 'warning'?",
            id="unknown rule key",
        ),
        pytest.param(
            "version: 1\ndefaults: {maxgap: 5m}\nrules: []\n",
            "2:12: unknown key 'maxgap' in defaults: did you mean 'max_gap'?",
            id="unknown default",
        ),
        pytest.param(
            "version: 1\ndefaults: 5m\nrules: []\n",
            "2:11: defaults is a single value: write `key: value` lines",
            id="defaults without keys",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    on_missing: ignore\n",
            "6:17: on_missing of rule 'hot': 'ignore' is neither hold nor resolve: write hold or resolve",
            id="on_missing",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    on_missing: on\n",
            "6:17: on_missing of rule 'hot': 'on' is neither hold nor resolve: write hold or resolve",
            id="on_missing bool",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    max_gap: 20s\n",
            "6:14: max_gap 20s of rule 'hot' is under 3 intervals of table 'work': write 30s or more",
            id="max_gap",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    match: {devce: sda}\n",
            "6:13: unknown label 'devce' in match of rule 'hot': did you mean 'device'?",
            id="match label",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    match: sda\n",
            "6:12: match of rule 'hot' is no mapping: write it as {label: value}",
            id="match scalar",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    match: {device: []}\n",
            "6:21: match device of rule 'hot' is an empty list, which fits nothing: write a value or remove it",
            id="an empty list to match",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    match: {device: {a: b}}\n",
            "6:21: match device of rule 'hot' is a mapping: write a single value",
            id="a mapping to match",
        ),
        pytest.param(
            "version: 1\nrules:\n  - id: hot\n    metric: load\n    match: {core: all}\n    warning: {at_least: 90}\n",
            "5:13: unknown label 'core' in match of rule 'hot': table 'whole' has none: remove it",
            id="a label where there are none",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    each: mountpoint\n",
            "6:11: unknown label 'mountpoint' in each of rule 'hot': known are device, kind",
            id="each label",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    each: [device, knd]\n",
            "6:20: unknown label 'knd' in each of rule 'hot': did you mean 'kind'?",
            id="the second label of each",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    each: {device: 1}\n",
            "6:11: each of rule 'hot' is a mapping: write a single value",
            id="each mapping",
        ),
        pytest.param(
            RULE + "    warning: {clear_below: 80}\n",
            "5:14: warning of rule 'hot' has no limit: write one such as at_least: 90",
            id="a clear edge alone",
        ),
        pytest.param(
            RULE + "    warnig: {at_least: 80}\n",
            "5:5: unknown key 'warnig' in rule 'hot': did you mean 'warning'?",
            id="a level misspelt",
        ),
        pytest.param(
            "version: 1\nrules:\n  - id: a\n    metrik: load\n    warning: {at_least: 90}\n",
            "4:5: unknown key 'metrik' in rule 'a': did you mean 'metric'?",
            id="metric misspelt",
        ),
        pytest.param(
            "version: 1\nrule: []\n",
            "2:1: unknown key 'rule' in the rule file: did you mean 'rules'?",
            id="rules misspelt",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    reduce: {fn: mean, over: 1m, min_coverage: 2}\n",
            "6:48: min_coverage of reduce of rule 'hot':"
            " 2 is out of range: write more than 0 and at most 1, such as 0.8",
            id="a share over one",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    reduce: {fn: median, over: 1m}\n",
            "6:18: fn of reduce of rule 'hot': 'median' is not known: did you mean 'mean'?",
            id="a function like no other",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    reduce: {over: 1m}\n",
            "6:13: reduce of rule 'hot' has no 'fn': write fn: mean",
            id="no function",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    reduce: {fn: mean}\n",
            "6:13: reduce of rule 'hot' has no 'over': write over: 1m",
            id="no time to reduce",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    reduce: {fn: mean, over: 5s}\n",
            "6:30: over of reduce of rule 'hot' holds 0.5 samples: write 10s to 1d3h46m40s",
            id="less than a sample to reduce",
        ),
        pytest.param(
            RULE + '    warning: {at_least: 90}\n    message: "{{ value.__class__ }}"\n',
            "6:14: message of rule 'hot': {{ value.__class__ }} cannot be filled in: write one of"
            " value, threshold, level, metric, since, duration, peak, trend, top, labels.hostname, "
            "labels.environment, labels.region, labels.datacenter, labels.role, labels.device, labels.kind",
            id="a message that looks into things",
        ),
        pytest.param(
            RULE + '    warning: {at_least: 90}\n    message: "{{ value"\n',
            "6:14: message of rule 'hot': {{ and }} do not pair up: write names as in {{ value }}",
            id="a message with half a name",
        ),
        pytest.param(
            RULE + '    warning: {at_least: 90}\n    message: ""\n',
            "6:14: message of rule 'hot': a message has 1 to 500 characters, this one has 0: write another",
            id="an empty message",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    attach: 21\n",
            "6:13: attach of rule 'hot': '21': write a whole number from 0 to 20",
            id="more culprits than a line holds",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    flap: {start: 2, stop: 3}\n",
            "6:11: flap of rule 'hot': stop (3) is over start (2): write 2 or less",
            id="flapping that ends before it begins",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    flap: {start: 1}\n",
            "6:19: start of flap of rule 'hot': '1': write a whole number from 2 to 1000",
            id="flapping at the first alert",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    cooldown: 5\n",
            "6:15: cooldown of rule 'hot': '5' is no duration: write 5s, 5m or 5h",
            id="a cooldown without unit",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\n    repeat: 99d\n",
            "6:13: repeat of rule 'hot': 99d is too long: write 31d or less",
            id="a reminder once in a blue moon",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90, for: {bad: 6, of: 5}}\n",
            "5:34: for of warning of rule 'hot': 6 of 5 can never be: write a bad that is 5 or less",
            id="more bad samples than samples",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90, for: {bad: 3}}\n",
            "5:34: for of warning of rule 'hot' has no 'of': write {bad: 3, of: 5}",
            id="bad of how many",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90, for: {bad: 0, of: 5}}\n",
            "5:40: bad in for of warning of rule 'hot': '0': write a whole number from 1 to 1000",
            id="no bad samples at all",
        ),
        pytest.param(
            RULE + "    warning: {absent_for: 0s}\n",
            "5:27: absent_for of warning of rule 'hot': 0s is no time at all: write more, such as 2m",
            id="absent for no time",
        ),
        pytest.param(
            RULE + "    warning: {absent_for: 2m, above: 5}\n",
            "5:38: warning of rule 'hot' has both absent_for and above: write two rules, or remove above",
            id="silence and a limit",
        ),
        pytest.param(
            RULE + "    warning: {absent_for: 2m}\n    critical: {above: 5}\n",
            "6:15: rule 'hot': warning is absent for 2m and critical is > 5 for 1m: silence and values are two rules",
            id="silence at one level and a limit at another",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: 5m\n",
            "6:8: quiet is no list: begin each quiet time with `- name:`",
            id="quiet as a scalar",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: [{cron: '0 2 * * *', for: 1h}]\n",
            "6:9: quiet time 1 has no 'name': write name: backup",
            id="quiet without a name",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: [{name: a, cron: 0 2 * *, for: 1h}]\n",
            "6:25: cron of quiet time 1: '0 2 * *' has 4 fields: "
            "write minute, hour, day, month and weekday, as in 0 2 * * *",
            id="four fields",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: [{name: a, cron: '61 2 * * *', for: 1h}]\n",
            "6:25: cron of quiet time 1: '61' is no minute: write 0 to 59",
            id="minute 61",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: [{name: a, cron: '0 2 * * fry', for: 1h}]\n",
            "6:25: cron of quiet time 1: 'fry' is no weekday: write 0 to 7 or sun to sat",
            id="a weekday of another world",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: [{name: a, cron: '0 9-5 * * *', for: 1h}]\n",
            "6:25: cron of quiet time 1: '9-5' in the hour field runs backwards: write 5-9 or two ranges",
            id="hours that run backwards",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: [{name: a, cron: '0 2 * * *', for: 8d}]\n",
            "6:43: for of quiet time 1: 8d is out of range: write 1m to 7d",
            id="quiet for ever",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: [{name: a, cron: '0 2 * * *', for: 1h, rules: hto}]\n",
            "6:54: rules of quiet time 1: 'hto' fits no rule: did you mean 'hot'?",
            id="quiet for no rule",
        ),
        pytest.param(
            RULE + "    warning: {at_least: 90}\nquiet: [{name: a, cron: '0 2 * * *', for: 1h, max_level: bad}]\n",
            "6:58: max_level of quiet time 1: 'bad' is no level: known are critical, info, warning",
            id="quiet up to no level",
        ),
    ],
)
def test_one_mistake_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    assert complaints(tmp_path, text) == [line]


def test_all_mistakes_of_a_file_are_told_at_once_in_its_order(tmp_path: Path) -> None:
    text = (
        RULE + "    warning: {at_least: 90%}\n    each: core\n  - id: hot\n    metric: lod\n    critical: {above: 1}\n"
    )

    assert complaints(tmp_path, text) == [
        "5:25: at_least of warning of rule 'hot': '90%' is no plain number: write 90",
        "6:11: unknown label 'core' in each of rule 'hot': known are device, kind",
        "7:9: rule id 'hot' again (first in line 3): choose another",
        "8:13: unknown metric 'lod' in rule 'hot': did you mean 'load'?",
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("- 1\n", "1:1", id="top list"),
        pytest.param("hello\n", "1:1", id="top scalar"),
        pytest.param(RULE + "    warning: {at_least: !!float 90}\n", "5:25", id="tag"),
        pytest.param("version: 1\nrules: []\n---\nversion: 1\n", "3:1", id="two docs"),
        pytest.param("version: 1\nrules:\n\t- id: a\n", "3:1", id="tab"),
        pytest.param("version: 1\nrules: ['\n", "3:1", id="an open quote"),
        pytest.param(RULE + "    warning: {at_least: 90}\n    warning: {at_least: 90}\n", "6:5", id="a key twice"),
        pytest.param("version: 1\ndefaults: &a {for: 1m}\nrules: []\n", "2:11", id="an anchor"),
    ],
)
def test_what_yaml_would_allow_is_refused_at_its_place(tmp_path: Path, text: str, place: str) -> None:
    (line,) = complaints(tmp_path, text)

    assert line.startswith(f"{place}: ")


def test_an_id_has_at_most_64_characters(tmp_path: Path) -> None:
    text = RULE.replace("hot", "h" * 65) + "    warning: {above: 1}\n"

    assert complaints(tmp_path, text) == [
        f"3:9: id of rule 1: '{'h' * 65}': write at most 64 of a-z, 0-9, - and _, with a letter or digit first"
    ]


def test_more_rules_than_can_be_watched_are_not_even_read(tmp_path: Path) -> None:
    text = "version: 1\nrules:\n" + "  - nonsense\n" * 1001

    assert complaints(tmp_path, text) == ["1003:5: 1001 rules: keep at most 1000 in a file"]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.yaml: cannot be read"):
        load_rules(tmp_path / "none.yaml", TABLES, {"work": 10.0})
