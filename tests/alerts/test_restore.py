"""What a run goes on with that was killed: the same alerts, each event once, nothing told of what nobody saw."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.restore import Restored, restore
from sysmon.alerts.rule import Condition, Count, Flap, OnMissing, Rule
from sysmon.alerts.window import Reduce
from sysmon.formats.records import ActiveRecord, AlertEntry
from sysmon.model import AlertEvent, Level, Origin, Row, Sample, Transition
from tests.alerts.scenes import START, TABLES, level, rule

TICK = timedelta(seconds=10)
ORIGIN = Origin("web-01")
TWO = (
    level(">= 80", "< 70", hold="20s", clear_for="30s"),
    level(">= 95", "< 90", name=Level.CRITICAL, hold="10s", clear_for="10s"),
)


def simple(*conditions: Condition, **changes: object) -> Rule:
    settings: dict[str, object] = {"interval": "10s", "max_gap": "60s", "each": ("device",)}
    return rule(*(conditions or TWO), **{**settings, **changes})  # type: ignore[arg-type] # the settings by name


def at(tick: float) -> datetime:
    return START + tick * TICK


def samples(text: str, *, first: int = 0) -> list[Sample]:
    """Read one tick a word: a value of sda, `_` a row without one, `.` no sample at all."""
    stored = []
    for tick, word in enumerate(text.split(), first):
        rows: list[Row] = [("sda", "disk", None if word == "_" else float(word))] if word != "." else []
        if word != ".":
            stored.append(Sample(at(tick), {"collector": [("work", 0.001, 1, 0)], "work": rows}))
    return stored


class Host:
    """A machine with a disk: runs that begin and are killed, what they stored, and what people were told."""

    def __init__(self, *rules: Rule) -> None:
        self.rules: Sequence[Rule] = rules
        self.log: list[AlertEntry] = []
        self.rows: list[Sample] = []
        self.evaluator = Evaluator(rules, TABLES, ORIGIN)

    def live(self, given_: Iterable[Sample], *, lost_rows: bool = False) -> None:
        """Take samples; `lost_rows` is a kill after the alerts of the last one, before its rows."""
        for sample in given_:
            self.log += self.evaluator.evaluate(sample)
            if not lost_rows:
                self.rows.append(sample)

    def start(self, tick: float) -> Restored:
        """Begin a new run in the middle between two ticks."""
        now = at(tick - 0.5)
        self.evaluator = Evaluator(self.rules, TABLES, ORIGIN)
        begin = now - max(rule.span for rule in self.rules)
        stored = [sample for sample in self.rows if sample.at >= begin]
        restored = restore(self.evaluator, self.log, stored, begin=begin, now=now, first_tick=at(tick))
        self.log += [ActiveRecord(now, tuple(restored.firing)), *restored.events]
        return restored

    @property
    def notified(self) -> list[tuple[float, str, str]]:
        return [((event.at - START) / TICK, event.transition.value, event.reason) for event in self.events]

    @property
    def events(self) -> list[AlertEvent]:
        return [entry for entry in self.log if isinstance(entry, AlertEvent)]


def test_what_fires_goes_on_firing_without_a_word() -> None:
    host = Host(simple())
    host.live(samples("85 85 85 85 85"))

    host.start(5)
    host.live(samples("85 85 60 60 60 60", first=5))

    assert host.notified == [(2, "fired", "breach"), (10, "resolved", "cleared")]


def test_what_was_about_to_fire_fires_in_time() -> None:
    host = Host(simple())
    host.live(samples("50 85 85"))

    host.start(3)
    host.live(samples("85", first=3))

    assert host.notified == [(3, "fired", "breach")]


def test_after_a_long_time_away_what_ended_meanwhile_is_told_once_and_as_such() -> None:
    host = Host(simple())
    host.live(samples("85 85 85"))

    host.start(100)
    host.live(samples("50 50 50 50 50", first=100))

    assert host.notified == [(2, "fired", "breach"), (103, "resolved", "after restart")]


def test_after_a_long_time_away_what_still_fires_is_not_told_again() -> None:
    host = Host(simple())
    host.live(samples("85 85 85"))

    host.start(100)
    host.live(samples("85 85 60 60 60 60", first=100))

    assert host.notified == [(2, "fired", "breach"), (105, "resolved", "cleared")]


def test_a_breach_that_began_while_nobody_looked_is_told_after_its_time() -> None:
    host = Host(simple())
    host.live(samples("50 50 50"))

    host.start(100)
    host.live(samples("85 85 85", first=100))

    assert host.notified == [(102, "fired", "breach")]


def test_an_alert_that_was_logged_and_whose_rows_were_not_stored_is_believed() -> None:
    host = Host(simple())
    host.live(samples("85 85"))
    host.live(samples("85", first=2), lost_rows=True)

    host.start(3)
    host.live(samples("85 85", first=3))

    assert host.notified == [(2, "fired", "breach")]


def test_rows_whose_alert_is_not_in_the_log_are_told_now() -> None:
    host = Host(simple())
    host.live(samples("85 85 85"))
    host.log.clear()

    restored = host.start(3)

    assert [(event.transition, event.at, event.since) for event in restored.events] == [
        (Transition.FIRED, at(2.5), at(0))
    ]


def test_the_hole_between_two_runs_tells_nothing_at_the_third() -> None:
    host = Host(simple(level(">= 80", "< 70", hold="20s", clear_for="10m")))
    host.live(samples("85 85 85"))
    host.start(20)
    host.live(samples("85 85", first=20))

    restored = host.start(22)

    assert (restored.events, len(host.evaluator.active())) == ([], 1)


def test_an_alert_of_a_rule_that_is_gone_ends_at_the_start() -> None:
    host = Host(simple(), simple(name="other"))
    host.live(samples("85 85 85"))
    host.rules = [simple(name="other")]

    host.start(3)

    assert [(event.rule, event.reason) for event in host.events] == [
        ("busy", "breach"),
        ("other", "breach"),
        ("busy", "rule removed"),
    ]


def test_an_alert_keeps_its_id_over_a_restart() -> None:
    host = Host(simple())
    host.live(samples("85 85 85"))

    host.start(3)
    host.live(samples("96 96 60 60 60 60", first=3))

    assert [event.transition.value for event in host.events] == [
        "fired",
        "escalated",
        "lowered",
        "resolved",
    ]
    assert len({event.id for event in host.events}) == 1


def test_no_data_that_was_told_is_followed_by_data_back() -> None:
    host = Host(simple())
    host.live(samples("85 85 85 _ _ _ _ _ _ _ _"))

    host.start(11)
    host.live(samples("85", first=11))

    assert [event.transition.value for event in host.events] == ["fired", "no_data", "data_back"]


def test_flapping_is_remembered() -> None:
    host = Host(simple(level(">= 80", hold="0s", clear_for="0s"), flap=Flap(timedelta(hours=1), 3, 2)))
    host.live(samples("85 50 85 50"))

    host.start(4)
    host.live(samples("85 50", first=4))

    assert [(event.transition.value, event.notified or event.muted_by) for event in host.events][4:] == [
        ("fired", "flapping"),
        ("flapping", True),
        ("resolved", "flapping"),
    ]


WORDS = st.sampled_from(["50", "75", "85", "92", "97", "_"])
RULES = [
    pytest.param(simple(), id="two levels"),
    pytest.param(simple(on_missing=OnMissing.RESOLVE), id="resolved by silence"),
    pytest.param(simple(replace(TWO[0], count=Count(2, 4), hold=timedelta(0))), id="samples counted"),
    pytest.param(simple(reduce=Reduce("mean", timedelta(seconds=40), 0.5)), id="reduced"),
    pytest.param(simple(cooldown=timedelta(seconds=50), repeat=timedelta(seconds=30)), id="cooldown and reminders"),
    pytest.param(simple(flap=Flap(timedelta(seconds=200), 2, 1)), id="flapping"),
]


@pytest.mark.parametrize("watched", RULES)
@given(
    words=st.lists(WORDS, min_size=5, max_size=45), kills=st.sets(st.integers(1, 44), max_size=6), loses=st.booleans()
)
def test_killed_at_any_tick_and_started_at_once_the_log_is_the_same(
    watched: Rule, words: list[str], kills: set[int], *, loses: bool
) -> None:
    whole, killed = Host(watched), Host(watched)
    whole.live(samples(" ".join(words)))

    harmless = {"_"} if loses and watched.reduce is None else set()  # to a reduced rule every row is an input
    for tick, word in enumerate(words):
        last = tick + 1 in kills
        killed.live(samples(word, first=tick), lost_rows=last and word in harmless)
        if last:
            killed.start(tick + 1)

    assert [plain(event) for event in killed.events] == [plain(event) for event in whole.events]


def plain(event: AlertEvent) -> AlertEvent:
    """Return an event without what is only remembered while a process runs."""
    return replace(event, trend=(), peak=None)


@given(st.lists(st.tuples(st.lists(WORDS, min_size=1, max_size=12), st.integers(0, 30)), min_size=1, max_size=6))
def test_whatever_happens_between_runs_events_come_in_order_and_in_pairs(runs: list[tuple[list[str], int]]) -> None:
    host, tick = Host(simple()), 0
    for words, away in runs:
        host.start(tick)
        host.live(samples(" ".join(words), first=tick))
        tick += len(words) + away

    firing = False
    for event in host.events:
        assert firing is (event.transition is not Transition.FIRED)
        firing = event.transition is not Transition.RESOLVED
    assert [event.at for event in host.events] == sorted(event.at for event in host.events)
    assert {sample.at for sample in host.rows} >= {event.at for event in host.events}
