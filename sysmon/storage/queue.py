"""Write queue with load shedding: samples, alerts and events, each bounded, and what was given up, counted."""

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sysmon.model import AlertEvent, Event, Row
from sysmon.text.instants import format_instant

QUEUE_LIMIT = 120
"""Samples that wait at most; beyond it the oldest is dropped, counted and told as a gap."""

LOG_LIMIT = 2000
"""Ticks with alerts or events that wait at most."""


@dataclass(slots=True)
class TickRows:
    """The rows of one tick; a table that was stored is taken out. `step` says that new segments begin with it."""

    at: datetime
    rows: dict[str, Sequence[Row]]
    step: bool = False


@dataclass(slots=True)
class LogEntry:
    """What one tick gives the logs; `active` is all that fires after it. What was stored is taken out."""

    at: datetime
    alerts: Sequence[AlertEvent]
    active: Sequence[AlertEvent]
    events: Sequence[Event]
    stored: threading.Event = field(default_factory=threading.Event)

    @property
    def bare(self) -> bool:
        """Say whether there is nothing in it to store."""
        return not (self.alerts or self.events)


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that never reached a file, until it can be told."""

    first: datetime
    last: datetime
    count: int
    reason: str

    def with_(self, other: "Gap") -> "Gap":
        """Return both as one."""
        first, last = min(self.first, other.first), max(self.last, other.last)
        return Gap(first, last, self.count + other.count, self.reason)

    def event(self, at: datetime) -> Event:
        """Return how it is told."""
        span = {"from": format_instant(self.first), "to": format_instant(self.last)}
        return Event(at, "gap", {**span, "count": self.count, "reason": self.reason})


class WriteQueue:
    """The queues between the sampling and the writer's thread; safe to use from both.

    The writer takes the head with `next_rows` or `next_entry`, and takes it out with `done` when all of it is stored.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: deque[TickRows] = deque()
        self._entries: deque[LogEntry] = deque()
        self._writing: TickRows | LogEntry | None = None
        self._gap: Gap | None = None
        self._unreported = 0
        self._forgotten = 0

    def put(self, rows: TickRows, entry: LogEntry, *, trouble: str | None) -> threading.Event:
        """Add a tick; return what will be set when its entry is on the disk. `trouble` is why anything would go."""
        with self._lock:
            if rows.rows or rows.step:
                self._rows.append(rows)
            if len(self._rows) > QUEUE_LIMIT:
                self._shed(trouble or "the disk is too slow")
            last = self._entries[-1] if self._entries else None
            if last is not None and last.bare and last is not self._writing:
                entry.stored = last.stored
                self._entries.pop()
            self._entries.append(entry)
            if len(self._entries) > LOG_LIMIT:
                index = 1 if self._entries[0] is self._writing else 0
                self._forgotten += len(self._entries[index].alerts) + len(self._entries[index].events)
                del self._entries[index]
            return entry.stored

    def any(self) -> bool:
        """Say whether something waits."""
        with self._lock:
            return bool(self._rows or self._entries)

    def give_up(self, reason: str) -> int:
        """Count all samples that wait as lost; return how many that are."""
        with self._lock:
            left = [item for item in self._rows if item.rows]
            self._rows.clear()
            for item in left:
                self._lose(Gap(item.at, item.at, 1, reason))
            return len(left)

    def discard(self, reason: str) -> bool:
        """Take out what was being written and cannot be, and count it; return whether there was anything."""
        with self._lock:
            item, self._writing = self._writing, None
            if item is None:
                return False
            if isinstance(item, TickRows):
                self._rows.popleft()
                self._lose(Gap(item.at, item.at, 1, reason))
            else:
                self._entries.popleft()
                self._forgotten += len(item.alerts) + len(item.events)
            return True

    def next_rows(self) -> TickRows | None:
        """Return the oldest sample; it is not dropped while it is being written."""
        with self._lock:
            self._writing = head = self._rows[0] if self._rows else None
            return head

    def next_entry(self) -> LogEntry | None:
        """Return the oldest entry of the logs."""
        with self._lock:
            self._writing = first = self._entries[0] if self._entries else None
            return first

    def done(self) -> None:
        """Take out what was being written."""
        with self._lock:
            if self._rows and self._rows[0] is self._writing:
                self._rows.popleft()
            elif self._entries and self._entries[0] is self._writing:
                self._entries.popleft()
            self._writing = None

    def leave(self) -> None:
        """Keep what was being written, for another try; meanwhile it may be dropped."""
        with self._lock:
            self._writing = None

    def lose(self, gap: Gap) -> None:
        """Count samples that are lost."""
        with self._lock:
            self._lose(gap)

    def take_gap(self) -> Gap | None:
        """Return what is lost and was not told to readers yet."""
        with self._lock:
            gap, self._gap = self._gap, None
            return gap

    def give_back(self, gap: Gap) -> None:
        """Keep a gap that could not be told."""
        with self._lock:
            self._gap = gap if self._gap is None else gap.with_(self._gap)

    def dropped(self) -> int:
        """Return how many samples were lost since this was last asked."""
        with self._lock:
            lost, self._unreported = self._unreported, 0
            return lost

    def forgotten(self) -> int:
        """Return how many alerts and events were given up since this was last asked."""
        with self._lock:
            lost, self._forgotten = self._forgotten, 0
            return lost

    def _shed(self, reason: str) -> None:
        index = 1 if self._rows[0] is self._writing else 0
        oldest = self._rows[index]
        del self._rows[index]
        if oldest.step:
            self._rows[index].step = True
        if oldest.rows:
            self._lose(Gap(oldest.at, oldest.at, 1, reason))

    def _lose(self, gap: Gap) -> None:
        self._unreported += gap.count
        self._gap = gap if self._gap is None else self._gap.with_(gap)
