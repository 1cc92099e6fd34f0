"""Whether something keeps the clock right."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sysmon.sampling.clock import is_synchronised

WRONG = datetime(2001, 2, 3, 4, 5, tzinfo=UTC)
"""An instant that the kernel's own clock is far from, so that it vouches for nothing here."""


def test_where_nothing_is_known_of_the_clock_nobody_says_that_it_is_right(tmp_path: Path) -> None:
    assert not is_synchronised(WRONG, tmp_path / "none")


@pytest.mark.parametrize(
    ("age", "right"),
    [
        pytest.param(timedelta(minutes=30), True, id="of late"),
        pytest.param(timedelta(days=2), False, id="two days ago"),
        pytest.param(timedelta(days=-40), False, id="in the future"),
    ],
)
def test_systemd_timesyncd_vouches_for_the_clock_that_it_confirmed(tmp_path: Path, age: timedelta, right: bool) -> None:
    path = tmp_path / "synchronized"
    path.touch()
    confirmed = (WRONG - age).timestamp()
    os.utime(path, (confirmed, confirmed))

    assert is_synchronised(WRONG, path) is right
