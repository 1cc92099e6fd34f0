"""Growth of file systems, and who wrote meanwhile: an hour of history in bounded memory."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Generic, TypeVar

Writer = TypeVar("Writer")

_SLICE = timedelta(seconds=10)
_SLICES = 360
_WRITERS = 5
_WORTH_KEEPING = 256 * 1024
_RECENT = 64
_MINUTES = 60
_MINUTE = timedelta(minutes=1)
_LONGEST_TICK = timedelta(minutes=5)
_DIP = 0.1
"""The part of a rise that may be taken back without ending it."""


@dataclass(frozen=True, slots=True)
class Rise:
    """By how many bytes a file system has grown, and since when."""

    growth: float
    since: datetime


class UsageHistory:
    """What a file system held of late: the latest values, and before them one a minute for an hour."""

    def __init__(self) -> None:
        self._older: deque[tuple[datetime, float]] = deque(maxlen=_MINUTES)
        self._recent: deque[tuple[datetime, float]] = deque(maxlen=_RECENT)

    def add(self, at: datetime, used: float) -> None:
        """Take the bytes in use at an instant."""
        if len(self._recent) == _RECENT:
            oldest = self._recent[0]
            if not self._older or oldest[0] - self._older[-1][0] >= _MINUTE:
                self._older.append(oldest)
        self._recent.append((at, used))

    def find_rise(self) -> Rise | None:
        """Return the rise that leads to the latest value; None where the latest value was not risen to."""
        if not self._recent:
            return None
        high = self._recent[-1][1]
        start, low = self._recent[-1]
        for at, used in (*reversed(self._recent), *reversed(self._older)):
            if used > low + _DIP * (high - low) and used > low:
                break
            if used < low:
                start, low = at, used
        return Rise(high - low, start) if high > low else None


@dataclass(slots=True)
class _Slice(Generic[Writer]):
    begin: datetime
    written: dict[Writer, float] = field(default_factory=dict)
    disks: dict[str, float] = field(default_factory=dict)


class WriteHistory(Generic[Writer]):
    """Who wrote how much of late, ten seconds by ten seconds for an hour: only those who wrote most in each."""

    def __init__(self) -> None:
        self._slices: deque[_Slice[Writer]] = deque(maxlen=_SLICES)
        self._latest: dict[str, datetime] = {}

    def add(self, at: datetime, rates: Iterable[tuple[Writer, float]]) -> None:
        """Take bytes a second that processes wrote in the tick that ends at an instant."""
        seconds = self._take_seconds("processes", at)
        written = self._find_slice(at).written
        for writer, rate in rates:
            written[writer] = written.get(writer, 0.0) + rate * seconds

    def add_disks(self, at: datetime, rates: Iterable[tuple[str, float]]) -> None:
        """Take bytes a second that disks wrote in the tick that ends at an instant."""
        seconds = self._take_seconds("disks", at)
        disks = self._find_slice(at).disks
        for disk, rate in rates:
            disks[disk] = disks.get(disk, 0.0) + rate * seconds

    def writers(self, since: datetime) -> Mapping[Writer, float]:
        """Return the bytes that each wrote since an instant; those who wrote little may lack."""
        return _sum_up(part.written for part in self._slices if part.begin + _SLICE > since)

    def disks(self, since: datetime) -> Mapping[str, float]:
        """Return the bytes that each disk wrote since an instant."""
        return _sum_up(part.disks for part in self._slices if part.begin + _SLICE > since)

    def _take_seconds(self, what_for: str, at: datetime) -> float:
        before = self._latest.get(what_for)
        self._latest[what_for] = at
        passed = timedelta(0) if before is None else at - before
        return passed.total_seconds() if timedelta(0) < passed <= _LONGEST_TICK else 0.0

    def _find_slice(self, at: datetime) -> _Slice[Writer]:
        """Return the slice that an instant belongs to; one that is full is cut down to those who wrote most."""
        if self._slices and timedelta(0) <= at - self._slices[-1].begin < _SLICE:
            return self._slices[-1]
        if self._slices:
            last = self._slices[-1]
            most = sorted(last.written.items(), key=lambda item: -item[1])[:_WRITERS]
            last.written = {writer: amount for writer, amount in most if amount >= _WORTH_KEEPING}
        self._slices.append(_Slice(at))
        return self._slices[-1]


Key = TypeVar("Key")


def _sum_up(parts: Iterable[Mapping[Key, float]]) -> dict[Key, float]:
    summed: dict[Key, float] = {}
    for part in parts:
        for key, amount in part.items():
            summed[key] = summed.get(key, 0.0) + amount
    return summed
