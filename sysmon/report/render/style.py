"""Text style of a report: page width, columns of numbers, and what is in colour."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import tzinfo
from itertools import zip_longest

from sysmon.model import Level, Unit
from sysmon.report.summary import MetricSummary, Stats
from sysmon.text import units
from sysmon.text.cells import pad, width_of
from sysmon.text.colors import paint
from sysmon.text.spans import BLOCKS
from sysmon.thresholds import worst_level

NARROW = 80
WIDE = 114
_WIDEST = 200
"""Beyond it names and numbers are too far apart for the eye."""

TITLES = ("mean", "min", "p50", "p95", "p99", "max")
CELL = 9
_NUMBERS = len(TITLES) * CELL + 2 + len("11-20 12:00")


@dataclass(frozen=True, slots=True)
class Style:
    """How the page looks: its width, the zone of its times (None: the system's), its trends' characters, colour."""

    width: int = NARROW
    zone: tzinfo | None = None
    bars: str = BLOCKS
    color: bool = False

    @property
    def columns(self) -> int:
        """Return the width that is used."""
        return min(max(self.width, NARROW), _WIDEST)

    @property
    def wide(self) -> bool:
        """Say whether a metric and its numbers fit on one line."""
        return self.columns >= WIDE

    @property
    def left(self) -> int:
        """Return how many columns there are before those of the numbers, where these are."""
        return self.columns - _NUMBERS

    def align(self, left: str, right: str) -> str:
        """Put `right` where the columns of numbers are."""
        return pad(left, self.left) + right

    def bold(self, line: str, length: int | None = None) -> str:
        """Return a line with its first characters bold, where colour is wanted."""
        return self._paint("bold", line, len(line) if length is None else length)

    def level(self, line: str, level: Level) -> str:
        """Return a line that begins with a level, with that in its colour."""
        return self._paint(level.value, line, len(level.value))

    def cells(self, texts: Iterable[str], levels: Iterable[Level | None] = ()) -> str:
        """Return texts as cells of numbers, each in the colour of its level where it has one."""
        pairs = zip_longest(texts, levels)
        return "".join(self.cell(text, CELL, level) for text, level in pairs)

    def cell(self, text: str, width: int, level: Level | None) -> str:
        """Return a text at the right of a cell, in the colour of its level."""
        return " " * (width - width_of(text)) + self.color_by(level, text)

    def color_by(self, level: Level | None, text: str) -> str:
        """Return a text in the colour of a level, as it is without one."""
        return text if level is None else self._paint(level.value, text, len(text))

    def _paint(self, style: str, line: str, length: int) -> str:
        return paint(line[:length], style, color=self.color) + line[length:]


def trend_width(names: Iterable[str], width: int) -> int:
    """Return how many characters a trend gets beside metrics of these names."""
    style = Style(width)
    return max(8, (style.left - 1 if style.wide else style.columns) - name_width(names) - 2)


def name_width(names: Iterable[str]) -> int:
    """Return how many columns the names of metrics need."""
    return max(map(width_of, names), default=0)


def numbers(stats: Stats, unit: Unit) -> list[str]:
    """Return what stands below the titles."""
    return [units.cell(value, unit) for value in shown_values(stats)]


def levels(item: MetricSummary) -> list[Level | None]:
    """Return how bad each of these numbers is by the limits of the rules."""
    if item.stats is None:
        return []
    limits = [exceeded.limit for exceeded in item.beyond]
    values = shown_values(item.stats) if limits else ()
    return [None if value is None else worst_level(limits, value) for value in values]


def shown_values(stats: Stats) -> tuple[float | None, ...]:
    """Return the numbers in the order of the titles, None for those that are not shown."""
    tail = (stats.p95, stats.p99) if stats.has_tail else (None, None)
    return stats.mean, stats.min, stats.p50, *tail, stats.max
