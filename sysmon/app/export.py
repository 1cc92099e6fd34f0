"""Copies stored rows out of the data directory, for spreadsheets and other programs: one file a table."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO

from sysmon.app.archive import Question, find_host, find_tables, nothing_found
from sysmon.app.outfile import replacing
from sysmon.errors import UsageError
from sysmon.formats import CONFIGURED_LABELS, csvrows, jsonl
from sysmon.history import StoredRow
from sysmon.instants import format_instant, format_stamp
from sysmon.model import Origin, Table
from sysmon.reading.damage import Damage
from sysmon.reading.rows import read_rows
from sysmon.reading.store import Host
from sysmon.segments import Form

Progress = Callable[[str, int], None]
"""Is told the table and how many of its rows are done, now and then."""

_STEP = 10_000


class Exporter:
    """Writes the rows in question. `host` is where they come from, `damage` what had to be left out."""

    def __init__(self, question: Question, known: Mapping[str, Table], form: Form, *, raw: bool) -> None:
        self.damage: Damage = question.damage()
        self.host: Host = find_host(question, self.damage)
        self.tables = find_tables(question, self.host, known)
        self._question = question
        self._form = form
        self._raw = raw

    def to_stream(self, stream: BinaryIO, progress: Progress) -> None:
        """Write one table to an open stream; raise NothingFoundError before anything is written if it has no rows."""
        chunks = self._chunks(self._only_table("standard output"), progress)
        first = next(chunks, None)
        if first is None:
            raise nothing_found(self._question, self.host, self.damage)
        stream.write(first)
        for chunk in chunks:
            stream.write(chunk)
        stream.flush()

    def to_file(self, target: Path, progress: Progress) -> None:
        """Write one table to a file, which is replaced only when all rows are written."""
        with replacing(target) as stream:
            self.to_stream(stream, progress)

    def to_folder(self, folder: Path, progress: Progress) -> None:
        """Write a file for each table that has rows; an older one of the same name is replaced."""
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UsageError(f"{folder}: no folder ({error.strerror}): name another one with -o") from error
        begin, end = format_stamp(self._question.since), format_stamp(self._question.until)
        written = 0
        with ExitStack() as whole:  # all of them, or where something is damaged and that matters none
            for table in self.tables:
                chunks = self._chunks(table, progress)
                first = next(chunks, None)
                if first is None:
                    continue
                stream = whole.enter_context(replacing(folder / f"{table.name}-{begin}-{end}.{self._form}"))
                stream.write(first)
                for chunk in chunks:
                    stream.write(chunk)
                written += 1
        if not written:
            raise nothing_found(self._question, self.host, self.damage)

    def _only_table(self, place: str) -> Table:
        if len(self.tables) != 1:
            names = ", ".join(table.name for table in self.tables)
            raise UsageError(
                f"one table at a time goes to a file or {place}: name one with --table ({names}), or -o DIR/"
            )
        return self.tables[0]

    def _chunks(self, table: Table, progress: Progress) -> Iterator[bytes]:
        question = self._question
        folder = self.host.folder / table.name
        rows = read_rows(folder, table, question.since, question.until, self.damage)
        counted = _counted(rows, lambda count: progress(table.name, count))
        return _csv(table, counted, raw=self._raw) if self._form is Form.CSV else _jsonl(table, counted)


def _counted(rows: Iterable[StoredRow], tell: Callable[[int], None]) -> Iterator[StoredRow]:
    for count, row in enumerate(rows):
        if count % _STEP == 0:
            tell(count)
        yield row


def _jsonl(table: Table, rows: Iterable[StoredRow]) -> Iterator[bytes]:
    """Yield the rows as sysmon stores them."""
    origin: Origin | None = None
    encoder: jsonl.RowEncoder | None = None
    for row in rows:
        if encoder is None or row.origin is not origin:
            origin = row.origin
            encoder = jsonl.RowEncoder(origin, table)
        yield encoder.encode(row.at, [row.row])


def _csv(table: Table, rows: Iterable[StoredRow], *, raw: bool) -> Iterator[bytes]:
    """Yield a header, and the rows below it; all configured labels have a column, so that files can be joined."""
    header = csvrows.encode_line(["timestamp", "hostname", *CONFIGURED_LABELS, *table.columns])
    protect = (lambda text: text) if raw else csvrows.safe_text
    for row in rows:
        labels = [row.origin.labels.get(name) for name in CONFIGURED_LABELS]
        cells = [row.origin.hostname, *labels, *row.row]
        protected = [protect(cell) if isinstance(cell, str) else cell for cell in cells]
        yield header + csvrows.encode_line([format_instant(row.at), *protected])
        header = b""
