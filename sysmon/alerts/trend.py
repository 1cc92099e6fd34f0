"""Trend of an alert: a few values that stand for a longer stretch, in bounded memory. How did it come to this?"""

POINTS = 12
"""How many values an event shows at most."""


class Trend:
    """Keeps the beginning, the end and what lies evenly between them."""

    __slots__ = ("_latest", "_points", "_stride", "_taken")

    def __init__(self) -> None:
        self._points: list[float] = []
        self._latest = 0.0
        self._stride = 1
        self._taken = 0

    def add(self, value: float) -> None:
        """Take the next value."""
        self._latest = value
        if self._taken % self._stride == 0:
            if len(self._points) == POINTS - 1:
                del self._points[1::2]
                self._stride *= 2
            if self._taken % self._stride == 0:
                self._points.append(value)
        self._taken += 1

    def values(self) -> tuple[float, ...]:
        """Return the values from first to last, rounded to what an eye can use."""
        points = self._points
        complete = not points or (self._taken - 1) % self._stride == 0
        return tuple(float(f"{value:.4g}") for value in (points if complete else [*points, self._latest]))
