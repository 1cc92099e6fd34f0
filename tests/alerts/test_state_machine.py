"""What the state machine tells: worked examples, levels, operators, lost time, durations and peaks."""

import math
from datetime import timedelta

import pytest

from sysmon.alerts.rule import Condition, OnMissing
from sysmon.alerts.state_machine import IDLE, Reason, Signal, StateChange, step
from sysmon.model import Level, Transition
from tests.alerts.scenes import MINUTE, START, changes, level, minutes, phase, phases, play, read_changes, rule, series

INFO, WARNING, CRITICAL = Level
FIRED, ESCALATED, LOWERED, RESOLVED, NO_DATA, DATA_BACK, *_ = Transition

TWO_LEVELS = rule(
    level("> 85", "< 75", hold="2m", clear_for="2m"),
    level("> 95", "< 88", name=CRITICAL, hold="1m", clear_for="2m"),
)


def test_the_worked_example_goes_through_its_phases_minute_by_minute() -> None:
    given = "70 86 87 88 80 97 98 90 _ 74 80 74 73 72"

    phase_pairs = [(phase(state, 0), phase(state, 1)) for _, state, _ in play(TWO_LEVELS, series(given))]

    assert phase_pairs == [
        ("ok", "ok"),
        ("pending", "ok"),
        ("pending", "ok"),
        ("firing", "ok"),
        ("firing", "ok"),
        ("firing", "pending"),
        ("firing", "firing"),
        ("firing", "firing"),
        ("firing", "firing"),
        ("clearing", "clearing"),
        ("firing", "clearing"),
        ("clearing", "ok"),
        ("clearing", "ok"),
        ("ok", "ok"),
    ]


def test_the_worked_example_tells_four_things() -> None:
    observed = changes(TWO_LEVELS, series("70 86 87 88 80 97 98 90 _ 74 80 74 73 72"))

    since = START + MINUTE
    assert observed == [
        (START + 3 * MINUTE, StateChange(FIRED, WARNING, 88, 88, 85, since, 120, Reason.BREACH)),
        (START + 6 * MINUTE, StateChange(ESCALATED, CRITICAL, 98, 98, 95, since, 300, Reason.BREACH)),
        (START + 11 * MINUTE, StateChange(LOWERED, WARNING, 74, 98, 85, since, 600, Reason.CLEARED)),
        (START + 13 * MINUTE, StateChange(RESOLVED, WARNING, 72, 98, 85, since, 600, Reason.CLEARED)),
    ]


def test_a_long_hole_while_firing_is_told_and_its_end_too() -> None:
    observed = read_changes(rule(level("> 85", "< 75")), "90 90 90 _ _ _ _ _ 80 74 74 74")

    assert observed == [
        (2, FIRED, WARNING),
        (6, NO_DATA, WARNING),
        (8, DATA_BACK, WARNING),
        (11, RESOLVED, WARNING),
    ]


def test_an_hour_of_dips_and_lost_samples_is_one_alert() -> None:
    watched = rule(level(">= 85", "< 75"), interval="10s", max_gap="60s")
    hour = [_troubled_hour(tick * 10) for tick in range(360)]
    inputs = zip((START + timedelta(seconds=tick * 10) for tick in range(390)), [*hour, *[40.0] * 30], strict=True)

    transitions = [change.transition for _, change in changes(watched, inputs)]

    assert transitions == [FIRED, NO_DATA, DATA_BACK, RESOLVED]


def _troubled_hour(second: int) -> float | Signal:
    """Around 93, 20 s at 80 every 4 minutes, 40 s lost every 10 minutes, and no values from 30:00 to 34:00."""
    if 1800 <= second < 2040 or 300 <= second % 600 < 340:
        return Signal.MISSING
    return 80.0 if 120 <= second % 240 < 140 else 93.0 + second % 3


