"""Headlines of one sample: of each metric that a table puts forward, the row with the highest value; pure."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sysmon.model import Row, Table, Unit
from sysmon.text.units import human


@dataclass(frozen=True, slots=True)
class HeadlineValue:
    """What an overview calls a metric, the row that has most of it (empty where there is but one), and how much."""

    title: str
    subject: str
    value: float
    unit: Unit

    def __str__(self) -> str:
        return " ".join(filter(None, (self.title, self.subject, human(self.value, self.unit))))


def pick_headlines(
    tables: Iterable[tuple[Table, Sequence[Row]]], *, besides: Collection[str]
) -> tuple[HeadlineValue, ...]:
    """Return the headlines of tables in their order, but for rare ones and for the tables that are named."""
    picked: list[tuple[int, HeadlineValue]] = []
    for table, rows in tables:
        if table.name not in besides and table.series:
            picked += _pick(table, rows)
    return tuple(headline for _, headline in sorted(picked, key=lambda pair: pair[0]))


def _pick(table: Table, rows: Sequence[Row]) -> Iterable[tuple[int, HeadlineValue]]:
    counted = [row for row in rows if table.whole is None or row[0] == table.whole]
    for column, metric in enumerate(table.metrics, len(table.labels)):
        if metric.headline is None or metric.headline.rare:
            continue
        values = [(value, row) for row in counted if isinstance(value := row[column], int | float)]
        if values:
            value, row = max(values, key=lambda pair: pair[0])
            subject = str(row[0]) if table.labels and table.whole is None else ""
            yield metric.headline.order, HeadlineValue(metric.headline.title, subject, value, metric.unit)
