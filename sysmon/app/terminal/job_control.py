"""Job control: what is on a terminal is redrawn after a resize, cleared before Ctrl-Z and drawn anew after it."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

_CLEARED_WITHIN = 0.3
"""Seconds that stopping waits for the terminal to take what clears the area."""

_Handler = Callable[[int, FrameType | None], None]


class Redrawable(Protocol):
    """Something on a terminal; its methods may be called from signal handlers."""

    def refresh(self) -> None:
        """Draw it again soon."""

    def leave(self, seconds: float, /) -> None:
        """Take it off the terminal until it comes back; wait for that, for a time at most."""

    def resume(self) -> None:
        """Put it there again."""


@contextmanager
def handle_job_control(drawn: Redrawable) -> Iterator[None]:
    """Redraw at once when the terminal's size changes, give it back before Ctrl-Z stops us, and take it again.

    What is ignored stays ignored: a shell without job control has it so.
    """

    def changed(_number: int, _frame: FrameType | None) -> None:
        drawn.refresh()

    def continued(_number: int, _frame: FrameType | None) -> None:
        drawn.resume()

    def stop(number: int, _frame: FrameType | None) -> None:
        drawn.leave(_CLEARED_WITHIN)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # here the process stands still, as the shell expects of this very signal
        signal.signal(number, stop)
        drawn.resume()

    wanted: dict[str, _Handler] = {"SIGWINCH": changed, "SIGCONT": continued, "SIGTSTP": stop}
    there = {getattr(signal, name): handler for name, handler in wanted.items() if hasattr(signal, name)}
    before = {number: signal.getsignal(number) for number in there}
    minded = [number for number, handler in before.items() if handler is not signal.SIG_IGN]
    for number in minded:
        signal.signal(number, there[number])
    try:
        yield
    finally:
        for number in minded:
            signal.signal(number, before[number])
