"""Terminal capabilities: may a cursor be moved there, and how large is it?"""

import os
from collections.abc import Mapping

_CANNOT_MOVE = frozenset({"", "dumb", "unknown"})


def can_draw(environ: Mapping[str, str], smallest: tuple[int, int]) -> bool:
    """Say whether a cursor can move on the terminal on standard output, and it has so many columns and rows."""
    columns, rows = terminal_size(unknown=(0, 0))
    moves = os.name == "nt" or environ.get("TERM", "") not in _CANNOT_MOVE
    return moves and columns >= smallest[0] and rows >= smallest[1]


def terminal_size(*, unknown: tuple[int, int] = (80, 24)) -> tuple[int, int]:
    """Return the columns and rows of the terminal on standard output, as they are now."""
    try:
        size = os.get_terminal_size(1)
    except OSError:
        return unknown
    return (size.columns, size.lines) if size.columns and size.lines else unknown
