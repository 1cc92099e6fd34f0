"""Status area: kept in its place on a terminal, below everything that was said before."""

import os
from collections.abc import Callable, Sequence

from sysmon.console.status_model import RunStatus
from sysmon.console.status_panel import render
from sysmon.text.spans import Look

_HOME, _CLEAR_LINE, _CLEAR_BELOW = "\r", "\x1b[K", "\x1b[J"


class StatusArea:
    """What to write to show lines, and below them the area as the latest status says.

    Between drawings the cursor rests on the area's first line, which is empty. So nothing must be remembered of what
    was drawn: the next drawing begins where the cursor is, whatever the terminal did to the lines below when its size
    changed; what a person types stands on the empty line; and a line feed moves the whole area down by one.
    """

    def __init__(self, descriptor: int, look: Look, size: Callable[[], tuple[int, int]]) -> None:
        self._descriptor = descriptor
        self._look = look
        self._size = size
        self.status: RunStatus | None = None

    def draw_above(self, line: str) -> str:
        """Return what shows a line where the area is now; the area is drawn anew below it."""
        return f"{self.clear()}{line}\n"

    def draw(self) -> str:
        """Return what shows the area, as it is now."""
        drawn = self._drawn()
        return f"{_lines(drawn)}{_HOME}\x1b[{len(drawn)}A" if drawn else ""

    def draw_last(self) -> str:
        """Return what shows the area for the last time, and leaves it where it is."""
        drawn = self._drawn()
        return f"{_lines(drawn)}\r\n" if drawn else self.clear()

    def clear(self) -> str:
        """Return what takes the area off the screen."""
        return _HOME + _CLEAR_BELOW if self._ours() else ""

    def _drawn(self) -> list[str]:
        if self.status is None or not self._ours():
            return []
        columns, rows = self._size()
        return render(self.status, columns=columns, rows=rows, look=self._look)

    def _ours(self) -> bool:
        """Say whether the terminal is ours to draw on: in the background it belongs to somebody else."""
        foreground = getattr(os, "tcgetpgrp", None)
        if foreground is None:
            return True
        try:
            return bool(foreground(self._descriptor) == os.getpgrp())
        except OSError:  # not the terminal that we were started on: there is no background then
            return True


def _lines(drawn: Sequence[str]) -> str:
    """Return an empty line and the area under it; each line wipes what it does not cover."""
    *upper, lowest = drawn
    return _HOME + "".join(f"{line}{_CLEAR_LINE}\r\n" for line in ("", *upper)) + lowest + _CLEAR_BELOW
