"""Whom a firing alert names as time goes on: at the peak, when another one takes over, when somebody ends."""

from collections.abc import Iterable
from datetime import timedelta

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rule import Rule
from sysmon.app.catalog import tables
from sysmon.formats.records import alert_record, read_alert, update_active
from sysmon.model import AlertEvent, Origin, Row, Sample, Transition
from tests.alerts.scenes import START, level
from tests.alerts.test_culprit import MIB, TICK, one_of, others, process

RULE = Rule(
    "mem",
    "memory_usage_percent",
    "memory",
    (level(">= 50", "< 40", hold="0s", clear_for="0s"),),
    TICK,
    6 * TICK,
    6 * TICK,
)
MINUTE = timedelta(minutes=1)


class Alive:
    """Says which processes are alive, and since when."""

    def __init__(self, *pids: str) -> None:
        self.pids = set(pids)

    def starts(self, pids: Iterable[str]) -> dict[str, int]:
        return {pid: 1 for pid in pids if pid in self.pids}

    def shared(self, pids: Iterable[str]) -> dict[str, float]:
        return {}

    def slab(self) -> float:
        return 0.0

    def sockets(self, pids: Iterable[str]) -> dict[str, int]:
        return {}


def tick(evaluator: Evaluator, number: int, percent: float, *rows: Row) -> list[AlertEvent]:
    """Return the events of one tick of a machine on which so much memory is in use."""
    memory = one_of("memory", memory_usage_percent=percent, memory_used_bytes=percent * 10 * MIB)
    return evaluator.evaluate(Sample(START + number * TICK, {"memory": [memory], "process": [*rows, others()]}))


def hold(pid: int, name: str, size: int) -> Row:
    return process(pid, name, memory=size * MIB)


def names(event: AlertEvent) -> tuple[list[str], list[str], tuple[str, ...]]:
    """Return who is named, who at the peak, and who of them has ended."""
    return [culprit.name for culprit in event.top], [culprit.name for culprit in event.peak_top], event.ended_pids


def test_the_one_at_the_peak_is_named_when_the_alert_is_over() -> None:
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=Alive("7", "8"))
    tick(evaluator, 0, 50, hold(7, "python3", 400))
    tick(evaluator, 1, 90, hold(7, "python3", 200), hold(8, "backup", 600))
    tick(evaluator, 2, 60, hold(7, "python3", 400), hold(8, "backup", 100))

    (resolved,) = tick(evaluator, 3, 10)

    assert (names(resolved), resolved.peak, resolved.peak_at) == (
        (["python3"], ["backup", "python3"], ()),
        90,
        START + TICK,
    )


def test_whoever_takes_over_from_one_that_has_ended_is_logged_at_once_and_nobody_is_notified() -> None:
    alive = Alive("7", "8")
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=alive)
    tick(evaluator, 0, 60, hold(7, "python3", 500))
    alive.pids.remove("7")

    (event,) = tick(evaluator, 1, 55, hold(8, "backup", 500))

    assert (event.transition, event.notified, event.muted_by, event.value) == (
        Transition.CULPRIT_CHANGED,
        False,
        None,
        None,
    )
    assert names(event) == (["backup"], ["python3"], ("7",))
    assert (event.peak_at, event.top_at) == (START, START + TICK)


def test_whoever_leads_for_three_ticks_and_a_minute_after_the_last_change_is_logged() -> None:
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=Alive("7", "8"))
    events = tick(evaluator, 0, 60, hold(7, "python3", 500))
    for number in range(1, 10):
        events += tick(evaluator, number, 55, hold(7, "python3", 100), hold(8, "backup", 400))

    assert [(event.at, event.transition.value) for event in events] == [
        (START, "fired"),
        (START + MINUTE, "culprit_changed"),
    ]


def test_a_peak_is_logged_at_once_where_the_one_named_for_the_last_has_ended() -> None:
    alive = Alive("7", "8")
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=alive)
    tick(evaluator, 0, 60, hold(7, "python3", 500))
    alive.pids.remove("7")
    tick(evaluator, 1, 55, hold(8, "backup", 300))

    (event,) = tick(evaluator, 2, 90, hold(8, "backup", 800))

    assert (names(event), event.peak, event.peak_at) == ((["backup"], ["backup"], ("7",)), 90, START + 2 * TICK)


def test_a_peak_that_rises_on_is_logged_the_more_rarely_the_longer_it_does() -> None:
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=Alive("7"))
    events = []
    for number in range(360):
        events += tick(evaluator, number, 50 + number / 10, hold(7, "python3", 500 + number))

    assert [(event.at - START).total_seconds() / 60 for event in events][:11] == list(range(11))
    assert (len(events), events[-1].peak_top[0].value) == (27, 842 * MIB)


def test_two_that_lead_in_turns_change_nothing() -> None:
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=Alive("7", "8"))
    events = tick(evaluator, 0, 60, hold(7, "python3", 500))
    for number in range(1, 30):
        turn = number % 2
        events += tick(evaluator, number, 55, hold(7, "a", 200 + 200 * turn), hold(8, "b", 400 - 200 * turn))

    assert [event.transition.value for event in events] == ["fired"]


def test_the_end_of_the_one_named_is_logged_also_where_nobody_takes_over() -> None:
    alive = Alive("7")
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=alive)
    tick(evaluator, 0, 60, hold(7, "python3", 500))
    alive.pids.clear()

    events = tick(evaluator, 1, 55) + tick(evaluator, 2, 55)

    assert [names(event) for event in events] == [(["python3"], [], ("7",))]


def test_a_restart_keeps_whom_an_alert_named_at_its_peak() -> None:
    before = Evaluator([RULE], tables(), Origin("web-01"), probe=Alive("7", "8"))
    tick(before, 0, 60, hold(7, "python3", 500))
    tick(before, 1, 90, hold(8, "backup", 800))
    (latest,) = before.active()
    after = Evaluator([RULE], tables(), Origin("web-01"), probe=Alive("8"))
    after.adopt(read_alert(alert_record(latest)))

    (resolved,) = tick(after, 2, 10)

    assert (names(resolved)[:2], resolved.peak, resolved.peak_at) == ((["python3"], ["backup"]), 90, START + TICK)


def test_a_reload_keeps_whom_an_alert_named_at_its_peak() -> None:
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=Alive("7", "8"))
    tick(evaluator, 0, 60, hold(7, "python3", 500))
    tick(evaluator, 1, 90, hold(8, "backup", 800))
    changed = Rule(**{name: getattr(RULE, name) for name in RULE.__slots__} | {"attach": 3})
    evaluator.reload([changed], START + TICK)

    (resolved,) = tick(evaluator, 2, 10)

    assert names(resolved)[:2] == (["python3"], ["backup"])


def test_a_changed_culprit_amends_the_latest_event_of_its_alert_and_is_none_itself() -> None:
    alive = Alive("7", "8")
    evaluator = Evaluator([RULE], tables(), Origin("web-01"), probe=alive)
    (fired,) = tick(evaluator, 0, 60, hold(7, "python3", 500))
    alive.pids.remove("7")
    (changed,) = tick(evaluator, 1, 55, hold(8, "backup", 500))
    active: dict[str, AlertEvent] = {}
    for event in (fired, changed):
        update_active(active, event)

    assert [(event.transition, event.at, names(event)[0]) for event in active.values()] == [
        (Transition.FIRED, START, ["backup"])
    ]
