"""Any rule on any series: the machine says what a slow model says, and keeps the promises made to people."""

from dataclasses import replace
from datetime import timedelta
from itertools import accumulate

from hypothesis import given
from hypothesis import strategies as st

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rule import ABSENT, PRESENT, Condition, Count, Edge, OnMissing, Operator, Rule
from sysmon.alerts.state_machine import Reason, Signal
from sysmon.alerts.window import FUNCTIONS, Reduce
from sysmon.model import Level, Origin, Row, Sample, Transition
from tests.alerts.scenes import START, TABLES, changes, phase, play
from tests.alerts.slow_model import Input, Lack, Tick, Told, heard, retell

SPANS = st.sampled_from([0, 10, 20, 30, 50]).map(lambda seconds: timedelta(seconds=seconds))
VALUES = st.sampled_from([10.0, 40.0, 55.0, 60.0, 70.0, 75.0, 80.0, 90.0, 95.0, 99.0])
RISING = {Level.INFO: (60, 50), Level.WARNING: (75, 70), Level.CRITICAL: (95, 80)}
ON, BACK, HOLE = [10] * 6, [0, -30], [20, 40, 70]


@st.composite
def rules(draw: st.DrawFn) -> Rule:
    levels = [level for level in Level if draw(st.booleans())] or [Level.WARNING]
    falling = draw(st.booleans())
    conditions = tuple(draw(_conditions(level, falling=falling)) for level in levels)
    gap = timedelta(seconds=draw(st.sampled_from([30, 60])))
    return Rule(
        "busy", "busy_percent", "work", conditions, timedelta(seconds=10), gap, gap, draw(st.sampled_from(OnMissing))
    )


@st.composite
def _conditions(draw: st.DrawFn, level: Level, *, falling: bool) -> Condition:
    limit, clear = RISING[level]
    if falling:
        trigger, other = Edge(draw(st.sampled_from([Operator.BELOW, Operator.AT_MOST])), 100 - limit), Operator.ABOVE
        clear = 100 - clear
    else:
        trigger, other = Edge(draw(st.sampled_from([Operator.ABOVE, Operator.AT_LEAST])), limit), Operator.BELOW
    band = Edge(other, clear) if draw(st.booleans()) else trigger.opposite()
    count = draw(st.none() | st.none() | st.sampled_from([Count(1, 2), Count(2, 3), Count(3, 5)]))
    return Condition(level, trigger, band, draw(SPANS) if count is None else timedelta(0), draw(SPANS), count)


@st.composite
def inputs(draw: st.DrawFn, *, deltas: list[int], signals: tuple[Signal, ...], longest: int = 40) -> list[Input]:
    given_: list[float | Signal] = []
    for value, times in draw(st.lists(st.tuples(VALUES, st.integers(1, 6)), min_size=1, max_size=12)):
        given_ += [value] * times
    for place in draw(st.lists(st.integers(0, len(given_) - 1), max_size=10)) if signals else []:
        given_[place] = draw(st.sampled_from(signals))
    given_ = given_[:longest]
    steps = draw(st.lists(st.sampled_from(deltas), min_size=len(given_), max_size=len(given_)))
    return [(START + timedelta(seconds=second), value) for second, value in zip(accumulate(steps), given_, strict=True)]


@st.composite
def reduced(draw: st.DrawFn) -> Rule:
    over = timedelta(seconds=draw(st.sampled_from([10, 30, 40, 60])))
    looked = Reduce(draw(st.sampled_from(sorted(FUNCTIONS))), over, draw(st.sampled_from([0.1, 0.5, 0.75, 0.8, 1.0])))
    return replace(draw(rules()), reduce=looked, gone_after=timedelta(seconds=draw(st.sampled_from([0, 20, 60]))))


@st.composite
def silences(draw: st.DrawFn) -> Rule:
    levels = [level for level in Level if draw(st.booleans())] or [Level.WARNING]
    conditions = tuple(
        Condition(level, ABSENT, PRESENT, draw(SPANS), draw(SPANS), absent=timedelta(0)) for level in levels
    )
    gone_after = draw(st.none() | st.sampled_from([0, 20, 60]).map(lambda seconds: timedelta(seconds=seconds)))
    return replace(draw(rules()), conditions=conditions, absent=True, gone_after=gone_after)


@st.composite
def ticks(draw: st.DrawFn) -> list[Tick]:
    words: list[float | Lack] = []
    for word, times in draw(st.lists(st.tuples(VALUES | st.sampled_from(Lack), st.integers(1, 6)), max_size=12)):
        words += [word] * times
    steps = draw(st.lists(st.sampled_from(ON + HOLE), min_size=len(words), max_size=len(words)))
    return [(START + timedelta(seconds=second), word) for second, word in zip(accumulate(steps), words, strict=True)]


