"""Pipe to the child process that calls statvfs; the child inherits nothing but its end of that pipe."""

import os
import select
import sys
from contextlib import suppress
from pathlib import Path
from typing import Protocol

_CHILD = Path(__file__).with_name("_statvfs_child.py")


class Channel(Protocol):
    """Carries questions to somebody who may take for ever, and answers back. Any method may raise OSError."""

    def send(self, line: bytes) -> None:
        """Send a line; never wait."""

    def receive(self, seconds: float) -> list[bytes]:
        """Return the lines that have come, waiting for the first of them for a time at most."""

    def close(self) -> None:
        """Say that no more will be asked; never wait."""

    def reap(self) -> bool:
        """Say, after `close`, whether nothing is left of the other side; never wait."""


class StatvfsProcess:
    """A spawned process (a forked one would hold the data directory's lock for as long as it hangs)."""

    def __init__(self) -> None:
        questions, self._to = os.pipe()
        self._from, answers = os.pipe()
        try:
            self.pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-I", "-S", str(_CHILD)],
                os.environ,
                file_actions=[
                    (os.POSIX_SPAWN_DUP2, questions, 0),
                    (os.POSIX_SPAWN_DUP2, answers, 1),
                    (os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0),
                ],
                setpgroup=0,  # Ctrl-C is for the one who was started by hand
            )
        except OSError:
            os.close(self._to)
            os.close(self._from)
            raise
        finally:
            os.close(questions)
            os.close(answers)
        os.set_blocking(self._to, False)
        self._rest = b""

    def send(self, line: bytes) -> None:
        """Send a line; raise OSError when the process has ended or reads no more."""
        if os.write(self._to, line) < len(line):
            raise BlockingIOError("the process that asks mounts reads no more")

    def receive(self, seconds: float) -> list[bytes]:
        """Return whole lines; raise OSError when the process has ended."""
        poll = select.poll()
        poll.register(self._from, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return []
        data = os.read(self._from, 65536)
        if not data:
            raise BrokenPipeError("the process that asks mounts has ended")
        *lines, self._rest = (self._rest + data).split(b"\n")
        return lines

    def close(self) -> None:
        """Close the pipe, at which the process ends by itself: at once, or when the mount that it waits for answers."""
        os.close(self._to)
        os.close(self._from)

    def reap(self) -> bool:
        """Say whether the process is gone for good, and leave no zombie."""
        with suppress(ChildProcessError):
            return os.waitpid(self.pid, os.WNOHANG)[0] != 0
        return True
