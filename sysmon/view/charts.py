"""Charts of the last minutes, where the screen has room to spare."""

from collections.abc import Sequence
from itertools import groupby
from operator import itemgetter

from sysmon.model import Row, Unit
from sysmon.text.cells import cut
from sysmon.text.spans import Line, Look, Span, load_style
from sysmon.text.units import format_age, human
from sysmon.view.layout import GAP, place_beside
from sysmon.view.snapshot import Snapshot, ValuePicker

LEAST, MOST = 5, 18
"""Lines of a chart: with fewer it tells no more than a trend in a line, more are too far from the numbers."""

_FOUR = 150
_LONGEST = 160


def draw_charts(snapshot: Snapshot, width: int, lines: int, look: Look) -> list[Line]:
    """Return charts side by side in so many lines; none where that would be too few."""
    if lines < LEAST:
        return []
    picks = {
        "cpu": ("cpu", snapshot.pick_metric("cpu", "cpu_usage_percent", "all"), 100.0, Unit.PERCENT),
        "network": ("network", _traffic(snapshot), None, Unit.BYTES_PER_SECOND),
        "memory": ("memory", snapshot.pick_metric("memory", "memory_usage_percent"), 100.0, Unit.PERCENT),
        "busiest disk": (
            "disk_io",
            snapshot.pick_metric("disk_io", "disk_io_util_percent", several=max),
            100.0,
            Unit.PERCENT,
        ),
    }
    count = len(picks) if width >= _FOUR else 2
    each = (width - GAP * (count - 1)) // count
    drawn = []
    for title, (table, pick, highest, unit) in list(picks.items())[:count]:
        history = snapshot.history(table, pick, min(each, _LONGEST))
        there = [value for value in history if value is not None]
        top = highest or max(there, default=0.0)
        age = next((len(history) - place for place, value in enumerate(history) if value is not None), 0)
        caption = f", last {format_age(age * snapshot.seconds)}, up to {human(top, unit)}" if there else ", no data"
        heading: Line = [Span(title, "bold"), Span(cut(caption, each - len(title), look.more), "dim")]
        drawn.append([heading, *_bars(history, min(lines, MOST) - 1, top, look, percent=unit is Unit.PERCENT)])
    return place_beside(drawn, each, look)


def _traffic(snapshot: Snapshot) -> ValuePicker:
    picks = [snapshot.pick_metric("network", f"network_{way}_bytes_per_second") for way in ("receive", "transmit")]

    def pick(rows: Sequence[Row]) -> float | None:
        values = [value for value in (pick_value(rows) for pick_value in picks) if value is not None]
        return sum(values) if values else None

    return pick


def _bars(history: Sequence[float | None], height: int, highest: float, look: Look, *, percent: bool) -> list[Line]:
    """Return columns that are filled from the bottom, in steps of a part of a line."""
    steps = len(look.bars)
    levels = [_level(value, highest, height * steps) for value in history]
    styles = [load_style(value or 0.0) if percent else "ok" for value in history]
    lines: list[Line] = []
    for row in range(height - 1, -1, -1):
        cells = [min(steps, level - row * steps) for level in levels]
        drawn = zip(styles, (look.bars[cell - 1] if cell > 0 else " " for cell in cells), strict=True)
        lines.append([Span("".join(bar for _, bar in run), style) for style, run in groupby(drawn, key=itemgetter(0))])
    return lines


def _level(value: float | None, highest: float, steps: int) -> int:
    """Return how many steps a value is high: none where there is none, one at least where there is one."""
    if value is None:
        return 0
    return max(1, min(steps, round(value / highest * steps))) if highest > 0 else 1
