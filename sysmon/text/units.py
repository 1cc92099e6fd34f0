"""Durations, sizes and numbers with units: parsing what people write, formatting what they read."""

import re
from datetime import timedelta

from sysmon.errors import UsageError
from sysmon.model import Unit

DURATION = r"(?:[0-9]+(?:\.[0-9]+)?(?:ms|[smhdw]))+"
"""What every duration looks like; a schema has it for editors."""

SIZE = r"([0-9]+(?:\.[0-9]+)?) ?([KMGT]iB|[kMGT]B|B)"
"""What every size looks like."""

_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_DURATION = re.compile(DURATION)
_SIZE = re.compile(SIZE)
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_SPOKEN = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?\s*[a-z]+\s*)+")
_SPOKEN_PART = re.compile(r"([0-9.]+)\s*([a-z]+)")
_SPOKEN_UNITS = {
    **_SECONDS,
    **dict.fromkeys(("sec", "secs", "second", "seconds"), 1.0),
    **dict.fromkeys(("min", "mins", "minute", "minutes"), 60.0),
    **dict.fromkeys(("hr", "hrs", "hour", "hours"), 3600.0),
    **dict.fromkeys(("day", "days"), 86_400.0),
    **dict.fromkeys(("week", "weeks"), 604_800.0),
    **dict.fromkeys(("month", "months"), 30 * 86_400.0),
    **dict.fromkeys(("year", "years"), 365 * 86_400.0),
}
_BYTES = {"B": 1, "kB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_BYTES |= {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}
_PREFIXES = {1000: ("", "k", "M", "G", "T", "P"), 1024: ("", "Ki", "Mi", "Gi", "Ti", "Pi")}
_LONGEST = timedelta(days=36_500)
_LARGEST = 2**63


def is_duration(text: str) -> bool:
    """Say whether text has the form of a duration."""
    return _DURATION.fullmatch(text) is not None


def parse_duration(text: str) -> timedelta:
    """Read `500ms`, `10s`, `1h30m`, `2d`, `1w`; raise UsageError for anything else, a bare number too."""
    if not is_duration(text):
        way = f"write {text}s, {text}m or {text}h" if text.isdecimal() else "write 10s, 5m, 1h30m, 2d or 1w"
        raise UsageError(f"{text!r} is no duration: {way}")
    seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(text))
    if seconds > _LONGEST.total_seconds():
        raise UsageError(f"{text!r} is too long: write at most 5200w")
    return timedelta(milliseconds=round(seconds * 1000))


def read_spoken_duration(text: str) -> timedelta | None:
    """Read a duration as people type it, `10min`, `2 hours`, `a day`, too; None for what is none, or too long.

    A month has 30 days and a year 365.
    """
    words = re.sub(r"^(?:an?|one)\s", "1 ", text.strip().lower())
    if not _SPOKEN.fullmatch(words):
        return None
    parts = [(float(amount), _SPOKEN_UNITS.get(unit)) for amount, unit in _SPOKEN_PART.findall(words)]
    seconds = sum(amount * size for amount, size in parts if size is not None)
    if seconds > _LONGEST.total_seconds() or any(size is None for _, size in parts):
        return None
    return timedelta(milliseconds=round(seconds * 1000))


def format_duration(span: timedelta | float) -> str:
    """Return a duration (or its seconds) as it would be written: `1h30m`, `10s`, `500ms`, `0s`."""
    seconds = span.total_seconds() if isinstance(span, timedelta) else span
    left = round(abs(seconds) * 1000)
    parts = []
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        amount, left = divmod(left, size)
        if amount:
            parts.append(f"{amount}{unit}")
    return ("-" if seconds < 0 else "") + ("".join(parts) or "0s")


def format_age(seconds: float) -> str:
    """Return a duration for reading: its two largest units, `3d4h`, `1h30m`, `1m10s`, `7s`."""
    whole = round(abs(seconds))
    if whole < 1:
        return format_duration(seconds)
    for large, small in ((86_400, 3600), (3600, 60), (60, 1)):
        if whole >= large:
            return format_duration(whole - whole % small)
    return format_duration(whole)