@pytest.mark.parametrize(
    ("limit", "clear", "given", "outcome"),
    [
        pytest.param("> 90", None, "90 91 90", "ok firing!fired ok!resolved", id="above"),
        pytest.param(">= 90", None, "89 90 89", "ok firing!fired ok!resolved", id="at least"),
        pytest.param("< 10", None, "10 9 10", "ok firing!fired ok!resolved", id="below"),
        pytest.param("<= 10", None, "11 10 11", "ok firing!fired ok!resolved", id="at most"),
        pytest.param("== 3", None, "2 3 4", "ok firing!fired ok!resolved", id="equals"),
        pytest.param("!= 3", None, "3 2 3", "ok firing!fired ok!resolved", id="not equals"),
        pytest.param("> 90", "< 80", "91 80 79", "firing!fired firing ok!resolved", id="band under a limit"),
        pytest.param("< 10", "> 20", "9 20 21", "firing!fired firing ok!resolved", id="band over a limit"),
        pytest.param("== 3", "== 0", "3 1 0", "firing!fired firing ok!resolved", id="clear at one number only"),
    ],
)
def test_each_operator_has_its_own_two_edges(limit: str, clear: str | None, given: str, outcome: str) -> None:
    assert phases(rule(level(limit, clear, hold="0s", clear_for="0s")), given) == outcome


@pytest.mark.parametrize("unknown", [math.nan, math.inf, -math.inf])
def test_a_value_that_is_no_finite_number_counts_as_missing(unknown: float) -> None:
    watched = rule(level(">= 90", "< 80"))
    state, _ = step(watched, IDLE, START, 95)

    assert step(watched, state, START + MINUTE, unknown) == step(watched, state, START + MINUTE, Signal.MISSING)


def test_a_metric_that_never_had_a_value_is_silent() -> None:
    assert read_changes(rule(level(">= 90", "< 80"), on_missing=OnMissing.RESOLVE), "_ _ _ _ _ _ x") == []


@pytest.mark.parametrize(
    ("given", "fires"),
    [
        pytest.param("95 95 95", 2, id="nothing lost"),
        pytest.param("95 _ 95 95", 3, id="one minute missing"),
        pytest.param("95 . 95 95", 3, id="one minute without input"),
        pytest.param("95 _ 95 _ 95", 4, id="two minutes missing"),
        pytest.param("95 . . 95 95", 4, id="as long as the largest gap that is none"),
    ],
)
def test_time_that_nobody_saw_counts_neither_as_bad_nor_as_good(given: str, fires: int) -> None:
    assert read_changes(rule(level(">= 90", "< 80")), given) == [(fires, FIRED, WARNING)]


def test_a_lasting_critical_holds_the_warning_until_it_clears_itself() -> None:
    watched = rule(
        level(">= 80", "< 75", clear_for="1m"),
        level(">= 95", "< 90", name=CRITICAL, hold="0s", clear_for="4m"),
    )

    assert read_changes(watched, "96 70 70 70 70 70 70") == [(0, FIRED, CRITICAL), (5, RESOLVED, CRITICAL)]


def test_a_critical_that_ends_first_leaves_the_warning_it_latched() -> None:
    watched = rule(level(">= 80", "< 75", hold="30m"), level(">= 95", "< 90", name=CRITICAL, hold="0s", clear_for="0s"))

    assert read_changes(watched, "96 85 70 70 70") == [
        (0, FIRED, CRITICAL),
        (1, LOWERED, WARNING),
        (4, RESOLVED, WARNING),
    ]


def test_three_levels_rise_and_fall_one_by_one() -> None:
    conditions = (
        level(">= 50", hold="0s", clear_for="0s", name=INFO),
        level(">= 70", hold="0s", clear_for="0s", name=WARNING),
        level(">= 90", hold="0s", clear_for="0s", name=CRITICAL),
    )

    assert read_changes(rule(*conditions), "60 75 95 75 60 40") == [
        (0, FIRED, INFO),
        (1, ESCALATED, WARNING),
        (2, ESCALATED, CRITICAL),
        (3, LOWERED, WARNING),
        (4, LOWERED, INFO),
        (5, RESOLVED, INFO),
    ]


def test_levels_that_are_passed_in_one_step_are_one_event() -> None:
    watched = rule(
        *(level(f">= {at}", hold="0s", clear_for="0s", name=name) for name, at in zip(Level, (50, 70, 90), strict=True))
    )

    assert read_changes(watched, "95 40") == [(0, FIRED, CRITICAL), (1, RESOLVED, CRITICAL)]


