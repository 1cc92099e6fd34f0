"""A line of a screen: spans of text, how long they are, and parts that flow over lines."""

from collections.abc import Iterable

from sysmon.text.cells import Look, Span, cut, width_of

Line = list[Span]


def length(line: Iterable[Span]) -> int:
    """Return how many cells a line takes."""
    return sum(width_of(span.text) for span in line)


def joined(parts: Iterable[str], width: int, between: str = ", ") -> str:
    """Return as many parts as there is room for, beside one another."""
    said = ""
    for part in parts:
        longer = f"{said}{between}{part}" if said else part
        if width_of(longer) > width:
            break
        said = longer
    return said


def flowed(parts: Iterable[str], width: int, look: Look) -> list[str]:
    """Return parts side by side, on further lines what does not fit; a part is cut only where it alone is too long."""
    lines: list[str] = []
    for part in parts:
        longer = f"{lines[-1]}  {part}" if lines else part
        if lines and width_of(longer) <= width:
            lines[-1] = longer
        else:
            lines.append(cut(part, width, look.more))
    return lines
