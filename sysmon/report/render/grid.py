"""Text grid: named rows and titled columns of numbers, in as many bands as the page needs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from sysmon.model import Level
from sysmon.report.render.style import CELL, Style
from sysmon.text.cells import cut, pad, pad_left, width_of
from sysmon.text.names import printable

Cell = tuple[str, Level | None]
"""A text, and how bad it is by the limits of the rules."""


@dataclass(frozen=True, slots=True)
class Column:
    """Numbers of one kind: titles with their widths below a common heading, and for each line a cell below each."""

    head: str
    titles: tuple[tuple[str, int], ...]
    cells: Sequence[Sequence[Cell]]

    @property
    def width(self) -> int:
        """Return how many characters it takes."""
        return sum(width for _, width in self.titles)


def titled(*names: str) -> tuple[tuple[str, int], ...]:
    """Return titles of the usual width."""
    return tuple((name, CELL) for name in names)


def draw(names: Sequence[str], columns: Sequence[Column], style: Style, *, corner: str = "") -> Iterator[str]:
    """Yield the lines of a grid; `corner` stands above the names."""
    left = max(map(width_of, [corner, *names]), default=0)
    for number, band in enumerate(_bands(columns, style.columns - left)):
        if number:
            yield ""
        yield from _heads(band, left, style)
        titles = "".join(f"{title:>{width}}" for column in band for title, width in column.titles)
        yield style.bold(pad(corner, left) + titles, len(corner))
        for row, name in enumerate(names):
            pairs = [pair for column in band for pair in zip(column.titles, column.cells[row], strict=True)]
            yield pad(name, left) + "".join(style.cell(text, width, level) for (_, width), (text, level) in pairs)


def wrap_name(name: str, width: int) -> list[str]:
    """Return a name in lines that are no wider than asked for, broken before `_` or at a space where it can be."""
    lines = [""]
    for part in name.replace("_", "\0_").replace(" ", "\0 ").split("\0"):
        if lines[-1] and width_of(lines[-1] + part) > width:
            lines.append("")
            part = part.lstrip(" ")
        lines[-1] += part
    return [cut(line, width, "...") for line in lines]


def _bands(columns: Sequence[Column], room: int) -> Iterator[list[Column]]:
    band: list[Column] = []
    for column in columns:
        if band and sum(other.width for other in band) + column.width > room:
            yield band
            band = []
        band.append(column)
    if band:
        yield band


def _heads(band: Sequence[Column], left: int, style: Style) -> Iterator[str]:
    heads = [wrap_name(printable(column.head), max(8, column.width - 2))[::-1] for column in band]
    for line in reversed(list(zip_longest(*heads, fillvalue=""))):
        whole = " " * left + "".join(pad_left(part, column.width) for part, column in zip(line, band, strict=True))
        if whole.strip():
            yield style.bold(whole)
