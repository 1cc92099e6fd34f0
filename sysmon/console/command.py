"""Command channel: runs a program for each notified alert, the event on its standard input, a time limit, one retry.

A thread of its own waits for the program, so that it can hold up nothing; what waits beyond `LIMIT` is given up.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from io import RawIOBase

LIMIT = 100
"""Events that wait at most; beyond it the oldest are left out, which is told."""

STORED_WITHIN = 1.0
"""Seconds that an event waits for being on the disk: the log comes before everything else."""

_LOOK_EVERY = 0.05


@dataclass(frozen=True, slots=True)
class _Letter:
    data: bytes
    stored: threading.Event


class Courier:
    """Hands over events one after the other; `tell` hears, in a few words, of what could not be handed over."""

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        *,
        seconds: float,
        tell: Callable[[str], None],
        pause: float = 5.0,
    ) -> None:
        self._command = tuple(command)
        self._environ = dict(environ)
        self._seconds = seconds
        self._pause = pause
        self._tell = tell
        self._letters: deque[_Letter] = deque()
        self._left_out = 0
        self._changed = threading.Condition()
        self._closing = False
        self._thread = threading.Thread(target=self._work, name="sysmon-courier", daemon=True)
        self._thread.start()

    def send(self, data: bytes, stored: threading.Event) -> None:
        """Queue one event, without waiting for anything."""
        with self._changed:
            self._letters.append(_Letter(data, stored))
            if len(self._letters) > LIMIT:
                self._letters.popleft()
                self._left_out += 1
            self._changed.notify()

    def close(self, seconds: float) -> None:
        """Hand over what is queued, for a time at most."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join(seconds)

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._letters and not self._closing:
                    self._changed.wait()
                if not self._letters:
                    return
                letter = self._letters.popleft()
                left_out, self._left_out = self._left_out, 0
            if left_out:
                self._tell(f"{left_out} alerts were not handed to {self._command[0]}: it is too slow")
            letter.stored.wait(STORED_WITHIN)
            self._deliver(letter.data)

    def _deliver(self, data: bytes) -> None:
        trouble = run(self._command, data, self._environ, self._seconds)
        if trouble is None:
            return
        with self._changed:
            if not self._closing:
                self._changed.wait_for(lambda: self._closing, self._pause)
        again = run(self._command, data, self._environ, self._seconds)
        if again is not None:
            self._tell(f"{self._command[0]} was not told of an alert: {again}")


def run(
    command: Sequence[str], data: bytes, environ: Mapping[str, str], seconds: float, *, quiet: bool = True
) -> str | None:
    """Run a program with data on its standard input; return what went wrong, None where it ended with 0.

    There is no shell. A program that does not end in time is ended, with all that it started.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [(os.POSIX_SPAWN_DUP2, reading, 0)]
    if quiet:
        actions += [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        try:
            pid = os.posix_spawnp(
                command[0], list(command), environ, file_actions=actions, setpgroup=0, setsigdef=[signal.SIGPIPE]
            )
        except OSError as error:
            return f"it cannot be started ({error.strerror})"
        finally:
            os.close(reading)
        return _awaited(pid, pipe, data, time.monotonic() + seconds)


def _awaited(pid: int, pipe: RawIOBase, data: bytes, deadline: float) -> str | None:
    while True:
        if data:
            data = _fed(pipe, data)
        else:
            pipe.close()
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            return f"it ended with {code}" if code else None
        if time.monotonic() >= deadline:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            return "it took too long and was ended"
        time.sleep(_LOOK_EVERY)


def _fed(pipe: RawIOBase, data: bytes) -> bytes:
    """Return what is left after giving a program as much as it takes without waiting."""
    try:
        return data[pipe.write(data) or 0 :]
    except OSError:  # it does not want to know more, which is its own affair
        return b""
