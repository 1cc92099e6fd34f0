"""Adaptive sampling intervals: costly collectors more rarely, and all of them when sysmon as a whole uses too much."""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sysmon.model import Event

PATIENCE = 3
"""Readings in a row that must be too dear before a collector is slowed down: one may have had bad luck."""

CALM = 10
"""Readings in a row that must fit the next shorter interval before it is taken again."""

MARGIN = 0.7
"""The share of the budget that they must fit into, so that a collector at the edge does not change to and fro."""

SLOWEST = 64
"""By how much an interval is stretched at most, for either reason."""


@dataclass(slots=True)
class _Pace:
    """One collector: its configured interval in seconds, its budget in seconds of CPU a second, its last costs."""

    interval: float
    budget: float | None
    stretch: int = 1
    enabled: bool = True
    costs: deque[float] = field(default_factory=lambda: deque(maxlen=CALM))

    def settle(self, slowed: int) -> bool:
        """Choose the stretch that the last costs ask for; say whether it is another one."""
        if self.budget is None or len(self.costs) < PATIENCE:
            return False
        before, allowed = self.stretch, self.budget * self.interval * slowed
        cheapest_lately, dearest = min(list(self.costs)[-PATIENCE:]), max(self.costs)
        while cheapest_lately > allowed * self.stretch and self.stretch < SLOWEST:
            self.stretch *= 2
        if self.stretch == before and len(self.costs) == CALM:
            while self.stretch > 1 and dearest <= MARGIN * allowed * self.stretch / 2:
                self.stretch //= 2
        return self.stretch != before


class Governor:
    """Knows the intervals that hold now, and changes them. Every change is an event, which coverage is told by.

    `budgets` are the percentages of a core that the named collectors may take; the others may take what they need.
    """

    def __init__(self, intervals: Mapping[str, float], budgets: Mapping[str, float]) -> None:
        self._paces = {name: _Pace(seconds, _per_second(budgets.get(name))) for name, seconds in intervals.items()}
        self._slowed = 1

    @property
    def intervals(self) -> dict[str, float]:
        """Return the interval of each collector that is read at all, in seconds."""
        paces = self._paces.items()
        return {name: pace.interval * pace.stretch * self._slowed for name, pace in paces if pace.enabled}

    def note(self, at: datetime, costs: Mapping[str, float]) -> list[Event]:
        """Take in what each collector that was read cost, in seconds of CPU; return what changes for that."""
        before = self.intervals
        settled = False
        for name, seconds in costs.items():
            pace = self._paces[name]
            pace.costs.append(seconds)
            if pace.settle(self._slowed):
                pace.costs.clear()
                settled = True
        return self._changes(at, before, "cost") if settled else []

    def slow_down(self, at: datetime) -> list[Event]:
        """Double every interval; return no event when they are as long as they may be."""
        return self._slow(at, min(SLOWEST, self._slowed * 2))

    def speed_up(self, at: datetime) -> list[Event]:
        """Take back one `slow_down`."""
        return self._slow(at, max(1, self._slowed // 2))

    def disable_dearest(self, at: datetime) -> list[Event]:
        """Stop reading the collector that takes most CPU; return no event when none is left."""
        before = self.intervals
        reading = [name for name, pace in self._paces.items() if pace.enabled]
        if reading:
            self._paces[max(reading, key=self._per_second_of)].enabled = False
        return self._changes(at, before, "resource_limits")

    def enable_cheapest(self, at: datetime) -> list[Event]:
        """Read again the cheapest of those that are not read."""
        before = self.intervals
        waiting = [name for name, pace in self._paces.items() if not pace.enabled]
        if waiting:
            self._paces[min(waiting, key=self._per_second_of)].enabled = True
        return self._changes(at, before, "resource_limits")

    def _per_second_of(self, name: str) -> float:
        pace = self._paces[name]
        mean = sum(pace.costs) / len(pace.costs) if pace.costs else 0.0
        return mean / (pace.interval * pace.stretch)

    def _slow(self, at: datetime, factor: int) -> list[Event]:
        before = self.intervals
        self._slowed = factor
        return self._changes(at, before, "resource_limits")

    def _changes(self, at: datetime, before: Mapping[str, float], reason: str) -> list[Event]:
        after = self.intervals
        return [
            Event(
                at,
                "interval_changed",
                {"collector": name, "from": before.get(name), "seconds": after.get(name), "reason": reason},
            )
            for name in self._paces
            if before.get(name) != after.get(name)
        ]


def _per_second(percent: float | None) -> float | None:
    return None if percent is None else percent / 100
