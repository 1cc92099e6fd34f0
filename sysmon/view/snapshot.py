"""Snapshot of the machine at an instant: rows of every table, their recent history, active alerts."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sysmon.model import AlertEvent, Row, Table
from sysmon.text.instants import to_ms

IN_OVERVIEW = frozenset(
    {"cpu", "load", "memory", "pressure", "disk_io", "disk_usage", "network", "tcp", "connections", "process", "cgroup"}
)
"""The tables whose numbers stand in the overview; the others are told in full below it."""

ABOUT_SYSMON = frozenset({"collector", "agent"})
"""The tables about sysmon itself, which a page has only where they are named."""

Cell = str | int | float | None
ValuePicker = Callable[[Sequence[Row]], float | None]
"""Finds one number in the rows of a tick."""

NamedRow = Mapping[str, Cell]
"""One row by the names of its columns."""


@dataclass(frozen=True, slots=True)
class TableSnapshot:
    """The rows of a table that hold at a snapshot: `at` is when they were taken, `seconds` how often they are.

    `trail` has the rows of the instants up to it, by milliseconds since the epoch, for tables that are charted.
    """

    table: Table
    at: datetime
    rows: Sequence[Row]
    seconds: float
    recent: Mapping[int, Sequence[Row]] = field(default_factory=dict)

    def records(self) -> Iterator[NamedRow]:
        """Yield the rows by the names of their columns."""
        columns = self.table.columns
        for row in self.rows:
            yield dict(zip(columns, row, strict=True))


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One sample of one host: `seconds` is the time between two samples, `tables` are in the order of reading.

    Tables that are read more rarely are there as they were last seen; one whose collector failed is not.
    """

    host: str
    at: datetime
    seconds: float
    tables: Mapping[str, TableSnapshot]
    alerts: Sequence[AlertEvent] = ()

    def records(self, table: str) -> list[NamedRow]:
        """Return the rows of a table by the names of their columns; none where the table is not there."""
        return list(self.tables[table].records()) if table in self.tables else []

    def record(self, table: str, **labels: str) -> NamedRow:
        """Return the first row with these labels, an empty one where there is none."""
        wanted = labels.items()
        return next((record for record in self.records(table) if wanted <= record.items()), {})

    def history(self, table: str, pick: ValuePicker, count: int) -> list[float | None]:
        """Return the last values of something up to the snapshot, one a sample; None where there was no sample."""
        history: list[float | None] = [None] * count
        if table in self.tables and count > 0:
            step, last = max(1, round(1000 * self.seconds)), to_ms(self.at)
            for ms, rows in self.tables[table].recent.items():
                place = count - 1 - (last - ms) // step
                if 0 <= place < count:
                    history[place] = pick(rows)
        return history

    def pick_metric(
        self, table: str, metric: str, *labels: str, several: Callable[[list[float]], float] = sum
    ) -> ValuePicker:
        """Return what finds a metric in the rows of a tick; the values of several rows become one.

        `labels` are the first labels of the rows that are meant; none means all rows.
        """
        columns = self.tables[table].table.columns if table in self.tables else ()
        if metric not in columns:
            return lambda _rows: None
        place, count = columns.index(metric), len(labels)

        def pick(rows: Sequence[Row]) -> float | None:
            values = [row[place] for row in rows if row[:count] == labels]
            there = [value for value in values if isinstance(value, int | float)]
            return several(there) if there else None

        return pick


def number(record: NamedRow, name: str) -> float | None:
    """Return the number in a column, None where there is none."""
    value = record.get(name)
    return value if isinstance(value, int | float) else None


def text(record: NamedRow, name: str) -> str:
    """Return the text in a column, `-` where there is none."""
    return str(record.get(name) or "-")
