"""Key help: a line at the bottom of the screen, and a page of all keys."""

from sysmon.text.spans import Line, Look, Span, length
from sysmon.view.commands import KEYS, Command, Situation
from sysmon.view.layout import GAP, place_beside

_SYMBOLS = {"left": "←", "right": "→", "up": "↑", "down": "↓"}
_WORDS = {"page-up": "PgUp", "page-down": "PgDn", "space": "Space", "home": "Home", "end": "End", "escape": "Esc"}
_WORDS |= {"tab": "Tab", "back-tab": "Shift-Tab"}
_LIVE = (
    ("q", "quit"),
    ("?", "help"),
    ("space", "pause"),
    ("left right", "sample"),
    ("up down", "minute"),
    ("page-up page-down", "hour"),
    ("[ ]", "alert"),
    ("c m i n", "sort"),
    ("tab", "tables"),
)
_TWO = 76
_PAST = (("q", "quit"), ("?", "help"), ("end", "now"), *_LIVE[3:])


def draw_footer(situation: Situation, width: int, look: Look) -> Line:
    """Return the keys that matter most, as many as there is room for."""
    line: Line = []
    for keys, meaning in _LIVE if situation.live else _PAST:
        gap = "  " if line else ""
        pair = [Span(gap + " ".join(_key(key, look) for key in keys.split()), "bold"), Span(f" {meaning}", "dim")]
        if length(line) + length(pair) > width:
            break
        line += pair
    return line


def draw_help(width: int, look: Look) -> list[Line]:
    """Return a line for each thing that a key can do, in two columns where there is room."""
    entries: list[Line] = []
    for command in Command:
        keys = ", ".join(_key(key, look) for key, meant in KEYS.items() if meant is command)
        entries.append([Span(f"  {keys:<14}", "bold"), Span(command.value)])
    half = -(-len(entries) // 2)
    across = [entries] if width < _TWO else [entries[:half], entries[half:]]
    title: Line = [Span("Keys", "bold"), Span("   ? goes back", "dim")]
    return [title, [], *place_beside(across, (width - GAP) // 2 if len(across) > 1 else width, look)]


def _key(key: str, look: Look) -> str:
    start, dash, last = key.rpartition("-")
    if key in _WORDS or last not in _SYMBOLS:
        return _WORDS.get(key, key)
    name = _SYMBOLS[last] if look.blocks else last.capitalize()
    return f"{start.capitalize()}{dash}{name}"
