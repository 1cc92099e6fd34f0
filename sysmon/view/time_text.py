"""Time formatting: an instant in a zone, and how long ago it was."""

from datetime import datetime, tzinfo

from sysmon.text.units import format_age


def format_local(at: datetime, zone: tzinfo | None) -> str:
    """Return `2026-11-21 03:10:20 UTC+01`, in a zone (None: the system's)."""
    local = at.astimezone(zone)
    tenths = f".{local.microsecond // 100_000}" if local.microsecond else ""
    return f"{local:%Y-%m-%d %H:%M:%S}{tenths} UTC{_offset(local)}"


def format_ago(at: datetime, now: datetime) -> str:
    """Return how long ago an instant was, `1h12m ago`."""
    seconds = (now - at).total_seconds()
    return f"{format_age(seconds)} ago" if seconds >= 0 else f"in {format_age(seconds)}"


def _offset(local: datetime) -> str:
    if not local.utcoffset():
        return ""
    sign_and_hours, minutes = f"{local:%z}"[:3], f"{local:%z}"[3:5]
    return sign_and_hours if minutes == "00" else f"{sign_and_hours}:{minutes}"
