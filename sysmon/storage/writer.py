"""Writer thread: no disk can hold up a sample, and a bounded queue keeps memory bounded."""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime

from sysmon.model import AlertEvent, Event, Sample
from sysmon.shortage import start_thread
from sysmon.storage.host_writer import HostWriter
from sysmon.storage.queue import QUEUE_LIMIT, Gap, LogEntry, TickRows, WriteQueue
from sysmon.storage.segment_writer import SyncError
from sysmon.text.instants import format_instant

LONGEST_END = 20.0
"""Seconds that a disk may take at the end while it goes on writing."""


class Writer:
    """Hands samples, events and alerts to the files of a host, in order; logs never wait for rows.

    While the disk refuses, samples wait in the queue, and each new one is a new try. `tell` is called from the
    writer's thread with each change of the disk's state, in a few words, and `on_first_write` once, when the first
    sample has been written.
    """

    def __init__(
        self,
        files: HostWriter,
        *,
        sync_seconds: float,
        tell: Callable[[str], None],
        on_first_write: Callable[[], None] | None = None,
    ) -> None:
        self._files = files
        self._sync_seconds = sync_seconds
        self._tell = tell
        self._on_first_write = on_first_write
        self._queue = WriteQueue()
        self._wakeup = threading.Lock()  # wakes the thread when it is let go; a Condition does that for twice the time
        self._wakeup.acquire()
        self._closing = False
        self._settling: threading.Event | None = None
        self._given_up = False
        self._steps = 0  # how often the disk has done something
        self._failures: set[type[Exception]] = set()
        self._trouble: str | None = None
        self._trouble_at: datetime | None = None
        self._latest: datetime | None = None
        self._notices: list[Event] = []
        self._synced_at = time.monotonic()
        self._thread = threading.Thread(target=self._work, name="sysmon-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        start_thread(self._thread)

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
        step = any(event.kind == "clock_step" for event in events)
        rows = TickRows(sample.at, {name: rows for name, rows in sample.rows.items() if rows}, step)
        stored = self._queue.put(rows, LogEntry(sample.at, alerts, active, events), trouble=self._trouble)
        self._wake()
        return stored

    @property
    def ended(self) -> int:
        """Return how many segments were closed so far."""
        return self._files.ended

    @property
    def trouble(self) -> str | None:
        """Return why nothing can be written at present; None where all is well."""
        return self._trouble

    def dropped(self) -> int:
        """Return how many samples were lost since this was last asked."""
        return self._queue.dropped()

    def settle(self, seconds: float) -> bool:
        """Store what waits, or give it up for good, before the end is told: `dropped` then counts all that is lost.

        Return whether the disk did something within each such time; as long as it does, it may take `LONGEST_END`.
        What is put afterwards is still stored.
        """
        settled = self._settling = threading.Event()
        self._wake()
        if self._wait_while_writing(settled.wait, seconds):
            return True
        self._queue.give_up("the disk does not answer")
        return False

    def close(self, seconds: float) -> bool:
        """Write what waits, sync and close; return whether that was done, with as much patience as `settle` has."""
        self._closing = True
        self._wake()
        return self._wait_while_writing(self._join, seconds)

    def _join(self, seconds: float) -> bool:
        self._thread.join(seconds)
        return not self._thread.is_alive()

    def _wait_while_writing(self, wait: Callable[[float], bool], seconds: float) -> bool:
        """Wait for the thread; give up when a disk has done nothing for a time, for a slow one all is stored."""
        end = time.monotonic() + LONGEST_END
        steps = self._steps
        while not wait(seconds):
            if steps == self._steps or time.monotonic() >= end:
                return False
            steps = self._steps
        return True

    def _wake(self) -> None:
        """Wake the thread, or have it look again before it sleeps; only the thread that hands over may ring."""
        if self._wakeup.locked():
            self._wakeup.release()

    def _work(self) -> None:
        closing = False
        while not closing:
            if not self._closing and (self._trouble is not None or not self._queue.any()):
                self._wakeup.acquire(timeout=self._until_sync() if self._sync_seconds else -1)
            closing, settling = self._closing, self._settling
            self._write_all()
            if settling is not None and not settling.is_set():
                self._settle()
                settling.set()
            if self._until_sync() == 0:
                self._sync()
        self._settle()
        self._files.close()

    def _settle(self) -> None:
        """Try once more what was refused; tell of what is lost, to people and to readers."""
        if self._queue.any():
            self._write_all()
        left = self._queue.give_up(self._trouble or "the disk is too slow")
        if left:
            self._given_up = True
            self._tell(f"{left} samples could not be written before the end: {self._trouble}")
        self._sync()
        with suppress(OSError):  # a disk that takes nothing cannot be told what it lacks
            self._store_notices()

    def _until_sync(self) -> float:
        return max(0.0, self._synced_at + self._sync_seconds - time.monotonic())

    def _sync(self) -> None:
        self._files.sync()
        self._steps += 1
        self._note_lost()
        self._synced_at = time.monotonic()

    def _write_all(self) -> None:
        """Write what waits, oldest first, up to the first refusal; rows are tried although the logs were refused."""
        refused = None
        for write in (self._write_logs, self._write_rows):
            try:
                self._files.hold()
                write()
            except OSError as error:
                self._queue.leave()
                refused = error
            except Exception as error:  # noqa: BLE001 - what cannot be written is lost; all else is not, and the run goes on
                refused = self._discard(error) or refused
        self._note_lost()
        if refused is not None:
            self._note_refusal(refused)
            return
        if self._trouble is not None and not self._given_up:
            self._note_recovery()
        try:
            self._store_notices()
        except OSError as error:
            self._note_refusal(error)

    def _write_logs(self) -> None:
        while (entry := self._queue.next_entry()) is not None:
            safe = self._append_safely(lambda item=entry: self._files.append_alerts(item.at, item.alerts))  # type: ignore[misc]  # bound now
            entry.alerts = ()
            safe &= self._append_safely(lambda item=entry: self._files.append_events(item.at, item.events))  # type: ignore[misc]  # bound now
            if safe:
                entry.stored.set()
            self._files.set_active(entry.active)
            self._queue.done()
            self._steps += 1

    def _append_safely(self, append: Callable[[], None]) -> bool:
        """Write to a log; return whether it will stay there."""
        try:
            append()
        except SyncError as error:  # it is written: writing it again could make two of each line
            self._tell(f"the sync of a log failed ({error.strerror}): its last lines may be lost")
            return False
        return True

    def _write_rows(self) -> None:
        self._files.check_free_space()
        while (item := self._queue.next_rows()) is not None:
            if item.step:
                self._files.end_segments()
                item.step = False
            for table, rows in list(item.rows.items()):
                self._files.append_rows(table, item.at, rows)
                self._steps += 1
                item.rows = {name: left for name, left in item.rows.items() if name != table}
            self._latest = item.at
            if self._on_first_write is not None:
                self._on_first_write()
                self._on_first_write = None
            self._note_lost()
            self._queue.done()

    def _discard(self, error: Exception) -> OSError | None:
        """Lose what was being written; return what stands for a refusal where it was nothing in particular."""
        text = f"internal error: {error!r}"
        if type(error) not in self._failures:
            self._failures.add(type(error))
            self._tell(f"{text}: what could not be written is lost")
        return None if self._queue.discard("internal error") else OSError(text)

    def _store_notices(self) -> None:
        """Store what readers must know of the disk's troubles; raise OSError where that fails, to try it again."""
        gap = self._queue.take_gap()
        at = self._latest or (gap.last if gap is not None else None)
        if at is None or (gap is None and not self._notices):
            return
        events = [*self._notices, *([] if gap is None else [gap.event(at)])]
        try:
            self._files.append_events(at, events)
        except OSError:
            if gap is not None:
                self._queue.give_back(gap)
            raise
        self._notices = []

    def _note_refusal(self, error: OSError) -> None:
        reason = error.strerror or str(error)
        if self._trouble is None:
            self._tell(f"cannot write ({reason}): samples wait in memory, the newest {QUEUE_LIMIT} of them")
            self._trouble_at = self._latest
        self._trouble = reason

    def _note_recovery(self) -> None:
        self._tell(f"writing again; it was: {self._trouble}")
        if self._latest is not None:
            since = format_instant(self._trouble_at or self._latest)
            fields = {"last_stored": since, "reason": self._trouble, "entries_lost": self._queue.forgotten()}
            self._notices.append(Event(self._latest, "storage_trouble", fields))
        self._trouble = self._trouble_at = None

    def _note_lost(self) -> None:
        lost = self._files.lost
        if lost:
            self._queue.lose(Gap(min(lost), max(lost), len(lost), "a sync failed"))
            lost.clear()
