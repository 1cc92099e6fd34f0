"""The terminal was resized, or the run was stopped and continued: what becomes of the status area then?"""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from sysmon.notify.outlet import Outlet

_CLEARED_WITHIN = 0.3
"""Seconds that stopping waits for the terminal to take what clears the area."""

_Handler = Callable[[int, FrameType | None], None]


@contextmanager
def minding(outlet: Outlet) -> Iterator[None]:
    """Redraw the area at once when the terminal's size changes, clear it before Ctrl-Z stops us, and bring it back.

    What is ignored stays ignored: a shell without job control has it so.
    """

    def changed(_number: int, _frame: FrameType | None) -> None:
        outlet.refresh()

    def continued(_number: int, _frame: FrameType | None) -> None:
        outlet.back()

    def stop(number: int, _frame: FrameType | None) -> None:
        outlet.leave(_CLEARED_WITHIN)
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)  # here the process stands still, as the shell expects of this very signal
        signal.signal(number, stop)
        outlet.back()

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
