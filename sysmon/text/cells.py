"""Pieces of text in the cells of a terminal: how wide they are, how they are cut, what they look like there."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sysmon.model import Level
from sysmon.text import ansi
from sysmon.text.names import printable

_CODES = {
    "dim": ansi.DIM,
    "bold": ansi.BRIGHT,
    "ok": ansi.GREEN,
    "info": ansi.CYAN,
    "warning": ansi.YELLOW,
    "critical": ansi.BRIGHT + ansi.RED,
}
_ONE_CELL_EACH = re.compile("[ -~\u00a0-\u02ff\u2026\u2500-\u259f]*")
_SYMBOLS = "▁▂▃▄▅▆▇█░…"


@dataclass(frozen=True, slots=True)
class Span:
    """Text in one style: `dim`, `bold`, `ok`, `info`, `warning`, `critical`, or none."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Look:
    """What a terminal can show: colour, an encoding, and the blocks that bars are drawn with."""

    color: bool
    encoding: str = "utf-8"
    blocks: bool = True

    @property
    def bars(self) -> str:
        """Return eight characters from low to high."""
        return _SYMBOLS[:8] if self.blocks else "_.-~=+*#"

    @property
    def filled(self) -> str:
        """Return the character of a bar's filled part."""
        return _SYMBOLS[7] if self.blocks else "#"

    @property
    def empty(self) -> str:
        """Return the character of a bar's empty part."""
        return _SYMBOLS[8] if self.blocks else "."

    @property
    def more(self) -> str:
        """Return the character that stands for what was cut off."""
        return _SYMBOLS[9] if self.blocks else "~"

    def shown(self, name: str) -> str:
        """Return a name that others chose as it can be shown here."""
        text = printable(name)
        return text if text.isascii() else text.encode(self.encoding, "backslashreplace").decode(self.encoding)


def look(*, color: bool, encoding: str, term: str) -> Look:
    """Decide what can be shown: the Linux console's fonts lack most blocks, whatever its encoding is."""
    try:
        _SYMBOLS.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return Look(color, encoding, blocks=False)
    return Look(color, encoding, blocks=term != "linux")


def level_style(level: Level | None) -> str:
    """Return the style of a level; None is well."""
    return level.value if level else "ok"


def width_of(text: str) -> int:
    """Return how many cells text takes: East Asian characters take two, combining ones none."""
    if _ONE_CELL_EACH.fullmatch(text):
        return len(text)
    import unicodedata  # its tables take memory, and are needed only where somebody chose such a name

    return sum(
        0 if unicodedata.category(ch) in {"Mn", "Me"} else 2 if unicodedata.east_asian_width(ch) in "WF" else 1
        for ch in text
    )


def cut(text: str, width: int, more: str) -> str:
    """Return text that takes at most `width` cells; `more` ends it where something is missing."""
    if width_of(text) <= width:
        return text
    left = width - width_of(more)
    if left < 0:
        return ""
    kept = text[:left]
    while width_of(kept) > left:
        kept = kept[:-1]
    return kept + more


def cut_front(text: str, width: int, more: str) -> str:
    """Return the end of a text that takes at most `width` cells: of a path it says more than the beginning."""
    if width_of(text) <= width:
        return text
    kept = text
    while kept and width_of(more + kept) > width:
        kept = kept[1:]
    return cut(more + kept, max(0, width), more)


def fill(spans: Iterable[Span], width: int, more: str) -> list[Span]:
    """Return spans that take at most `width` cells together."""
    fitting = []
    for span in spans:
        text = cut(span.text, width, more)
        fitting.append(Span(text, span.style))
        width -= width_of(text)
        if text != span.text:
            break
    return fitting


def painted(spans: Iterable[Span], *, color: bool) -> str:
    """Return a line of spans, without blanks at its end; colours end where they are used."""
    kept = list(spans)
    while kept and not kept[-1].text.strip(" "):
        kept.pop()
    if kept:
        kept[-1] = Span(kept[-1].text.rstrip(" "), kept[-1].style)
    return "".join(
        f"{_CODES[span.style]}{span.text}{ansi.RESET}" if color and span.style else span.text for span in kept
    )


def gauge(percent: float, width: int, look: Look, style: str) -> list[Span]:
    """Return a bar of some width, filled in a style as far as a percentage says."""
    filled = round(width * min(100.0, max(0.0, percent)) / 100)
    return [Span(look.filled * filled, style), Span(look.empty * (width - filled), "dim")]


def sparkline(values: Sequence[float | None], width: int, highest: float, bars: str) -> str:
    """Return the latest values between 0 and `highest`, the newest at the right; a blank where there is none."""
    if width <= 0:
        return ""
    drawn = "".join(" " if value is None else bars[_step(value, highest, len(bars))] for value in values[-width:])
    return drawn.rjust(width)


def _step(value: float, highest: float, steps: int) -> int:
    return min(steps - 1, max(0, int(value / highest * steps))) if highest > 0 else 0
