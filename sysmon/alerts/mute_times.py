"""Mute times: times of day as cron writes them, each for as long as it says; local time. When is nobody notified?"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from sysmon.alerts.rule import matches_any
from sysmon.errors import UsageError
from sysmon.model import Level
from sysmon.text.instants import from_ms, to_ms

LONGEST = timedelta(days=7)
_MINUTE_MS = 60_000
_MINUTE = timedelta(minutes=1)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")


@dataclass(frozen=True, slots=True)
class Cron:
    """Five fields as in crontab(5): the numbers that fit each. Both days restricted means that either may fit."""

    text: str
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either_day: bool

    def matches(self, local: datetime) -> bool:
        """Say whether it names this minute of a local clock."""
        if local.minute not in self.minutes or local.hour not in self.hours or local.month not in self.months:
            return False
        day, weekday = local.day in self.days, local.isoweekday() % 7 in self.weekdays
        return day or weekday if self.either_day else day and weekday


@dataclass(frozen=True, slots=True)
class MuteTime:
    """From each minute that `cron` names, for `span`: alerts of rules like `rules`, up to `max_level`."""

    name: str
    cron: Cron
    span: timedelta
    rules: tuple[str, ...] = ("*",)
    max_level: Level = Level.CRITICAL

    def covers(self, rule: str, level: Level) -> bool:
        """Say whether it is about alerts of a rule and a level."""
        return level.rank <= self.max_level.rank and matches_any(self.rules, rule)


class MuteClock:
    """Says whether a mute time is on; remembers the latest beginning, so that each minute is looked at once.

    `zone` None is the local time of this machine.
    """

    def __init__(self, mute_time: MuteTime, zone: tzinfo | None = None) -> None:
        self.mute_time = mute_time
        self._zone = zone
        self._checked = 0
        self._latest: int | None = None

    def is_on(self, at: datetime) -> bool:
        """Say whether an instant lies within `span` of a minute that the cron fields name."""
        minute = to_ms(at) // _MINUTE_MS
        reach = int(self.mute_time.span.total_seconds() // 60)
        first = minute - reach
        if not self._checked <= minute or self._checked < first:
            self._checked, self._latest = first - 1, None
        local = self._local(minute)
        for candidate in range(minute, self._checked, -1):
            before = self._local(candidate - 1)
            if self._begins(before, local):
                self._latest = candidate
                break
            local = before
        self._checked = minute
        return self._latest is not None and at < from_ms(self._latest * _MINUTE_MS) + self.mute_time.span

    def _local(self, minute: int) -> datetime:
        """Return what the clock on the wall shows in a minute since the epoch, without an offset."""
        return from_ms(minute * _MINUTE_MS).astimezone(self._zone).replace(tzinfo=None)

    def _begins(self, before: datetime, local: datetime) -> bool:
        """Say whether the fields name a minute, or one that the clocks skipped just before: cron(8) runs its jobs then.

        A minute that the clocks show twice begins a mute time twice.
        """
        skipped = range(1, max(1, (local - before) // _MINUTE))
        return self.mute_time.cron.matches(local) or any(
            self.mute_time.cron.matches(before + _MINUTE * count) for count in skipped
        )


def parse_cron(text: str) -> Cron:
    """Read five fields of crontab(5); raise UsageError saying which of them is wrong."""
    fields = text.split()
    if len(fields) != 5:
        raise UsageError(
            f"{text!r} has {len(fields)} fields: write minute, hour, day, month and weekday, as in 0 2 * * *"
        )
    minutes = _read_field(fields[0], "minute", 0, 59, ())
    hours = _read_field(fields[1], "hour", 0, 23, ())
    days = _read_field(fields[2], "day", 1, 31, ())
    months = _read_field(fields[3], "month", 1, 12, _MONTHS)
    weekdays = frozenset(day % 7 for day in _read_field(fields[4], "weekday", 0, 7, _DAYS))
    either = not fields[2].startswith("*") and not fields[4].startswith("*")
    return Cron(" ".join(fields), minutes, hours, days, months, weekdays, either)


def _read_field(text: str, name: str, low: int, high: int, names: Sequence[str]) -> frozenset[int]:
    numbers: set[int] = set()
    for part in text.split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        if span == "*":
            begin, end = low, high
        else:
            begin = _read_number(first, name, low, high, names)
            end = _read_number(last, name, low, high, names) if dash else high if step else begin
        every = _read_number(step, f"step of the {name}", 1, high, ()) if "/" in part else 1
        if begin > end:
            raise UsageError(f"{part!r} in the {name} field runs backwards: write {last}-{first} or two ranges")
        numbers.update(range(begin, end + 1, every))
    return frozenset(numbers)


def _read_number(text: str, name: str, low: int, high: int, names: Sequence[str]) -> int:
    if text.lower() in names:
        return low + names.index(text.lower())
    if text.isascii() and text.isdecimal() and low <= int(text) <= high:
        return int(text)
    by_name = f" or {names[0]} to {names[-1]}" if names else ""
    raise UsageError(f"{text!r} is no {name}: write {low} to {high}{by_name}")
