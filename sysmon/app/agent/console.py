"""What `sysmon run` shows: a status area on a terminal; in a pipe or a journal only the start, alerts and the end."""

import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING

from sysmon.app.agent import log
from sysmon.app.agent.journal import is_journal, of_alert
from sysmon.app.terminal.color import is_terminal
from sysmon.app.terminal.job_control import handle_job_control
from sysmon.app.terminal.size import can_draw, terminal_size
from sysmon.console import lines
from sysmon.console.line_writer import AsyncLineWriter
from sysmon.model import AlertEvent, Row, Sample, Table

if TYPE_CHECKING:
    from sysmon.console.status_area import StatusArea
    from sysmon.console.status_model import StatusTracker

HEADING_EVERY = 20
"""Ticks after which the column names are shown again."""

SMALLEST = (30, 6)
"""Columns and rows below which an area in place makes no sense."""

_CLOSING_SECONDS = 0.2


class ConsoleMode(Enum):
    """What is shown of a run besides its alerts."""

    AREA = "a status area that refreshes in place"
    LINES = "a line a tick"
    ENDS = "where it begins and ends"
    NOTHING = "nothing"


class Console:
    """Shows a run on standard output; nothing it does can hold up or end the sampling.

    `about` is the host, the interval and where the files are. What draws is loaded only where somebody watches: a
    service runs for months without it.
    """

    def __init__(
        self,
        tables: Mapping[str, Table],
        about: tuple[str, str, str],
        *,
        face: ConsoleMode,
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
        self._area: StatusArea | None = None
        if face is ConsoleMode.AREA:
            self._tracker, self._area = _drawing(tables, about, color=color, encoding=encoding, environ=environ)
        self._line_writer = AsyncLineWriter(1, encoding=encoding, area=self._area)

    @property
    def live(self) -> bool:
        """Say whether somebody is watching."""
        return self._face in {ConsoleMode.AREA, ConsoleMode.LINES}

    @contextmanager
    def attended(self) -> Iterator[None]:
        """Keep the area whole while the context lasts, whatever happens to the terminal; leave it behind at the end."""
        if self._area is None:
            yield
            return
        try:
            with log.shown_by(self._line_writer, descriptor=1), handle_job_control(self._line_writer):
                yield
        finally:
            self.close(_CLOSING_SECONDS)

    def say(self, *texts: str) -> None:
        """Show lines, unless only alerts are wanted."""
        if self._face is not ConsoleMode.NOTHING:
            for text in texts:
                self._line_writer.show(text)

    def tick(self, sample: Sample, active: Sequence[AlertEvent]) -> None:
        """Show how things are; tables that were not due are shown as they were last seen."""
        if self._area is not None:
            self._area.status = self._tracker.see(sample, active)
            self._line_writer.refresh()
        elif self._face is ConsoleMode.LINES:
            self._line(sample, active)

    def alerts(self, events: Sequence[AlertEvent], stored: threading.Event) -> None:
        """Show alerts, once they are on the disk."""
        width = terminal_size()[0] if is_terminal(1) else None
        for event in events:
            priority = of_alert(event) if self._journal else ""
            self._line_writer.show(priority + lines.alert_line(event, color=self._color, width=width), stored=stored)

    def close(self, seconds: float, *, saying: str | None = None) -> None:
        """Show what is left and a last line, for a time at most."""
        self._line_writer.close(seconds, last=None if self._face is ConsoleMode.NOTHING else saying)

    def _line(self, sample: Sample, active: Sequence[AlertEvent]) -> None:
        from sysmon.console.overview import TABLES, summarize

        self._latest.update({name: rows for name, rows in sample.rows.items() if name in TABLES})
        width = terminal_size()[0]
        if self._shown == 0:
            self._line_writer.show("")
        if self._shown % HEADING_EVERY == 0:
            self._line_writer.show(lines.heading(width))
        self._shown += 1
        seen = summarize(self._latest, self._tables)
        self._line_writer.show(lines.tick_line(sample.at, seen, active, width=width, color=self._color))


def _drawing(
    tables: Mapping[str, Table], about: tuple[str, str, str], *, color: bool, encoding: str, environ: Mapping[str, str]
) -> "tuple[StatusTracker, StatusArea]":
    """Return what gathers the status, and what keeps it in its place."""
    from sysmon.console.status_area import StatusArea
    from sysmon.console.status_model import RunInfo, StatusTracker
    from sysmon.text.spans import detect_look

    seen = detect_look(color=color, encoding=encoding, term=environ.get("TERM", ""))
    return StatusTracker(tables, RunInfo(*about)), StatusArea(1, seen, terminal_size)


def choose_mode(environ: Mapping[str, str], *, quiet: bool, lines_wanted: bool) -> ConsoleMode:
    """Decide what standard output is shown: an area only where the terminal says that a cursor can move on it."""
    if quiet:
        return ConsoleMode.NOTHING
    if not is_terminal(1):
        return ConsoleMode.ENDS
    return ConsoleMode.AREA if not lines_wanted and can_draw(environ, SMALLEST) else ConsoleMode.LINES


def _prepare_terminal() -> None:
    """Have an old Windows console understand colours; on other systems nothing is needed, or loaded."""
    if sys.platform == "win32":
        from colorama import just_fix_windows_console

        just_fix_windows_console()
