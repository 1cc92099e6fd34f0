"""A person in front of a moment: keys step through time and pages, the newest sample is followed if that is wanted."""

from dataclasses import replace
from datetime import datetime, timedelta, tzinfo

from sysmon.app.live import context
from sysmon.app.live.sources import Record
from sysmon.app.terminal.full_screen import FullScreen, TerminalGoneError
from sysmon.errors import UsageError
from sysmon.sampling.clock import Clock
from sysmon.sampling.sleeper import Sleeper
from sysmon.text.instants import parse_when
from sysmon.text.spans import Look
from sysmon.view import full_screen
from sysmon.view.commands import KEYS, Command, Situation, View, turned
from sysmon.view.keys import split_keys

_ESCAPE = 0.05
"""Seconds after which the beginning of a key's bytes is taken for the Escape key."""

_TURN = 1.0
"""Seconds after which ages on the screen are told anew."""

_SPANS = {
    Command.MINUTE_BACK: timedelta(minutes=-1),
    Command.MINUTE_ON: timedelta(minutes=1),
    Command.HOUR_BACK: timedelta(hours=-1),
    Command.HOUR_ON: timedelta(hours=1),
}
_IN_TIME = {*_SPANS, Command.NOW, Command.PAUSE, Command.FIRST, Command.SAMPLE_BACK, Command.SAMPLE_ON}
_IN_TIME |= {Command.ALERT_BACK, Command.ALERT_ON}
_MS = timedelta(milliseconds=1)


class Viewer:
    """Shows a record on a full screen until somebody has seen enough; `at` None looks at the newest sample.

    `gone` says that the terminal has gone away.
    """

    def __init__(
        self,
        record: Record,
        screen: FullScreen,
        sleeper: Sleeper,
        *,
        clock: Clock,
        host: str,
        look: Look,
        zone: tzinfo | None,
        at: datetime | None = None,
    ) -> None:
        self._record = record
        self._screen = screen
        self._sleeper = sleeper
        self._clock = clock
        self._host = host
        self._look = look
        self._zone = zone
        self._at = at
        self._view = View()
        self._found = record.find(at)
        self._typed = ""
        self._asked: str | None = None
        self._news = ""
        self._quit = False
        self.gone = False
        self._drawn_at = clock.monotonic()

    def until(self, deadline: float) -> bool:
        """Show and heed keys up to a monotonic second; return whether it came (False when asked to leave)."""
        try:
            while not self._quit and self._sleeper.stopped_by is None:
                if self._screen.stale or self._clock.monotonic() - self._drawn_at >= _TURN:
                    self._draw()
                left = max(0.0, deadline - self._clock.monotonic())
                self._heed(_ESCAPE if self._typed else min(left, _TURN))
                if not left:  # keys are heeded also where the next sample is always due
                    return not self._quit
        except TerminalGoneError:
            self.gone = True
        return False

    def refresh(self) -> None:
        """Show what is new, if the newest sample is looked at."""
        if self._at is None:
            self._look_at(None)

    def _draw(self) -> None:
        self._drawn_at = self._clock.monotonic()
        columns, rows = self._screen.size
        drawn = full_screen.render(
            self._found.moment if self._found else None,
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
        now, found, record = self._clock.now(), self._found, self._record
        if found is None:
            return Situation(now=now, live=True, note="no sample yet", zone=self._zone)
        if self._at is None:
            situation = context.present(record, found, now=now, zone=self._zone)
        else:
            situation = context.past(found, self._at, now=now, zone=self._zone, skipped=record.skipped)
        asking = "" if self._asked is None else f"go to (03:10, 2h ago as 2h, Enter): {self._asked}_"
        return replace(situation, note=asking or self._news or situation.note)

    def _heed(self, seconds: float) -> None:
        """Wait for keys for a while, and do what they ask for."""
        if self._sleeper.doze(seconds, self._screen.keys):
            self._typed += self._screen.read()
            keys, self._typed = split_keys(self._typed)
        else:
            keys, self._typed = ["escape"] if self._typed else [], ""
        for key in keys:
            if self._asked is not None:
                self._ask(self._asked, key)
            elif (command := KEYS.get(key)) is not None:
                self._do(command)

    def _ask(self, asked: str, key: str) -> None:
        """Take one more key of a time that is being written."""
        self._screen.stale = True
        self._asked = None if key in {"enter", "escape"} else asked
        if key == "enter" and asked.strip():
            try:
                self._look_at(parse_when(asked, now=self._clock.now()))
            except UsageError as error:
                self._news = str(error)
        elif key == "backspace":
            self._asked = asked[:-1]
        elif key == "space" or len(key) == 1:
            self._asked = asked + (" " if key == "space" else key)

    def _do(self, command: Command) -> None:
        self._screen.stale = True
        self._news = ""
        if command is Command.QUIT:
            self._quit = True
        elif command is Command.GO:
            self._asked = ""
        elif command in _IN_TIME:
            self._go(command)
        else:
            moment = self._found.moment if self._found else None
            self._view = turned(self._view, command, pages=full_screen.pages(moment))

    def _go(self, command: Command) -> None:
        """Look at another instant; beyond the newest sample there is only that one."""
        if self._found is None:
            return
        record, here = self._record, self._found.moment.at
        match command:
            case Command.NOW:
                self._look_at(None)
            case Command.PAUSE:
                self._look_at(here if self._at is None else None)
            case Command.FIRST:
                self._look_at(record.first())
            case Command.SAMPLE_BACK:
                self._look_at(record.sample_before(here) or here)
            case Command.SAMPLE_ON:
                self._look_at(record.sample_after(here))
            case Command.ALERT_BACK:
                self._look_at_alert(record.alert_before(here), "before")
            case Command.ALERT_ON:
                self._look_at_alert(record.alert_after(here), "after")
            case _:
                self._cross(here, _SPANS[command])

    def _cross(self, here: datetime, span: timedelta) -> None:
        """Look as far back or on as asked, at the sample that holds there; a step on leaves a gap behind."""
        target = self._record.sample_before(here + span + _MS)
        if span < timedelta(0):
            self._look_at(target or self._record.first() or here)
        else:
            self._look_at(target if target and target > here else self._record.sample_after(here))

    def _look_at_alert(self, at: datetime | None, where: str) -> None:
        if at is None:
            self._news = f"no alert fired {where} this sample"
        else:
            self._look_at(at)

    def _look_at(self, at: datetime | None) -> None:
        self._at = at
        self._found = self._record.find(at)
        self._screen.stale = True