def spoken(rule: Rule, given_: list[Tick]) -> list[Told]:
    evaluator, events = Evaluator([rule], TABLES, Origin("web-01")), list[Told]()
    for at, word in given_:
        rows: list[Row] = [("sda", "disk", None if isinstance(word, Lack) else word)]
        up = 0 if word is Lack.FAILED else 1
        sample: dict[str, list[Row]] = {
            "work": [] if word in {Lack.NO_ROW, Lack.FAILED} else rows,
            "collector": [("work", 0.1, up, 0)],
        }
        events += [(at, event.transition.value, event.level.value) for event in evaluator.evaluate(Sample(at, sample))]
    return events


@given(reduced() | silences() | rules(), ticks())
def test_a_rule_tells_of_ticks_what_the_slow_model_tells(rule: Rule, given_: list[Tick]) -> None:
    events = spoken(rule, given_)

    inputs_ = heard(rule, given_)
    assert events == (retell(rule, inputs_)[1] if inputs_ else [])


@given(rules(), inputs(deltas=ON + BACK + HOLE, signals=(Signal.MISSING, Signal.MISSING, Signal.MISSING, Signal.GONE)))
def test_the_machine_agrees_with_the_slow_model_after_every_input(rule: Rule, given_: list[Input]) -> None:
    steps = list(play(rule, given_))

    expected = [retell(rule, given_[: number + 1])[0] for number in range(len(given_))]
    assert [[phase(state, index) for index in range(len(rule.conditions))] for _, state, _ in steps] == expected


@given(rules(), inputs(deltas=ON + BACK + HOLE, signals=(Signal.MISSING, Signal.MISSING, Signal.MISSING, Signal.GONE)))
def test_the_machine_tells_what_the_slow_model_tells(rule: Rule, given_: list[Input]) -> None:
    changed = [(at, change.transition.value, change.level.value) for at, change in changes(rule, given_)]

    assert changed == retell(rule, given_)[1]


@given(rules(), inputs(deltas=ON + BACK + HOLE, signals=tuple(Signal)))
def test_an_alert_fires_before_it_changes_and_resolves_before_it_fires_again(rule: Rule, given_: list[Input]) -> None:
    firing = False

    for _, change in changes(rule, given_):
        assert firing is (change.transition is not Transition.FIRED)
        firing = change.transition is not Transition.RESOLVED


@given(rules(), inputs(deltas=ON + HOLE, signals=tuple(Signal)))
def test_nothing_fires_or_clears_sooner_than_the_rule_allows(rule: Rule, given_: list[Input]) -> None:
    shortest_clear = min(condition.clear_for for condition in rule.conditions)

    for at, change in changes(rule, given_):
        if change.transition is Transition.FIRED:
            assert timedelta(seconds=change.duration) >= rule.condition(change.level).hold
        if change.transition is Transition.RESOLVED and change.reason is Reason.CLEARED:
            assert at - change.since - timedelta(seconds=change.duration) >= shortest_clear


@given(rules(), inputs(deltas=ON + HOLE, signals=(Signal.MISSING,)))
def test_saying_that_a_value_is_missing_changes_only_when_a_gap_is_told(rule: Rule, given_: list[Input]) -> None:
    ended = [*given_, (given_[-1][0] + timedelta(seconds=10), 70.0)]
    silent = [taken for taken in ended if not isinstance(taken[1], Signal)]

    spoken = [(change.transition, change.level, change.value, change.peak) for _, change in changes(rule, ended)]

    assert spoken == [(c.transition, c.level, c.value, c.peak) for _, c in changes(rule, silent)]


@given(rules(), inputs(deltas=[10], signals=()), st.data())
def test_a_hole_within_max_gap_only_delays_what_comes_after_it(
    rule: Rule, given_: list[Input], data: st.DataObject
) -> None:
    place = data.draw(st.integers(0, len(given_) - 1))
    hole = data.draw(
        st.integers(0, int((rule.max_gap - rule.interval).total_seconds())).map(lambda s: timedelta(seconds=s))
    )
    late = [(at + hole if number >= place else at, value) for number, (at, value) in enumerate(given_)]

    delayed = [(at, change.transition, change.level) for at, change in changes(rule, late)]

    moved = given_[place][0]
    assert delayed == [
        (at + hole if at >= moved else at, change.transition, change.level) for at, change in changes(rule, given_)
    ]
