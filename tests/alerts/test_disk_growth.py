from datetime import timedelta

import pytest

from sysmon.alerts.disk_growth import Rise, UsageHistory, WriteHistory
from tests.alerts.scenes import START

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("used", "growth", "since"),
    [
        pytest.param([5, 5, 6, 9], 4, 1, id="it begins where it was last flat"),
        pytest.param([9, 2, 5, 8], 6, 1, id="a fall before it does not count"),
        pytest.param([0, 60, 58, 100], 100, 0, id="a small dip does not end it"),
        pytest.param([0, 60, 30, 100], 70, 2, id="a large one does"),
    ],
)
def test_a_rise_is_traced_back_to_where_it_began(used: list[float], growth: float, since: int) -> None:
    history = UsageHistory()
    for number, value in enumerate(used):
        history.add(START + number * SECOND, value)

    assert history.find_rise() == Rise(growth, START + since * SECOND)


@pytest.mark.parametrize("used", [[], [5], [5, 5], [9, 5]])
def test_what_does_not_rise_has_no_rise(used: list[float]) -> None:
    history = UsageHistory()
    for number, value in enumerate(used):
        history.add(START + number * SECOND, value)

    assert history.find_rise() is None


def test_an_hour_is_remembered_at_any_interval() -> None:
    history = UsageHistory()
    for number in range(2 * 3600):
        history.add(START + number * SECOND, float(number))

    rise = history.find_rise()

    assert rise == Rise(3659, START + 3540 * SECOND)


def test_who_wrote_is_summed_up_since_an_instant() -> None:
    history: WriteHistory[str] = WriteHistory()
    for number in range(61):
        history.add(START + number * SECOND, [("early", 2e6)] if number < 20 else [("late", 1e6)])

    assert history.writers(START + 30 * SECOND) == {"late": 31e6}


def test_of_those_that_write_little_only_the_latest_are_remembered() -> None:
    history: WriteHistory[int] = WriteHistory()
    for number in range(3600):
        history.add(START + number * SECOND, [(writer, 10.0) for writer in range(100)])

    assert history.writers(START)[0] <= 100
