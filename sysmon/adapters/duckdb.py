"""DuckDB adapter: SQL over rows that were read and checked already, and Parquet files of them."""

import json
import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from sysmon.adapters.installation import extra_line
from sysmon.errors import UsageError

if TYPE_CHECKING:
    import duckdb

PARQUET_MEMORY = "56MB"
"""What DuckDB may use while it writes a file; what it is made of and Python come on top."""

OLDEST = 2
"""The first major version that tells reliably which tables a statement names."""

_LONGEST = 4 * 1024 * 1024
"""Bytes of the longest row that can be handed over: stored lines have at most one mebibyte."""

_BATCH = 200
_GROUP_CELLS = 600_000
_VECTOR = 2048
"""DuckDB works on so many rows at a time; the row groups of Parquet are multiples of it."""


class Type(StrEnum):
    """What a column holds, in DuckDB's words."""

    INSTANT = "TIMESTAMPTZ"
    TEXT = "VARCHAR"
    NUMBER = "DOUBLE"
    JSON = "JSON"


Columns = Mapping[str, Type]
"""Names and types of a table's columns, in their order."""


@dataclass(frozen=True, slots=True)
class QueryResult:
    """What a statement gave: the names of the columns, and rows to be taken from the front."""

    columns: tuple[str, ...]
    rows: Iterator[tuple[Any, ...]]


class Database:
    """Tables in memory, spilled to a folder where there are many rows; only what was put in can be queried."""

    def __init__(self, tables: Mapping[str, Columns], *, memory: str, spill: Path, spill_limit: int) -> None:
        self._tables = tables
        self._loaded: set[str] = set()
        self._connection = _connect(
            memory_limit=memory, temp_directory=str(spill), max_temp_directory_size=f"{spill_limit}B"
        )
        self._locked = _connect(enable_external_access=False)  # has no rows: statements are tried on it first
        for connection in (self._connection, self._locked):
            connection.execute("SET TimeZone = 'UTC'")
            for name, columns in tables.items():
                declared = ", ".join(f"{quoted(column)} {kind}" for column, kind in columns.items())
                connection.execute(f"CREATE TABLE {quoted(name)} ({declared})")
        self._locked.execute("SET lock_configuration = true")

    def __enter__(self) -> "Database":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._locked.close()

    def tables_of(self, statement: str) -> set[str]:
        """Return the names of the tables that a statement reads; raise UsageError for what is not one SELECT."""
        with _translated_errors():
            statements = self._locked.extract_statements(statement)
            if len(statements) != 1:
                raise UsageError(f"{len(statements)} statements: only one SELECT statement is allowed")
            if statements[0].type != _duckdb().StatementType.SELECT:
                raise UsageError("read-only: only one SELECT statement is allowed")
            return self._names(statement)

    def _names(self, statement: str) -> set[str]:
        """Return the tables in a statement; DuckDB's own list fails for joins with USING, and for nonsense."""
        with suppress(_duckdb().Error):
            return set(self._locked.get_table_names(statement))
        row = self._locked.execute("SELECT json_serialize_sql(?::VARCHAR)", [statement]).fetchone()
        tree = json.loads(row[0]) if row else {"error": True}
        if tree["error"]:  # more is read than is needed, and no answer is wrong
            return set(self._tables)
        return {name.casefold() for name in _walk_tables(tree)} & {name.casefold() for name in self._tables}

    def validate(self, statement: str) -> None:
        """Raise UsageError for a statement that cannot work, before any row is loaded for it."""
        with _translated_errors():
            self._locked.execute(f"EXPLAIN {statement}")

    def load(self, table: str, lines: Iterable[bytes]) -> None:
        """Put rows, as lines of CSV, into a table; whatever goes wrong while they are read is raised."""
        self._loaded.add(table)
        with _translated_errors(), _Feeder(lines) as feeder:
            source = feeder.source(self._tables[table])
            self._connection.execute(f"INSERT INTO {quoted(table)} SELECT * FROM {source}")  # noqa: S608 - quoted

    def lock(self) -> None:
        """Let no statement reach a file, the network, a setting or a table that was not loaded from here on."""
        for name in self._tables if self._loaded else ():
            if name not in self._loaded:  # an answer from an empty table would be a wrong one
                self._connection.execute(f"DROP TABLE {quoted(name)}")
        self._connection.execute("SET enable_external_access = false")
        self._connection.execute("SET lock_configuration = true")

    def execute(self, statement: str) -> QueryResult:
        """Run a statement; raise UsageError with one line for what DuckDB refuses."""
        with _translated_errors():
            cursor = self._connection.execute(statement)
        names = [str(column[0]) for column in cursor.description or ()]
        return QueryResult(tuple(_make_unique(names)), self._fetch(cursor))

    def _fetch(self, cursor: "duckdb.DuckDBPyConnection") -> Iterator[tuple[Any, ...]]:
        while rows := _fetch_batch(cursor):
            yield from rows


