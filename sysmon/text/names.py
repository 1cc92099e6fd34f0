"""Escaping of names that other programs chose: how they appear in files, on screens and in paths."""

import re
from collections.abc import Callable

_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U0001d159\U000e0100-\U000e01ef]"
)
"""What Python calls printable and no screen shows: Unicode's default ignorables (fillers, joiners, variation
selectors), the blank Braille pattern and the empty note head."""

_PATH_SAFE = re.compile(r"[A-Za-z0-9._-]{1,64}")


def escape(name: str) -> str:
    r"""Return a name as it is stored: control characters, undecodable bytes and `\` become `\xNN`, one a byte.

    Everything that cannot be seen counts as control (so bidi overrides, line separators and fillers do too).
    The bytes of the original name can be had back. An empty name becomes `-`.
    """
    if is_visible(name) and "\\" not in name:
        return name or "-"
    return "".join(ch if is_visible(ch) and ch != "\\" else _hex(ch) for ch in name)


def printable(text: str) -> str:
    """Return text that cannot move a terminal's cursor or forge a line; what is printable stays as it is."""
    if is_visible(text):
        return text
    return "".join(ch if is_visible(ch) else _hex(ch) for ch in text)


def is_visible(text: str) -> bool:
    """Say whether each character of a text can be seen, or is a blank."""
    return text.isprintable() and (text.isascii() or _INVISIBLE.search(text) is None)


def path_name(name: str, *, reserved: Callable[[str], bool] = lambda _name: False) -> str:
    """Return a name that is safe as one component of a path: itself where harmless, else `host-` and 8 hex digits."""
    if _PATH_SAFE.fullmatch(name) and name not in {".", ".."} and not reserved(name):
        return name
    import hashlib  # loads OpenSSL, 4 MB of memory that hardly any host needs

    digest = hashlib.sha256(_bytes(name)).hexdigest()
    return f"host-{digest[:8]}"


def _hex(ch: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in _bytes(ch))


def _bytes(text: str) -> bytes:
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # half a surrogate pair, which JSON and YAML can spell: it never was a byte
        return text.encode("utf-8", "surrogatepass")
