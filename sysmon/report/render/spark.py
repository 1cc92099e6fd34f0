"""Sparklines: a row of numbers as a row of bars, one character each."""

from collections.abc import Sequence

from sysmon.text.spans import BLOCKS


def draw(values: Sequence[float | None], width: int, *, bars: str = BLOCKS) -> str:
    """Return `width` characters from the lowest to the highest value; a space where there is none."""
    there = [value for value in values if value is not None]
    if not there:
        return ""
    # Halves: the distance of two finite numbers may be more than a number can hold.
    low, high = min(there) / 2, max(there) / 2
    step = (high - low) / len(bars)
    drawn = [" " if value is None else bars[_level(value / 2 - low, step, len(bars))] for value in values]
    return "".join(drawn[column * len(drawn) // width] for column in range(width)).rstrip()


def _level(above: float, step: float, levels: int) -> int:
    return min(levels - 1, int(above / step)) if step > 0 else 0
