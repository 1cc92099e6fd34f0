"""Styled spans: lines of text in several styles, and the bars and sparklines that a terminal can show."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sysmon.model import Level
from sysmon.text.cells import cut, width_of
from sysmon.text.colors import paint
from sysmon.text.names import printable

BLOCKS = "▁▂▃▄▅▆▇█"
"""The bars of a sparkline from low to high."""

ASCII_BLOCKS = "_.-~=+*#"
HIGH, VERY_HIGH = 80.0, 95.0
"""Percent from which on a load is shown as high and as very high, whether or not a rule fires."""

_EMPTY, _MORE = "░", "…"


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style: `dim`, `bold`, `ok`, `info`, `warning`, `critical`, or none."""

    text: str
    style: str = ""


Line = list[Span]


@dataclass(frozen=True, slots=True)
class Look:
    """What a terminal can show: colour, an encoding, and the blocks that bars are drawn with."""

    color: bool
    encoding: str = "utf-8"
    blocks: bool = True

    @property
    def bars(self) -> str:
        """Return eight characters from low to high."""
        return BLOCKS if self.blocks else ASCII_BLOCKS

    @property
    def filled(self) -> str:
        """Return the character of a bar's filled part."""
        return self.bars[-1]

    @property
    def empty(self) -> str:
        """Return the character of a bar's empty part."""
        return _EMPTY if self.blocks else "."

    @property
    def more(self) -> str:
        """Return the character that stands for what was cut off."""
        return _MORE if self.blocks else "~"

    def sanitize(self, name: str) -> str:
        """Return a name that others chose as it can be shown here."""
        text = printable(name)
        return text if text.isascii() else text.encode(self.encoding, "backslashreplace").decode(self.encoding)


def detect_look(*, color: bool, encoding: str, term: str = "") -> Look:
    """Decide what can be shown: the Linux console's fonts lack most blocks, whatever its encoding is."""
    try:
        (BLOCKS + _EMPTY + _MORE).encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return Look(color, encoding, blocks=False)
    return Look(color, encoding, blocks=term != "linux")


def level_style(level: Level | None) -> str:
    """Return the style of a level; None is well."""
    return level.value if level else "ok"


def load_style(percent: float, level: Level | None = None) -> str:
    """Return the style of a load: that of what fires about it or of how high it is, whichever is worse."""
    by_load = Level.CRITICAL if percent >= VERY_HIGH else Level.WARNING if percent >= HIGH else None
    return level_style(max((each for each in (level, by_load) if each), key=lambda each: each.rank, default=None))


def length(line: Iterable[Span]) -> int:
    """Return how many cells a line takes."""
    return sum(width_of(span.text) for span in line)


def fit(spans: Iterable[Span], width: int, more: str) -> Line:
    """Return spans that take at most `width` cells together."""
    fitting = []
    for span in spans:
        text = cut(span.text, width, more)
        fitting.append(Span(text, span.style))
        width -= width_of(text)
        if text != span.text:
            break
    return fitting


def paint_line(spans: Iterable[Span], *, color: bool) -> str:
    """Return a line of spans, without blanks at its end; colours end where they are used."""
    kept = list(spans)
    while kept and not kept[-1].text.strip(" "):
        kept.pop()
    if kept:
        kept[-1] = Span(kept[-1].text.rstrip(" "), kept[-1].style)
    return "".join(paint(span.text, span.style, color=color) for span in kept)


def draw_gauge(percent: float, width: int, look: Look, style: str) -> Line:
    """Return a bar of some width, filled in a style as far as a percentage says."""
    filled = round(width * min(100.0, max(0.0, percent)) / 100)
    return [Span(look.filled * filled, style), Span(look.empty * (width - filled), "dim")]


def draw_sparkline(values: Sequence[float | None], width: int, highest: float, bars: str) -> str:
    """Return the latest values between 0 and `highest`, the newest at the right; a blank where there is none."""
    if width <= 0:
        return ""
    drawn = "".join(" " if value is None else bars[_step(value, highest, len(bars))] for value in values[-width:])
    return drawn.rjust(width)


def _step(value: float, highest: float, steps: int) -> int:
    return min(steps - 1, max(0, int(value / highest * steps))) if highest > 0 else 0
