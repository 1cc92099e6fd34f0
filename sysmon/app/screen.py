"""What `sysmon run` shows: a status area on a terminal; in a pipe or a journal only the start, alerts and the end."""

import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

from sysmon.app import logs
from sysmon.app.color import is_terminal
from sysmon.app.jobcontrol import minding
from sysmon.app.journal import is_journal, of_alert
from sysmon.model import AlertEvent, Row, Sample, Table
from sysmon.notify import lines
from sysmon.notify.outlet import Outlet

if TYPE_CHECKING:
    from sysmon.notify.area import Area
    from sysmon.notify.status import StatusKeeper

HEADING_EVERY = 20
"""Ticks after which the column names are shown again."""

SMALLEST = (30, 6)
"""Columns and rows below which an area in place makes no sense."""

_CLOSING_SECONDS = 0.2
_CANNOT_MOVE = frozenset({"", "dumb", "unknown"})


class Face(Enum):
    """What is shown of a run besides its alerts."""

    AREA = "a status area that refreshes in place"
    LINES = "a line a tick"
    ENDS = "where it begins and ends"
    NOTHING = "nothing"


class Screen:
    """Shows a run on standard output; nothing it does can hold up or end the sampling.

    `about` is the host, the interval and where the files are. What draws is loaded only where somebody watches: a
    service runs for months without it.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        about: tuple[str, str, str],
        *,
        face: Face,
        color: bool,
        environ: Mapping[str, str],
    ) -> None:
        self._tables = tables
        self._face = face
        self._color = color
        self._journal = is_journal(1, environ)
        self._latest: dict[str, Sequence[Row]] = {}
        self._shown = 0
        _prepare_terminal()
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._area: Area | None = None
        if face is Face.AREA:
            self._keeper, self._area = _drawing(tables, about, color=color, encoding=encoding, environ=environ)
        self._outlet = Outlet(1, encoding=encoding, area=self._area)

    @property
    def live(self) -> bool:
        """Say whether somebody is watching."""
        return self._face in {Face.AREA, Face.LINES}

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Keep the area whole while the context lasts, whatever happens to the terminal; leave it behind at the end."""
        if self._area is None:
            yield
            return
        try:
            with logs.shown_by(self._outlet, descriptor=1), minding(self._outlet):
                yield
        finally:
            self.close(_CLOSING_SECONDS)

    def say(self, *texts: str) -> None:
        """Show lines, unless only alerts are wanted."""
        if self._face is not Face.NOTHING:
            for text in texts:
                self._outlet.show(text)

    def tick(self, sample: Sample, active: Sequence[AlertEvent]) -> None:
        """Show how things are; tables that were not due are shown as they were last seen."""
        if self._area is not None:
            self._area.status = self._keeper.see(sample, active)
            self._outlet.refresh()
        elif self._face is Face.LINES:
            self._line(sample, active)

    def alerts(self, events: Sequence[AlertEvent], stored: threading.Event) -> None:
        """Show alerts, once they are on the disk."""
        width = terminal_size()[0] if is_terminal(1) else None
        for event in events:
            priority = of_alert(event) if self._journal else ""
            self._outlet.show(priority + lines.alert_line(event, color=self._color, width=width), stored=stored)

    def close(self, seconds: float, *, saying: str | None = None) -> None:
        """Show what is left and a last line, for a time at most."""
        self._outlet.close(seconds, last=None if self._face is Face.NOTHING else saying)

    def _line(self, sample: Sample, active: Sequence[AlertEvent]) -> None:
        from sysmon.notify.glance import TABLES, glance

        self._latest.update({name: rows for name, rows in sample.rows.items() if name in TABLES})
        width = terminal_size()[0]
        if self._shown == 0:
            self._outlet.show("")
        if self._shown % HEADING_EVERY == 0:
            self._outlet.show(lines.heading(width))
        self._shown += 1
        seen = glance(self._latest, self._tables)
        self._outlet.show(lines.tick_line(sample.at, seen, active, width=width, color=self._color))


def _drawing(
    tables: Mapping[str, Table], about: tuple[str, str, str], *, color: bool, encoding: str, environ: Mapping[str, str]
) -> "tuple[StatusKeeper, Area]":
    """Return what gathers the status, and what keeps it in its place."""
    from sysmon.cells import look
    from sysmon.notify.area import Area
    from sysmon.notify.status import About, StatusKeeper

    seen = look(color=color, encoding=encoding, term=environ.get("TERM", ""))
    return StatusKeeper(tables, About(*about)), Area(1, seen, terminal_size)


def choose_face(environ: Mapping[str, str], *, quiet: bool, lines_wanted: bool) -> Face:
    """Decide what standard output is shown: an area only where the terminal says that a cursor can move on it."""
    if quiet:
        return Face.NOTHING
    if not is_terminal(1):
        return Face.ENDS
    return Face.AREA if not lines_wanted and can_draw(environ, SMALLEST) else Face.LINES


def can_draw(environ: Mapping[str, str], smallest: tuple[int, int]) -> bool:
    """Say whether a cursor can move on the terminal on standard output, and it has so many columns and rows."""
    columns, rows = terminal_size(unknown=(0, 0))
    moves = os.name == "nt" or environ.get("TERM", "") not in _CANNOT_MOVE
    return moves and columns >= smallest[0] and rows >= smallest[1]


def terminal_size(*, unknown: tuple[int, int] = (80, 24)) -> tuple[int, int]:
    """Return the columns and rows of the terminal on standard output, as they are now."""
    try:
        size = os.get_terminal_size(1)
    except OSError:
        return unknown
    return (size.columns, size.lines) if size.columns and size.lines else unknown


def _prepare_terminal() -> None:
    """Have an old Windows console understand colours; on other systems nothing is needed, or loaded."""
    if sys.platform == "win32":
        from colorama import just_fix_windows_console

        just_fix_windows_console()
