from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from sysmon.model import Event, Sample
from sysmon.sampling.governor import Governor
from sysmon.sampling.loop import Loop
from sysmon.sampling.sampler import Sampler
from sysmon.sampling.schedule import Schedule
from sysmon.sampling.self_tables import AGENT
from tests.sampling.fakes import CountingCollector, FakeClock, FakeWaiting

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Looping:
    """A loop at ten seconds from three seconds past noon, and everything it handed on."""

    def __init__(self, *, waits: int = 4, limit: int | None = None) -> None:
        self.clock = FakeClock(NOON + timedelta(seconds=3))
        self.waiting = FakeWaiting(self.clock, waits)
        self.counter = CountingCollector()
        self.samples: list[Sample] = []
        self.events: list[Event] = []
        self.lost = 0
        self.cpu = 0.0
        self.reading_costs = 0.0
        self.taken: Callable[[], None] = lambda: None
        sampler = Sampler(
            {"counting": self.counter, "minute": CountingCollector()}, self.clock.monotonic, self._cpu_seconds
        )
        sampler.prime()
        self.loop = Loop(
            sampler,
            Schedule(10),
            Governor({"counting": 10, "minute": 60}, {"counting": 0.25}),
            clock=self.clock,
            waiting=self.waiting,
            run="r1",
            sink=self._keep,
            dropped=self._dropped,
            limit=limit,
        )

    def _cpu_seconds(self) -> float:
        self.cpu += self.reading_costs
        return self.cpu

    def run(self, **happens: Callable[[], None]) -> None:
        self.waiting.happens = {int(name[1:]): act for name, act in happens.items()}
        self.loop.run()

    @property
    def offsets(self) -> list[float]:
        return [(sample.at - NOON).total_seconds() for sample in self.samples]

    def agent(self, column: str) -> list[object]:
        index = AGENT.columns.index(column)
        return [sample.rows["agent"][0][index] for sample in self.samples]

    def _keep(self, sample: Sample, events: list[Event]) -> None:
        self.samples.append(sample)
        self.events += events
        self.taken()

    def _dropped(self) -> int:
        lost, self.lost = self.lost, 0
        return lost


def test_ticks_are_on_multiples_of_the_interval_whenever_the_run_began() -> None:
    looping = Looping()

    looping.run()

    assert (looping.offsets, looping.agent("agent_sequence")) == ([10, 20, 30, 40], [1, 2, 3, 4])


def test_every_collector_is_due_on_the_first_tick_and_then_on_its_own_multiples() -> None:
    looping = Looping(waits=7)

    looping.run()

    due = [offset for offset, sample in zip(looping.offsets, looping.samples, strict=True) if "minute" in sample.rows]
    assert due == [10, 60]


def test_a_limit_ends_the_run() -> None:
    looping = Looping(waits=100, limit=3)

    looping.run()

    assert (looping.offsets, looping.loop.counts.ticks) == ([10, 20, 30], 3)


def test_a_late_tick_keeps_its_instant_and_tells_how_late_it_was() -> None:
    looping = Looping()

    looping.run(_2=lambda: looping.clock.pass_(4))

    assert (looping.offsets, looping.agent("agent_tick_lateness_seconds")) == ([10, 20, 30, 40], [0.0, 4.0, 0.0, 0.0])


def test_ticks_that_a_stop_swallowed_are_counted_and_never_made_up_for() -> None:
    looping = Looping()

    looping.run(_2=lambda: looping.clock.pass_(34))

    assert (looping.offsets, looping.agent("agent_samples_missed")) == ([10, 50, 60, 70], [0, 3, 0, 0])


def test_rates_over_a_stop_are_per_second_of_the_whole_stop() -> None:
    looping = Looping()

    def stopped() -> None:
        looping.clock.pass_(30)
        looping.counter.count = 400

    looping.run(_2=stopped)

    assert [sample.rows["counting"][0][1] for sample in looping.samples] == [0.0, 10.0, 0.0, 0.0]


