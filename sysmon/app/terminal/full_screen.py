"""Full-screen mode of a terminal: raw keys, the alternate screen, and everything as it was at the end."""

import os
import select
import termios
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from typing import Any

from sysmon.app.terminal.size import terminal_size

_ENTER = "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
_LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l"
_LFLAGS, _CC = 3, 6

_PIECE = 256
"""Bytes that a terminal takes at once if it takes any."""

_WAIT = 0.2
"""Seconds between two looks whether it takes some."""


class TerminalGoneError(Exception):
    """The terminal has gone away: nobody looks any more."""


class FullScreen:
    """Draws on the terminal at `output` and reads keys from the one at `keys`; use it within `acquired`.

    `refresh`, `leave` and `resume` may be called from signal handlers. `is_stopping` says that nobody waits any longer
    for a terminal that takes nothing (Ctrl-S).
    """

    def __init__(
        self, keys: int, output: int, *, encoding: str, is_stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.stale = True
        self.keys = keys
        self._output = output
        self._encoding = encoding
        self._is_stopping = is_stopping
        self._modes: list[Any] | None = None
        self._gone = False
        self._drawn: list[str] = []

    @contextmanager
    def acquired(self) -> Iterator[None]:
        """Have the terminal to ourselves while the context lasts, and give it back however that ends."""
        self.resume()
        try:
            yield
        finally:
            self.leave(0.0)

    @property
    def size(self) -> tuple[int, int]:
        """Return the columns and rows, as they are now."""
        return terminal_size()

    def refresh(self) -> None:
        """Draw everything again soon."""
        self._drawn = []
        self.stale = True

    def resume(self) -> None:
        """Take the terminal, also where a shell took it from us while we were stopped.

        Where it has gone away the next drawing says so: a signal handler is no place to raise anything.
        """
        try:
            self._take()
        except (termios.error, TerminalGoneError):
            self._gone = True
        self.refresh()

    def _take(self) -> None:
        if self._modes is None:
            self._modes = termios.tcgetattr(self.keys)
        raw = [*self._modes]
        raw[_LFLAGS] &= ~(termios.ICANON | termios.ECHO)
        raw[_CC] = [*raw[_CC]]
        raw[_CC][termios.VMIN], raw[_CC][termios.VTIME] = 1, 0
        termios.tcsetattr(self.keys, termios.TCSANOW, raw)
        self._write(_ENTER)

    def leave(self, _seconds: float) -> None:
        """Give the terminal back as it was."""
        if self._modes is None:
            return
        modes, self._modes = self._modes, None
        with suppress(TerminalGoneError):
            self._write(_LEAVE, patience=_WAIT)
        with suppress(termios.error):  # it may have gone away
            termios.tcsetattr(self.keys, termios.TCSANOW, modes)

    def draw(self, lines: Sequence[str]) -> None:
        """Show lines from the top; only those that have changed are written. Raise TerminalGoneError where none is."""
        if self._gone:
            raise TerminalGoneError
        before, self._drawn = self._drawn, list(lines)
        self.stale = False
        changed = [
            f"\x1b[{number};1H{line}\x1b[K"
            for number, line in enumerate(lines, 1)
            if number > len(before) or before[number - 1] != line
        ]
        wiped = "" if before else "\x1b[H\x1b[2J"
        if changed or wiped:
            self._write(wiped + "".join(changed))

    def read(self) -> str:
        """Return what was typed; raise TerminalGoneError when nobody can type any more."""
        try:
            typed = os.read(self.keys, 1024)
        except OSError as error:
            raise TerminalGoneError from error
        if not typed:
            raise TerminalGoneError
        return typed.decode("utf-8", "ignore")

    def _write(self, text: str, *, patience: float = inf) -> None:
        """Write, piece by piece: a terminal that takes nothing for a while must not keep us from leaving."""
        data = text.encode(self._encoding, "backslashreplace")
        while data:
            waited = 0.0
            while not select.select([], [self._output], [], _WAIT)[1]:
                waited += _WAIT
                if self._is_stopping() or waited > patience:
                    raise TerminalGoneError
            try:
                data = data[os.write(self._output, data[:_PIECE]) :]
            except OSError as error:
                raise TerminalGoneError from error
