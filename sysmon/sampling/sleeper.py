"""Wait until it is time, and be woken at once by a signal."""

import select
import signal
import socket
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType


class Sleeper:
    """Sleeps up to a deadline; a signal that asks to stop ends the sleep and is remembered.

    `nudged` is set by a signal that does not stop; who heeds it takes it back. The handler only sets an attribute:
    locks (as in threading.Event) could be held by the very code that it interrupts.
    The interpreter itself writes a byte to the wake-up socket when a signal arrives.
    """

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._receiver, self._sender = socket.socketpair()
        self._receiver.setblocking(False)
        self._sender.setblocking(False)
        self.stopped_by: signal.Signals | None = None
        self.nudged = False

    @contextmanager
    def catching(self, stopping: Iterable[signal.Signals], ignoring: Iterable[signal.Signals] = ()) -> Iterator[None]:
        """Take these signals as a wish to stop, and those as nothing, while the context lasts; its end is the end."""
        before = {number: signal.signal(number, self._stop) for number in stopping}
        before |= {number: signal.signal(number, self._ignore) for number in ignoring}
        descriptor = signal.set_wakeup_fd(self._sender.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(descriptor)
            self._receiver.close()
            self._sender.close()
            for number, handler in before.items():
                signal.signal(number, handler)

    def until(self, deadline: float) -> bool:
        """Sleep until a monotonic second; return whether it came (False when asked to stop before)."""
        while self.stopped_by is None:
            left = deadline - self._monotonic()
            if left <= 0:
                return True
            self.doze(left)
        return False

    def doze(self, seconds: float, *descriptors: int) -> list[int]:
        """Sleep for a while at most, until any signal comes or a descriptor has something; return those that have."""
        ready, _, _ = select.select([self._receiver.fileno(), *descriptors], [], [], seconds)
        self._drain()
        return [one for one in descriptors if one in ready]

    def _drain(self) -> None:
        with suppress(BlockingIOError):
            while self._receiver.recv(4096):
                pass

    def _stop(self, number: int, _frame: FrameType | None) -> None:
        if self.stopped_by is None:
            self.stopped_by = signal.Signals(number)

    def _ignore(self, _number: int, _frame: FrameType | None) -> None:
        """Be woken, note that somebody wants something, and sleep on."""
        self.nudged = True


def exit_code(stopped_by: signal.Signals | None) -> int:
    """Return what a run ends with: 0 when it was done or ended by SIGTERM, else 128 plus the signal's number."""
    if stopped_by is None or stopped_by is signal.SIGTERM:
        return 0
    return 128 + stopped_by
