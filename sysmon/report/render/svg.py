"""Inline SVG that needs no script: the trend of a metric, and when an alert was on."""

from collections.abc import Callable, Sequence
from itertools import pairwise
from math import fsum

_HEIGHT = 24
_PARTS = 60
_DAY = 1000
_SHORTEST = 4


def draw_trend(trend: Sequence[float | None], peaks: Sequence[float | None]) -> str:
    """Return the curves of means and peaks, from 0 to the highest; a gap in them is one in the picture."""
    means = _downsample(trend, lambda part: fsum(part) / len(part))
    highs = _downsample(peaks, max)
    drawn = [value for value in (*means, *highs) if value is not None]
    if not drawn:
        return ""
    low, high = min(0.0, *drawn), max(0.0, *drawn)
    curves = "".join(
        f'<path class="{name}" d="{_draw_path(values, low, high)}"/>'
        for name, values in (("peaks", highs), ("means", means))
    )
    return f'<svg class="trend" viewBox="0 0 {_PARTS} {_HEIGHT}" preserveAspectRatio="none">{curves}</svg>'


def draw_bar(begin: float, end: float) -> str:
    """Return a bar between two shares of the width, from 0 to 1; it can be seen however short it is."""
    width = max((end - begin) * _DAY, _SHORTEST)
    left = min(begin * _DAY, _DAY - width)
    return (
        f'<svg class="bar" viewBox="0 0 {_DAY} 8" preserveAspectRatio="none">'
        f'<rect class="rail" width="{_DAY}" height="8"/><rect x="{left:.0f}" width="{width:.0f}" height="8"/></svg>'
    )


def _downsample(values: Sequence[float | None], fold: Callable[[list[float]], float]) -> list[float | None]:
    """Return at most as many values as a small picture can show."""
    cuts = [at * len(values) // _PARTS for at in range(_PARTS + 1)] if len(values) > _PARTS else range(len(values) + 1)
    parts = [[value for value in values[begin:end] if value is not None] for begin, end in pairwise(cuts)]
    return [fold(part) if part else None for part in parts]


def _draw_path(values: Sequence[float | None], low: float, high: float) -> str:
    scale = (_HEIGHT - 2) / ((high - low) or 1)
    drawn, pen = [], "M"
    for at, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        left = (at + 0.5) * _PARTS / len(values)
        drawn.append(f"{pen}{left:.4g} {_HEIGHT - 1 - (value - low) * scale:.3g}")
        if pen == "M":
            drawn.append("h.1")  # a single sample between two gaps is a dot
        pen = "L"
    return "".join(drawn)
