"""Hourly garbage collection: a run of years stays as small as one of an hour."""

import gc
from datetime import datetime, timedelta
from typing import ClassVar

from sysmon.app.agent.observer import Entry, Observer, Place

EVERY = timedelta(hours=1)


class GarbageCollection(Observer):
    """Has the garbage collected once an hour, which takes some 4 ms.

    Nothing here makes garbage that needs it. But the interpreter keeps freed tuples for later, thousands of each
    length, and lets go of them only when everything is collected, which it hardly ever does by itself.
    """

    place: ClassVar[Place] = Place.HOUSEKEEPING

    def __init__(self) -> None:
        self._last: datetime | None = None

    def tick(self, entry: Entry, /) -> None:
        """Collect when it is time."""
        self.look(entry.sample.at)

    def look(self, at: datetime) -> None:
        """Collect when it is time; an instant before the last one begins the hour anew."""
        if self._last is None or at < self._last:
            self._last = at
        elif at - self._last >= EVERY:
            self._last = at
            gc.collect()
