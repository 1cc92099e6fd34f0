"""Archive: everything that is stored of one host. Are rows read, or roll-ups? That is decided here, and only here."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from sysmon.datadir.damage import Damage
from sysmon.errors import UsageError
from sysmon.history import AggregatedTable, PastAlert, TableHistory
from sysmon.model import Event, Table
from sysmon.reading import catalog
from sysmon.reading.catalog import Host
from sysmon.reading.rows import RowReader
from sysmon.reading.tiers import SHORT, needs_rollups
from sysmon.text.instants import EPOCH

if TYPE_CHECKING:
    from sysmon.formats.records import AlertEntry
    from sysmon.reading.coverage import RunPeriod
    from sysmon.reading.seek import SeekableTable
    from sysmon.stats.downsampled import DownsampledSeries

# What only some commands need is imported when it is needed: most of them read an hour of rows, and begin sooner so.


class StoredTable(RowReader):
    """The rows of one table, and the roll-ups of them."""

    def read(
        self, since: datetime, until: datetime, *, exact: bool = False, short: timedelta = SHORT
    ) -> TableHistory | AggregatedTable:
        """Return what [since, until) holds: rows, or with the help of roll-ups where the range is longer than `short`.

        Roll-ups help as well where rows have expired; nowhere with `exact`.
        """
        aggregated = None if exact else self.aggregate(since, until, short=short)
        return self.history(since, until) if aggregated is None else aggregated

    def aggregate(self, since: datetime, until: datetime, *, short: timedelta = SHORT) -> AggregatedTable | None:
        """Return [since, until) with the help of roll-ups; None where there is none to help, nor needed."""
        if not needs_rollups(self.folder, since, until, short=short):
            return None
        from sysmon.reading.plan import read_aggregate

        return read_aggregate(self, since, until)

    def stored_hours(self, since: datetime, until: datetime) -> list[datetime] | None:
        """Return, in order, the hours of [since, until) for which there may be rows or roll-ups; None for any.

        A day that is left of its hours counts with its first one.
        """
        from sysmon.reading.plan import Planner

        return Planner(self).stored_hours(since, until)

    def series(
        self, metric: str, labels: Mapping[str, str], since: datetime, until: datetime, *, points: int
    ) -> "DownsampledSeries":
        """Return one metric of the series with these labels over [since, until) in at most so many points."""
        from sysmon.reading.series import downsample

        return downsample(self, metric, labels, since, until, points=points)

    def seekable(self) -> "SeekableTable":
        """Return the rows for looking at again and again around neighbouring instants."""
        from sysmon.reading.seek import SeekableTable

        return SeekableTable(self.folder, self.table, self.damage)


class Archive:
    """What is stored of one host; `damage` counts what its answers leave out, `declared` are the tables of sysmon."""

    def __init__(self, data: Path, host: Host, damage: Damage, declared: Mapping[str, Table] | None = None) -> None:
        self.data = data
        self.host = host
        self.damage = damage
        self.declared = declared or {}

    @classmethod
    def open(
        cls, data: Path, host: str | None, damage: Damage, declared: Mapping[str, Table] | None = None
    ) -> "Archive":
        """Return the archive of a host, or where none is named of the only one or the one that was written last.

        Raise NothingFoundError where there is none, and StorageError for data that only a newer sysmon can read.
        """
        catalog.check_format(data, damage)
        return cls(data, catalog.find_host(data, host), damage, declared)

    def uncounted(self) -> "Archive":
        """Return the same archive for a look that counts no damage, because what is met is read again and counted."""
        return Archive(self.data, self.host, Damage(), self.declared)

    @property
    def table_names(self) -> Sequence[str]:
        """Return the names of the tables that have files: the declared ones in their order, then all others."""
        stored = self.host.tables()
        return [*(name for name in self.declared if name in stored), *(n for n in stored if n not in self.declared)]

    def table(self, name: str, since: datetime = EPOCH, until: datetime = catalog.LAST) -> StoredTable:
        """Return a table; what columns an undeclared one has is seen from its files of [since, until)."""
        declared = self.declared.get(name)
        if declared is None:
            from sysmon.reading.infer_table import discover_table

            declared = discover_table(self.host.folder / name, since, until)
        return self.reader(declared)

    def reader(self, table: Table) -> StoredTable:
        """Return the stored rows of a table whose columns are given."""
        return StoredTable(self.host.folder / table.name, table, self.damage)

    def series(
        self, metric: str, labels: Mapping[str, str], since: datetime, until: datetime, *, points: int
    ) -> "DownsampledSeries":
        """Return one metric of the series with these labels over [since, until) in at most so many points.

        Its lowest, highest and mean values and their number stand for each of equal parts of the range, or where the
        values are few these themselves. Raise UsageError for a metric that no table has.
        """
        undeclared = (name for name in self.host.tables() if name not in self.declared)
        for name in chain(self.declared, undeclared):
            table = self.table(name, since, until)
            if any(each.name == metric for each in table.table.metrics):
                return table.series(metric, labels, since, until, points=points)
        raise UsageError(f"no metric is named {metric}: look it up with `sysmon metrics`")

    def aggregate(self, name: str, since: datetime, until: datetime) -> AggregatedTable:
        """Return the digests of a table over [since, until), from roll-ups as far as they help and else from rows."""
        from sysmon.reading.aggregate import AggregateMerger, aggregate
        from sysmon.reading.tiers import ROWS

        stored = self.table(name, since, until).read(since, until)
        if isinstance(stored, AggregatedTable):
            return stored
        merger = AggregateMerger(stored.table)
        merger.add(aggregate(stored))
        return merger.result((ROWS,) if stored.ticks else ())

    def events(self, since: datetime, until: datetime) -> list[Event]:
        """Return the events up to `until`, from the last segment of their log that began before `since` on."""
        from sysmon.reading.logs import read_events

        return read_events(self.host.folder, since, until, self.damage)

    def run_periods(self, since: datetime, until: datetime, *, now: datetime) -> "list[RunPeriod]":
        """Return when a process sampled in [since, until), as seen from `now`."""
        from sysmon.reading.coverage import find_run_periods

        return find_run_periods(self.events(since, until), until=until, now=now)

    def alert_log(self, since: datetime, until: datetime) -> "list[AlertEntry]":
        """Return the entries of the alert log up to `until`, from the last segment that began before `since` on."""
        from sysmon.reading.logs import read_alerts

        return read_alerts(self.host.folder, since, until, self.damage)

    def alerts(self, since: datetime, until: datetime, *, now: datetime) -> list[PastAlert]:
        """Return the alerts that were on at some moment of [since, until), as seen from `now`."""
        from sysmon.reading.alert_peaks import refresh_peaks
        from sysmon.reading.alerts import past_alerts

        entries, end = self.alert_log(since, until), min(until, now)
        return refresh_peaks(self, past_alerts(entries, since, end), entries, end)
