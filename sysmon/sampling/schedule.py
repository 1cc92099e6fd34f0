"""Tick schedule: multiples of an interval since the epoch. Pure arithmetic on instants."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sysmon.text.instants import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Schedule:
    """The base interval in seconds, at whose multiples the ticks are."""

    base: float

    def floor(self, at: datetime) -> datetime:
        """Return the latest tick that is not after an instant."""
        return from_ms(to_ms(at) // _ms(self.base) * _ms(self.base))

    def after(self, at: datetime) -> datetime:
        """Return the first tick after an instant."""
        return from_ms((to_ms(at) // _ms(self.base) + 1) * _ms(self.base))

    def between(self, early: datetime, late: datetime) -> int:
        """Return how many ticks lie in [early, late)."""
        return max(0, -(-to_ms(late) // _ms(self.base)) - -(-to_ms(early) // _ms(self.base)))


def select_due(at: datetime, intervals: Mapping[str, float]) -> frozenset[str]:
    """Return the names whose interval (seconds, a whole multiple of the base) has a multiple at a tick."""
    ms = to_ms(at)
    return frozenset([name for name, seconds in intervals.items() if ms % _ms(seconds) == 0])


def _ms(seconds: float) -> int:
    return round(seconds * 1000)
