"""Rules that ask for silence, rules that look at the last minutes, and the words that a rule wants said."""

from dataclasses import replace
from datetime import timedelta

import pytest

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rule import ABSENT, PRESENT, Condition, Rule
from sysmon.alerts.templates import parse
from sysmon.alerts.trend import POINTS, Trend
from sysmon.alerts.window import Reduce
from sysmon.errors import UsageError
from sysmon.model import AlertEvent, Culprit, Level, Origin, Row, Sample, Transition
from tests.alerts.scenes import MINUTE, START, TABLES, level, rule

SILENT = Condition(Level.WARNING, ABSENT, PRESENT, MINUTE, timedelta(0), absent=2 * MINUTE)


def silent(**more: object) -> Rule:
    watched = rule(SILENT, each=("device",), absent=True, **more)  # type: ignore[arg-type] # settings by name
    return watched if "gone_after" in more else replace(watched, gone_after=None)


def heard(of: Rule, text: str) -> list[tuple[int, str, str, float | None]]:
    """Play a word a minute: a value, `_` none, `x` no row, `f` a failed collector, `u` one that is off, `.` nothing."""
    evaluator, events = Evaluator([of], TABLES, Origin("web-01")), list[AlertEvent]()
    for minute, word in enumerate(text.split()):
        rows: list[Row] = (
            [] if word in "xfu" else [("sda", "disk", None if word == "_" else float(word))] if word != "." else []
        )
        up: list[Row] = [] if word == "u" else [("work", 0.1, 0 if word == "f" else 1, 0)]
        if word != ".":
            events += evaluator.evaluate(Sample(START + minute * MINUTE, {"work": rows, "collector": up}))
    return [((event.at - START) // MINUTE, event.transition.value, event.reason, event.value) for event in events]


@pytest.mark.parametrize(
    ("text", "events"),
    [
        pytest.param("1 _ _ _ 1", [(2, "fired", "absent", None), (4, "resolved", "data back", None)], id="null"),
        pytest.param("1 x x 1", [(2, "fired", "absent", None), (3, "resolved", "data back", None)], id="no row"),
        pytest.param("1 f f 1", [(2, "fired", "absent", None), (3, "resolved", "data back", None)], id="failed"),
        pytest.param("1 u u 1", [(2, "fired", "absent", None), (3, "resolved", "data back", None)], id="unavailable"),
        pytest.param("1 _ 1 _ 1 _ 1", [], id="never for long"),
        pytest.param("_ x f u _ _", [], id="never had a value"),
        pytest.param("1 . . . . . . 1", [], id="nobody looked"),
        pytest.param("1 _ . . . . . _ _", [(8, "fired", "absent", None)], id="what nobody saw does not count"),
    ],
)
def test_silence_is_the_fault_where_a_rule_says_so(text: str, events: list[tuple[int, str, str, float | None]]) -> None:
    assert heard(silent(), text) == events


def test_an_instance_that_is_gone_for_as_long_as_was_said_is_forgotten() -> None:
    assert heard(silent(gone_after="4m"), "1 x x x x x x") == [
        (2, "fired", "absent", None),
        (5, "resolved", "gone", None),
    ]


def test_an_instance_that_may_go_at_once_is_forgotten_without_a_word() -> None:
    at_once = replace(SILENT, hold=timedelta(0), absent=MINUTE)
    of = rule(at_once, each=("device",), absent=True, gone_after="0s")

    assert heard(of, "1 x x x 1 x") == []


def test_an_event_about_silence_has_no_numbers_but_the_time() -> None:
    evaluator = Evaluator([silent()], TABLES, Origin("web-01"))
    events = [
        event
        for minute, value in enumerate([1.0, None, None])
        for event in evaluator.evaluate(Sample(START + minute * MINUTE, {"work": [("sda", "disk", value)]}))
    ]

    assert [(event.value, event.peak, event.threshold, event.condition) for event in events] == [
        (None, None, 120.0, "absent for 2m")
    ]


def reduced(function: str, coverage: float = 0.5) -> Rule:
    at_once = level(">= 50", hold="0s", clear_for="0s")
    return rule(at_once, each=("device",), reduce=Reduce(function, 4 * MINUTE, coverage))


@pytest.mark.parametrize(
    ("function", "text", "value"),
    [
        pytest.param("mean", "20 40 60 80", 50, id="mean"),
        pytest.param("min", "60 70 50 90 80", 50, id="min"),
        pytest.param("max", "20 70 60 10", 70, id="max"),
        pytest.param("last", "20 70", 70, id="last"),
        pytest.param("sum", "10 20 15 5", 50, id="sum"),
        pytest.param("sum", "5 10 10 10 20", 50, id="only the last four minutes"),
        pytest.param("mean", "0 0 0 0 90 _ _ 90", 90, id="missing values left out"),
    ],
)
def test_a_rule_looks_at_one_number_of_the_last_minutes(function: str, text: str, value: float) -> None:
    coverage = 1.0 if function in {"min", "sum"} else 0.5

    assert heard(reduced(function, coverage), text)[0][3] == value


def test_too_few_values_are_no_value() -> None:
    assert heard(reduced("mean", 0.75), "90 90 _ _ _ 90 90 90") == [(7, "fired", "breach", 90)]


FIRED = AlertEvent(
    at=START,
    transition=Transition.FIRED,
    id="00c0ffee",
    condition=">= 95",
    reason="breach",
    rule="cpu",
    metric="cpu_usage_percent",
    labels={"hostname": "web-01", "core": "all"},
    level=Level.WARNING,
    value=97.25,
    peak=99.123456,
    threshold=95,
    since=START,
    duration=70.0,
    trend=(90.0, 97.25),
    resource="cpu",
    top=(Culprit("4312", "java", "app", "-", 180.4, 90.0),),
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("plain words", "plain words", id="no names"),
        pytest.param("CPU {{ value }} % (limit {{threshold}})", "CPU 97.25 % (limit 95)", id="numbers"),
        pytest.param("{{ labels.core }} on {{ labels.hostname }}", "all on web-01", id="labels"),
        pytest.param("{{ peak }} {{ trend }}", "99.12 90 97.25", id="rounded"),
        pytest.param(
            "{{ level }} since {{ since }} for {{ duration }}",
            "warning since 2026-11-20T12:00:00Z for 1m10s",
            id="times",
        ),
        pytest.param("{{ metric }}: {{ top }}", "cpu_usage_percent: java(4312) 180 %", id="who"),
        pytest.param("{{ labels.role }}", "-", id="a label that this event has not"),
        pytest.param("a {single} brace", "a {single} brace", id="single braces"),
    ],
)
def test_names_in_braces_are_filled_in(text: str, message: str) -> None:
    assert parse(text, ["hostname", "core", "role"]).fill(FIRED) == message


def test_what_a_name_brings_along_cannot_move_the_cursor_or_be_filled_in_again() -> None:
    evil = replace(FIRED, labels={"core": "\x1b[2J{{ value }}\n"})

    assert parse("{{ labels.core }}", ["core"]).fill(evil) == "\\x1b[2J{{ value }}\\x0a"


@pytest.mark.parametrize(
    "text",
    [
        "{{ labels }}",
        "{{ value.real }}",
        "{{ 1 + 1 }}",
        "{{ labels.core.x }}",
        "{{ }}",
        "{{ value",
        "value }}",
        "x" * 501,
    ],
)
def test_anything_but_a_known_name_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse(text, ["core"])


@pytest.mark.parametrize("count", [1, 5, POINTS, POINTS + 1, 100, 5000])
def test_a_trend_begins_and_ends_where_the_values_do_in_bounded_space(count: int) -> None:
    trend = Trend()

    for value in range(count):
        trend.add(float(value))

    values = trend.values()
    assert (values[0], values[-1], len(values) <= POINTS, list(values)) == (0, count - 1, True, sorted(values))
