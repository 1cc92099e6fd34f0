"""Display width: how many cells of a terminal text takes, and how it is padded, cut, joined and wrapped to fit."""

import re
from collections.abc import Iterable

_ONE_CELL_EACH = re.compile("[ -~\u00a0-\u02ff\u2026\u2500-\u259f]*")


def width_of(text: str) -> int:
    """Return how many cells text takes: East Asian characters take two, combining ones none."""
    if _ONE_CELL_EACH.fullmatch(text):
        return len(text)
    import unicodedata  # its tables take memory, and are needed only where somebody chose such a name

    return sum(
        0 if unicodedata.category(ch) in {"Mn", "Me"} else 2 if unicodedata.east_asian_width(ch) in "WF" else 1
        for ch in text
    )


def pad(text: str, width: int) -> str:
    """Return text with blanks after it, `width` cells wide or as wide as it is."""
    return text + " " * (width - width_of(text))


def pad_left(text: str, width: int) -> str:
    """Return text with blanks before it, `width` cells wide or as wide as it is."""
    return " " * (width - width_of(text)) + text


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


def join_fitting(parts: Iterable[str], width: int, between: str = ", ") -> str:
    """Return as many parts as there is room for, beside one another."""
    line = ""
    for part in parts:
        longer = f"{line}{between}{part}" if line else part
        if width_of(longer) > width:
            break
        line = longer
    return line


def flow(
    parts: Iterable[str], width: int, *, indent: int = 2, between: str = "  ", more: str | None = None
) -> list[str]:
    """Return parts beside one another, on further lines what does not fit.

    A part that is too long for a line is cut where `more` says how such a cut is shown, and kept whole else.
    """
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}{between}{part}" if lines else part
        if lines and width_of(longer.rstrip()) <= width:
            lines[-1] = longer
            continue
        if lines:
            lines[-1] = f"{lines[-1]}{between}".rstrip()
        start = " " * indent if lines else ""
        text = part.lstrip() if lines else part
        lines.append(start + (text if more is None else cut(text, width - len(start), more)))
    return lines
