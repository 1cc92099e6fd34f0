"""File catalogue: the hosts and tables of a data directory. Which of their files overlap a range?"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from sysmon.datadir import segments
from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import open_file
from sysmon.datadir.names import RESERVED_TABLES, DataEntry, host_folder_name, is_reserved
from sysmon.datadir.segments import SegmentFile
from sysmon.errors import NothingFoundError, StorageError, UsageError
from sysmon.text.instants import EPOCH
from sysmon.text.names import printable

FORMAT_VERSION = 1
LAST = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Host:
    """One host's folder; `others` are the hosts that were passed over because it was written last."""

    folder: Path
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the folder's name, which is the host's where that is harmless as a path."""
        return self.folder.name

    def tables(self) -> list[str]:
        """Return the names of the tables that have files, without the logs and roll-ups.

        One whose folder cannot be read is among them, so that whoever reads it counts it.
        """
        return [name for name in _entries(self.folder) if name not in RESERVED_TABLES and self._has_files(name)]

    def _has_files(self, table: str) -> bool:
        try:
            return any(map(segments.parse, _entries(self.folder / table)))
        except StorageError:
            return True


def find_host(data: Path, host: str | None) -> Host:
    """Return the host that was asked for, or the only one, or the one that was written last."""
    names = hosts(data)
    if not names:
        raise NothingFoundError(_why_empty(data))
    if host is None:
        latest = names[0] if len(names) == 1 else max(names, key=lambda name: _last_written(data / name))
        return Host(data / latest, tuple(name for name in names if name != latest))
    for name in (host, host_folder_name(host)):
        if name in names:
            return Host(data / name)
    raise UsageError(f"{data}: no host {printable(host)!r}: known are {', '.join(map(printable, names))}")


def _why_empty(data: Path) -> str:
    if not data.is_dir():
        return f"{data}: no such folder: start `sysmon run`, or name another with --data"
    if any(files(data / name, EPOCH, LAST, Damage()) for name in _entries(data)):
        return f"{data}: the folder of one host, not of the data: write --data {data.absolute().parent}"
    return f"{data}: no samples here: start `sysmon run`, or name the folder with --data"


def hosts(data: Path) -> list[str]:
    """Return the names of the hosts' folders."""
    names = [name for name in _entries(data) if not is_reserved(name)]
    return [name for name in names if any((data / name / table).is_dir() for table in _entries(data / name))]


def check_format(data: Path, damage: Damage) -> None:
    """Raise StorageError where a newer sysmon wrote the data in a way that this one does not know."""
    path = data / DataEntry.FORMAT
    try:
        with open_file(path) as file:
            text = file.read(100).decode("ascii").strip()
        version = int(text)
    except FileNotFoundError:
        return
    except (OSError, ValueError):
        damage.note(path, None, f"no format version; taken as {FORMAT_VERSION}")
        return
    if version > FORMAT_VERSION:
        raise StorageError(
            f"{path}: format {version} is newer than what this sysmon reads ({FORMAT_VERSION}): use the newer sysmon"
        )


def files(folder: Path, since: datetime, until: datetime, damage: Damage | None = None) -> list[SegmentFile]:
    """Return the files of one table that may hold rows of [since, until), in order of time.

    A folder that cannot be read is damage, or where none is counted raises StorageError.
    """
    return segments.select(_entries(folder) if damage is None else names(folder, damage), since, until)


def names(folder: Path, damage: Damage) -> list[str]:
    """Return what is in a folder; one that cannot be read is damage."""
    try:
        return _list_names(folder)
    except OSError as error:
        damage.note(folder, None, f"cannot be read ({error.strerror})")
        return []


def open_files(folder: Path, chosen: list[SegmentFile], damage: Damage) -> Iterator[tuple[SegmentFile, Path, BinaryIO]]:
    """Yield each file, opened. One that has vanished meanwhile is looked for once more under its stem.

    It may have been packed; if it is not there either, it has expired, and that is no damage.
    """
    for file in chosen:
        for candidate in _candidates(folder, file):
            path = folder / candidate.name
            try:
                opened = open_file(path)
            except FileNotFoundError:
                continue
            except OSError as error:
                damage.note(path, None, f"cannot be opened ({error.strerror})")
                break
            with opened:
                yield candidate, path, opened
            break


def _candidates(folder: Path, file: SegmentFile) -> Iterator[SegmentFile]:
    yield file
    yield from (other for other in files(folder, EPOCH, LAST, Damage()) if other.segment.stem == file.segment.stem)


def _entries(folder: Path) -> list[str]:
    try:
        return _list_names(folder)
    except OSError as error:
        raise _unreadable_error(folder, error) from error


def _list_names(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208 - names are all that is needed, and there may be thousands
    except (FileNotFoundError, NotADirectoryError):
        return []


def _unreadable_error(folder: Path, error: OSError) -> StorageError:
    return StorageError(f"{folder}: cannot be read ({error.strerror}): check who may read it")


def _last_written(folder: Path) -> float:
    """Return when the newest of a host's files was last written, seconds since the epoch."""
    times = [0.0]
    for table in _entries(folder):
        for file in files(folder / table, EPOCH, LAST, Damage())[-1:]:
            try:
                times.append((folder / table / file.name).stat().st_mtime)
            except OSError:  # gone since it was listed
                continue
    return max(times)
