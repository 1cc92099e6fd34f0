"""Command channel: runs a program for each notified alert, the event on its standard input, a time limit, one retry.

A thread of its own waits for the program, so that it can hold up nothing; what waits beyond `LIMIT` is given up.
"""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from io import RawIOBase
from pathlib import Path

from sysmon.shortage import SHORTAGES, start_thread

LIMIT = 100
"""Events that wait at most; beyond it the oldest are left out, which is told."""

STORED_WITHIN = 1.0
"""Seconds that an event waits for being on the disk: the log comes before everything else."""

MARK = "SYSMON_NOTIFICATION"
"""The variable by which all that a program started is known, wherever it moved to; its value is new each time."""

_LOOK_EVERY = 0.05
_ENDED_WITHIN = 2.0
"""Seconds that a killed program has to end: one that waits for a dead mount, or works as another user, may not."""

_PROC = Path("/proc")

_stuck: set[int] = set()
"""Programs that could not be ended in time: each is reaped when it has ended."""


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
        self._waiting = False
        self._thread = threading.Thread(target=self._work, name="sysmon-courier", daemon=True)
        start_thread(self._thread)

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
        while (letter := self._next()) is not None:
            try:
                letter.stored.wait(STORED_WITHIN)
                self._deliver(letter.data)
            except Exception as error:  # noqa: BLE001 - whatever it was, the run and the next alert have no part in it
                self._tell(f"{self._command[0]} was not told of an alert: internal error: {error!r}")

    def _next(self) -> _Letter | None:
        """Wait for an event; None when there will be no more."""
        with self._changed:
            while not self._letters and not self._closing:
                self._changed.wait()
            if not self._letters:
                return None
            letter = self._letters.popleft()
            left_out, self._left_out = self._left_out, 0
        if left_out:
            self._tell(f"{left_out} alerts were not handed to {self._command[0]}: it is too slow")
        return letter

    def _deliver(self, data: bytes) -> None:
        trouble = self._attempt(data)
        if trouble is None:
            return
        self._rest()
        again = self._attempt(data)
        if again is not None:
            self._tell(f"{self._command[0]} was not told of an alert: {again}")

    def _attempt(self, data: bytes) -> str | None:
        """Run the program; where this process lacks what that takes, wait until it has it again, or ends."""
        while True:
            try:
                trouble = _run(self._command, data, self._environ, self._seconds)
            except OSError as error:
                if error.errno not in SHORTAGES or self._closing:
                    return f"it cannot be started ({error.strerror})"
                if not self._waiting:
                    self._tell(f"{self._command[0]} cannot be started ({error.strerror}): alerts wait")
                self._waiting = True
            else:
                self._waiting = False
                return trouble
            self._rest()

    def _rest(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closing, self._pause)


def run(
    command: Sequence[str], data: bytes, environ: Mapping[str, str], seconds: float, *, quiet: bool = True
) -> str | None:
    """Run a program with data on its standard input; return what went wrong, None where it ended with 0.

    There is no shell. A program that does not end in time is ended, with all that it started: its process group, and
    every process that has its `MARK`.
    """
    try:
        return _run(command, data, environ, seconds, quiet=quiet)
    except OSError as error:
        return f"it cannot be started ({error.strerror})"


def _run(
    command: Sequence[str], data: bytes, environ: Mapping[str, str], seconds: float, *, quiet: bool = True
) -> str | None:
    """Do what `run` does; raise OSError where the program cannot be started."""
    _reap_stuck()
    mark = os.urandom(8).hex()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    actions: list[tuple[int, ...] | tuple[int, int, str, int, int]] = [(os.POSIX_SPAWN_DUP2, reading, 0)]
    if quiet:
        actions += [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_WRONLY, 0) for number in (1, 2)]
    with os.fdopen(writing, "wb", buffering=0) as pipe:
        try:
            pid = os.posix_spawnp(
                command[0],
                list(command),
                {**environ, MARK: mark},
                file_actions=actions,
                setpgroup=0,
                setsigdef=[signal.SIGPIPE],
            )
        finally:
            os.close(reading)
        return _awaited(pid, pipe, data, time.monotonic() + seconds, mark=mark)


def _awaited(pid: int, pipe: RawIOBase, data: bytes, deadline: float, *, mark: str) -> str | None:
    while True:
        if data:
            data = _fed(pipe, data)
        else:
            pipe.close()
        try:
            done, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # somebody else reaped it
            return "how it ended is not known"
        if done:
            code = os.waitstatus_to_exitcode(status)
            return f"it ended with {code}" if code else None
        if time.monotonic() >= deadline:
            return _end(pid, mark)
        time.sleep(_LOOK_EVERY)


def _end(pid: int, mark: str) -> str:
    """End a program that was not reaped yet, with all that it started; return what came of it."""
    deadline = time.monotonic() + _ENDED_WITHIN
    _kill(os.kill, pid)  # by its own id, too: it may have left the group that it was started in
    _kill(os.killpg, pid)  # which can be nobody else's while the program is not reaped
    reaped = False
    while True:
        reaped = reaped or _is_reaped(pid)
        if not _kill_marked(mark) and reaped:
            return "it took too long and was ended"
        if time.monotonic() >= deadline:
            break
        time.sleep(_LOOK_EVERY)
    if not reaped:
        _stuck.add(pid)
    return "it took too long and could not be ended"


def _kill(send: Callable[[int, int], None], target: int) -> None:
    with suppress(ProcessLookupError, PermissionError):  # it is gone, or works as another user (sudo)
        send(target, signal.SIGKILL)


def _kill_marked(mark: str) -> bool:
    """Kill all that a program started and that kept its environment, also what left its group and its session.

    Return whether there was anything: what was starting something may have left that behind. Where there is no /proc
    there is nothing to be found.
    """
    entry = f"{MARK}={mark}".encode()
    pids = list(_find_marked(entry))
    for pid in pids:
        _kill(os.kill, pid)
    return bool(pids)


def _find_marked(entry: bytes) -> Iterator[int]:
    try:
        processes = [path for path in _PROC.iterdir() if path.name.isdecimal()]
    except OSError:
        return
    for process in processes:
        try:
            environ = (process / "environ").read_bytes()
        except OSError:  # it has ended, or is another user's
            continue
        if entry in environ.split(b"\0"):
            yield int(process.name)


def _is_reaped(pid: int) -> bool:
    try:
        return os.waitpid(pid, os.WNOHANG)[0] != 0
    except ChildProcessError:
        return True


def _reap_stuck() -> None:
    """Leave no zombie of a program that could not be ended at once, and has ended since."""
    for pid in [pid for pid in _stuck if _is_reaped(pid)]:
        _stuck.discard(pid)


def _fed(pipe: RawIOBase, data: bytes) -> bytes:
    """Return what is left after giving a program as much as it takes without waiting."""
    try:
        return data[pipe.write(data) or 0 :]
    except OSError:  # it does not want to know more, which is its own affair
        return b""
