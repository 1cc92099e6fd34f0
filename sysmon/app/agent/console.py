"""Console of a run: a status area on a terminal; in a pipe or a journal only the start, alerts and the end."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from typing import TYPE_CHECKING, ClassVar

from sysmon.app.agent import banner, log
from sysmon.app.agent.agent import Agent
from sysmon.app.agent.journal import alert_prefix, is_journal
from sysmon.app.agent.observer import Entry, Observer, Place
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


_ATTACHED_SECONDS = 0.2
"""How long leaving `attached` waits for a terminal that takes nothing."""


class ConsoleMode(Enum):
    """What is shown of a run besides its alerts."""

    AREA = "a status area that refreshes in place"
    LINES = "a line a tick"
    START_AND_END = "where it begins and ends"
    ALERTS = "nothing"


class Console(Observer):
    """Shows a run on standard output; nothing it does can hold up or end the sampling.

    `about` is the host, the interval and where the files are. What draws is loaded only where somebody watches: a
    service runs for months without it.
    """

    place: ClassVar[Place] = Place.CONSOLE

    def __init__(
        self,
        tables: Mapping[str, Table],
        about: tuple[str, str, str],
        *,
        mode: ConsoleMode,
        color: bool,
        environ: Mapping[str, str],
    ) -> None:
        self._tables = tables
        self._mode = mode
        self._color = color
        self._environ = environ
        self._journal = is_journal(1, environ)
        self._latest: dict[str, Sequence[Row]] = {}
        self._lines_shown = 0
        self._last_line: str | None = None
        _prepare_terminal()
        encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
        self._area: StatusArea | None = None
        if mode is ConsoleMode.AREA:
            self._tracker, self._area = _make_area(tables, about, color=color, encoding=encoding, environ=environ)
        self._line_writer = AsyncLineWriter(1, encoding=encoding, area=self._area)

    @property
    def live(self) -> bool:
        """Say whether somebody is watching."""
        return self._mode in {ConsoleMode.AREA, ConsoleMode.LINES}

    @contextmanager
    def attached(self) -> Iterator[None]:
        """Keep the area whole while the context lasts, whatever happens to the terminal; leave it behind at the end."""
        if self._area is None:
            yield
            return
        try:
            with log.redirect_log(self._line_writer, descriptor=1), handle_job_control(self._line_writer):
                yield
        finally:
            self._line_writer.close(_ATTACHED_SECONDS)

    def open(self, agent: Agent, /) -> None:
        """Show who watches what, unless only alerts are wanted."""
        if self._mode is ConsoleMode.ALERTS:
            return
        facts = banner.BannerFacts(
            host=agent.identity.origin.hostname,
            folder=agent.folder,
            run=agent.identity.run,
            rules=len(agent.rules.rules),
            active=agent.alerts.describe_active(),
        )
        if self.live:
            shown = banner.format_for_terminal(facts, agent.config, self._environ)
        else:
            shown = banner.format_for_pipe(facts, agent.config)
        for line in shown:
            self._line_writer.show(line)

    def start(self, entry: Entry, /) -> None:
        """Show the alerts that the log of the last run lacks."""
        self._show_alerts(entry)

    def tick(self, entry: Entry, /) -> None:
        """Show the alerts of a tick, then how things are."""
        self._show_alerts(entry)
        self.show(entry.sample, entry.active)

    def stop(self, entry: Entry, /) -> None:
        """Make the last line of the counts."""
        if self._mode is not ConsoleMode.ALERTS:
            fields = entry.events[0].fields
            samples = "1 sample" if fields["ticks"] == 1 else f"{fields['ticks']} samples"
            counts = f"{samples}, {fields['missed']} missed, {fields['dropped']} dropped"
            self._last_line = f"sysmon stopped ({fields['reason']}): {counts}"

    def close(self) -> None:
        """Show what is left and the last line, for a time at most."""
        self._line_writer.close(_CLOSING_SECONDS, last=self._last_line)

    def show(self, sample: Sample, active: Sequence[AlertEvent]) -> None:
        """Show how things are; tables that were not due are shown as they were last seen."""
        if self._area is not None:
            self._area.status = self._tracker.update(sample, active)
            self._line_writer.refresh()
        elif self._mode is ConsoleMode.LINES:
            self._show_line(sample, active)

    def _show_alerts(self, entry: Entry) -> None:
        """Show those that people are notified of, once they are on the disk."""
        events = [event for event in entry.alerts if event.notified]
        width = terminal_size()[0] if events and is_terminal(1) else None
        for event in events:
            priority = alert_prefix(event) if self._journal else ""
            line = lines.format_alert(event, color=self._color, width=width)
            self._line_writer.show(priority + line, stored=entry.stored)

    def _show_line(self, sample: Sample, active: Sequence[AlertEvent]) -> None:
        from sysmon.console.overview import TABLES, summarize

        self._latest.update({name: rows for name, rows in sample.rows.items() if name in TABLES})
        width = terminal_size()[0]
        if self._lines_shown == 0:
            self._line_writer.show("")
        if self._lines_shown % HEADING_EVERY == 0:
            self._line_writer.show(lines.format_heading(width))
        self._lines_shown += 1
        overview = summarize(self._latest, self._tables)
        self._line_writer.show(lines.format_tick(sample.at, overview, active, width=width, color=self._color))


def _make_area(
    tables: Mapping[str, Table], about: tuple[str, str, str], *, color: bool, encoding: str, environ: Mapping[str, str]
) -> "tuple[StatusTracker, StatusArea]":
    """Return what gathers the status, and what keeps it in its place."""
    from sysmon.console.status_area import StatusArea
    from sysmon.console.status_model import RunInfo, StatusTracker
    from sysmon.text.spans import detect_look

    look = detect_look(color=color, encoding=encoding, term=environ.get("TERM", ""))
    return StatusTracker(tables, RunInfo(*about)), StatusArea(1, look, terminal_size)


def choose_mode(environ: Mapping[str, str], *, quiet: bool, lines_wanted: bool) -> ConsoleMode:
    """Decide what standard output is shown: an area only where the terminal says that a cursor can move on it."""
    if quiet:
        return ConsoleMode.ALERTS
    if not is_terminal(1):
        return ConsoleMode.START_AND_END
    return ConsoleMode.AREA if not lines_wanted and can_draw(environ, SMALLEST) else ConsoleMode.LINES


def _prepare_terminal() -> None:
    """Have an old Windows console understand colours; on other systems nothing is needed, or loaded."""
    if sys.platform == "win32":
        from colorama import just_fix_windows_console

        just_fix_windows_console()
