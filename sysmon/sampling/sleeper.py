"""Interruptible sleep: up to a deadline, ended at once by a signal or another thread."""

import select
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import Any


class Sleeper:
    """Sleeps up to a deadline; a signal that asks to stop ends the sleep and is remembered, and so does `stop`.

    `on_ignored` is called from the handler of a signal that does not stop. Handlers only set an attribute:
    locks (as in threading.Event) could be held by the very code that it interrupts.
    The interpreter itself writes a byte to the wake-up socket when a signal arrives.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self.stopped_by: signal.Signals | None = None
        self.on_ignored: Callable[[], None] = lambda: None
        self._stopped = False

    @contextmanager
    def catch_signals(
        self,
        stopping: Iterable[signal.Signals],
        ignoring: Iterable[signal.Signals] = (),
        harmless: Iterable[int] = (),
    ) -> Iterator[None]:
        """Take these signals as a wish to stop, and those as nothing, while the context lasts; its end is the end.

        Nobody is told of the harmless ones. They have a handler, too: what is ignored would be so in children.
        """
        before: dict[int, Any] = {number: signal.signal(number, self._stop) for number in stopping}
        before |= {number: signal.signal(number, self._ignore) for number in ignoring}
        before |= {number: signal.signal(number, _pass) for number in harmless}
        descriptor = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(descriptor)
            self.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def sleep_until(self, deadline: float) -> bool:
        """Sleep until a monotonic second; return whether it came (False when asked to stop before)."""
        while self.stopped_by is None and not self._stopped:
            left = deadline - self._monotonic()
            if left <= 0:
                return True
            self.doze(left)
        return False

    def stop(self) -> None:
        """End the sleep for good, from whatever thread."""
        self._stopped = True
        with suppress(OSError):  # full: it wakes anyway; closed: nobody sleeps any more
            self._sender.send(b"\0")

    def close(self) -> None:
        """Give back the sockets; there is no sleeping any more."""
        self._receiver.close()
        self._sender.close()

    def doze(self, seconds: float, *descriptors: int) -> list[int]:
        """Sleep for a while at most, until any signal comes or a descriptor has something; return those that have."""
        ready, _, _ = select.select([self._receiver.fileno(), *descriptors], [], [], seconds)
        self._drain()
        return [descriptor for descriptor in descriptors if descriptor in ready]

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._receiver.recv(4096):
                pass

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self.stopped_by is None:
            self.stopped_by = signal.Signals(number)

    def _ignore(self, _number: int, _frame: FrameType | None) -> None:
        """Be woken, pass it on, and sleep on."""
        self.on_ignored()


def _pass(_number: int, _frame: FrameType | None) -> None:
    """Do nothing."""


def exit_code(stopped_by: signal.Signals | None) -> int:
    """Return what a run ends with: 0 when it was done or ended by SIGTERM, else 128 plus the signal's number."""
    if stopped_by is None or stopped_by is signal.SIGTERM:
        return 0
    return 128 + stopped_by
