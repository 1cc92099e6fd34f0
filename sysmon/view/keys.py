"""Key decoding: which keys were pressed? Terminals send several bytes for one, and not all the same."""

import re

_NAMES = {
    "A": "up",
    "B": "down",
    "C": "right",
    "D": "left",
    "H": "home",
    "F": "end",
    "Z": "back-tab",
    "1~": "home",
    "4~": "end",
    "5~": "page-up",
    "6~": "page-down",
    "7~": "home",
    "8~": "end",
}
_PLAIN = {"\x1b": "escape", "\t": "tab", "\r": "enter", "\n": "enter", " ": "space", "\x7f": "backspace"}
_SEQUENCE = re.compile(r"\x1b[\[O](?:(?P<number>\d*)(?:;(?P<more>[\d;]*))?)?(?P<end>[A-Za-z~])")
_UNFINISHED = re.compile(r"\x1b(?:[\[O][\d;]*)?")
_SHIFTED = {"2": "shift-", "5": "ctrl-", "3": "alt-"}


def split_keys(typed: str) -> tuple[list[str], str]:
    """Return the names of the keys that were typed, and the beginning of a sequence whose end is still to come.

    A letter is its own name; sequences that nobody knows, and other control characters, are passed over.
    """
    keys = []
    while typed:
        sequence = _SEQUENCE.match(typed)
        if sequence:
            keys.append(_named(sequence))
            typed = typed[sequence.end() :]
        elif _UNFINISHED.fullmatch(typed):
            break
        else:
            keys.append(_PLAIN.get(typed[0], typed[0] if typed[0].isprintable() else ""))
            typed = typed[1:]
    return [key for key in keys if key], typed


def _named(sequence: re.Match[str]) -> str:
    number, more, end = sequence["number"] or "", sequence["more"] or "", sequence["end"]
    name = _NAMES.get(f"{number}~" if end == "~" else end, "")
    return _SHIFTED.get(more, "") + name if name else ""
