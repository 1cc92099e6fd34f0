"""Lines to a terminal, a pipe or a journal: written by a thread, so that a reader that stops or leaves hurts nobody."""

import os
import threading
from collections import deque
from dataclasses import dataclass

LIMIT = 1000
"""Lines that wait for a slow reader at most; beyond it the oldest are left out, and their number is shown."""

STORED_WITHIN = 1.0
"""Seconds that a line waits for what it tells to be on the disk, before it is shown with a mark."""


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    stored: threading.Event | None


class Outlet:
    """Writes lines to a file descriptor, in order, from a thread of its own; gives up for good when that fails."""

    def __init__(
        self, descriptor: int, *, encoding: str = "utf-8", name: str = "console", stored_within: float = STORED_WITHIN
    ) -> None:
        self._descriptor = descriptor
        self._encoding = encoding
        self._stored_within = stored_within
        self._lines: deque[_Line] = deque()
        self._left_out = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name=f"sysmon-{name}", daemon=True)
        self._thread.start()

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

    def close(self, seconds: float) -> None:
        """Show what is queued, for a time at most."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._lines and not self._closing:
                    self._changed.wait()
                if not self._lines:
                    return
                line = self._lines.popleft()
                left_out, self._left_out = self._left_out, 0
            text = line.text
            if line.stored is not None and not line.stored.wait(self._stored_within):
                text += " (not stored)"
            if left_out:
                text = f"({left_out} lines left out)\n{text}"
            try:
                _write_all(self._descriptor, f"{text}\n".encode(self._encoding, "backslashreplace"))
            except OSError:
                return  # closed, full or gone: there is nobody to show anything to


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
