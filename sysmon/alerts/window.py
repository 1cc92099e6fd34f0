"""Sliding window: one number for the last minutes in place of single values, if enough of them are there."""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum

FUNCTIONS: dict[str, Callable[[Sequence[float]], float]] = {
    "mean": lambda values: fsum(values) / len(values),
    "min": min,
    "max": max,
    "last": lambda values: values[-1],
    "sum": fsum,
}


@dataclass(frozen=True, slots=True)
class Reduce:
    """Which function, over how long, and which share of the samples of that time must have a value."""

    function: str
    over: timedelta
    min_coverage: float


class SlidingWindow:
    """The values of one instance that still count."""

    __slots__ = ("_kept", "_needed", "_reduce")

    def __init__(self, reduce: Reduce, interval: timedelta) -> None:
        self._reduce = reduce
        self._needed = max(1.0, reduce.min_coverage * round(reduce.over / interval))
        self._kept: deque[tuple[datetime, float]] = deque()

    def __len__(self) -> int:
        return len(self._kept)

    def take(self, at: datetime, value: float | None) -> float | None:
        """Return the number for the time that ends at an instant, None where too few values are there.

        An instant that is not later than a value kept means that the clock was set: nothing before it counts.
        """
        kept = self._kept
        if kept and at <= kept[-1][0]:
            kept.clear()
        while kept and kept[0][0] <= at - self._reduce.over:
            kept.popleft()
        if value is not None:
            kept.append((at, value))
        if len(kept) < self._needed - 1e-9:
            return None
        return FUNCTIONS[self._reduce.function]([number for _, number in kept])
