"""Trend resolution: how many points and digits a chart gets. As many as an eye can see; pure."""

from collections.abc import Sequence
from datetime import timedelta
from math import floor, log10

FINE = timedelta(days=2)
"""Up to this length a page is drawn from rows: in a longer range nobody sees more than roll-ups tell."""

MOST_PARTS = 360
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400
_LENGTHS = (1, 2, 5, 10, 15, 20, 30)
_PART_SECONDS = (
    *_LENGTHS,
    *(length * _MINUTE for length in _LENGTHS),
    *(length * _HOUR for length in (1, 2, 3, 6, 12)),
    *(length * _DAY for length in (1, 2, 7)),
)
_DIGITS = 3
"""How many digits of a value, or of how far a curve moves, can be seen in a picture; one more is kept."""


def choose_parts(length: timedelta) -> int:
    """Return into how many parts a range is cut: as many as a picture can show, of a length that people use."""
    seconds = max(length.total_seconds(), 1)
    part = next((length for length in _PART_SECONDS if seconds / length <= MOST_PARTS), seconds / MOST_PARTS)
    return round(seconds / part)


def format_numbers(values: Sequence[float | None], spread: float) -> str:
    """Return values as text, with a comma between two and nothing for None; `spread` is how far they are apart."""
    return ",".join("" if value is None else _format_number(value, spread) for value in values)


def _format_number(value: float, spread: float) -> str:
    if value == 0:
        return "0"
    size = floor(log10(abs(value)))
    step = min(floor(log10(spread)), size) if spread > 0 else size
    text = f"{value:.{size - step + _DIGITS + 1}g}"
    return text.replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
