"""The rows of one table around the instants that somebody looks at, kept for the next look: stepping is immediate."""

from collections import OrderedDict
from dataclasses import dataclass

from sysmon.reading.seek import RowsByInstant, SeekableTable
from sysmon.text.instants import from_ms

KEPT = 8
"""Stretches of time that are remembered of a table."""


@dataclass(slots=True)
class _Stretch:
    ticks: RowsByInstant
    whole: bool


class Shelf:
    """Reads a table in stretches of `length` milliseconds; one that may still grow is read on where it ended."""

    def __init__(self, nearby: SeekableTable, length: int) -> None:
        self._nearby = nearby
        self._length = length
        self._stretches: OrderedDict[int, _Stretch] = OrderedDict()

    def between(self, first: int, last: int, *, edge: int) -> RowsByInstant:
        """Return the rows of the instants from `first` to `last`; everything before `edge` is known to be written."""
        found: RowsByInstant = {}
        for number in range(first // self._length, last // self._length + 1):
            ticks = self._stretch(number, edge).ticks
            found |= {ms: rows for ms, rows in ticks.items() if first <= ms <= last}
        return found

    def _stretch(self, number: int, edge: int) -> _Stretch:
        begin, end = number * self._length, (number + 1) * self._length
        stretch = self._stretches.pop(number, None)
        if stretch is None or not stretch.whole:
            known = stretch.ticks if stretch else {}
            # The last instant is read again: it may have been seen while it was being written.
            since = max(known, default=begin)
            fresh = self._nearby.ticks(from_ms(since), from_ms(end))
            stretch = _Stretch({ms: rows for ms, rows in known.items() if ms < since} | fresh, whole=end <= edge)
        self._stretches[number] = stretch
        while len(self._stretches) > KEPT:
            self._stretches.popitem(last=False)
        return stretch
