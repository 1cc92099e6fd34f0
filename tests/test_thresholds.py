"""Which values are beyond a limit, and how bad that is."""

import pytest

from sysmon.model import Level
from sysmon.thresholds import Sign, Threshold, worst_level


@pytest.mark.parametrize(
    ("sign", "count"),
    [
        pytest.param(Sign.ABOVE, 1, id="above"),
        pytest.param(Sign.AT_LEAST, 3, id="at least"),
        pytest.param(Sign.BELOW, 1, id="below"),
        pytest.param(Sign.AT_MOST, 3, id="at most"),
        pytest.param(Sign.EQUALS, 2, id="equals"),
        pytest.param(Sign.NOT_EQUALS, 2, id="not equals"),
    ],
)
def test_values_are_compared_as_the_rule_says(sign: Sign, count: int) -> None:
    limit = Threshold("full", Level.WARNING, sign, 80)

    assert limit.count([79.9, 80, 80, 80.1]) == count


@pytest.mark.parametrize(
    ("value", "level"),
    [
        pytest.param(70, None, id="within both"),
        pytest.param(85, Level.WARNING, id="beyond the lower"),
        pytest.param(95, Level.CRITICAL, id="beyond both"),
    ],
)
def test_the_worst_level_counts(value: float, level: Level | None) -> None:
    limits = [Threshold("full", Level.CRITICAL, Sign.AT_LEAST, 90), Threshold("full", Level.WARNING, Sign.AT_LEAST, 80)]

    assert worst_level(limits, value) is level
