"""Process list: the names in /proc, read once a tick for the two collectors that need them."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_SAME_TICK = 0.1


class Listing:
    """Lists /proc: who asks second in a tick takes what was listed first."""

    def __init__(self, proc: Path, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._proc = str(proc)
        self._monotonic = monotonic
        self._left: tuple[float, list[str]] | None = None

    def names(self) -> list[str]:
        """List the processes now, and leave the list for `take`."""
        names = listed(self._proc)
        self._left = (self._monotonic(), names)
        return names

    def take(self) -> list[str]:
        """Return the list that was left a moment ago, once; else list the processes now."""
        left, self._left = self._left, None
        if left is not None and self._monotonic() - left[0] < _SAME_TICK:
            return left[1]
        return listed(self._proc)


def listed(proc: str) -> list[str]:
    """Return the names of the folders of processes, which are their pids."""
    return [name for name in os.listdir(proc) if name.isdecimal()]  # noqa: PTH208 - names, a thousand at a time
