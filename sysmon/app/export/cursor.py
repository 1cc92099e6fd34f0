"""Cursor of an incremental export: how far it got, kept in the data directory under a name, one export at a time."""

import json
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sysmon.datadir.names import Cursors
from sysmon.errors import StorageError, UsageError
from sysmon.storage.files import sync_directory, write_atomic
from sysmon.storage.lock import open_lock
from sysmon.text.instants import format_instant, parse_instant

VERSION = 1
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_REFUSALS = (ValueError, KeyError, TypeError, AttributeError, RecursionError)


@dataclass(frozen=True, slots=True)
class FilePosition:
    """How far one file was exported: rows taken from its beginning, and how much damage was told among them.

    `size` is the length of the text that was read to its end, None where that was packed and so will not grow, and -1
    where there is more to come.
    """

    rows: int = 0
    size: int | None = -1
    damage: int = 0


FilePositions = dict[str, FilePosition]
"""Positions by the stem of a file."""


@dataclass(slots=True)
class Cursor:
    """What is remembered between two exports of one name.

    `mark` tells its temporary files from those of any other cursor. Rows before `since` are none of this export's.
    `batch` counts the exports that wrote something. `moves` are files that are whole and only have to get their names:
    from, to.
    """

    mark: str
    since: datetime
    batch: int = 0
    moves: list[tuple[str, str]] = field(default_factory=list)
    positions: dict[str, dict[str, FilePositions]] = field(default_factory=dict)

    def copy(self) -> "Cursor":
        """Return another one with equal contents."""
        positions = {
            host: {table: dict(by_stem) for table, by_stem in tables.items()} for host, tables in self.positions.items()
        }
        return replace(self, moves=list(self.moves), positions=positions)


class CursorFile:
    """The file of one cursor; raise UsageError for a name that is none."""

    def __init__(self, data: Path, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise UsageError(f"--resume {name!r}: write at most 64 letters, digits, dots, dashes and underscores")
        self.name = name
        self._data = data
        self._path = data / Cursors.EXPORT.state(name)

    @contextmanager
    def try_lock(self) -> Iterator[bool]:
        """Keep others from using the cursor; False where another one is at it."""
        try:
            lock = open_lock(self._data / Cursors.EXPORT.lock(self.name))
        except BlockingIOError:
            yield False
            return
        except OSError as error:
            raise StorageError(
                f"{self._data}: cannot be written ({error.strerror}): --resume keeps its place there; "
                "let the user of `sysmon run` export"
            ) from error
        try:
            yield True
        finally:
            os.close(lock)

    def read(self, *, since: datetime) -> Cursor:
        """Return what is remembered; where that is nothing, begin with the rows from `since` on.

        Raise StorageError for a file that is no cursor: to begin anew would be to export all rows once more.
        """
        try:
            text = self._path.read_bytes()
        except FileNotFoundError:
            cursor = Cursor(secrets.token_hex(4), since)
            self.write(cursor)
            return cursor
        try:
            return _decode(json.loads(text))
        except _REFUSALS as error:
            raise StorageError(
                f"{self._path}: no cursor of this sysmon ({error}): move it away, and all rows are exported once more"
            ) from error

    def write(self, cursor: Cursor) -> None:
        """Replace what is remembered, and have it on the disk."""
        text = json.dumps(_encode(cursor), separators=(",", ":")) + "\n"
        write_atomic(self._path, text.encode())

    def move(self, cursor: Cursor) -> None:
        """Give files their names that an export had finished; what has its name already is left alone."""
        for temporary, name in cursor.moves:
            try:
                Path(temporary).rename(name)
            except FileNotFoundError as error:
                if not Path(name).parent.is_dir():
                    raise StorageError(f"{name}: its folder is gone, and rows wait in it: bring it back") from error
        for folder in {Path(name).parent for _, name in cursor.moves}:
            sync_directory(folder)
        if cursor.moves:
            cursor.moves = []
            self.write(cursor)


def _encode(cursor: Cursor) -> dict[str, Any]:
    return {
        "version": VERSION,
        "mark": cursor.mark,
        "since": format_instant(cursor.since),
        "batch": cursor.batch,
        "moves": cursor.moves,
        "hosts": {
            host: {
                table: {stem: [position.rows, position.size, position.damage] for stem, position in positions.items()}
                for table, positions in tables.items()
            }
            for host, tables in cursor.positions.items()
        },
    }


def _decode(plain: dict[str, Any]) -> Cursor:
    if plain["version"] != VERSION:
        raise ValueError(f"version {plain['version']}")
    return Cursor(
        mark=str(plain["mark"]),
        since=parse_instant(plain["since"]),
        batch=int(plain["batch"]),
        moves=[(str(temporary), str(name)) for temporary, name in plain["moves"]],
        positions={
            host: {
                table: {stem: FilePosition(*map(_check_number, position)) for stem, position in positions.items()}
                for table, positions in tables.items()
            }
            for host, tables in plain["hosts"].items()
        },
    )


def _check_number(value: Any) -> Any:
    if value is not None and not isinstance(value, int):
        raise ValueError(f"{value!r} is no number")
    return value