@pytest.mark.parametrize(
    ("step", "offsets"),
    [
        pytest.param(3600, [10, 3630, 3640], id="an hour forward"),
        pytest.param(-3600, [10, -3570, -3560], id="an hour back"),
        pytest.param(86_400 * 40, [10, 86_400 * 40 + 30, 86_400 * 40 + 40], id="forty days forward"),
    ],
)
def test_a_clock_that_is_set_becomes_an_event_and_ticks_return_to_multiples(step: int, offsets: list[float]) -> None:
    looping = Looping()

    def set_clock() -> None:
        looping.clock.at += timedelta(seconds=step)

    looping.run(_2=set_clock)

    events = [(event.kind, event.fields) for event in looping.events]
    assert (looping.offsets, events, looping.agent("agent_samples_missed")) == (
        offsets,
        [("clock_step", {"seconds": float(step), "last_tick": "2026-11-20T12:00:10.000Z"})],
        [0, 0, 0],
    )


def test_a_clock_that_is_set_back_while_a_sample_is_taken_holds_up_no_tick() -> None:
    looping = Looping(waits=4)

    def set_back(seconds: float) -> None:
        if len(looping.samples) == 2:
            looping.clock.at -= timedelta(seconds=seconds)

    looping.taken = lambda: set_back(3600)
    looping.run()

    waited = looping.clock.seconds - 1000
    assert (looping.offsets, [event.kind for event in looping.events], waited) == (
        [10, 20, 40 - 3600],
        ["clock_step"],
        37,
    )


def test_a_machine_that_slept_is_told_with_how_long_and_gives_no_burst() -> None:
    looping = Looping()

    looping.run(_2=lambda: looping.clock.sleep_of_machine(28_800))

    events = [(event.kind, event.fields) for event in looping.events]
    assert (looping.offsets, events) == (
        [10, 28_820, 28_830, 28_840],
        [("suspend", {"seconds": 28_800.0, "last_tick": "2026-11-20T12:00:10.000Z"})],
    )


def test_what_a_machine_slept_through_is_not_missed() -> None:
    looping = Looping()

    looping.run(_2=lambda: looping.clock.sleep_of_machine(28_800))

    assert looping.agent("agent_samples_missed") == [0, 0, 0, 0]


def test_a_sleep_is_told_by_the_clock_as_it_went_before_it_was_set() -> None:
    looping = Looping()

    def wake_up_elsewhere() -> None:
        looping.clock.sleep_of_machine(600)
        looping.clock.at += timedelta(seconds=3600)

    looping.run(_2=wake_up_elsewhere)

    assert [(event.kind, (event.at - NOON).total_seconds(), event.fields["seconds"]) for event in looping.events] == [
        ("suspend", 620.0, 600.0),
        ("clock_step", 4220.0, 3600.0),
    ]


def test_a_process_that_was_stopped_tells_for_how_long() -> None:
    looping = Looping()

    looping.run(_2=lambda: looping.clock.pass_(30))

    events = [(event.kind, event.fields) for event in looping.events]
    assert (looping.offsets, events, looping.agent("agent_samples_missed")) == (
        [10, 50, 60, 70],
        [("stalled", {"seconds": 30.0})],
        [0, 3, 0, 0],
    )


def test_a_collector_that_costs_too_much_is_read_more_rarely() -> None:
    looping = Looping(waits=8)
    looping.reading_costs = 0.04  # of the 0.025 seconds that it may cost every ten

    looping.run()

    read = [
        offset for offset, sample in zip(looping.offsets, looping.samples, strict=True) if "counting" in sample.rows
    ]
    changed = [(event.kind, event.fields["seconds"]) for event in looping.events]
    assert (read, changed) == ([10, 20, 30, 40, 60, 80], [("interval_changed", 20)])


def test_a_clock_that_is_slewed_back_a_little_is_waited_for() -> None:
    looping = Looping()

    def slew() -> None:
        looping.clock.at -= timedelta(milliseconds=100)

    looping.run(_2=slew)

    assert (looping.offsets, looping.events) == ([10, 20, 30], [])


def test_samples_that_storage_lost_are_counted_in_the_next_row() -> None:
    looping = Looping()

    def lose() -> None:
        looping.lost = 2

    looping.run(_2=lose)

    assert (looping.agent("agent_samples_dropped"), looping.loop.counts.dropped) == ([0, 2, 0, 0], 2)
