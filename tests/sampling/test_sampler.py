from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sysmon.model import Event, Failure, Notice, Row
from sysmon.protocols import Collector
from sysmon.sampling.sampler import LONGEST_PAUSE, Sampler
from tests.sampling.fakes import CountingCollector, FakeClock, NoticingCollector

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Misshapen(CountingCollector):
    """A collector whose rows are not what it declares."""

    def __init__(self, row: Any) -> None:
        super().__init__()
        self._row = row

    def rows(self, before: Any | None, after: Any, seconds: float) -> list[Row]:
        return [self._row]


class Taking:
    """A sampler over named collectors, and ticks ten seconds apart."""

    def __init__(self, **collectors: Collector) -> None:
        self.clock = FakeClock(NOON)
        self.sampler = Sampler(collectors, self.clock.monotonic)
        self.names = frozenset(collectors)
        self.events: list[Event] = []

    def tick(self) -> dict[str, list[Row]]:
        self.clock.pass_(10)
        sample, events = self.sampler.take(self.clock.at, self.names)
        self.events += events
        self.failures = sample.failures
        return {name: list(rows) for name, rows in sample.rows.items()}


def test_the_first_sample_after_priming_already_has_its_rates() -> None:
    counter = CountingCollector()
    taking = Taking(counting=counter)
    taking.sampler.prime()
    counter.count = 50

    assert taking.tick()["counting"] == [("one", 5.0)]


def test_a_failing_collector_does_not_hide_the_others_and_is_counted() -> None:
    bad, good = CountingCollector(), CountingCollector()
    bad.fails = OSError(5, "Input/output error")
    taking = Taking(bad=bad, good=good)
    taking.sampler.prime()

    rows = taking.tick()

    assert (sorted(rows), rows["collector"], taking.failures) == (
        ["collector", "good"],
        [("bad", None, 0, 2), ("good", 0.0, 1, 0)],  # two errors: when primed, and now
        (Failure("bad", "OSError: [Errno 5] Input/output error"),),
    )


@pytest.mark.parametrize(
    "row",
    [
        pytest.param(("one", 1.0, 2.0), id="too long"),
        pytest.param(("one",), id="too short"),
        pytest.param(7, id="no tuple at all"),
    ],
)
def test_a_row_that_has_not_the_form_of_its_table_is_a_failure_of_its_collector(row: Any) -> None:
    taking = Taking(bad=Misshapen(row), good=CountingCollector())

    rows = taking.tick()

    (failure,) = taking.failures
    assert (sorted(rows), failure.collector) == (["collector", "good"], "bad")
    assert failure.error.startswith("ValueError: a row of counting is not a tuple of 2 values: ")


def test_a_failing_collector_is_asked_ever_more_rarely() -> None:
    bad = CountingCollector()
    bad.fails = RuntimeError("no")
    taking = Taking(bad=bad)

    errors = [taking.tick()["collector"][0][3] for _ in range(16)]

    assert errors == [1, 1, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]


def test_the_pause_of_a_failing_collector_has_an_end() -> None:
    bad = CountingCollector()
    bad.fails = RuntimeError("no")
    taking = Taking(bad=bad)

    errors = [taking.tick()["collector"][0][3] for _ in range(256)]

    assert [index for index, count in enumerate(errors) if count][-3:] == [
        127,
        127 + LONGEST_PAUSE + 1,
        127 + 2 * (LONGEST_PAUSE + 1),
    ]


def test_failing_and_recovering_become_events_once_each() -> None:
    bad = CountingCollector()
    taking = Taking(bad=bad)
    bad.fails = ValueError("odd\nline")
    for _ in range(5):
        taking.tick()
    bad.fails = None
    for _ in range(5):
        taking.tick()

    assert [(event.kind, event.fields) for event in taking.events] == [
        ("collector_failed", {"collector": "bad", "error": "ValueError: odd\\x0aline"}),
        ("collector_unhealthy", {"collector": "bad", "error": "ValueError: odd\\x0aline"}),
        ("collector_recovered", {"collector": "bad", "failures": 3}),
    ]


def test_after_a_failure_there_is_no_rate_over_the_hole() -> None:
    counter = CountingCollector()
    taking = Taking(counting=counter)
    taking.sampler.prime()
    counter.fails = OSError("once")
    taking.tick()
    counter.fails, counter.count = None, 1000

    assert [taking.tick()["counting"] for _ in range(2)] == [[("one", None)], [("one", 0.0)]]


def test_a_source_that_this_machine_lacks_gives_neither_rows_nor_errors() -> None:
    taking = Taking(none=CountingCollector(unavailable=True))
    taking.sampler.prime()

    assert (taking.tick(), taking.events) == ({"collector": []}, [])


@pytest.mark.parametrize(
    ("name", "stored"),
    [
        pytest.param("sda", "sda", id="a plain name stays"),
        pytest.param("a\x1b[31m\n", "a\\x1b[31m\\x0a", id="control characters become hex"),
        pytest.param("caf\udce9", "caf\\xe9", id="an undecodable byte becomes hex"),
        pytest.param("", "-", id="no name is a dash"),
    ],
)
def test_rules_see_labels_as_the_files_hold_them(name: str, stored: str) -> None:
    taking = Taking(counting=CountingCollector(name=name))

    assert taking.tick()["counting"] == [(stored, None)]


def test_a_preview_changes_nothing_of_what_the_next_tick_sees() -> None:
    counter = CountingCollector()
    taking = Taking(counting=counter)
    taking.sampler.prime()
    taking.clock.pass_(1)
    counter.count = 10
    seen = taking.sampler.preview(NOON + timedelta(seconds=1)).rows["counting"]
    taking.clock.pass_(-1)
    counter.count = 50

    assert (seen, taking.tick()["counting"]) == ([("one", 10.0)], [("one", 5.0)])


def test_what_a_collector_noticed_becomes_an_event_of_the_next_tick() -> None:
    noticing = NoticingCollector()
    taking = Taking(noticing=noticing)
    noticing.news = (Notice("mount_stuck", {"mountpoint": "/a\nb", "seconds": 2.5}),)
    taking.sampler.prime()
    noticing.news = ()
    for _ in range(2):
        taking.tick()

    assert [(event.at, event.kind, event.fields) for event in taking.events] == [
        (
            NOON + timedelta(seconds=10),
            "mount_stuck",
            {"collector": "noticing", "mountpoint": "/a\\x0ab", "seconds": 2.5},
        )
    ]


def test_the_cost_of_each_collector_is_the_cpu_time_of_its_reading() -> None:
    seconds = iter([1.0, 1.5, 1.75])
    sampler = Sampler({"one": CountingCollector(), "two": CountingCollector()}, lambda: 0.0, lambda: next(seconds))

    sampler.take(NOON, {"one", "two"})

    assert sampler.costs == {"one": 0.5, "two": 0.25}


def test_collectors_that_hold_something_give_it_back_at_the_end() -> None:
    noticing = NoticingCollector()

    Sampler({"one": CountingCollector(), "noticing": noticing}, lambda: 0.0).close()

    assert noticing.closed


def test_a_source_that_this_machine_lacks_is_looked_for_ever_more_rarely_and_taken_up_when_it_comes() -> None:
    late = CountingCollector(unavailable=True)
    taking = Taking(late=late)
    for _ in range(6):
        taking.tick()
    late.fails = None

    assert ["late" in taking.tick() for _ in range(4)] == [False, True, True, True]
