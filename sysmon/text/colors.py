"""Terminal colours: the one table of styles, on colorama, which is loaded only where colour is drawn."""

from collections.abc import Mapping
from functools import cache


def paint(text: str, style: str, *, color: bool = True) -> str:
    """Return text in a style (`dim`, `bold`, `ok`, `info`, `warning`, `critical`); as it is without one or colour."""
    if not (text and style and color):
        return text
    codes, reset = _codes()
    return f"{codes[style]}{text}{reset}"


@cache
def _codes() -> tuple[Mapping[str, str], str]:
    from colorama import Fore, Style  # loads ctypes, which a service that draws nothing must not pay for

    codes = {
        "dim": Style.DIM,
        "bold": Style.BRIGHT,
        "ok": Fore.GREEN,
        "info": Fore.CYAN,
        "warning": Fore.YELLOW,
        "critical": Style.BRIGHT + Fore.RED,
    }
    return codes, Style.RESET_ALL
