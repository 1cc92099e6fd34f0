"""Roll-up builder: finished hours, and their minutes, from rows, and finished days from hours."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import FOLDER, Resolution, RollupFile
from sysmon.model import Table
from sysmon.reading import rollup_file, rollup_minutes
from sysmon.reading.aggregate import aggregate, merge_aggregates, split_by_minute
from sysmon.reading.rows import RowReader
from sysmon.storage.compress import write_compressed
from sysmon.storage.files import make_directory
from sysmon.storage.inventory import StoredFile, Tier

Try = Callable[[Path, Callable[[], object]], bool]
"""Does something about a path; False where it failed, which was noted."""


@dataclass(slots=True)
class _Hour:
    """The segments that may hold rows of an hour."""

    stems: set[str] = field(default_factory=set)
    ends: set[datetime] = field(default_factory=set)
    modified: float = 0.0
    open: bool = False

    @property
    def late(self) -> bool:
        """Say whether a segment may have come when the hour seemed to be over: two of them for one period."""
        return len(self.stems) > len(self.ends)


class RollupBuilder:
    """Keeps the roll-ups of all hosts and known tables up to their rows; `made` counts what was written."""

    def __init__(
        self, tables: Mapping[str, Table], *, now: datetime, minutes: timedelta, rebuild: bool, attempt: Try
    ) -> None:
        self._tables = tables
        self._now = now
        self._minutes = minutes
        self._rebuild = rebuild
        self._attempt = attempt
        self.made = 0

    def build(self, data: Path, files: Iterable[StoredFile]) -> None:
        """Make what is missing or out of date."""
        hours: dict[tuple[str, str], dict[datetime, _Hour]] = defaultdict(lambda: defaultdict(_Hour))
        there: dict[tuple[str, str], dict[tuple[Resolution, datetime], float]] = defaultdict(dict)
        for file in files:
            key = (file.host, file.table)
            if file.table not in self._tables:
                continue
            if file.tier in {Tier.ROLLUPS, Tier.MINUTES}:
                there[key][(Resolution(file.path.parent.name), file.start)] = file.modified
            elif file.tier is not Tier.EVENTS:
                _note(hours[key], file)
        for (host, table), by_hour in sorted(hours.items()):
            made = there[(host, table)]
            for span in (Resolution.HOUR, Resolution.MINUTE):
                self._hours(data / host, self._tables[table], by_hour, made, span)
            self._days(data / host, self._tables[table], by_hour, made)

    def _hours(
        self,
        host: Path,
        table: Table,
        hours: Mapping[datetime, _Hour],
        there: dict[tuple[Resolution, datetime], float],
        span: Resolution,
    ) -> None:
        """Make the files that hold an hour, as one sum or in minutes."""
        for start, hour in sorted(hours.items()):
            file = RollupFile(table.name, span, start)
            too_old = span is Resolution.MINUTE and file.end + self._minutes <= self._now
            if hour.open or file.end > self._now or too_old:
                continue
            if not self._is_due(host, file, hour, there.get((span, start))):
                continue
            path = _path(host, file)
            if self._attempt(path, lambda file=file, hour=hour: _make_hour(host, table, file, hour)):  # type: ignore[misc]  # bound now
                there[(span, start)] = float("inf")
                self.made += 1

    def _is_due(self, host: Path, file: RollupFile, hour: _Hour, modified: float | None) -> bool:
        if modified is None:
            return True
        if not (self._rebuild or hour.late or hour.modified > modified):
            return False
        sources = rollup_file.read_sources(_path(host, file))
        if sources is None:
            return True
        # What was made of more segments than are left cannot be made as well again.
        return sources <= hour.stems if self._rebuild else not hour.stems <= sources

    def _days(
        self,
        host: Path,
        table: Table,
        hours: Mapping[datetime, _Hour],
        there: Mapping[tuple[Resolution, datetime], float],
    ) -> None:
        days: dict[datetime, list[datetime]] = defaultdict(list)
        for span, start in there:
            if span is Resolution.HOUR:
                days[Resolution.DAY.floor(start)].append(start)
        unfinished = {Resolution.DAY.floor(start) for start in hours if (Resolution.HOUR, start) not in there}
        for start, parts in sorted(days.items()):
            file = RollupFile(table.name, Resolution.DAY, start)
            if start in unfinished or file.end > self._now:
                continue
            newest = max(there[(Resolution.HOUR, part)] for part in parts)
            modified = there.get((Resolution.DAY, start))
            if modified is not None and newest <= modified:
                continue
            path = _path(host, file)
            if self._attempt(path, lambda file=file, parts=parts: _make_day(host, table, file, parts)):  # type: ignore[misc]  # bound now
                self.made += 1


def _make_hour(host: Path, table: Table, file: RollupFile, hour: _Hour) -> None:
    damage = Damage()
    rows = RowReader(host / table.name, table, damage).history(file.start, file.end)
    whole = aggregate(rows, hour.stems, damage.count)
    if file.resolution is Resolution.MINUTE:
        _store(host, file, rollup_minutes.encode(whole, [aggregate(minute) for minute in split_by_minute(rows)], file))
    else:
        _store(host, file, rollup_file.encode(whole, file))


def _make_day(host: Path, table: Table, file: RollupFile, parts: Iterable[datetime]) -> None:
    damage = Damage()
    hours = [RollupFile(table.name, Resolution.HOUR, part) for part in sorted(parts)]
    aggregates = [rollup_file.read(_path(host, hour), hour, damage) for hour in hours]
    readable = [hourly for hourly in aggregates if hourly is not None]
    _store(host, file, rollup_file.encode(merge_aggregates(readable, table), file))


def _note(hours: dict[datetime, _Hour], file: StoredFile) -> None:
    assert file.segment is not None  # noqa: S101 - only roll-ups have none
    start = Resolution.HOUR.floor(file.start)
    while start < file.end:
        hour = hours[start]
        hour.stems.add(file.segment.segment.stem)
        hour.ends.add(file.end)
        hour.modified = max(hour.modified, file.modified)
        hour.open |= file.open
        start += Resolution.HOUR.length


def _store(host: Path, file: RollupFile, text: bytes) -> None:
    path = _path(host, file)
    make_directory(path.parent, below=host.parent)
    write_compressed(path, text)


def _path(host: Path, file: RollupFile) -> Path:
    return host / FOLDER / file.resolution / file.name
