"""Every collector there is fails in turn, in real samples of this machine: the others have no gap."""

import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from sysmon.collectors import Source, discover
from sysmon.sampling.sampler import Sampler
from tests.sampling.fakes import FakeClock

ALL = discover()
TICKS = 4

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


class Broken:
    """A collector that answers first, and from then on raises whatever comes."""

    def __init__(self, collector: Any, error: Callable[[], Exception]) -> None:
        self.table = collector.table
        self._collector = collector
        self._error = error
        self._asked = 0

    def read(self) -> Any:
        self._asked += 1
        if self._asked > 1:
            raise self._error()
        return self._collector.read()

    def rows(self, before: Any, after: Any, seconds: float) -> Any:
        return self._collector.rows(before, after, seconds)


def up(broken: str | None, error: Callable[[], Exception]) -> list[dict[str, float]]:
    """Return for each tick what `collector_up` says of every collector, and whether it had rows."""
    clock = FakeClock(datetime(2026, 11, 20, 12, tzinfo=UTC))
    collectors = {name: collector(Source(), collector.Options()) for name, collector in ALL.items()}
    if broken is not None:
        collectors[broken] = Broken(collectors[broken], error)
    sampler = Sampler(collectors, clock.monotonic)
    sampler.prime()
    ticks = []
    for _ in range(TICKS):
        clock.pass_(10)
        sample, _ = sampler.take(clock.at, ALL.keys())
        up_by_collector = {str(row[0]): float(row[2] or 0) for row in sample.rows["collector"]}
        ticks.append({name: value for name, value in up_by_collector.items() if value == 0 or name in sample.rows})
    sampler.close()
    return ticks


@pytest.mark.parametrize(
    "error", [lambda: OSError(5, "Input/output error"), lambda: RuntimeError("whatever")], ids=["EIO", "any"]
)
@pytest.mark.parametrize("broken", ALL)
def test_one_collector_that_fails_costs_no_other_a_row(broken: str, error: Callable[[], Exception]) -> None:
    whole = up(None, error)

    ticks = up(broken, error)

    others, expected = (
        [{name: up for name, up in tick.items() if name != broken} for tick in run] for run in (ticks, whole)
    )
    assert (others, ticks[0][broken]) == (expected, 0)
