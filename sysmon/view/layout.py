"""Layout: lines side by side, cut and filled to a width, as text for a terminal or a pipe."""

from collections.abc import Iterable, Sequence

from sysmon.text.spans import Line, Look, Span, fit, length, paint_line
from sysmon.view.blocks import LEAST, Block

GAP = 3
"""Blanks between two columns of blocks."""


def place_beside(columns: Sequence[Sequence[Line]], width: int, look: Look) -> list[Line]:
    """Return columns of lines as lines, each column `width` wide."""
    height = max((len(column) for column in columns), default=0)
    lines = []
    for row in range(height):
        line: Line = []
        for place, column in enumerate(columns):
            spans = fit(column[row], width, look.more) if row < len(column) else []
            blank = Span(" " * (place * (width + GAP) - length(line)))
            line += [blank, *spans]
        lines.append(line)
    return lines


def stack(blocks: Iterable[Block], height: int) -> list[Line]:
    """Return blocks below one another in so many lines; the first ones are sure of their place."""
    placed = list(blocks)[: height // LEAST]
    wishes = [block.height for block in placed]
    shares = _share(wishes, height)
    for place, block in enumerate(placed):
        if block.small and shares[place] < block.height:  # it will be told in fewer lines: the rest is for others
            wishes[place] = 1 + len(block.small)
            shares = _share(wishes, height)
    return [line for block, lines in zip(placed, shares, strict=True) for line in block.fit(lines)]


def _share(wishes: Sequence[int], height: int) -> list[int]:
    """Return how many lines each gets that wishes for some, of so many in all."""
    shares = [min(LEAST, wish) for wish in wishes]
    left = height - sum(shares)
    while left > 0 and shares != list(wishes):
        for place, wish in enumerate(wishes):
            if left > 0 and shares[place] < wish:
                shares[place] += 1
                left -= 1
    return shares


def spread(left: Line, right: Sequence[Line], width: int) -> Line:
    """Return a line with something at each end: the first on the right that fits."""
    for spans in right:
        room = width - length(left) - length(spans)
        if room >= 2:
            return [*left, Span(" " * room), *spans]
    return left


def render_lines(lines: Iterable[Line], width: int, look: Look) -> list[str]:
    """Return lines as text that takes at most `width` cells each."""
    return [paint_line(fit(line, width, look.more), color=look.color) for line in lines]
