"""A guard of tests against opens that wait for ever: the kernel would wait as long as the test."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_SECONDS = 180


@contextmanager
def must_end() -> Iterator[None]:
    """Raise TimeoutError where the block is stuck in a call of the kernel."""

    def fail(_number: int, _frame: FrameType | None) -> None:
        raise TimeoutError("it waits for ever")

    before = signal.signal(signal.SIGALRM, fail)
    signal.alarm(_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
