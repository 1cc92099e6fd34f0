"""A terminal to run programs in: a real pseudo-terminal whose screen an emulator keeps."""

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import Any

import pyte

from tests.programs import kill

_OWN_TERMINAL = 'terminal=$1; shift; exec "$@" <>"$terminal" >&0 2>&1'


class Terminal:
    """Starts programs in a session of their own, shows what they write, sends them what is typed."""

    def __init__(self, columns: int, rows: int) -> None:
        self._master, self._slave = pty.openpty()
        self.screen = pyte.HistoryScreen(columns, rows, history=1000, ratio=0.5)
        self._stream = pyte.ByteStream(self.screen)
        self._process: subprocess.Popen[bytes] | None = None
        self.raw = b""
        self._set_size(columns, rows)
        self.modes = self._modes()

    def __enter__(self) -> "Terminal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hang_up()
        if self._process is not None and self._process.poll() is None:  # a test that failed did not end it
            kill([self._process.pid])
            self._process.wait()
        os.close(self._slave)

    def hang_up(self) -> None:
        """Let the terminal go away, as when its window is closed."""
        if self._master >= 0:
            os.close(self._master)
        self._master = -1

    def start(self, command: Sequence[str], environ: Mapping[str, str]) -> "subprocess.Popen[bytes]":
        """Start a program that this terminal controls: a session's first terminal to be opened becomes that."""
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _OWN_TERMINAL, "sh", os.ttyname(self._slave), *command],
            env=environ,
            start_new_session=True,
            stdin=subprocess.DEVNULL,
        )
        return self._process

    def type(self, keys: str) -> None:
        """Press keys."""
        os.write(self._master, keys.encode())

    def resize(self, columns: int, rows: int) -> None:
        """Change the size; the kernel tells the programs."""
        self.screen.resize(rows, columns)
        self._set_size(columns, rows)

    def until(self, condition: Callable[[], Any], seconds: float = 180.0) -> None:
        """Take in what is written until something has come true."""
        end = time.monotonic() + seconds
        while not condition():
            ended = self._process is not None and self._process.poll() is not None
            more = select.select([self._master], [], [], 0.01)[0]
            assert more or (time.monotonic() < end and not ended), "\n".join(["it did not happen:", *self.lines])
            if more:
                chunk = os.read(self._master, 65_536)
                self.raw += chunk
                self._stream.feed(chunk)

    @property
    def lines(self) -> list[str]:
        """Return what has scrolled off and what is on the screen, from the top to the last line that is not empty."""
        past = ["".join(row[column].data for column in sorted(row)).rstrip() for row in self.screen.history.top]
        lines = [*past, *(line.rstrip() for line in self.screen.display)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def left_as_it_was(self) -> bool:
        """Say whether modes, cursor and colours are as they were at first."""
        cursor = self.screen.cursor
        return self.modes_as_they_were and (cursor.hidden, cursor.attrs) == (False, self.screen.default_char)

    @property
    def modes_as_they_were(self) -> bool:
        """Say whether the modes alone are as they were: whether what is typed is shown, line by line."""
        return self._modes() == self.modes

    def _modes(self) -> list[Any]:
        return termios.tcgetattr(self._slave)

    def _set_size(self, columns: int, rows: int) -> None:
        fcntl.ioctl(self._slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
