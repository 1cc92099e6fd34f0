"""Export of stored rows, for spreadsheets and other programs: one file a table."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from sysmon.app.export import columns
from sysmon.app.export import rows as export_rows
from sysmon.app.export.output_file import make_folder, replace_output
from sysmon.app.export.progress import Progress, ProgressMeter, weight
from sysmon.app.export.rows import ExportOptions
from sysmon.app.selection import Selection, find_tables, no_rows_error, open_archive
from sysmon.datadir.damage import Damage
from sysmon.errors import UsageError
from sysmon.history import StoredRow
from sysmon.model import Table
from sysmon.reading import catalog
from sysmon.reading.catalog import Host
from sysmon.text.instants import format_stamp

TableColumns = tuple[Table, tuple[str, ...]]
"""A table, and the names of those of its columns that go out."""


class Exporter:
    """Writes the rows in question. `host` is where they come from, `damage` what had to be left out."""

    def __init__(self, selection: Selection, declared: Mapping[str, Table], options: ExportOptions) -> None:
        self._archive = open_archive(selection, declared)
        self.damage: Damage = self._archive.damage
        self.host: Host = self._archive.host
        self.tables: list[TableColumns] = columns.choose(find_tables(selection, self._archive), options.columns)
        self._selection = selection
        self._options = options

    def to_stream(self, stream: BinaryIO, progress: Progress) -> None:
        """Write one table to an open stream; raise NothingFoundError before anything is written if it has no rows."""
        if not self.tables:
            raise no_rows_error(self._selection, self._archive)
        table, names = only_table(self.tables)
        rows = export_rows.peek(self._rows(table, self._meter(progress)))
        if rows is None:
            raise no_rows_error(self._selection, self._archive)
        export_rows.write(stream, table, names, rows, self._options)

    def to_file(self, target: Path, progress: Progress) -> None:
        """Write one table to a file, which is replaced only when all rows are written."""
        with replace_output(target) as stream:
            self.to_stream(stream, progress)

    def to_folder(self, folder: Path, progress: Progress) -> None:
        """Write a file for each table that has rows; an older one of the same name is replaced."""
        folder = make_folder(folder)
        begin, end = format_stamp(self._selection.since), format_stamp(self._selection.until)
        meter = self._meter(progress)
        written = 0
        with ExitStack() as whole:  # all of them, or where something is damaged and that matters none
            for table, names in self.tables:
                rows = export_rows.peek(self._rows(table, meter))
                if rows is None:
                    continue
                target = folder / f"{table.name}-{begin}-{end}.{self._options.output}"
                export_rows.write(whole.enter_context(replace_output(target)), table, names, rows, self._options)
                written += 1
        if not written:
            raise no_rows_error(self._selection, self._archive)

    def _rows(self, table: Table, meter: ProgressMeter) -> Iterator[StoredRow]:
        rows = self._archive.reader(table).rows(self._selection.since, self._selection.until)
        return export_rows.resample(table, meter.watch(rows, self._weight(table)), self._options)

    def _meter(self, progress: Progress) -> ProgressMeter:
        return ProgressMeter(progress, sum(self._weight(table) for table, _ in self.tables), self._selection.until)

    def _weight(self, table: Table) -> int:
        folder = self.host.folder / table.name
        return weight(folder, catalog.files(folder, self._selection.since, self._selection.until))


def only_table(tables: Sequence[TableColumns]) -> TableColumns:
    """Return the one table there is; raise UsageError where there are more."""
    if len(tables) != 1:
        names = ", ".join(table.name for table, _ in tables)
        raise UsageError(
            f"one table at a time goes to a file or standard output: name one with --table ({names}), or -o DIR/"
        )
    return tables[0]
