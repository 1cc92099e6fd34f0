"""Clocks: wall time, monotonic and boot time. Nothing else asks for them; an instant is an argument everywhere."""

import struct
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

_TRIES = 5
_CLOSE_ENOUGH = 0.0005
_TIMESYNCD = Path("/run/systemd/timesync/synchronized")
"""systemd-timesyncd touches it whenever a server confirms the clock."""

_FRESH = timedelta(hours=12)
"""How far from the present a confirmation may lie; servers are asked at least every few hours."""

_TIMEX = "@Illllilllll"
"""The beginning of struct timex of adjtimex(2), up to the seconds and microseconds of its clock."""

_TIME_ERROR = 5
"""What adjtimex(2) returns where nothing keeps the clock right."""


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


def is_synchronised(now: datetime, timesyncd: Path = _TIMESYNCD) -> bool | None:
    """Say whether NTP keeps the clock right that says `now`; None where nobody knows.

    The kernel knows, and forgets it when the clock is set by hand. A service may not ask it, even without changing
    anything (ProtectClock=): there systemd-timesyncd tells when it was last confirmed.
    """
    kernel = _ask_kernel(now)
    if kernel:
        return True
    try:
        confirmed = datetime.fromtimestamp(timesyncd.stat().st_mtime, UTC)
    except OSError:
        return kernel
    return abs(now - confirmed) <= _FRESH


def _ask_kernel(now: datetime) -> bool | None:
    """Ask adjtimex(2), which changes nothing when it is asked with no modes, of the clock that says `now`."""
    if not sys.platform.startswith("linux"):
        return None
    import ctypes  # for the few that ask

    timex = ctypes.create_string_buffer(512)
    state = ctypes.CDLL(None).adjtimex(timex)
    if state == -1:
        return None
    seconds = struct.unpack_from(_TIMEX, timex)[-2]
    return bool(state != _TIME_ERROR and abs(now - datetime.fromtimestamp(seconds, UTC)) <= _FRESH)
