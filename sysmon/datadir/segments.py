"""File names of segments, which say what time each holds: decided from names alone, for writers and readers alike."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import cache

from sysmon.errors import UsageError
from sysmon.text import instants, units

_NAME = re.compile(
    r"(?P<table>[A-Za-z0-9_]+)"
    r"-(?P<year>[1-9]\d{3})(?P<month>\d\d)(?P<day>\d\d)T(?P<hour>\d\d)(?P<minute>\d\d)(?P<second>\d\d)Z"
    r"(?:-(?P<period>\d+[smhd](?:\d+[smh])*))?(?:-(?P<number>\d{1,6}))?"
    r"\.(?P<form>jsonl|csv)(?P<packed>\.gz)?",
    re.ASCII,
)
_LAST = datetime.max.replace(tzinfo=UTC)
_FIRST = datetime(1000, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_UNITS = "smhd"
_ENDINGS = frozenset({"jsonl", "jsonl.gz", "csv", "csv.gz"})


class Form(StrEnum):
    """How the rows of a segment are written."""

    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Segment:
    """One stretch of one table: it holds instants from `start` to the next boundary of `period`.

    `period` None (a file that sysmon did not write) reaches up to the start of the next one.
    """

    table: str
    start: datetime
    period: timedelta | None
    number: int = 1

    @property
    def stem(self) -> str:
        """Return the file name without its endings, `cpu-20261120T120000Z-1h`."""
        stem = f"{self.table}-{instants.format_stamp(self.start)}"
        if self.period is not None:
            stem += f"-{units.format_duration(self.period)}"
        return stem if self.number == 1 else f"{stem}-{self.number}"

    @property
    def end(self) -> datetime | None:
        """Return the instant from which on it holds nothing; None without a period."""
        return None if self.period is None else boundary_after(self.start, self.period)

    def file_name(self, form: Form, *, packed: bool = False) -> str:
        """Return the name of this segment's file of one form."""
        return f"{self.stem}.{form}{'.gz' if packed else ''}"

    def again(self) -> "Segment":
        """Return the segment to write when this one's name is taken: `-2`, `-3`."""
        return replace(self, number=self.number + 1)


@dataclass(frozen=True, slots=True)
class SegmentFile:
    """One file of a segment."""

    segment: Segment
    form: Form
    packed: bool

    @property
    def name(self) -> str:
        """Return its file name."""
        return self.segment.file_name(self.form, packed=self.packed)


def parse(file_name: str) -> SegmentFile | None:
    """Read a file name; None when it is no segment's.

    A name that would not be written again in the same way (`-60m` for `-1h`) is none: its file could not be found.
    """
    match = _NAME.fullmatch(file_name)
    if match is None:
        return None
    number = int(match["number"] or 1)
    if match["number"] and (number < 2 or match["number"].startswith("0")):
        return None
    period = None
    try:
        year, month, day, hour, minute, second = map(int, match.groups()[1:7])
        start = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
        if match["period"]:
            period = _period(match["period"])
    except (ValueError, UsageError):  # no such day; a period of centuries
        return None
    if _LAST - start < _DAY:
        return None
    segment = Segment(match["table"], start, period, number)
    return SegmentFile(segment, Form(match["form"]), packed=match["packed"] is not None)


@cache
def _period(text: str) -> timedelta:
    """Read a period that would be written in the same way; raise ValueError or UsageError for anything else."""
    period = units.parse_duration(text)
    if not divides_a_day(period) or units.format_duration(period) != text:
        raise ValueError(f"{text!r} is no period")
    return period


def divides_a_day(period: timedelta) -> bool:
    """Say whether rotation by `period` starts anew at each midnight UTC: whole seconds, a day or a divisor of it."""
    return period >= timedelta(seconds=1) and not period % timedelta(seconds=1) and not _DAY % period


def boundary_after(at: datetime, period: timedelta) -> datetime:
    """Return the first rotation boundary later than an instant: multiples of `period` from the epoch."""
    return instants.EPOCH + ((at - instants.EPOCH) // period + 1) * period


def select(file_names: Iterable[str], since: datetime, until: datetime) -> list[SegmentFile]:
    """Return the files that may hold rows of [since, until), in order of time, one a stem.

    Of a stem's files JSON Lines come before CSV, and the text before its compressed form, which may be older: whatever
    reads them looks again where the text has gone meanwhile.
    """
    by_stem: dict[str, SegmentFile] = {}
    for name in _filter_by_stamp(file_names, since, until):
        file = parse(name)
        if file is None:
            continue
        stem = name.split(".", 1)[0]
        chosen = by_stem.get(stem)
        if chosen is None or _preference(file) < _preference(chosen):
            by_stem[stem] = file
    ordered = sorted(by_stem.values(), key=lambda file: (file.segment.start, file.segment.number))
    starts = sorted({file.segment.start for file in ordered})
    following = dict(zip(starts, [*starts[1:], _LAST], strict=False))
    return [
        file
        for file in ordered
        if file.segment.start < until and (file.segment.end or following[file.segment.start]) > since
    ]


def stems_by_hour(file_names: Iterable[str], since: datetime, until: datetime) -> dict[datetime, set[str]] | None:
    """Return which stems may hold rows of each hour of [since, until); None where a file has no period.

    Names of whole hours are not read any further, for there may be thousands.
    """
    begin, end = _stamp(max(since, _FIRST).astimezone(UTC).replace(minute=0, second=0)), _stamp(max(until, _FIRST))
    stems: dict[str, set[str]] = {}
    others = []
    for name in _filter_by_stamp(file_names, since, until):
        stem, _, ending = name.partition(".")
        if stem.endswith("-1h") and ending in _ENDINGS:
            if begin <= stem[-19:-3] <= end:
                stems.setdefault(stem[-19:-8], set()).add(stem)
        else:
            others.append(name)
    by_hour = {at: held for hour, held in stems.items() if (at := _hour(hour)) is not None}
    for file in select(others, since, until):
        if file.segment.end is None:
            return None
        at = file.segment.start.replace(minute=0, second=0)
        while at < file.segment.end:
            by_hour.setdefault(at, set()).add(file.segment.stem)
            at += timedelta(hours=1)
    return by_hour


def _hour(text: str) -> datetime | None:
    """Read `20261120T12`."""
    try:
        return datetime(int(text[:4]), int(text[4:6]), int(text[6:8]), int(text[9:]), tzinfo=UTC)
    except ValueError:
        return None


def _filter_by_stamp(file_names: Iterable[str], since: datetime, until: datetime) -> list[str]:
    """Return the names that may matter to a range, by their stamps alone: to read thousands of names takes long."""
    names = list(file_names)
    begin = _stamp(since - _DAY) if since - _FIRST > _DAY else ""  # no period is longer than a day
    end = _stamp(until + _SECOND) if _LAST - until > _SECOND else "~"
    near = []
    for name in names:
        rest = name.partition("-")[2]
        if begin <= rest < end:
            near.append(name)
        elif rest < begin and rest.partition(".")[0][-1:] not in _UNITS:  # without a period: it reaches to the next
            return names
    return near


def _stamp(at: datetime) -> str:
    return instants.format_stamp(at.astimezone(UTC))


def _preference(file: SegmentFile) -> tuple[bool, bool]:
    return (file.form is not Form.JSONL, file.packed)
