"""The writer: its own thread, so that no disk can hold up a sample; a bounded queue, so that none can fill memory."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sysmon.instants import format_instant
from sysmon.model import AlertEvent, Event, Row, Sample
from sysmon.storage.hostfiles import HostFiles
from sysmon.storage.stream import SyncError

QUEUE_LIMIT = 120
"""Samples that wait for the disk at most; beyond it the oldest is dropped, counted and told as a gap."""


@dataclass(slots=True)
class _Item:
    """What one tick gives the writer; what has been stored is taken out of it, so that a new try stores the rest."""

    at: datetime
    rows: dict[str, Sequence[Row]]
    alerts: Sequence[AlertEvent]
    active: Sequence[AlertEvent]
    events: Sequence[Event]
    logged: bool = False
    stored: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Samples that never reached a file, until it can be told."""

    first: datetime
    last: datetime
    count: int
    reason: str

    def with_(self, other: "_Gap") -> "_Gap":
        """Return both as one."""
        first, last = min(self.first, other.first), max(self.last, other.last)
        return _Gap(first, last, self.count + other.count, self.reason)

    def event(self, at: datetime) -> Event:
        """Return how it is told."""
        span = {"from": format_instant(self.first), "to": format_instant(self.last)}
        return Event(at, "gap", {**span, "count": self.count, "reason": self.reason})


class Writer:
    """Hands samples, events and alerts to the files of a host, in order.

    While the disk refuses, samples wait in the queue, and each new one is a new try. `tell` is called from the
    writer's thread with each change of the disk's state, in a few words.
    """

    def __init__(self, files: HostFiles, *, sync_seconds: float, tell: Callable[[str], None]) -> None:
        self._files = files
        self._sync_seconds = sync_seconds
        self._tell = tell
        self._queue: deque[_Item] = deque()
        self._changed = threading.Condition()  # guards the queue, _writing, _closing, _gap and _unreported
        self._closing = False
        self._writing: _Item | None = None
        self._gap: _Gap | None = None
        self._unreported = 0
        self._trouble: str | None = None
        self._synced_at = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="sysmon-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def put(
        self,
        sample: Sample,
        *,
        events: Sequence[Event] = (),
        alerts: Sequence[AlertEvent] = (),
        active: Sequence[AlertEvent] = (),
    ) -> threading.Event:
        """Hand over what a tick gave, without waiting.

        The result is set when its events and alerts are on the disk. `active` is all that fires after this tick.
        """
        item = _Item(sample.at, {name: rows for name, rows in sample.rows.items() if rows}, alerts, active, events)
        with self._changed:
            self._queue.append(item)
            if sum(1 for waiting in self._queue if waiting.rows) > QUEUE_LIMIT:
                oldest = next(waiting for waiting in self._queue if waiting.rows and waiting is not self._writing)
                oldest.rows = {}
                self._lose(_Gap(oldest.at, oldest.at, 1, self._trouble or "the disk is too slow"))
            self._changed.notify()
        return item.stored

    def dropped(self) -> int:
        """Return how many samples were lost since this was last asked."""
        with self._changed:
            lost, self._unreported = self._unreported, 0
        return lost

    def close(self, seconds: float) -> bool:
        """Write what waits, sync and close; return whether that was done within a time."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _lose(self, gap: _Gap) -> None:
        self._unreported += gap.count
        self._gap = gap if self._gap is None else self._gap.with_(gap)

    def _work(self) -> None:
        closing = False
        while not closing:
            with self._changed:
                if not self._closing and (self._trouble is not None or not self._queue):
                    self._changed.wait(self._until_sync() or None)
                closing = self._closing
            self._write_queue()
            if self._until_sync() == 0:
                self._sync()
        self._finish()

    def _finish(self) -> None:
        self._files.close()
        self._note_lost()
        with self._changed:
            left = sum(1 for item in self._queue if item.rows)
        if left:
            self._tell(f"{left} samples could not be written before the end: {self._trouble}")

    def _until_sync(self) -> float:
        return max(0.0, self._synced_at + self._sync_seconds - time.monotonic())

    def _sync(self) -> None:
        self._files.sync()
        self._note_lost()
        self._synced_at = time.monotonic()

    def _write_queue(self) -> None:
        """Write what waits, oldest first, up to the first refusal."""
        while True:
            with self._changed:
                item = self._writing = self._queue[0] if self._queue else None
            if item is None:
                return
            try:
                self._write(item)
            except OSError as error:
                self._refused(error)
                return
            finally:
                self._note_lost()
            with self._changed:
                self._queue.popleft()

    def _write(self, item: _Item) -> None:
        if not item.logged:
            self._write_logs(item)
        for table, rows in list(item.rows.items()):
            self._files.append_rows(table, item.at, rows)
            item.rows = {name: left for name, left in item.rows.items() if name != table}
        if self._trouble is not None:
            self._tell(f"writing again; it was: {self._trouble}")
            self._trouble = None
        self._tell_gap(item.at)

    def _write_logs(self, item: _Item) -> None:
        try:
            self._files.append_logs(item.at, item.events, item.alerts)
            item.stored.set()
        except SyncError as error:  # they are written: writing them again could make each of them two
            self._tell(f"the sync of a log failed ({error.strerror}): its last lines may be lost")
        item.logged = True
        self._files.set_active(item.active)
        if any(event.kind == "clock_step" for event in item.events):
            self._files.end_segments()

    def _tell_gap(self, at: datetime) -> None:
        with self._changed:
            gap, self._gap = self._gap, None
        if gap is None:
            return
        try:
            self._files.append_logs(at, [gap.event(at)], [])
        except OSError:
            with self._changed:
                self._gap = gap if self._gap is None else gap.with_(self._gap)
            raise

    def _refused(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        if self._trouble is None:
            self._tell(f"cannot write ({reason}): samples wait in memory, the newest {QUEUE_LIMIT} of them")
        self._trouble = reason

    def _note_lost(self) -> None:
        lost = self._files.lost
        if lost:
            with self._changed:
                self._lose(_Gap(min(lost), max(lost), len(lost), "a sync failed"))
            lost.clear()
