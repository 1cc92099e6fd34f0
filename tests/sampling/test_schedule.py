from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.sampling.schedule import Schedule, select_due
from sysmon.text.instants import from_ms

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
instants = st.integers(1_577_836_800_000, 2_208_988_800_000).map(from_ms)
bases = st.sampled_from([0.05, 0.1, 1.0, 2.5, 7.0, 10.0, 60.0])


@given(instants, bases)
def test_the_next_tick_is_the_first_multiple_after_now(at: datetime, base: float) -> None:
    schedule = Schedule(base)

    late, early = schedule.after(at), schedule.floor(at)

    assert (early <= at < late, late - early) == (True, timedelta(seconds=base))


@given(instants, bases, st.integers(0, 500))
def test_ticks_between_counts_each_multiple_once(at: datetime, base: float, count: int) -> None:
    schedule = Schedule(base)
    first = schedule.after(at)

    assert schedule.between(first, first + count * timedelta(seconds=base)) == count


@pytest.mark.parametrize(
    ("offset", "names"),
    [
        pytest.param(0, {"cpu", "disk_usage", "slow"}, id="a full hour is a multiple of all"),
        pytest.param(10, {"cpu"}, id="ten seconds only of the base"),
        pytest.param(60, {"cpu", "disk_usage"}, id="a minute of the base and of a minute"),
    ],
)
def test_a_collector_is_due_on_multiples_of_its_own_interval(offset: int, names: set[str]) -> None:
    intervals = {"cpu": 10, "disk_usage": 60, "slow": 3600}

    assert select_due(NOON + timedelta(seconds=offset), intervals) == names
