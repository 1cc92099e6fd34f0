"""Lines put together: side by side, cut and filled to a width, and turned into text for a terminal or a pipe."""

from collections.abc import Iterable, Sequence

from sysmon.cells import Look, Span, fill, painted, width_of
from sysmon.view.blocks import LEAST, Block
from sysmon.view.gauges import Line

GAP = 3
"""Blanks between two columns of blocks."""


def beside(columns: Sequence[Sequence[Line]], width: int, look: Look) -> list[Line]:
    """Return columns of lines as lines, each column `width` wide."""
    height = max((len(column) for column in columns), default=0)
    lines = []
    for row in range(height):
        line: Line = []
        for place, column in enumerate(columns):
            spans = fill(column[row], width, look.more) if row < len(column) else []
            blank = Span(" " * (place * (width + GAP) - length(line)))
            line += [blank, *spans]
        lines.append(line)
    return lines


def stacked(blocks: Iterable[Block], height: int) -> list[Line]:
    """Return blocks below one another in so many lines; the first ones are sure of their place."""
    placed: list[tuple[Block, int]] = []
    left = height
    for block in blocks:
        if left >= LEAST:
            placed.append((block, LEAST))
            left -= LEAST
    while left and any(lines < block.height for block, lines in placed):
        for place, (block, lines) in enumerate(placed):
            if left and lines < block.height:
                placed[place] = (block, lines + 1)
                left -= 1
    return [line for block, lines in placed for line in block.fitted(lines)]


def between(left: Line, right: Sequence[Line], width: int) -> Line:
    """Return a line with something at each end: the first on the right that fits."""
    for spans in right:
        room = width - length(left) - length(spans)
        if room >= 2:
            return [*left, Span(" " * room), *spans]
    return left


def length(line: Iterable[Span]) -> int:
    """Return how many cells a line takes."""
    return sum(width_of(span.text) for span in line)


def as_text(lines: Iterable[Line], width: int, look: Look) -> list[str]:
    """Return lines as text that takes at most `width` cells each."""
    return [painted(fill(line, width, look.more), color=look.color) for line in lines]
