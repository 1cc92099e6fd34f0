"""Inventory of a data directory: every file with its age and its size on the disk."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from sysmon.datadir import rollups, segments
from sysmon.datadir.names import LOGS, TEMPORARY, DataEntry
from sysmon.datadir.rollups import Resolution
from sysmon.datadir.segments import Form, SegmentFile
from sysmon.storage.lock import is_held


class Tier(StrEnum):
    """What a file is worth, and so how long it is kept. CSV without its JSON Lines is no copy: it counts as rows."""

    ROWS = "rows"
    CSV = "csv"
    ROLLUPS = "rollups"
    MINUTES = "minutes"
    EVENTS = "events"


@dataclass(frozen=True, slots=True)
class StoredFile:
    """One file that sysmon wrote: `size` is what it takes of the disk; `open` says that a writer has not finished it.

    Of an open one `size` is the length: file systems give it more room than it needs, until it is closed.
    It holds instants of [start, end). `segment` is None for a roll-up. `modified` is when its content was last written,
    seconds since the epoch; packing does not change it.
    """

    path: Path
    host: str
    table: str
    tier: Tier
    start: datetime
    end: datetime
    size: int
    open: bool = False
    segment: SegmentFile | None = None
    modified: float = 0.0


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything in a data directory: sysmon's files, left-over temporaries, and the bytes of all that is there."""

    files: tuple[StoredFile, ...]
    temporaries: tuple[Path, ...]
    total: int


def take_inventory(data: Path) -> Inventory:
    """Look at every file below a data directory; links are not followed. Raise OSError where it cannot be listed."""
    files: list[StoredFile] = []
    temporaries: list[Path] = []
    total = _allocated(os.lstat(data))
    for host in _listed(data):
        total += _size(host)
        if host.name == DataEntry.LOST_AND_FOUND or not host.is_dir(follow_symlinks=False):
            continue
        for table in _listed(host.path):
            total += _size(table)
            if not table.is_dir(follow_symlinks=False):
                continue
            if table.name == rollups.FOLDER:
                entries = _rollups(host.name, Path(table.path))
            else:
                entries = _segments(host.name, table.name, Path(table.path))
            for item, size in entries:
                total += size
                if isinstance(item, StoredFile):
                    files.append(item)
                elif item is not None and host.name != DataEntry.QUARANTINE:
                    temporaries.append(item)
    return Inventory(tuple(files), tuple(temporaries), total)


def _segments(host: str, table: str, folder: Path) -> Iterator[tuple[StoredFile | Path | None, int]]:
    """Yield each file of a table with its size: what it is, the path of a temporary, or None for all others."""
    entries = _listed(str(folder))
    parsed = {entry.name: segments.parse(entry.name) for entry in entries}
    rows = {file.segment.stem for file in parsed.values() if file is not None and file.form is Form.JSONL}
    for entry in entries:
        file, size = parsed[entry.name], _size(entry)
        if file is None or file.segment.end is None or file.segment.table != table:
            yield (folder / entry.name if _is_temporary(entry) else None), size
            continue
        copy = file.form is Form.CSV and file.segment.stem in rows
        tier = Tier.EVENTS if table in LOGS else Tier.CSV if copy else Tier.ROWS
        path = folder / entry.name
        begin, end = file.segment.start, file.segment.end
        unfinished = not file.packed and is_held(path)
        taken = _length(entry) if unfinished else size
        yield StoredFile(path, host, table, tier, begin, end, taken, unfinished, file, _modified(entry)), size


def _rollups(host: str, folder: Path) -> Iterator[tuple[StoredFile | Path | None, int]]:
    for span_folder in _listed(str(folder)):
        yield None, _size(span_folder)
        if span_folder.name not in set(Resolution):
            continue
        for entry in _listed(span_folder.path):
            rollup, size, path = rollups.parse(entry.name, Resolution(span_folder.name)), _size(entry), Path(entry.path)
            if rollup is None:
                yield (path if _is_temporary(entry) else None), size
            else:
                tier = Tier.MINUTES if rollup.resolution is Resolution.MINUTE else Tier.ROLLUPS
                stored = StoredFile(path, host, rollup.table, tier, rollup.start, rollup.end, size)
                yield replace(stored, modified=_modified(entry)), size


def _is_temporary(entry: "os.DirEntry[str]") -> bool:
    return entry.name.startswith(".") and entry.name.endswith(TEMPORARY)


def _listed(folder: str | Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):  # gone since its parent was listed
        return []


def _size(entry: "os.DirEntry[str]") -> int:
    try:
        return _allocated(entry.stat(follow_symlinks=False))
    except FileNotFoundError:
        return 0


def _length(entry: "os.DirEntry[str]") -> int:
    try:
        return entry.stat(follow_symlinks=False).st_size
    except FileNotFoundError:
        return 0


def _modified(entry: "os.DirEntry[str]") -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return 0.0


def _allocated(status: os.stat_result) -> int:
    """Return what a file takes of the disk, which for many small ones is more than their length (stat(2): blocks)."""
    return status.st_blocks * 512
