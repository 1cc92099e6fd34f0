"""Timestamps as they are stored, named and entered. Everything kept is UTC; people may ask in local time."""

import re
from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta

from sysmon.errors import UsageError
from sysmon.text import units

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_EXAMPLES = (
    "90s, 10m, 1h30m, 2d, '2 hours ago', today, yesterday, 02:30, 2026-11-20T12:00, 2026-11-20T12:00+09:00, @1763640000"
)
_TO_MILLISECONDS = len("2026-11-20T12:00:10.000")
_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?")


def from_ms(ms: int) -> datetime:
    """Return the instant that lies `ms` milliseconds after the epoch."""
    return EPOCH + timedelta(milliseconds=ms)


def to_ms(at: datetime) -> int:
    """Return the whole milliseconds from the epoch to an instant, rounded down."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def format_instant(at: datetime) -> str:
    """Return `2026-11-20T12:00:10.000Z`."""
    return at.isoformat(timespec="milliseconds")[:_TO_MILLISECONDS] + "Z"


def parse_instant(text: str) -> datetime:
    """Read a stored instant; raise ValueError for anything that is not a full date and time with an offset."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError(f"{text!r} has no UTC offset")
    try:
        return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error


def format_stamp(at: datetime) -> str:
    """Return `20261120T120000Z`, as file names have it."""
    return f"{at:%Y%m%dT%H%M%SZ}"


def parse_stamp(text: str) -> datetime:
    """Read `20261120T120000Z`; raise ValueError for anything else."""
    return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def parse_when(text: str, *, now: datetime) -> datetime:
    """Read what a person means by `--since` or `--until`, as an instant in UTC.

    A duration is that long before `now`, also as `2 hours ago` and `last week`. A time without an offset is local: of
    today, or of yesterday when it is still to come today. A day begins with its first instant, whatever the clocks
    show then.
    Raise UsageError for what cannot be read and for a local time that the clocks skip or repeat.
    """
    words = text.strip()
    today = now.astimezone().date()
    if words == "now":
        return now
    if words in {"today", "yesterday"}:
        return _first_instant(today - timedelta(days=words == "yesterday"))
    if match := _CLOCK.fullmatch(words):
        clock = time(int(match[1]), int(match[2]), int(match[3] or 0))
        at = _local(today, clock, words)
        return at if at <= now else _local(today - timedelta(days=1), clock, words)
    try:
        if words.startswith("@"):
            return datetime.fromtimestamp(float(words[1:]), UTC)
        if units.is_duration(words):
            return now - units.parse_duration(words)
        if (back := _read_words(words)) is not None:
            return now - back
        if (day := _read_day(words)) is not None:
            return _first_instant(day)
        at = datetime.fromisoformat(words)
        return at.astimezone(UTC) if at.tzinfo else _local(at.date(), at.time(), words)
    except (ValueError, OverflowError, OSError) as error:
        near = f"; perhaps {words}m, {words}h or {words}d?" if words.isdecimal() else ""
        raise UsageError(f"invalid time {text!r}; examples: {_EXAMPLES}{near}") from error


def _read_words(words: str) -> timedelta | None:
    """Read `2 hours ago`, `10min` or `last week` as how long that is ago; None for anything else."""
    spoken = re.sub(r"^last\s+", "1 ", words.lower())
    return units.read_spoken_duration(re.sub(r"\s+ago$", "", spoken))


def _read_day(words: str) -> date | None:
    try:
        return date.fromisoformat(words)
    except ValueError:
        return None


def _first_instant(day: date) -> datetime:
    """Return when a local day begins: where the clocks skip midnight, when they did; where they repeat it, at first."""
    early, late = sorted(datetime.combine(day, time(fold=fold)).astimezone(UTC) for fold in (0, 1))
    minute = timedelta(minutes=1)
    minutes = range((late - early) // minute + 1)
    return early + minute * bisect_left(minutes, day, key=lambda count: (early + minute * count).astimezone().date())


def _local(day: date, clock: time, words: str) -> datetime:
    early, late = (datetime.combine(day, clock.replace(fold=fold)).astimezone(UTC) for fold in (0, 1))
    if early == late:
        return early
    if early.astimezone().replace(tzinfo=None) == datetime.combine(day, clock):
        raise UsageError(f"{words!r} happened twice on {day} (clocks went back): add the offset, as in 02:30+02:00")
    raise UsageError(f"{words!r} did not happen on {day} (clocks went forward): write another time")
