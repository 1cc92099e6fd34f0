from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.history import Coverage
from sysmon.model import Event
from sysmon.reading.coverage import find_due_periods, find_run_periods, idle_seconds, measure_coverage
from sysmon.text.instants import to_ms
from tests.reading.stored import at, running, started, stopped

EVERY_10 = {"load": 10.0, "disk_usage": 60.0}
BEGIN, END = 0.0, 600.0


def measure(
    events: Iterable[Event], samples: Iterable[float], *, table: str = "load", now: float = 9999
) -> tuple[int, int, float, float | None]:
    """Return found, expected, longest gap and its beginning of ten minutes, all in seconds."""
    instants = [round(at(second).timestamp() * 1000) for second in samples if BEGIN <= second < END]
    runs = find_run_periods(events, until=at(END), now=at(now))
    measured = measure_coverage(find_due_periods(runs, table, instants, at(BEGIN), at(END)), instants)
    begun = None if measured.gap_at is None else (measured.gap_at - at(0)).total_seconds()
    return measured.found, measured.expected, round(measured.gap), begun


def ticks(first: int, last: int, *, without: Iterable[int] = (), step: int = 10) -> list[float]:
    """Return the seconds from first to last, in steps, but for some."""
    return [float(second) for second in range(first, last + 1, step) if second not in set(without)]


STEADY = [running(-5000, "a", EVERY_10)]


@pytest.mark.parametrize(
    ("events", "samples", "expected"),
    [
        pytest.param(STEADY, ticks(0, 590), (60, 60, 0, None), id="complete"),
        pytest.param(STEADY, ticks(0, 590, without=[100]), (59, 60, 20, 90), id="one is missing"),
        pytest.param(STEADY, ticks(0, 590, without=[100, 200, 210]), (57, 60, 30, 190), id="two holes"),
        pytest.param(STEADY, ticks(0, 590, without=[0]), (59, 60, 10, 0), id="the first is missing"),
        pytest.param(STEADY, ticks(0, 580), (59, 60, 20, 580), id="the last is missing"),
        pytest.param(STEADY, [], (0, 60, 600, 0), id="none at all"),
        pytest.param(
            [started(97, "a", EVERY_10, 100), stopped(305, "a", 300)],
            ticks(100, 300),
            (21, 21, 0, None),
            id="started and stopped in order",
        ),
        pytest.param(
            [started(97, "a", EVERY_10, 100), stopped(305, "a", 300), started(408, "b", EVERY_10, 410)],
            ticks(100, 300) + ticks(410, 590),
            (40, 40, 0, None),
            id="a clean break is not lost",
        ),
        pytest.param(
            [started(-97, "a", EVERY_10), running(405, "b", EVERY_10), started(406, "b", EVERY_10, 410)],
            ticks(0, 300) + ticks(410, 590),
            (50, 60, 110, 300),
            id="a crash is lost",
        ),
        pytest.param(
            [started(-97, "a", EVERY_10), started(410, "b", EVERY_10)],
            ticks(410, 590),
            (19, 60, 410, 0),
            id="nothing stored before a crash",
        ),
        pytest.param([stopped(-10, "a", -20)], [], (0, 0, 0, None), id="stopped before the range"),
        pytest.param(
            [*STEADY, running(0, "a", EVERY_10)], ticks(0, 590), (60, 60, 0, None), id="a new segment is no new run"
        ),
        pytest.param(
            [*STEADY, Event(at(400), "clock_step", {"seconds": 300.0})],
            ticks(0, 100) + ticks(400, 590),
            (31, 31, 0, None),
            id="the clock was set forward",
        ),
        pytest.param(
            [Event(at(-5), "started", {"run": "a", "first_tick": "soon", "intervals": {"load": 10, "x": "often"}})],
            ticks(0, 590),
            (60, 60, 0, None),
            id="fields that make no sense",
        ),
    ],
)
def test_what_should_be_there_follows_from_the_events(
    events: list[Event], samples: list[float], expected: tuple[int, int, float, float | None]
) -> None:
    assert measure(events, samples) == expected


