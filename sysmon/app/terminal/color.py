"""Terminal detection: is colour wanted, and does anybody watch?"""

import os
from collections.abc import Mapping


def wants_color(choice: str, environ: Mapping[str, str]) -> bool:
    """Decide about colour: the flag (`auto`, `always`, `never`), then NO_COLOR, FORCE_COLOR, then the terminal."""
    if choice != "auto":
        return choice == "always"
    if environ.get("NO_COLOR"):
        return False
    if environ.get("FORCE_COLOR"):
        return True
    return is_terminal(1) and environ.get("TERM") != "dumb"


def is_terminal(descriptor: int) -> bool:
    """Say whether a descriptor is open and a terminal."""
    try:
        return os.isatty(descriptor)
    except OSError:
        return False