@pytest.mark.parametrize(
    ("condition", "given", "peak"),
    [
        pytest.param(level("> 85", "< 75"), "90 86 99 87 60 60 60", 99, id="the highest of a rising metric"),
        pytest.param(level("< 20", "> 30"), "10 15 2 12 60 60 60", 2, id="the lowest of a falling one"),
        pytest.param(level("!= 5"), "6 6 6 1 5 5 5", 1, id="the furthest from what it should be"),
        pytest.param(level("> 85", "< 75"), "99 70 90 91 92 60 60 60", 92, id="not that of an earlier breach"),
    ],
)
def test_the_peak_is_the_worst_value_since_the_first_breach(condition: Condition, given: str, peak: float) -> None:
    *_, (_, last) = changes(rule(condition), series(given))

    assert (last.transition, last.peak) == (RESOLVED, peak)


def test_an_alert_lasts_until_the_values_stay_clear() -> None:
    watched = rule(level("> 85", "< 75"))

    *_, (_, last) = changes(watched, series("90 90 90 70 90 90 70 70 70"))

    assert (last.since, last.duration) == (START, 360.0)


def test_an_alert_of_two_levels_lasts_until_the_later_one_stays_clear() -> None:
    watched = rule(
        level(">= 80", "< 75", hold="0s", clear_for="2m"),
        level(">= 95", "< 90", name=CRITICAL, hold="0s", clear_for="4m"),
    )

    *_, (at, last) = changes(watched, series("96 80 70 70 70 70"))

    assert (minutes(at), last.transition, last.duration) == (5, RESOLVED, 120.0)


def test_an_alert_whose_values_stop_lasted_until_the_last_one() -> None:
    watched = rule(level("> 85", "< 75"), on_missing=OnMissing.RESOLVE)

    *_, (_, last) = changes(watched, series("90 90 90 90 _ _ _ _"))

    assert last == StateChange(RESOLVED, WARNING, None, 90, 85, START, 180, Reason.NO_DATA)


def test_an_alert_whose_instance_goes_lasted_until_the_last_value() -> None:
    *_, (_, last) = changes(rule(level("> 85", "< 75")), series("90 90 90 90 _ x"))

    assert last == StateChange(RESOLVED, WARNING, None, 90, 85, START, 180, Reason.GONE)


def test_a_critical_that_fires_first_dates_from_the_first_breach_of_any_level() -> None:
    watched = rule(level(">= 80", "< 75", hold="10m"), level(">= 95", "< 90", name=CRITICAL, hold="1m"))

    ((_, first),) = changes(watched, series("85 85 96 96"))

    assert (first.transition, first.level, first.since, first.duration) == (FIRED, CRITICAL, START, 180)


def test_an_alert_that_ends_and_one_that_begins_are_told_in_one_step() -> None:
    watched = rule(level("> 85", "< 75", hold="0s"), on_missing=OnMissing.RESOLVE)

    observed = [(change.transition, change.since) for _, change in changes(watched, series("90 . . . . 90"))]

    assert observed == [(FIRED, START), (RESOLVED, START), (FIRED, START + 5 * MINUTE)]


@pytest.mark.parametrize(
    ("instants", "fires"),
    [
        pytest.param([0, 1, -5, -4, -3], -3, id="a clock that was set back"),
        pytest.param([0, 1, 1, 2, 3], 3, id="the same instant again"),
    ],
)
def test_when_the_clock_does_not_go_on_pending_starts_again(instants: list[int], fires: int) -> None:
    inputs = [(START + minute * MINUTE, 95.0) for minute in instants]

    observed = [(minutes(at), change.transition) for at, change in changes(rule(level(">= 90", "< 80")), inputs)]

    assert observed == [(fires, FIRED)]


def test_when_the_clock_goes_back_a_missing_value_gives_pending_up() -> None:
    watched = rule(level(">= 90", "< 80"))

    *_, (_, state, observed) = play(watched, [(START, 95.0), (START - MINUTE, Signal.MISSING)])

    assert (phase(state), observed) == ("ok", ())


def test_when_the_clock_goes_back_clearing_starts_again_and_nothing_is_told() -> None:
    watched = rule(level(">= 90", "< 80"))
    inputs = [*series("95 95 95 70 70"), *((at - 3 * MINUTE, value) for at, value in series(". . . . . 70 70 70"))]

    phase_names = [phase(state) for _, state, _ in play(watched, inputs)][3:]

    assert phase_names == ["clearing", "clearing", "clearing", "clearing", "ok"]