def write_parquet(file: BinaryIO, columns: Columns, lines: Iterable[bytes]) -> None:
    """Write rows, as lines of CSV, into an open regular file."""
    file.flush()
    group = max(_VECTOR, min(_GROUP_CELLS // max(len(columns), 1) // _VECTOR * _VECTOR, 60 * _VECTOR))
    options = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {group}, USE_TMP_FILE false"
    connection = _connect(memory_limit=PARQUET_MEMORY)
    try:
        with _Feeder(lines) as feeder:
            source = feeder.source(columns)
            connection.execute(f"COPY (SELECT * FROM {source}) TO '/dev/fd/{file.fileno()}' ({options})")  # noqa: S608 - quoted
    finally:
        connection.close()


def quoted(name: str) -> str:
    """Return a name as SQL takes it, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


class _Feeder:
    """Hands rows to DuckDB through a pipe, as CSV whose types are declared: nothing is guessed, nothing kept.

    A thread of its own writes, while DuckDB reads in the caller's. What ends the rows early is raised at the end.
    """

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = lines
        self._failure: BaseException | None = None
        self._reader, self._writer = os.pipe()
        self._thread = threading.Thread(target=self._write, daemon=True)

    def __enter__(self) -> "_Feeder":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._reader)  # a writer that is still at it gets a broken pipe
        self._thread.join()
        if self._failure is not None:
            raise self._failure

    def source(self, columns: Columns) -> str:
        """Return what stands for the rows in a statement."""
        types = ", ".join(f"{_text(name)}: '{kind}'" for name, kind in columns.items())
        return (
            f"read_csv('/dev/fd/{self._reader}', columns = {{{types}}}, auto_detect = false, header = false, "
            """delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, parallel = false, """
            f"max_line_size = {_LONGEST}, buffer_size = {_LONGEST})"
        )

    def _write(self) -> None:
        try:
            with os.fdopen(self._writer, "wb") as pipe, suppress(BrokenPipeError):  # DuckDB says what is wrong
                pipe.writelines(self._lines)
        except BaseException as error:  # noqa: BLE001 - raised again where the rows were asked for
            self._failure = error


def _duckdb() -> Any:
    try:
        with _deaf_to_ctrl_c():
            import duckdb
            import pytz
    except ImportError as error:
        raise UsageError(f"this needs DuckDB, which is not installed: run `{extra_line('sql')}`") from error
    assert pytz  # noqa: S101 - DuckDB asks for it when it hands out instants
    if int(duckdb.__version__.split(".")[0]) < OLDEST:
        line = extra_line("sql")
        raise UsageError(f"this needs DuckDB {OLDEST} or later, and there is {duckdb.__version__}: run `{line}`")
    return duckdb


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Let Ctrl-C wait: a module in C that is interrupted while it is set up ends the process with a page of its own."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _connect(**settings: str | bool) -> "duckdb.DuckDBPyConnection":
    """Open a database in memory that guesses nothing, fetches nothing and leaves the other processor alone."""
    fixed = {
        "threads": 1,
        "python_enable_replacements": False,
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
    }
    connection: duckdb.DuckDBPyConnection = _duckdb().connect(":memory:", config={**fixed, **settings})
    return connection


def _fetch_batch(cursor: "duckdb.DuckDBPyConnection") -> list[tuple[Any, ...]]:
    with _translated_errors():
        return cursor.fetchmany(_BATCH)


@contextmanager
def _translated_errors() -> Iterator[None]:
    """Raise what DuckDB refuses as UsageError, and its way of telling of Ctrl-C as what it is."""
    duckdb = _duckdb()
    try:
        yield
    except duckdb.InterruptException as error:
        raise KeyboardInterrupt from error
    except duckdb.Error as error:
        raise _refusal(error) from error
    except RuntimeError as error:
        if "interrupted" in str(error):
            raise KeyboardInterrupt from error
        raise


def _refusal(error: Exception) -> UsageError:
    """Return what DuckDB says in one line: what is wrong, and what it thinks was meant."""
    if isinstance(error, _duckdb().OutOfMemoryException):
        return UsageError("SQL: that takes more memory than it may: ask for less with --since and --until")
    lines = [line.strip() for line in str(error).split("\n\n")[0].splitlines() if line.strip()]
    kind, colon, rest = lines[0].partition(" Error: ")
    first = rest if colon else kind
    return UsageError(" ".join(["SQL:", first[:1].lower() + first[1:], *lines[1:3]]))


def _walk_tables(tree: Any) -> Iterator[str]:
    """Yield the names of all tables in what json_serialize_sql tells of a statement."""
    if isinstance(tree, dict):
        if tree.get("type") == "BASE_TABLE":
            yield str(tree.get("table_name"))
        for part in tree.values():
            yield from _walk_tables(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _walk_tables(part)


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _make_unique(names: Iterable[str]) -> Iterator[str]:
    """Yield names, those that come again with a number."""
    seen: set[str] = set()
    for name in names:
        unique, number = name, 1
        while unique in seen:
            number += 1
            unique = f"{name}_{number}"
        seen.add(unique)
        yield unique
