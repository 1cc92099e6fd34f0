"""Who is told: cooldown, reminders, flapping, quiet times and silences mute messages and nothing else."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.mute_times import MuteTime, parse_cron
from sysmon.alerts.notify_policy import Mutes, mute
from sysmon.alerts.rule import Flap, OnMissing, Rule
from sysmon.alerts.silences import Ack, Silence, Unsilence, merge, read_entry, to_record
from sysmon.model import AlertEvent, Level, Origin, Row, Sample
from tests.alerts.scenes import MINUTE, START, TABLES, level, rule

AT_ONCE = level(">= 80", "< 70", hold="0s", clear_for="0s")
WORSE = level(">= 95", "< 90", name=Level.CRITICAL, hold="0s", clear_for="0s")


def watched(**more: object) -> Rule:
    return rule(AT_ONCE, WORSE, each=("device",), max_gap="10m", **more)  # type: ignore[arg-type] # settings by name


def heard(of: Rule, text: str, mutes: Mutes | None = None) -> list[tuple[int, str, bool | str]]:
    """Return minute, event and whether it was told, for one value a minute."""
    return [
        ((event.at - START) // MINUTE, event.transition.value, event.notified or event.muted_by or False)
        for event in played(of, text, mutes)
    ]


def played(of: Rule, text: str, mutes: Mutes | None = None) -> Iterable[AlertEvent]:
    evaluator = Evaluator([of], TABLES, Origin("web-01"), mutes)
    for minute, word in enumerate(text.split()):
        rows: list[Row] = [("sda", "disk", None if word == "_" else float(word))]
        yield from evaluator.evaluate(Sample(START + minute * MINUTE, {"work": rows}))


def quiet(cron: str, minutes: int, most: Level = Level.CRITICAL) -> Mutes:
    return Mutes([MuteTime("backup", parse_cron(cron), minutes * MINUTE, ("*",), most)])


def test_after_resolved_nobody_is_told_for_the_cooldown_and_then_what_still_fires_once() -> None:
    heard_events = heard(watched(cooldown=3 * MINUTE), "85 50 85 50 85 85 85 85 50")

    assert heard_events == [
        (0, "fired", True),
        (1, "resolved", True),
        (2, "fired", "cooldown"),
        (3, "resolved", "cooldown"),
        (4, "fired", "cooldown"),
        (6, "reminder", True),
        (8, "resolved", True),
    ]


def test_a_cooldown_begins_with_the_end_and_is_over_after_its_time() -> None:
    assert heard(watched(cooldown=2 * MINUTE), "85 50 50 85") == [
        (0, "fired", True),
        (1, "resolved", True),
        (3, "fired", True),
    ]
    assert heard(watched(cooldown=2 * MINUTE, on_missing=OnMissing.RESOLVE), "85" + " _" * 10 + " 85") == [
        (0, "fired", True),
        (11, "resolved", True),
        (11, "fired", "cooldown"),
    ]


def test_a_cooldown_that_lies_ahead_because_the_clock_was_set_back_mutes_nothing() -> None:
    evaluator = Evaluator([watched(cooldown=3 * MINUTE)], TABLES, Origin("web-01"))

    events = [
        event
        for minute, value in ((0, 50.0), (4, 85.0), (5, 50.0), (2, 85.0))
        for event in evaluator.evaluate(Sample(START + minute * MINUTE, {"work": [("sda", "disk", value)]}))
    ]

    assert [(event.transition.value, event.notified) for event in events] == [
        ("fired", True),
        ("resolved", True),
        ("fired", True),
    ]


def test_a_reminder_comes_when_nothing_was_told_for_long_and_it_is_bad_right_now() -> None:
    heard_events = heard(watched(repeat=2 * MINUTE), "85 85 85 75 75 85 96 96 96")

    assert heard_events == [
        (0, "fired", True),
        (2, "reminder", True),
        (5, "reminder", True),
        (6, "escalated", True),
        (8, "reminder", True),
    ]


def test_flapping_is_told_once_then_silence_until_it_is_steady() -> None:
    heard_events = heard(watched(flap=Flap(10 * MINUTE, 3, 2)), "85 50 85 50 85 50 85 50" + " 50" * 9)

    assert heard_events == [
        (0, "fired", True),
        (1, "resolved", True),
        (2, "fired", True),
        (3, "resolved", True),
        (4, "fired", "flapping"),
        (4, "flapping", True),
        (5, "resolved", "flapping"),
        (6, "fired", "flapping"),
        (7, "resolved", "flapping"),
        (14, "steady", True),
    ]


def test_while_flapping_a_higher_level_gets_through_once() -> None:
    heard_events = heard(watched(flap=Flap(10 * MINUTE, 2, 1)), "85 50 85 50 96 50 96")

    assert heard_events[3:] == [
        (2, "flapping", True),
        (3, "resolved", "flapping"),
        (4, "fired", True),
        (5, "resolved", "flapping"),
        (6, "fired", "flapping"),
    ]


@pytest.mark.parametrize(
    ("last", "reason"), [pytest.param("85", "firing", id="firing"), pytest.param("50", "calm", id="calm")]
)
def test_steady_names_the_state(last: str, reason: str) -> None:
    *_, steady = played(watched(flap=Flap(5 * MINUTE, 2, 1)), "85 50 85" + f" {last}" * 6)

    assert (steady.transition.value, steady.reason) == ("steady", reason)


def test_in_a_quiet_time_nobody_is_told_and_after_it_what_still_fires_once() -> None:
    heard_events = heard(watched(), "85 96 85 85 85 50", quiet("0 12 * * *", 4))

    assert heard_events == [
        (0, "fired", "quiet time backup"),
        (1, "escalated", "quiet time backup"),
        (2, "lowered", "quiet time backup"),
        (4, "reminder", True),
        (5, "resolved", True),
    ]


def test_what_ended_in_a_quiet_time_is_never_told() -> None:
    assert heard(watched(), "85 50 50 50 50", quiet("0 12 * * *", 3)) == [
        (0, "fired", "quiet time backup"),
        (1, "resolved", "quiet time backup"),
    ]


def test_a_quiet_time_up_to_a_level_lets_the_worse_through() -> None:
    assert heard(watched(), "85 96", quiet("0 12 * * *", 9, Level.WARNING)) == [
        (0, "fired", "quiet time backup"),
        (1, "escalated", True),
    ]


def silence(**changes: object) -> Silence:
    whole = Silence("s1", "busy", {"device": "sd*"}, START, START + 3 * MINUTE, "migration", "ann")
    return replace(whole, **changes)  # type: ignore[arg-type] # the fields by name


def test_a_silence_mutes_until_it_ends() -> None:
    mutes = Mutes(silences=merge([silence()]))

    assert heard(watched(), "85 85 85 85 50", mutes) == [
        (0, "fired", "silence s1"),
        (3, "reminder", True),
        (4, "resolved", True),
    ]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(silence(rule="disk-*"), id="another rule"),
        pytest.param(silence(match={"device": "nvme*"}), id="another device"),
        pytest.param(silence(match={"nothing": "x*"}), id="a label that there is not"),
        pytest.param(silence(until=START), id="ended"),
        pytest.param(silence(since=START + MINUTE), id="not begun"),
    ],
)
def test_a_silence_is_about_some_alerts_at_some_time(other: Silence) -> None:
    assert heard(watched(), "85", Mutes(silences=merge([other]))) == [(0, "fired", True)]


def test_an_acknowledged_alert_is_not_told_again_until_it_gets_worse_or_ends() -> None:
    of = watched(repeat=2 * MINUTE)
    first, *_ = played(of, "85")

    heard_events = heard(of, "85 85 85 96 96 96 50", Mutes(silences=merge([Ack(first.id, START)])))

    assert heard_events == [
        (0, "fired", True),
        (2, "reminder", "acknowledged"),
        (3, "escalated", True),
        (5, "reminder", "acknowledged"),
        (6, "resolved", True),
    ]


def test_a_silence_that_is_lifted_ends_there() -> None:
    lifted = merge([silence(), Unsilence("s1", START + MINUTE)])

    assert heard(watched(), "85 85", Mutes(silences=lifted)) == [(0, "fired", "silence s1"), (1, "reminder", True)]


@pytest.mark.parametrize(
    "said", [silence(), Unsilence("s1", START, "done", "bob"), Ack("00c0ffee", START, "on it", "ann")]
)
def test_what_somebody_said_is_read_back(said: Silence | Ack | Unsilence) -> None:
    assert read_entry(to_record(said)) == said


VALUES = st.sampled_from(["50", "75", "85", "96", "_"])


@given(st.lists(VALUES, min_size=1, max_size=60), st.integers(0, 5), st.integers(2, 4), st.integers(0, 30))
def test_muting_changes_no_event_of_the_log_but_for_whether_it_is_told(
    words: list[str], cooldown: int, start: int, minutes: int
) -> None:
    own = {"reminder", "flapping", "steady"}
    text = " ".join(words)
    muted = watched(cooldown=cooldown * MINUTE, flap=Flap(20 * MINUTE, start, 1), repeat=7 * MINUTE)

    events = [
        event for event in played(muted, text, quiet("0 12 * * *", minutes + 1)) if event.transition.value not in own
    ]

    assert [mute(event, None) for event in events] == list(played(watched(), text))


@given(st.lists(VALUES, min_size=1, max_size=80))
def test_flapping_and_steady_alternate(words: list[str]) -> None:
    of = watched(flap=Flap(timedelta(minutes=10), 2, 1))

    transitions = [event.transition.value for event in played(of, " ".join(words))]

    turns = [transition for transition in transitions if transition in {"flapping", "steady"}]
    assert turns == (["flapping", "steady"] * len(turns))[: len(turns)]
