"""Cursor of an incremental export: how far it got, kept in the data directory under a name, one export at a time."""

import json
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from sysmon.app.export.rows import ExportFormat
from sysmon.datadir.files import read_regular, rename
from sysmon.datadir.names import Cursors
from sysmon.errors import StorageError, UsageError
from sysmon.storage.files import sync_directory, write_atomic
from sysmon.storage.lock import open_lock
from sysmon.text.instants import format_instant, parse_instant
from sysmon.text.names import printable

VERSION = 1
_MOST_BYTES = 64 * 2**20
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")
_MARK = re.compile(r"[0-9a-f]{8}")
_LARGEST = 2**53
_SHOWN = 100
_REFUSALS = (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError)


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
    `batch` counts the exports that wrote something. `waiting` are the names, all in one folder, that files there which
    are whole have yet to get.
    """

    mark: str
    since: datetime
    batch: int = 0
    waiting: list[Path] = field(default_factory=list)
    positions: dict[str, dict[str, FilePositions]] = field(default_factory=dict)

    def copy(self) -> "Cursor":
        """Return another one with equal contents."""
        positions = {
            host: {table: dict(by_stem) for table, by_stem in tables.items()} for host, tables in self.positions.items()
        }
        return replace(self, waiting=list(self.waiting), positions=positions)


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
                f"{error.filename or self._data}: cannot be written ({error.strerror}): --resume keeps its place "
                "there; let the user of `sysmon run` export"
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
            text = read_regular(self._path, most=_MOST_BYTES)
        except FileNotFoundError:
            cursor = Cursor(secrets.token_hex(4), since)
            self.write(cursor)
            return cursor
        except OSError as error:
            raise StorageError(
                f"{self._path}: cannot be read ({error.strerror}): let the user of `sysmon run` export"
            ) from error
        try:
            return self._decode(json.loads(text))
        except _REFUSALS as error:
            raise StorageError(
                f"{self._path}: no cursor of this sysmon ({printable(str(error)[:_SHOWN])}): "
                "move it away, and all rows are exported once more"
            ) from error

    def write(self, cursor: Cursor) -> None:
        """Replace what is remembered, and have it on the disk."""
        text = json.dumps(self._encode(cursor), separators=(",", ":")) + "\n"
        write_atomic(self._path, text.encode())

    def temporary(self, cursor: Cursor, target: Path) -> Path:
        """Return what a file is called until the cursor remembers that it is whole."""
        return target.with_name(f"{self.temporary_prefix(cursor)}{target.name}")

    def temporary_prefix(self, cursor: Cursor) -> str:
        """Return what the names of all temporary files of a cursor begin with."""
        return f".{self.name}@{cursor.mark}."

    def file_name(self, cursor: Cursor, table: str, form: str) -> str:
        """Return what the file of a table is called in the next export."""
        return f"{table}-{self.name}-{cursor.batch + 1:06d}.{form}"

    def move(self, cursor: Cursor, folder: Path | None) -> None:
        """Give files their names that an export had finished; what has its name already is left alone.

        Only in the folder that the caller writes to: where another one is remembered, or the caller has none, raise
        StorageError. Who may write the cursor may not thereby have files moved anywhere else.
        """
        for target in cursor.waiting:
            if target.parent != folder:
                where = printable(str(target.parent))
                raise StorageError(
                    f"{self._path}: files of the last export wait in {where}: export there, with -o, first"
                )
            _move(self.temporary(cursor, target), target)
        if cursor.waiting:
            sync_directory(cursor.waiting[0].parent)
            cursor.waiting = []
            self.write(cursor)

    def _encode(self, cursor: Cursor) -> dict[str, Any]:
        return {
            "version": VERSION,
            "mark": cursor.mark,
            "since": format_instant(cursor.since),
            "batch": cursor.batch,
            "moves": [(str(self.temporary(cursor, target)), str(target)) for target in cursor.waiting],
            "hosts": {
                host: {
                    table: {
                        stem: [position.rows, position.size, position.damage] for stem, position in positions.items()
                    }
                    for table, positions in tables.items()
                }
                for host, tables in cursor.positions.items()
            },
        }

    def _decode(self, plain: dict[str, Any]) -> Cursor:
        """Return a cursor; raise one of _REFUSALS for anything that none of this name could be."""
        if plain["version"] != VERSION:
            raise ValueError(f"version {plain['version']}")
        if not _MARK.fullmatch(plain["mark"]):
            raise ValueError("no mark")
        cursor = Cursor(plain["mark"], parse_instant(plain["since"]), _check_count(plain["batch"]))
        for temporary, name in plain["moves"]:
            target = Path(name)
            if not self._is_own(target) or [str(self.temporary(cursor, target)), str(target)] != [temporary, name]:
                raise ValueError(f"{name!r} is no name of this export")
            cursor.waiting.append(target)
        cursor.positions = {
            host: {
                table: {stem: _read_position(*position) for stem, position in positions.items()}
                for table, positions in tables.items()
            }
            for host, tables in plain["hosts"].items()
        }
        return cursor

    def _is_own(self, target: Path) -> bool:
        """Say whether a path is what this export writes: an absolute one without detours, and a name of its pattern."""
        pattern = rf"[A-Za-z0-9_]+-{re.escape(self.name)}-\d{{6,}}\.(?:{'|'.join(ExportFormat)})"
        is_straight = target.is_absolute() and ".." not in target.parts and "\0" not in str(target)
        return is_straight and re.fullmatch(pattern, target.name, re.ASCII) is not None


def _move(temporary: Path, target: Path) -> None:
    try:
        status = temporary.lstat()
    except FileNotFoundError as error:
        if not target.parent.is_dir():
            raise StorageError(f"{target}: its folder is gone, and rows wait in it: bring it back") from error
        return
    if not stat.S_ISREG(status.st_mode):
        raise StorageError(f"{temporary}: not a regular file, and not of this export: move it away")
    if os.path.lexists(target):
        raise StorageError(f"{target}: there already, and not of this cursor: move it away")
    rename(temporary, target)


def _read_position(rows: Any, size: Any, damage: Any) -> FilePosition:
    return FilePosition(
        _check_count(rows), None if size is None else _check_count(size, least=-1), _check_count(damage)
    )


def _check_count(value: Any, *, least: int = 0) -> int:
    if type(value) is not int or not least <= value < _LARGEST:
        raise ValueError(f"{value!r} is no number of anything")
    return value
