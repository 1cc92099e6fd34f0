"""Rule tests that people write: the short notation, what passes, what a failure shows, what is refused."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.alerts.rule_tests import TrialResult, pack, run_trial, unpack
from sysmon.alerts.rules.loader import load_rules
from sysmon.alerts.rules.trial_file import load_trials
from sysmon.errors import ConfigError, UsageError
from tests.alerts.scenes import TABLES

RULES = """\
version: 1
defaults: {for: 20s, clear_for: 20s}
rules:
- {id: hot, metric: busy_percent, each: device, warning: {at_least: 90, clear_below: 80}}
"""
HEAD = "rules: rules.yaml\ntests:\n- name: one\n"


def tried(folder: Path, text: str) -> TrialResult:
    (folder / "rules.yaml").write_text(RULES)
    (folder / "tests.yaml").write_text(HEAD + text)
    file = load_trials(folder / "tests.yaml", TABLES)
    rules = load_rules(file.rules, TABLES, {"work": 10.0})
    return run_trial(file.trials[0], rules.rules, rules.mute_times, TABLES)


def series(values: str) -> str:
    return f"  series: [{{metric: busy_percent, labels: {{device: sda, kind: disk}}, values: '{values}'}}]\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("95x3 _x2 70", ("95", "95", "95", "_", "_", "70"), id="repeated"),
        pytest.param("-1.5 1e3x2 . gonex2", ("-1.5", "1e3", "1e3", ".", "gone", "gone"), id="signs and signals"),
    ],
)
def test_the_short_notation_is_read(text: str, words: tuple[str, ...]) -> None:
    assert unpack(text) == words


@pytest.mark.parametrize("text", ["", "95x", "95x0", "x5", "9 5%", "nan", "95x999999", "_3", "--"])
def test_what_is_no_notation_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        unpack(text)


@given(st.lists(st.sampled_from(["95", "0.5", "_", ".", "gone"]), min_size=1, max_size=30))
def test_what_is_packed_is_unpacked_to_the_same(words: list[str]) -> None:
    assert unpack(pack(words)) == tuple(words)


def test_a_test_passes_when_each_event_comes_and_no_other(tmp_path: Path) -> None:
    events = (
        "  events:\n  - {at: 20s, event: fired, rule: hot, level: warning, labels: {device: sda}, told: true}\n"
        "  - {at: 50s, event: resolved, rule: hot}\n"
    )

    assert tried(tmp_path, series("95x3 50x5") + events).passed


@pytest.mark.parametrize(
    "events",
    [
        pytest.param("[]", id="none expected"),
        pytest.param("[{at: 30s, event: fired, rule: hot}]", id="another instant"),
        pytest.param("[{at: 20s, event: resolved, rule: hot}]", id="another event"),
        pytest.param("[{at: 20s, event: fired, rule: cold}]", id="another rule"),
        pytest.param("[{at: 20s, event: fired, rule: hot, level: critical}]", id="another level"),
        pytest.param("[{at: 20s, event: fired, rule: hot, labels: {device: sdb}}]", id="another device"),
        pytest.param("[{at: 20s, event: fired, rule: hot, told: false}]", id="muted"),
        pytest.param("[{at: 20s, event: fired, rule: hot}, {at: 30s, event: resolved, rule: hot}]", id="one more"),
    ],
)
def test_a_test_fails_when_anything_else_comes(tmp_path: Path, events: str) -> None:
    assert not tried(tmp_path, series("95x4") + f"  events: {events}\n").passed


def test_a_failure_shows_the_states_beside_what_was_expected(tmp_path: Path) -> None:
    result = tried(tmp_path, series("50 95x3 _ . 50x3") + "  events: [{at: 1m, event: fired, rule: hot}]\n")

    assert list(result.lines()) == [
        f"{tmp_path}/tests.yaml:3:3: one",
        "    busy_percent{device=sda,kind=disk}: 50 95x3 _ . 50x3",
        "    hot sda warning  .ppFFFcc.",
        "    expected: 1m fired hot",
        "    found:    30s fired hot warning device=sda; 1m20s resolved hot warning device=sda",
    ]


def test_a_row_that_is_gone_is_no_row_without_a_value(tmp_path: Path) -> None:
    result = tried(tmp_path, series("95x3 gonex8") + "  events: []\n")

    assert [(event.transition.value, event.reason) for event in result.events] == [
        ("fired", "breach"),
        ("resolved", "gone"),
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        pytest.param(
            "  sries: []\n  events: []\n", "4:3: unknown key 'sries' in test 1: did you mean 'series'?", id="a key"
        ),
        pytest.param(
            series("95") + "  events: 5\n", "5:11: events of test 1 is no list: begin each item with `- `", id="no list"
        ),
        pytest.param(
            series("95").replace("busy_percent", "busy_percnt") + "  events: []\n",
            "4:21: unknown metric 'busy_percnt' in item 1 of series of test 1: did you mean 'busy_percent'?",
            id="a metric",
        ),
        pytest.param(
            series("95").replace("device", "devise") + "  events: []\n",
            "4:44: unknown key 'devise' in labels of item 1 of series of test 1: did you mean 'device'?",
            id="a label",
        ),
        pytest.param(
            series("95y") + "  events: []\n",
            "4:78: values of item 1 of series of test 1: '95y' is no value:"
            " write 95, 95x5, _ for none, gone for no row, . for no sample",
            id="a value",
        ),
        pytest.param(
            series("95") + "  events: [{at: 20s, event: fire, rule: hot}]\n",
            "5:29: event of item 1 of events of test 1: 'fire' is no event: did you mean 'fired'?",
            id="an event",
        ),
        pytest.param(
            series("95") + "  events: [{event: fired, rule: hot}]\n",
            "5:12: item 1 of events of test 1 has no at: write it",
            id="no instant",
        ),
    ],
)
def test_a_mistake_has_its_place_and_the_way_out(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "tests.yaml").write_text(HEAD + text)

    with pytest.raises(ConfigError) as caught:
        load_trials(tmp_path / "tests.yaml", TABLES)

    assert str(caught.value) == f"{tmp_path}/tests.yaml:{line}"


def test_rules_that_are_taken_for_tests_are_told_by_what_to_type(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text("version: 1\nrules:\n- {id: hot, metric: cpu_usage_percent, warning: {above: 90}}\n")

    with pytest.raises(ConfigError) as caught:
        load_trials(rules, TABLES)

    assert str(caught.value) == f"{rules}:1:1: these are rules, not tests of rules: try `sysmon rules check {rules}`"
