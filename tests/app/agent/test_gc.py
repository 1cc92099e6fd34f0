import gc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sysmon.app.agent.gc import GarbageCollection

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
EVERYTHING = 2


@pytest.fixture
def collections() -> Iterator[list[int]]:
    """Note each collection of everything; the interpreter's own, which only take what is young, are left out."""
    noted: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == EVERYTHING:
            noted.append(info["generation"])

    gc.disable()
    gc.callbacks.append(note)
    yield noted
    gc.callbacks.remove(note)
    gc.enable()


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        pytest.param([0, 30, 59], 0, id="not within the first hour"),
        pytest.param([0, 60, 61, 119], 1, id="once when it is over"),
        pytest.param([0, 60, 120], 2, id="then every hour"),
        pytest.param([0, -500, -450], 0, id="a clock that is set back begins anew"),
        pytest.param([0, -500, -440], 1, id="and is heeded from there"),
    ],
)
def test_everything_is_collected_once_an_hour(minutes: list[int], expected: int, collections: list[int]) -> None:
    tidying = GarbageCollection()

    for minute in minutes:
        tidying.look(NOON + timedelta(minutes=minute))

    assert len(collections) == expected