def parse_size(text: str) -> int:
    """Read `64MiB`, `2 GiB`, `500MB`, `1024B` as bytes; raise UsageError for anything else, a bare number too."""
    match = _SIZE.fullmatch(text)
    if match is None:
        way = f"write {text}B or {text}MiB" if text.isdecimal() else "write 64MiB, 2GiB or 500MB"
        raise UsageError(f"{text!r} is no size: {way}")
    size = float(match[1]) * _BYTES[match[2]]
    if size > _LARGEST:
        raise UsageError(f"{text!r} is too large: write at most {format_size(_LARGEST)}")
    return round(size)


def format_size(size: int) -> str:
    """Return a size in bytes as it would be written: `64MiB`, `1000B`."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if size and size % _BYTES[unit] == 0:
            return f"{size // _BYTES[unit]}{unit}"
    return f"{size}B"


def human(value: float | None, unit: Unit) -> str:
    """Return a number with its unit for a person to read: `97.2 %`, `1.5 GiB`, `340 kB/s`, `1.2 k/s`, `-`.

    Memory and disks count in powers of 1024, rates in powers of 1000.
    """
    if value is None:
        return "-"
    if unit is Unit.SECONDS and 0 < abs(value) < 1:
        return f"{_milliseconds(value)} ms"
    if unit.base == 1:
        return f"{value:.{unit.precision}f}{unit.suffix}"
    number, prefix = _scale(value, unit)
    return f"{number} {prefix}{unit.symbol}" if prefix else f"{number}{unit.suffix}"


def short(value: float | None, unit: Unit) -> str:
    """Return a number in at most 6 characters, for a column whose heading or row names the unit: `1.5Gi`, `340k`.

    Seconds carry their unit, `0.21ms` or `1.5s`, because they are written in two.
    """
    if value is None:
        return "-"
    if unit is Unit.SECONDS and 0 < abs(value) < 1:
        ms = value * 1000
        return f"{ms:.{2 if abs(ms) < 9.995 else 1 if abs(ms) < 99.95 else 0}f}ms"
    text = "".join(_scale(value, unit))
    return f"{text}s" if unit is Unit.SECONDS and value else text


def cell(value: float | None, unit: Unit) -> str:
    """Return a number with its unit in at most 8 characters, for a column: `97.2%`, `1.5GiB`, `12.3MB/s`, `1.2k`, `-`.

    A long time is told in its two largest units. A negative number takes one character more.
    """
    if value is None:
        return "-"
    if unit is Unit.PERCENT:
        digits = 0 if abs(value) >= 99.95 or not value else 1 if abs(value) >= 9.995 else 2
        return f"{value:.{digits}f}%" if abs(value) < 99_999.5 else f"{value:.1e}%"
    if unit is Unit.MILLISECONDS and abs(value) >= 999.5:
        value, unit = value / 1000, Unit.SECONDS
    if unit is Unit.SECONDS and abs(value) >= 99.95:
        return f"{'-' if value < 0 else ''}{format_age(value)}"
    return human(value, unit).replace(" ", "")


def _milliseconds(seconds: float) -> str:
    ms = round(seconds * 1000, 2)
    return f"{ms:.0f}" if abs(ms) >= 100 else f"{ms:.3g}"


def _scale(value: float, unit: Unit) -> tuple[str, str]:
    """Return a number of three digits or so, and the prefix that it is to be multiplied by."""
    base = 1024 if unit.base == 1024 else 1000
    rest = float(value)
    for prefix in _PREFIXES[base]:
        if abs(rest) < base - 0.5 or prefix == _PREFIXES[base][-1]:
            break
        rest /= base
    digits = 0 if abs(rest) >= 99.95 or (prefix == "" and rest == int(rest)) else 1
    if prefix == "" and 0 < abs(rest) < 10 and digits:
        digits = 2
    return f"{rest:.{digits}f}", prefix
