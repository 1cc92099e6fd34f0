"""Keeps a run of years as small as one of an hour: now and then, the interpreter gives back what it hoards."""

import gc
from datetime import datetime, timedelta

EVERY = timedelta(hours=1)


class GarbageCollection:
    """Has the garbage collected once an hour, which takes some 4 ms.

    Nothing here makes garbage that needs it. But the interpreter keeps freed tuples for later, thousands of each
    length, and lets go of them only when everything is collected, which it hardly ever does by itself.
    """

    def __init__(self) -> None:
        self._last: datetime | None = None

    def look(self, at: datetime) -> None:
        """Collect when it is time; an instant before the last one begins the hour anew."""
        if self._last is None or at < self._last:
            self._last = at
        elif at - self._last >= EVERY:
            self._last = at
            gc.collect()
