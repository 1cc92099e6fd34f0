"""Downsampling of rows: one a step and series, with the means of its samples and the sums of what counts."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

from sysmon.datadir.segments import divides_a_day
from sysmon.errors import UsageError
from sysmon.history import StoredRow
from sysmon.model import Kind, Origin, Row, Table
from sysmon.text.instants import EPOCH
from sysmon.text.units import format_duration

Key = tuple[str, tuple[tuple[str, str], ...], Row]
"""Which series a row belongs to: its host, what the configuration says about that, and the row's labels."""


def check_rate(rate: timedelta) -> timedelta:
    """Return the rate; raise UsageError where its steps would not fall on every midnight."""
    if not divides_a_day(rate):
        raise UsageError(f"--rate {format_duration(rate)} does not divide a day: write 10s, 1m, 5m, 1h or 1d")
    return rate


def floor(at: datetime, rate: timedelta) -> datetime:
    """Return the last multiple of `rate` (UTC) that is not after an instant."""
    return at - (at - EPOCH) % rate


def downsample(table: Table, rows: Iterable[StoredRow], rate: timedelta) -> Iterator[StoredRow]:
    """Yield one row for each series that has rows within a step, at the step's beginning.

    A count is the sum of the counts, any other metric the mean of the samples that have a value; null where none has.
    Rows are taken in the order in which they come: where the clock was set back, a step begins anew.
    """
    counts = [metric.kind is Kind.COUNT for metric in table.metrics]
    width = len(table.labels)
    step = EPOCH
    groups: dict[Key, _Group] = {}
    origin: Origin | None = None
    for row in rows:
        if not step <= row.at < step + rate:
            yield from _aggregate(step, groups, counts)
            step, groups = floor(row.at, rate), {}
        if row.origin is not origin:
            origin = row.origin
            whom = (origin.hostname, tuple(origin.labels.items()))
        labels = row.row[:width]
        group = groups.get((*whom, labels))
        if group is None:
            group = groups[(*whom, labels)] = _Group(origin, labels, len(counts))
        group.add(row.row[width:])
    yield from _aggregate(step, groups, counts)


class _Group:
    """The rows of one series within a step."""

    def __init__(self, origin: Origin, labels: Row, metrics: int) -> None:
        self.origin = origin
        self.labels = labels
        self.sums: list[int | float] = [0] * metrics
        self.present = [0] * metrics

    def add(self, values: Row) -> None:
        """Count the values of one row."""
        for index, value in enumerate(values):
            if isinstance(value, int | float):
                self.sums[index] += value
                self.present[index] += 1


def _aggregate(step: datetime, groups: dict[Key, _Group], counts: list[bool]) -> Iterator[StoredRow]:
    for group in groups.values():
        values = [
            None if not present else total if is_count else total / present
            for total, present, is_count in zip(group.sums, group.present, counts, strict=True)
        ]
        yield StoredRow(step, group.origin, (*group.labels, *values))
