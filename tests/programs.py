"""Child processes of tests: they have default signal handlers, and end with the test that started them."""

import os
import select
import signal
import subprocess
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import AnyStr

_ENDED_WITHIN = 20.0
"""Seconds that a killed program has to end: one that waits for a dead mount may not."""

_RESET = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM, signal.SIGTSTP)


class Program(subprocess.Popen[AnyStr]):
    """A program that a test starts: a block that fails kills it, where `Popen` would wait for its end for ever."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self.poll() is None:
            kill([self.pid])
        super().__exit__(kind, error, trace)


def give_children_default_signals() -> None:
    """Have programs that we start end at Ctrl-C and the like, also where we were started to ignore these signals.

    What is ignored stays so in a child; a handler does not: so we go on ignoring it with a handler that does nothing.
    """
    for number in _RESET:
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, lambda _number, _frame: None)


def children(pid: int) -> set[int]:
    """Return the processes that a process has started and that are there, with those that these have started."""
    pids: set[int] = set()
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):  # a thread or process that ended
            pids |= {int(word) for word in path.read_text().split()}
    return pids.union(*map(children, pids))


def kill(pids: Iterable[int]) -> None:
    """Kill processes and all that they have started, and wait until they are gone."""
    for pid in {below for top in pids for below in (top, *children(top))}:
        try:
            descriptor = os.pidfd_open(pid)
        except OSError:  # it has ended by itself
            continue
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            select.select([descriptor], [], [], _ENDED_WITHIN)
        except ProcessLookupError:
            pass
        finally:
            os.close(descriptor)
