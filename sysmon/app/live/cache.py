"""Row cache: the rows of one table around the instants that somebody looks at, so that stepping is immediate."""

from collections import OrderedDict
from dataclasses import dataclass

from sysmon.reading.seek import RowsByInstant, SeekableTable
from sysmon.text.instants import from_ms

KEPT = 8
"""Chunks of time that are remembered of a table."""


@dataclass(slots=True)
class _Chunk:
    ticks: RowsByInstant
    whole: bool


class RowCache:
    """Reads a table in chunks of `length` milliseconds; one that may still grow is read on where it ended."""

    def __init__(self, table: SeekableTable, length: int) -> None:
        self._table = table
        self._length = length
        self._chunks: OrderedDict[int, _Chunk] = OrderedDict()

    def read_between(self, first: int, last: int, *, edge: int) -> RowsByInstant:
        """Return the rows of the instants from `first` to `last`; everything before `edge` is written by now."""
        rows_by_instant: RowsByInstant = {}
        for number in range(first // self._length, last // self._length + 1):
            ticks = self._load_chunk(number, edge).ticks
            rows_by_instant |= {ms: rows for ms, rows in ticks.items() if first <= ms <= last}
        return rows_by_instant

    def _load_chunk(self, number: int, edge: int) -> _Chunk:
        begin, end = number * self._length, (number + 1) * self._length
        chunk = self._chunks.pop(number, None)
        if chunk is None or not chunk.whole:
            cached = chunk.ticks if chunk else {}
            # The last instant is read again: it may have been seen while it was being written.
            since = max(cached, default=begin)
            fresh = self._table.ticks(from_ms(since), from_ms(end))
            chunk = _Chunk({ms: rows for ms, rows in cached.items() if ms < since} | fresh, whole=end <= edge)
        self._chunks[number] = chunk
        while len(self._chunks) > KEPT:
            self._chunks.popitem(last=False)
        return chunk
