"""Asynchronous line writer: a thread writes to a terminal, a pipe or a journal; a reader that stops hurts nobody."""

import errno
import os
import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sysmon.shortage import start_thread

if TYPE_CHECKING:
    from sysmon.console.status_area import StatusArea

_PASSING = frozenset({errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)})
"""What a file answers that takes no more, until somebody makes room: lines are left out and counted meanwhile."""

LIMIT = 1000
"""Lines that wait for a slow reader at most; beyond it the oldest are left out, and their number is shown."""

STORED_WITHIN = 1.0
"""Seconds that a line waits for what it tells to be on the disk, before it is shown with a mark."""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    stored: threading.Event | None


class AsyncLineWriter:
    """Writes lines to a file descriptor, in order, from a thread of its own, for as long as somebody may read them.

    With an `area`, that is kept below the lines. Only its newest state is drawn: where the terminal takes nothing for
    a while, no older one waits. `refresh`, `leave` and `back` may be called from signal handlers: the lock that they
    take may be held by the very thread that was interrupted, and no other keeps it for long.
    """

    def __init__(
        self,
        descriptor: int,
        *,
        encoding: str = "utf-8",
        name: str = "console",
        stored_within: float = STORED_WITHIN,
        area: "StatusArea | None" = None,
    ) -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._stored_within = stored_within
        self._lines: deque[_Line] = deque()
        self._left_out = 0
        self._changed = threading.Condition(threading.RLock())
        self._closing = False
        self._last: str | None = None
        self._area = area
        self._stale = False
        self._away = False
        self._cleared: threading.Event | None = None
        self._thread = threading.Thread(target=self._work, name=f"sysmon-{name}", daemon=True)
        start_thread(self._thread)

    def show(self, text: str, *, stored: threading.Event | None = None) -> None:
        """Queue a line; with `stored` it is shown once that is set, or marked when that takes too long."""
        with self._changed:
            self._lines.append(_Line(text, stored))
            if len(self._lines) > LIMIT:
                self._lines.popleft()
                self._left_out += 1
            self._changed.notify()

    @property
    def open(self) -> bool:
        """Say whether lines still reach somebody, as far as is known."""
        return self._thread.is_alive()

    def refresh(self) -> None:
        """Draw the area again soon."""
        with self._changed:
            self._stale = True
            self._changed.notify()

    def leave(self, seconds: float) -> None:
        """Take the area off the screen until it comes back; wait for that, for a time at most."""
        cleared = threading.Event()
        with self._changed:
            self._away, self._cleared = True, cleared
            self._changed.notify()
        cleared.wait(seconds)

    def resume(self) -> None:
        """Draw the area where the cursor is now."""
        with self._changed:
            self._away = False
        self.refresh()

    def close(self, seconds: float, *, last: str | None = None) -> None:
        """Show what is queued, and a last line below the area; for a time at most."""
        with self._changed:
            self._last = self._last or last
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _work(self) -> None:
        going_on = True
        while going_on:
            try:
                going_on = self._turn()
            except OSError as error:
                if self._closing or error.errno not in _PASSING:
                    return  # closed or gone: there is nobody to show anything to
                with self._changed:
                    self._left_out += 1
            except Exception as error:  # noqa: BLE001 - lines and alerts are shown whatever a drawing meets
                if self._closing or self._area is None:
                    return
                self._area = None
                self.show(f"internal error: {error!r}: the status area is gone")

    def _turn(self) -> bool:
        """Wait for something to do, and do it; return whether there may be more."""
        with self._changed:
            while not (self._lines or self._stale or self._cleared or self._closing):
                self._changed.wait()
            line = self._lines.popleft() if self._lines else None
            left_out, self._left_out = self._left_out, 0
            ending = self._closing and line is None
            self._stale = False
            cleared, self._cleared = self._cleared, None
        if line is not None:
            self._write(self._above(self._format(line, left_out)))
        if ending:
            self._write(self._ending())
        else:
            self._write(self._below())
        if cleared is not None:
            cleared.set()
        return not ending

    def _format(self, line: _Line, left_out: int) -> str:
        text = line.text
        if line.stored is not None and not line.stored.wait(self._stored_within):
            text += " (not stored)"
        return f"({left_out} lines left out)\n{text}" if left_out else text

    def _above(self, text: str) -> str:
        return self._area.draw_above(text) if self._area else f"{text}\n"

    def _below(self) -> str:
        """Return the area's drawing; nothing while further lines are to come before it."""
        if self._area is None or self._lines:
            return ""
        return self._area.clear() if self._away else self._area.draw()

    def _ending(self) -> str:
        area = self._area.draw_last() if self._area else ""
        return area if self._last is None else f"{area}{self._last}\n"

    def _write(self, text: str) -> None:
        data = text.encode(self._encoding, "backslashreplace")
        while data:
            data = data[os.write(self._descriptor, data) :]
