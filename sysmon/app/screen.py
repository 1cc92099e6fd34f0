"""What `sysmon run` shows: a line a tick on a terminal; in a pipe or a journal only the start, alerts and the end."""

import os
import sys
import threading
from collections.abc import Mapping, Sequence

from colorama import just_fix_windows_console

from sysmon.model import AlertEvent, Row, Sample, Table
from sysmon.notify import lines
from sysmon.notify.glance import glance
from sysmon.notify.outlet import Outlet

HEADING_EVERY = 20
"""Ticks after which the column names are shown again."""

_WIDTH = 80


class Screen:
    """Shows a run on standard output; nothing it does can hold up or end the sampling."""

    def __init__(self, tables: Mapping[str, Table], *, color: bool, quiet: bool) -> None:
        self._tables = tables
        self._color = color
        self._quiet = quiet
        self._live = not quiet and is_terminal(1)
        self._latest: dict[str, Sequence[Row]] = {}
        self._shown = 0
        just_fix_windows_console()
        self._outlet = Outlet(1, encoding=getattr(sys.stdout, "encoding", None) or "utf-8")

    @property
    def live(self) -> bool:
        """Say whether somebody is watching."""
        return self._live

    def say(self, *texts: str) -> None:
        """Show lines, unless only alerts are wanted."""
        if not self._quiet:
            for text in texts:
                self._outlet.show(text)

    def tick(self, sample: Sample, active: Sequence[AlertEvent]) -> None:
        """Show one line, on a terminal; tables that were not due are shown as they were last seen."""
        if not self._live:
            return
        self._latest.update(sample.rows)
        width = _terminal_width()
        if self._shown % HEADING_EVERY == 0:
            self._outlet.show(lines.heading(width))
        self._shown += 1
        seen = glance(self._latest, self._tables)
        self._outlet.show(lines.tick_line(sample.at, seen, active, width=width, color=self._color))

    def alerts(self, events: Sequence[AlertEvent], stored: threading.Event) -> None:
        """Show alerts, once they are on the disk."""
        for event in events:
            self._outlet.show(lines.alert_line(event, color=self._color), stored=stored)

    def close(self, seconds: float) -> None:
        """Show what is left, for a time at most."""
        self._outlet.close(seconds)


def wants_color(choice: str, environ: Mapping[str, str]) -> bool:
    """Decide about colour: the flag (`auto`, `always`, `never`), then NO_COLOR, FORCE_COLOR, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal(1) and environ.get("TERM") != "dumb"


def is_terminal(descriptor: int) -> bool:
    """Say whether a descriptor is open and a terminal."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False


def _terminal_width() -> int:
    try:
        return os.get_terminal_size(1).columns or _WIDTH
    except OSError:
        return _WIDTH
