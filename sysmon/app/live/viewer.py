"""Snapshot viewer: keys step through time and pages, and the newest sample is followed if that is wanted."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from sysmon.app.live import context
from sysmon.app.live.sources import SnapshotSource
from sysmon.app.terminal.full_screen import FullScreen, TerminalGoneError
from sysmon.errors import UsageError
from sysmon.sampling.clock import Clock
from sysmon.sampling.sleeper import Sleeper
from sysmon.text.instants import parse_when
from sysmon.text.spans import Look
from sysmon.view import full_screen
from sysmon.view.commands import KEYS, Command, Situation, View, apply_command
from sysmon.view.keys import split_keys

_ESCAPE = 0.05
"""Seconds after which the beginning of a key's bytes is taken for the Escape key."""

_REDRAW = 1.0
"""Seconds after which ages on the screen are told anew."""

_STEPS = {
    Command.MINUTE_BACK: timedelta(minutes=-1),
    Command.MINUTE_ON: timedelta(minutes=1),
    Command.HOUR_BACK: timedelta(hours=-1),
    Command.HOUR_ON: timedelta(hours=1),
}
_TIME_COMMANDS = {*_STEPS, Command.NOW, Command.PAUSE, Command.FIRST, Command.SAMPLE_BACK, Command.SAMPLE_ON}
_TIME_COMMANDS |= {Command.ALERT_BACK, Command.ALERT_ON}
_MS = timedelta(milliseconds=1)


class Viewer:
    """Shows the snapshots of a source on a full screen until somebody leaves; `at` None looks at the newest sample.

    `gone` says that the terminal has gone away.
    """

    def __init__(
        self,
        source: SnapshotSource,
        screen: FullScreen,
        sleeper: Sleeper,
        *,
        clock: Clock,
        host: str,
        look: Look,
        zone: tzinfo | None,
        at: datetime | None = None,
    ) -> None:
        self._source = source
        self._screen = screen
        self._sleeper = sleeper
        self._clock = clock
        self._host = host
        self._look = look
        self._zone = zone
        self._at = at
        self._view = View()
        self._lookup = source.find(at)
        self._typed = ""
        self._time_input: str | None = None
        self._message = ""
        self._quit = False
        self.gone = False
        self._drawn_at = clock.monotonic()

    def sleep_until(self, deadline: float) -> bool:
        """Show and heed keys up to a monotonic second; return whether it came (False when asked to leave)."""
        try:
            while not self._quit and self._sleeper.stopped_by is None:
                if self._screen.stale or self._clock.monotonic() - self._drawn_at >= _REDRAW:
                    self._draw()
                left = max(0.0, deadline - self._clock.monotonic())
                self._handle_keys(_ESCAPE if self._typed else min(left, _REDRAW))
                if not left:  # keys are heeded also where the next sample is always due
                    return not self._quit
        except TerminalGoneError:
            self.gone = True
        return False

    def refresh(self) -> None:
        """Show what is new, if the newest sample is looked at."""
        if self._at is None:
            self._move_to(None)

    def _draw(self) -> None:
        self._drawn_at = self._clock.monotonic()
        columns, rows = self._screen.size
        drawn = full_screen.render(
            self._lookup.snapshot if self._lookup else None,
            self._view,
            self._situation(),
            host=self._host,
            columns=columns,
            rows=rows,
            look=self._look,
        )
        self._view = replace(self._view, scroll=drawn.scroll)
        self._screen.draw(drawn.lines)

    def _situation(self) -> Situation:
        now, lookup, source = self._clock.now(), self._lookup, self._source
        if lookup is None:
            return Situation(now=now, live=True, note="no sample yet", zone=self._zone)
        if self._at is None:
            situation = context.describe_present(source, lookup, now=now, zone=self._zone)
        else:
            situation = context.describe_past(lookup, self._at, now=now, zone=self._zone, skipped=source.skipped)
        asking = "" if self._time_input is None else f"go to (03:10, 2h ago as 2h, Enter): {self._time_input}_"
        return replace(situation, note=asking or self._message or situation.note)

    def _handle_keys(self, seconds: float) -> None:
        """Wait for keys for a while, and do what they ask for."""
        if self._sleeper.doze(seconds, self._screen.keys):
            self._typed += self._screen.read()
            keys, self._typed = split_keys(self._typed)
        else:
            keys, self._typed = ["escape"] if self._typed else [], ""
        for key in keys:
            if self._time_input is not None:
                self._edit_time(self._time_input, key)
            elif (command := KEYS.get(key)) is not None:
                self._run_command(command)

    def _edit_time(self, typed: str, key: str) -> None:
        """Take one more key of a time that is being written."""
        self._screen.stale = True
        self._time_input = None if key in {"enter", "escape"} else typed
        if key == "enter" and typed.strip():
            try:
                self._move_to(parse_when(typed, now=self._clock.now()))
            except UsageError as error:
                self._message = str(error)
        elif key == "backspace":
            self._time_input = typed[:-1]
        elif key == "space" or len(key) == 1:
            self._time_input = typed + (" " if key == "space" else key)

    def _run_command(self, command: Command) -> None:
        self._screen.stale = True
        self._message = ""
        if command is Command.QUIT:
            self._quit = True
        elif command is Command.GO:
            self._time_input = ""
        elif command in _TIME_COMMANDS:
            self._travel(command)
        else:
            snapshot = self._lookup.snapshot if self._lookup else None
            self._view = apply_command(self._view, command, pages=full_screen.pages(snapshot))

    def _travel(self, command: Command) -> None:
        """Look at another instant; beyond the newest sample there is only that one."""
        if self._lookup is None:
            return
        source, here = self._source, self._lookup.snapshot.at
        match command:
            case Command.NOW:
                self._move_to(None)
            case Command.PAUSE:
                self._move_to(here if self._at is None else None)
            case Command.FIRST:
                self._move_to(source.first())
            case Command.SAMPLE_BACK:
                self._move_to(source.sample_before(here) or here)
            case Command.SAMPLE_ON:
                self._move_to(source.sample_after(here))
            case Command.ALERT_BACK:
                self._move_to_alert(source.alert_before(here), "before")
            case Command.ALERT_ON:
                self._move_to_alert(source.alert_after(here), "after")
            case _:
                self._step_by(here, _STEPS[command])

    def _step_by(self, here: datetime, span: timedelta) -> None:
        """Look as far back or on as asked, at the sample that holds there; a step on leaves a gap behind."""
        target = self._source.sample_before(here + span + _MS)
        if span < timedelta(0):
            self._move_to(target or self._source.first() or here)
        else:
            self._move_to(target if target and target > here else self._source.sample_after(here))

    def _move_to_alert(self, at: datetime | None, where: str) -> None:
        if at is None:
            self._message = f"no alert fired {where} this sample"
        else:
            self._move_to(at)

    def _move_to(self, at: datetime | None) -> None:
        self._at = at
        self._lookup = self._source.find(at)
        self._screen.stale = True
