"""Matcher check: does any recent series have the labels that a rule asks for? The newest files are read first."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.alerts.rule import Match, matches, matches_any
from sysmon.datadir.damage import Damage
from sysmon.errors import StorageError
from sysmon.model import Table
from sysmon.reading import catalog
from sysmon.reading.rows import RowReader
from sysmon.text.instants import format_instant
from sysmon.text.names import printable

_WEEK = timedelta(days=7)
_FILES = 24
_NAMED = 5
_Labels = tuple[str, ...]


class RecentLabels:
    """The labels that rows had in the newest files of each host, of the last week at most.

    `trouble` says why there is no answer, where files cannot be read at all.
    """

    def __init__(self, data: Path, now: datetime) -> None:
        self._data = data
        self._since = now - _WEEK
        self._files: dict[str, Iterator[set[_Labels]]] = {}
        self._seen: dict[str, set[_Labels]] = {}
        self._first: dict[str, datetime] = {}
        self.trouble = ""

    def unmatched(self, table: Table, match: Match) -> str | None:
        """Return which rows a match does not fit, and what they have instead; None where it fits or none are there."""
        try:
            seen = self._read_until_matched(table, match)
        except StorageError as error:
            self.trouble = str(error)
            return None
        if not seen or _matches_any_row(table, match, seen):
            return None
        rows = f"row of {table.name} since {format_instant(self._first[table.name])}"
        label = _find_unmatched_label(table, match, seen)
        if label is None:
            return f"{rows}: no row has all of these labels"
        index = table.labels.index(label)
        return f"{rows}: {label} is {_list_values(sorted({labels[index] for labels in seen}))} there"

    def _read_until_matched(self, table: Table, match: Match) -> set[_Labels]:
        """Read on until a row fits, or there is no file left to look into."""
        files = self._files.setdefault(table.name, self._newest_first(table))
        seen = self._seen.setdefault(table.name, set())
        if not _matches_any_row(table, match, seen):
            for rows in files:
                seen |= rows
                if _matches_any_row(table, match, rows):
                    break
        return seen

    def _newest_first(self, table: Table) -> Iterator[set[_Labels]]:
        bare = Table(table.name, "", (), labels=table.labels)
        damage = Damage()
        catalog.check_format(self._data, damage)
        for host in catalog.hosts(self._data):
            folder = self._data / host / table.name
            for file in reversed(catalog.files(folder, self._since, catalog.LAST)[-_FILES:]):
                begin = max(file.segment.start, self._since)
                self._first[table.name] = min(begin, self._first.get(table.name, begin))
                rows = RowReader(folder, bare, damage).scan(begin, file.segment.end or catalog.LAST)
                yield {tuple(str(label or "-") for label in record[-len(table.labels) :]) for _, record in rows}


def _matches_any_row(table: Table, match: Match, rows: set[_Labels]) -> bool:
    return any(matches(match, dict(zip(table.labels, labels, strict=True))) for labels in rows)


def _find_unmatched_label(table: Table, match: Match, seen: set[_Labels]) -> str | None:
    """Return the first label of a match that no row fits alone."""
    for label, globs in match:
        index = table.labels.index(label)
        if not any(matches_any(globs, labels[index]) for labels in seen):
            return label
    return None


def _list_values(values: list[str]) -> str:
    named = [printable(value) for value in values[:_NAMED]]
    more = [f"{len(values) - _NAMED} more"] if len(values) > _NAMED else []
    return " or ".join([*named, *more])