def test_a_slow_table_is_due_at_the_first_tick_and_at_its_own_multiples() -> None:
    events = [started(97, "a", EVERY_10, 100)]

    assert measure(events, [100, *ticks(120, 540, step=60)], table="disk_usage") == (9, 9, 0, None)


def test_a_slow_table_misses_its_first_tick() -> None:
    events = [started(97, "a", EVERY_10, 100)]

    assert measure(events, ticks(120, 540, step=60), table="disk_usage") == (8, 9, 20, 100)


@pytest.mark.parametrize(
    ("now", "samples", "expected"),
    [
        pytest.param(300.5, ticks(0, 290), (30, 30, 0, None), id="the newest sample is on its way"),
        pytest.param(300.5, ticks(0, 300), (31, 31, 0, None), id="it is there already"),
        pytest.param(301.2, ticks(0, 290), (30, 31, 10, 290), id="it is late"),
    ],
)
def test_a_run_that_goes_on_owes_what_is_older_than_a_second(
    now: float, samples: list[float], expected: tuple[int, int, float, float | None]
) -> None:
    assert measure(STEADY, samples, now=now) == expected


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        pytest.param([], (0, 0, 0, None), id="nothing"),
        pytest.param([7.0], (1, 1, 0, None), id="a single row"),
        pytest.param(ticks(7, 307, without=[207], step=100), (3, 4, 200, 107), id="one is missing"),
        pytest.param([0, 10, 20.3, 30, 39.8, 50.2], (6, 6, 0, None), id="spacing that wavers"),
    ],
)
def test_without_events_the_median_spacing_is_the_interval(
    samples: list[float], expected: tuple[int, int, float, float | None]
) -> None:
    assert measure([], samples) == expected


@pytest.mark.parametrize(
    ("events", "seconds"),
    [
        pytest.param(STEADY, 0, id="ran all the time"),
        pytest.param([started(97, "a", EVERY_10, 100)], 100, id="before the first start"),
        pytest.param([started(0, "a", EVERY_10), stopped(305, "a", 300)], 290, id="after the stop"),
        pytest.param(
            [started(0, "a", EVERY_10), stopped(305, "a", 300), started(410, "b", EVERY_10)], 100, id="in between"
        ),
        pytest.param([started(0, "a", EVERY_10), started(410, "b", EVERY_10)], 0, id="a crash is not idle"),
    ],
)
def test_time_in_which_nothing_was_meant_to_run(events: list[Event], seconds: float) -> None:
    runs = find_run_periods(events, until=at(END), now=at(9999))

    assert idle_seconds(runs, at(BEGIN), at(END)) == seconds


@settings(max_examples=100, deadline=None)
@given(
    first=st.integers(0, 300),
    length=st.integers(0, 600),
    interval=st.sampled_from([1, 7, 10, 60]),
    lost=st.sets(st.integers(0, 700)),
)
def test_counting_agrees_with_writing_every_instant_down(
    first: int, length: int, interval: int, lost: set[int]
) -> None:
    last = first + length
    # START lies on whole hours, so multiples of 7 are counted from the epoch here as there.
    base = round(at(0).timestamp())
    due = [first] + [second for second in range(first + 1, last + 1) if (base + second) % interval == 0]
    in_range = [float(second) for second in due if second < END]
    samples = [second for second in in_range if second not in lost]
    events = [started(first, "a", {"load": float(interval)}), stopped(last, "a", last)]

    measured, expected, gap, _ = measure(events, samples)

    assert (measured, expected, gap == 0) == (len(samples), len(in_range), len(samples) == len(in_range))


