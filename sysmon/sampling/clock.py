"""Clocks: wall time, monotonic and boot time. Nothing else asks for them; an instant is an argument everywhere."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

_TRIES = 5
_CLOSE_ENOUGH = 0.0005


@dataclass(frozen=True, slots=True)
class ClockReading:
    """One instant on three clocks.

    `at` is the wall clock in UTC, `monotonic` seconds that never jump and stand still while the machine sleeps,
    `boot` seconds since the machine started, sleep included (clock_gettime(2): REALTIME, MONOTONIC, BOOTTIME).
    """

    at: datetime
    monotonic: float
    boot: float


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the wall clock in UTC."""

    def monotonic(self) -> float:
        """Return seconds that never jump."""

    def read(self) -> ClockReading:
        """Return all clocks as of one instant."""


class SystemClock:
    """The clocks of this machine."""

    def now(self) -> datetime:
        """Return the wall clock in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that never jump."""
        return time.monotonic()

    def read(self) -> ClockReading:
        """Return all clocks as of one instant.

        They are read one after the other, and the process may be held up in between: the tightest of a few readings
        is taken, so that being held up does not look like a clock that was set.
        """
        best = None
        for _ in range(_TRIES):
            before = time.monotonic()
            reading = ClockReading(self.now(), before, _boot_seconds())
            spread = time.monotonic() - before
            if best is None or spread < best[0]:
                best = (spread, reading)
            if spread < _CLOSE_ENOUGH:
                break
        assert best is not None  # noqa: S101 - there is at least one try
        return best[1]


def _boot_seconds() -> float:
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
