"""Which texts are durations and sizes within bounds? Patterns that an editor can check, in the regex of JSON Schema.

A pattern never refuses what sysmon reads. Of single whole amounts (`90s`) it takes exactly those within the bounds; of
sums and fractions (`1h30m`, `0.5s`), whose bounds no pattern can hold, it takes all.
"""

import math
from collections.abc import Callable, Iterator
from datetime import timedelta

_MS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}
_DURATION = r"[0-9]+(?:\.[0-9]+)?(?:ms|[smhdw])"
_FRACTION = r"[0-9]+\.[0-9]+"
_BYTES = {"B": 1} | {unit: 1000**power for power, unit in enumerate(("kB", "MB", "GB", "TB"), 1)}
_BYTES |= {unit: 1024**power for power, unit in enumerate(("KiB", "MiB", "GiB", "TiB"), 1)}
_LARGEST = 2**63


def duration(at_least: timedelta, at_most: timedelta) -> str:
    """Return the pattern of durations within bounds."""
    low, high = _ms(at_least), _ms(at_most)
    return _durations(lambda size: _between(-(-low // size), high // size))


def part_of_a_day() -> str:
    """Return the pattern of durations of whole seconds that divide a day."""
    day = _MS["d"]
    small = [ms for ms in range(1, math.isqrt(day) + 1) if not day % ms]
    parts = sorted(ms for ms in {*small, *(day // ms for ms in small)} if not ms % _MS["s"])
    return _durations(lambda size: "|".join(str(ms // size) for ms in parts if not ms % size))


def size(at_least: int) -> str:
    """Return the pattern of sizes with a lower bound; the upper one is that of 64-bit numbers, to its digits."""
    single = [
        f"0*(?=[0-9]{{1,{len(str(_LARGEST // size))}}} ?{unit}$)(?:{_from(-(-at_least // size))}) ?{unit}"
        for unit, size in _BYTES.items()
    ]
    return f"^(?:{'|'.join(single)}|{_FRACTION} ?(?:{'|'.join(_BYTES)}))$"


def whole(at_least: int | None, at_most: int | None) -> str:
    """Return the pattern of whole numbers within bounds, written without leading zeros."""
    if at_least is None or at_least < 0:
        return "^-?(?:0|[1-9][0-9]*)$"
    numbers = _from(at_least) if at_most is None else _between(at_least, at_most)
    return f"^(?!0[0-9])(?:{numbers})$"


def any_case(word: str) -> str:
    """Return the pattern of a word in upper and lower case."""
    return "".join(f"[{ch.upper()}{ch.lower()}]" if ch.isalpha() else ch for ch in word)


def _durations(amounts: Callable[[int], str]) -> str:
    """Return a pattern out of those of the amounts of each unit, which is given in milliseconds."""
    single = [f"0*(?:{found}){unit}" for unit, size in _MS.items() if (found := amounts(size))]
    return f"^(?:{'|'.join(single)}|(?:{_DURATION}){{2,}}|{_FRACTION}(?:ms|[smhdw]))$"


def _between(low: int, high: int) -> str:
    """Return the pattern of the whole numbers within bounds; empty where there is none."""
    if low > high:
        return ""
    return f"(?=(?:{_from(low)})(?![0-9]))(?:{'|'.join(_up_to(str(high)))})"


def _from(low: int) -> str:
    return "|".join([*_above(str(low)), str(low)]) if low else "[0-9]+"


def _above(low: str) -> Iterator[str]:
    """Yield patterns that together are the numbers above one."""
    yield f"[1-9][0-9]{{{len(low)},}}"
    for at, digit in enumerate(low):
        if digit != "9":
            yield f"{low[:at]}[{int(digit) + 1}-9]{_digits(len(low) - at - 1)}"


def _up_to(high: str) -> Iterator[str]:
    """Yield patterns that together are the numbers up to one."""
    yield high
    if len(high) > 1:
        yield f"[0-9]{{1,{len(high) - 1}}}"
    for at, digit in enumerate(high):
        if digit > "0":
            yield f"{high[:at]}[0-{int(digit) - 1}]{_digits(len(high) - at - 1)}"


def _digits(count: int) -> str:
    return f"[0-9]{{{count}}}" if count else ""


def _ms(span: timedelta) -> int:
    return round(span.total_seconds() * 1000)
