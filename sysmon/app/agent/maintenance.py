"""Maintenance runner: `sysmon maintain` beside a run, after each rotation, at low priority, never waited for."""

import logging
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import ClassVar

import sysmon
from sysmon.app.agent.log import LOGGER
from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.config import Config
from sysmon.errors import BlockedError
from sysmon.shortage import SHORTAGES
from sysmon.text.units import format_age

_LOGGER = logging.getLogger(LOGGER)
_MOST = 4096
LONGEST = 6 * 3600.0
"""Seconds that maintenance may take: two GiB of text on a slow card need less than one hour."""


class MaintenanceRunner(Observer):
    """One child at a time; `segments_ended` returns how many segments have ended so far.

    The child is started at the tick after the one that saw a segment end: by then the writer has let go of all that
    end with it. What a child complains of is logged when it is not what the one before it complained of. A child that
    is still at work after `longest` seconds hangs, on a disk or a file system that does not answer, and is killed: no
    other is started while it is there, so that nothing would be deleted any more.
    """

    place: ClassVar[Place] = Place.MAINTENANCE

    def __init__(
        self,
        command: Sequence[str],
        environ: Mapping[str, str],
        segments_ended: Callable[[], int],
        *,
        longest: float = LONGEST,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._longest = longest
        self._monotonic = monotonic
        self._started = 0.0
        self._is_killed = False
        self._segments_ended = segments_ended
        self._command = list(command)
        self._environ = environ
        self._ended = 0
        self._due = False
        self._pid: int | None = None
        self._errors = -1
        self._said = b""
        self._complaint = ""

    def tick(self, _entry: Entry, /) -> None:
        """Reap a child that is done; start one where there is something to do."""
        self.look()

    def stop(self, _entry: Entry, /) -> None:
        """End a child that is still at work; the next one does what it leaves."""
        if self._pid is not None:
            with suppress(OSError):
                os.kill(self._pid, signal.SIGTERM)

    def look(self) -> None:
        """Do what a tick does."""
        ended = self._segments_ended()
        if self._pid is not None and not self._reaped(self._pid):
            self._kill_overdue(self._pid)
            return
        again = self._due and self._try_to_start()
        self._due, self._ended = again or ended != self._ended, ended

    @property
    def idle(self) -> bool:
        """Say whether no child is at work."""
        return self._pid is None

    def _try_to_start(self) -> bool:
        """Start a child; return whether it must be tried again: something is used up now, and will not be for ever."""
        try:
            self._start()
        except OSError as error:
            self._complain(f"it cannot be started ({error.strerror})")
            return error.errno in SHORTAGES
        return False

    def _start(self) -> None:
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        nothing = [(os.POSIX_SPAWN_OPEN, number, os.devnull, os.O_RDWR, 0) for number in (0, 1)]
        actions = [*nothing, (os.POSIX_SPAWN_DUP2, writing, 2)]
        try:
            self._pid = os.posix_spawn(self._command[0], self._command, self._environ, file_actions=actions)
        except OSError:
            os.close(reading)
            raise
        finally:
            os.close(writing)
        self._errors, self._said = reading, b""
        self._started, self._is_killed = self._monotonic(), False

    def _kill_overdue(self, pid: int) -> None:
        if self._monotonic() - self._started > self._longest:
            self._is_killed = True
            self._complain(f"it did not end within {format_age(self._longest)}, and is killed")
            with suppress(OSError):
                os.kill(pid, signal.SIGKILL)

    def _reaped(self, pid: int) -> bool:
        with suppress(OSError):  # nothing was said, or nothing can be read: how it ended is what counts
            self._said += os.read(self._errors, _MOST)
        try:
            done, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # somebody else reaped it
            done, status = pid, 0
        if not done:
            return False
        os.close(self._errors)
        self._pid = None
        code = os.waitstatus_to_exitcode(status)
        said = self._said.decode("utf-8", "replace").strip().replace("\n", "; ").removeprefix("sysmon: ")
        if self._is_killed:
            return True
        if code and code != BlockedError.exit_code:  # that is told by who watches the lock
            self._complain(said or (f"it was ended by signal {-code}" if code < 0 else f"it ended with {code}"))
        else:
            self._complaint = ""
        return True

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            self._complaint = text
            _LOGGER.warning("maintenance: %s", text)


def command(config: Config) -> list[str]:
    """Return the command line that maintains the data of a run."""
    settings = ["--config", str(config.file)] if config.file else []
    # -P: the folder that a run was started in is no place to take a program from.
    return [
        sys.executable,
        *("-P", "-m", "sysmon", "maintain", "--low-priority", "--data", str(config.data_dir)),
        *settings,
    ]


def environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which the child is the same program as this one."""
    ours = str(Path(sysmon.__file__).parent.parent)
    return dict(environ) | {"PYTHONPATH": os.pathsep.join(filter(None, [ours, environ.get("PYTHONPATH")]))}
