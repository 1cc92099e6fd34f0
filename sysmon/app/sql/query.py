"""SQL queries over stored rows, alerts and events: only the tables that a statement names are read."""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar

from sysmon.adapters.duckdb import Columns, Database, Type
from sysmon.app.export.rows import columns_of, plain_csv
from sysmon.app.selection import Selection, find_hosts, find_tables, open_archive
from sysmon.datadir.damage import Damage
from sysmon.errors import UsageError
from sysmon.formats import HEAD, csv
from sysmon.model import AlertEvent, Table
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host
from sysmon.text.instants import format_instant
from sysmon.text.spelling import closest

MEMORY = "512MB"
"""What DuckDB may keep in memory; the rest it spills to a temporary folder."""

MOST_SPILLED = 4 * 2**30
"""Bytes of the temporary folder, or half of what is free on its file system."""

T = TypeVar("T")
Values = tuple[str | float | None, ...]
_TEXT, _NUMBER, _INSTANT, _JSON = Type.TEXT, Type.NUMBER, Type.INSTANT, Type.JSON
ALERTS: Columns = {
    "timestamp": _INSTANT,
    "hostname": _TEXT,
    "event": _TEXT,
    "rule": _TEXT,
    "id": _TEXT,
    "level": _TEXT,
    "metric": _TEXT,
    "labels": _JSON,
    "value": _NUMBER,
    "peak": _NUMBER,
    "threshold": _NUMBER,
    "condition": _TEXT,
    "since": _INSTANT,
    "duration": _NUMBER,
    "reason": _TEXT,
    "told": _TEXT,
    "message": _TEXT,
    "resource": _TEXT,
    "top": _JSON,
    "unaccounted": _NUMBER,
    "peak_top": _JSON,
    "peak_at": _INSTANT,
}
EVENTS: Columns = {"timestamp": _INSTANT, "hostname": _TEXT, "event": _TEXT, "fields": _JSON}
LOGS = {"alerts": ALERTS, "events": EVENTS}


@dataclass(frozen=True, slots=True)
class SqlResult:
    """The result of a statement, whose rows can be taken once; `silent` are tables that it read and that were empty."""

    columns: tuple[str, ...]
    rows: "CountingIterable[tuple[Any, ...]]"
    silent: tuple[str, ...]


class SqlSession:
    """The tables of a range, to run SQL on. `hosts` are those that were meant, `damage` is what had to be left out."""

    def __init__(self, selection: Selection, hosts: Sequence[str], declared: Mapping[str, Table]) -> None:
        self.damage: Damage = selection.damage()
        self._selection = selection
        self._archives: list[Archive] = []
        self.tables: dict[str, Table] = dict(declared)
        for name in find_hosts(selection, hosts):
            each = replace(selection, host=name)
            archive = open_archive(each, declared, self.damage)
            self._archives.append(archive)
            for table in find_tables(each, archive):
                self.tables.setdefault(table.name, table)
        self.hosts: list[Host] = [archive.host for archive in self._archives]

    @contextmanager
    def execute(self, statement: str, spill: Path) -> Iterator[SqlResult]:
        """Run one SELECT while the rows of its result are taken; raise UsageError for anything else."""
        columns = {name: columns_of(table) for name, table in self.tables.items()} | LOGS
        limit = min(MOST_SPILLED, shutil.disk_usage(spill).free // 2)
        with Database(columns, memory=MEMORY, spill=spill, spill_limit=limit) as database:
            names = [self._find_table(name, columns) for name in sorted(database.tables_of(statement))]
            database.validate(statement)
            silent = []
            for name in names:
                lines = CountingIterable(self._read_lines(name))
                database.load(name, lines)
                if not lines.count:
                    silent.append(name)
            database.lock()
            result = database.execute(statement)
            yield SqlResult(result.columns, CountingIterable(result.rows), tuple(silent))

    def _find_table(self, name: str, columns: Mapping[str, Columns]) -> str:
        names = {table.casefold(): table for table in columns}
        if name.casefold() in names:
            return names[name.casefold()]
        close = closest(name.casefold(), names)
        way = f"did you mean {names[close]!r}?" if close else f"there are {', '.join(sorted(columns))}"
        raise UsageError(f"no table {name!r}: {way}")

    def _read_lines(self, name: str) -> Iterator[bytes]:
        for archive in self._archives:
            if name in LOGS:
                rows = self._read_alerts(archive) if name == "alerts" else self._read_events(archive)
                yield from map(csv.encode_line, rows)
                continue
            table = self.tables[name]
            stored = archive.reader(table).rows(self._selection.since, self._selection.until)
            yield from plain_csv(table, (*HEAD, *table.columns), stored)

    def _read_alerts(self, archive: Archive) -> Iterator[Values]:
        since, until = self._selection.since, self._selection.until
        for entry in archive.alert_log(since, until):
            if isinstance(entry, AlertEvent) and since <= entry.at < until:
                yield _alert(entry)

    def _read_events(self, archive: Archive) -> Iterator[Values]:
        since, until = self._selection.since, self._selection.until
        for event in archive.events(since, until):
            if since <= event.at < until:
                fields = dict(event.fields)
                whom = str(fields.pop("hostname", archive.host.name))
                yield (format_instant(event.at), whom, event.kind, _json(fields))


class CountingIterable(Generic[T]):
    """Counts what goes by."""

    def __init__(self, items: Iterator[T]) -> None:
        self._items = items
        self.count = 0

    def __iter__(self) -> Iterator[T]:
        for item in self._items:
            self.count += 1
            yield item


def _alert(event: AlertEvent) -> Values:
    return (
        format_instant(event.at),
        event.labels.get("hostname"),
        event.transition.value,
        event.rule,
        event.id,
        event.level.value,
        event.metric,
        _json(dict(event.labels)),
        event.value,
        event.peak,
        event.threshold,
        event.condition,
        format_instant(event.since),
        event.duration,
        event.reason,
        "true" if event.notified else event.muted_by or "false",
        event.message,
        event.resource,
        _json([asdict(culprit) for culprit in event.top]),
        event.unaccounted,
        _json([asdict(culprit) for culprit in event.peak_top]),
        None if event.peak_at is None else format_instant(event.peak_at),
    )


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