def test_the_interval_is_told() -> None:
    runs = find_run_periods(STEADY, until=at(END), now=at(9999))

    measured = measure_coverage(find_due_periods(runs, "disk_usage", [], at(BEGIN), at(END)), [])

    assert measured == Coverage(0, 10, 600.0, at(0), 60.0)


def slept(second: float, seconds: float, kind: str = "suspend", **more: object) -> Event:
    return Event(at(second), kind, {"seconds": seconds, **more})


def paced(second: float, seconds: float | None, table: str = "load") -> Event:
    return Event(at(second), "interval_changed", {"collector": table, "from": 10.0, "seconds": seconds})


@pytest.mark.parametrize(
    ("events", "samples", "expected"),
    [
        pytest.param(
            [*STEADY, slept(403, 200, last_tick="2026-11-20T12:03:20.000Z")],
            ticks(0, 200) + ticks(400, 590),
            (41, 41, 0, None),
            id="time that the machine slept through is not lost",
        ),
        pytest.param(
            [*STEADY, slept(403, 200, last_tick="2026-11-20T12:03:20.000Z")],
            ticks(0, 200) + ticks(410, 590, without=[500]),
            (39, 40, 20, 490),
            id="what is missing afterwards is",
        ),
        pytest.param(
            [*STEADY, slept(510.1, 300, "clock_step", last_tick="2026-11-20T12:03:20.000Z")],
            ticks(0, 200) + ticks(520, 590),
            (29, 29, 0, None),
            id="the tick that was waited for when the clock was set is not lost",
        ),
        pytest.param(
            [*STEADY, paced(100, 20.0), paced(300, 10.0)],
            ticks(0, 100) + ticks(120, 300, step=20) + ticks(310, 590),
            (50, 50, 0, None),
            id="a longer interval expects fewer samples",
        ),
        pytest.param(
            [*STEADY, paced(100, 20.0)],
            ticks(0, 100) + ticks(120, 580, step=40),
            (23, 35, 40, 120),
            id="and misses them",
        ),
        pytest.param(
            [*STEADY, paced(100, None), paced(500, 10.0)],
            ticks(0, 100) + ticks(510, 590),
            (20, 20, 0, None),
            id="a collector that was switched off is not missed",
        ),
        pytest.param(
            [*STEADY, paced(100, 20.0, "cpu"), paced(100, 20.0), paced(100, 20.0, "memory")],
            ticks(0, 100) + ticks(120, 580, step=20),
            (35, 35, 0, None),
            id="all tables at one tick",
        ),
    ],
)
def test_what_the_loop_did_on_purpose_is_not_lost(
    events: list[Event], samples: list[float], expected: tuple[int, int, float, float | None]
) -> None:
    assert measure(events, samples) == expected


def test_a_sample_stands_for_the_mean_of_the_intervals_at_which_they_came() -> None:
    runs = find_run_periods([*STEADY, paced(BEGIN + 60, 60.0)], until=at(END), now=at(9999))
    instants = [to_ms(at(BEGIN + second)) for second in (0, 10, 20, 120)]

    measured = measure_coverage(find_due_periods(runs, "load", instants, at(BEGIN), at(END)), instants)

    assert (measured.interval, measured.each, measured.is_even) == (10.0, (3 * 10 + 60) / 4, False)


@pytest.mark.parametrize(
    ("first", "end", "expected"),
    [
        pytest.param(600, 600.001, 1, id="in the last millisecond of the range"),
        pytest.param(600, 600, 0, id="when the range has ended"),
        pytest.param(0, 600, 1, id="in its first millisecond"),
    ],
)
def test_a_run_of_one_instant_is_due_once_where_the_range_holds_it(first: float, end: float, expected: int) -> None:
    runs = find_run_periods(
        [started(first, "a", {"load": 10.0}), stopped(first, "a", first)], until=at(end), now=at(9999)
    )

    measured = measure_coverage(find_due_periods(runs, "load", [], at(0), at(end)), [])

    assert measured.expected == expected
