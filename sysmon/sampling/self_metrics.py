"""Self-monitoring: what sysmon itself costs, the row of the `agent` table."""

import os
import time

from sysmon.model import Row
from sysmon.rates import percent

_STATM = "/proc/self/statm"


class AgentMeter:
    """Counts ticks and measures this process from one tick to the next."""

    def __init__(self, run: str, monotonic: float) -> None:
        self._run = run
        self._sequence = 0
        self._cpu_seconds = time.process_time()
        self._monotonic = monotonic

    def row(self, *, monotonic: float, lateness: float, missed: int, dropped: int) -> Row:
        """Return the row of a tick that begins now; `lateness` is in seconds."""
        cpu_seconds = time.process_time()
        used = percent(cpu_seconds - self._cpu_seconds, monotonic - self._monotonic)
        self._cpu_seconds, self._monotonic = cpu_seconds, monotonic
        self._sequence += 1
        return (self._run, self._sequence, used, _resident_bytes(), round(lateness, 6), missed, dropped)


def _resident_bytes() -> int | None:
    """Return resident memory: the second field of /proc/self/statm, in pages (proc(5)); None on other systems."""
    try:
        descriptor = os.open(_STATM, os.O_RDONLY)
        try:
            pages = int(os.read(descriptor, 256).split()[1])
        finally:
            os.close(descriptor)
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")
