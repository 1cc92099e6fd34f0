from collections.abc import Sequence
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.sampling.governor import CALM, PATIENCE, SLOWEST, Governor

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def governor() -> Governor:
    """Return one over two collectors, of which one may take 25 ms every ten seconds."""
    return Governor({"scan": 10.0, "cheap": 60.0}, {"scan": 0.25})


def feed(busy: Governor, costs: Sequence[float]) -> list[tuple[int, object]]:
    """Return after which reading the interval became what."""
    changes = []
    for number, cost in enumerate(costs, 1):
        changes += [(number, event.fields["seconds"]) for event in busy.note(NOON, {"scan": cost})]
    return changes


@pytest.mark.parametrize(
    ("costs", "changes"),
    [
        pytest.param([0.024] * 20, [], id="within its budget"),
        pytest.param([0.030] * 8, [(PATIENCE, 20.0)], id="a little over it doubles the interval"),
        pytest.param([0.150] * 8, [(PATIENCE, 80.0)], id="far over it finds the step at once"),
        pytest.param([0.030, 0.030, 0.001] * 4, [], id="now and then over it changes nothing"),
        pytest.param([99.0] * 40, [(PATIENCE, 10.0 * SLOWEST)], id="there is a slowest step"),
        pytest.param([0.030] * 3 + [0.020] * 30, [(3, 20.0)], id="at the edge it does not come back"),
        pytest.param([0.030] * 3 + [0.015] * 30, [(3, 20.0), (3 + CALM, 10.0)], id="well within it comes back"),
        pytest.param([0.150] * 3 + [0.015] * 30, [(3, 80.0), (3 + CALM, 10.0)], id="it comes back all the way"),
        pytest.param([0.030] * 3 + [0.001] * 9 + [0.03] * 5, [(3, 20.0)], id="it comes back only for good"),
    ],
)
def test_the_interval_follows_the_cost_in_steps_of_two(costs: list[float], changes: list[tuple[int, float]]) -> None:
    assert feed(governor(), costs) == changes


def test_a_change_says_who_and_why_and_reaches_the_intervals() -> None:
    busy = governor()
    events = [event for _ in range(PATIENCE) for event in busy.note(NOON, {"scan": 0.03, "cheap": 9.0})]

    assert ([event.fields for event in events], busy.intervals) == (
        [{"collector": "scan", "from": 10.0, "seconds": 20.0, "reason": "cost"}],
        {"scan": 20.0, "cheap": 60.0},
    )


def test_all_are_slowed_down_together_and_come_back_together() -> None:
    busy = governor()

    seen = [(len(change(NOON)), busy.intervals) for change in (busy.slow_down, busy.speed_up, busy.speed_up)]

    slow, normal = {"scan": 20.0, "cheap": 120.0}, {"scan": 10.0, "cheap": 60.0}
    assert seen == [(2, slow), (2, normal), (0, normal)]


def test_slowing_down_has_an_end() -> None:
    busy = governor()

    steps = [len(busy.slow_down(NOON)) for _ in range(8)]

    assert (steps, busy.intervals["scan"]) == ([2, 2, 2, 2, 2, 2, 0, 0], 10.0 * SLOWEST)


def test_the_dearest_is_switched_off_first_and_on_again_last() -> None:
    busy = Governor({"a": 10.0, "b": 10.0, "c": 60.0}, {})
    busy.note(NOON, {"a": 0.002, "b": 0.001, "c": 0.009})

    off = [busy.disable_dearest(NOON) for _ in range(4)]
    on = [busy.enable_cheapest(NOON) for _ in range(4)]

    assert [[event.fields["collector"] for event in events] for events in (*off, *on)] == [
        *(["a"], ["c"], ["b"], []),
        *(["b"], ["c"], ["a"], []),
    ]


def test_a_collector_that_is_switched_off_has_no_interval() -> None:
    busy = governor()
    busy.note(NOON, {"scan": 0.01, "cheap": 0.01})

    (event,) = busy.disable_dearest(NOON)

    assert (event.fields["seconds"], busy.intervals) == (None, {"cheap": 60.0})


@given(st.lists(st.floats(0.0, 1.0), max_size=60))
def test_an_interval_is_always_a_whole_multiple_of_the_configured_one(costs: list[float]) -> None:
    busy = governor()

    feed(busy, costs)

    assert busy.intervals["scan"] / 10.0 in {2**power for power in range(7)}
