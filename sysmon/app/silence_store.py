"""Silence store: the file of silences and acknowledgements in the data directory, appended to, never changed."""

import fcntl
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from sysmon.alerts import silences
from sysmon.alerts.silences import Silence, SilenceEntry, SilenceState
from sysmon.datadir.damage import Damage
from sysmon.datadir.files import open_to_append
from sysmon.datadir.lines import open_file, read_lines
from sysmon.datadir.names import DataEntry
from sysmon.errors import NothingFoundError, StorageError
from sysmon.formats import decode, jsonl

NAME = DataEntry.REPLIES.value
MOST = 8 * 1024**2
"""Bytes of the file that are read: some ten thousand silences."""

_BLOCK = 512
_REFUSALS = (*decode.UNREADABLE, KeyError, TypeError, AttributeError, OverflowError)


class SilenceStore:
    """Reads the file when it has changed, and appends to it; `damage` counts what of it cannot be read now."""

    def __init__(self, data: Path) -> None:
        self._path = data / NAME
        self._seen: tuple[int, ...] | None = None
        self._state = SilenceState()
        self.damage = Damage()

    def read(self) -> SilenceState:
        """Return all that was said; while the file cannot be opened, what it said last goes on to hold."""
        signature = _signature(self._path)
        if signature is None or signature != self._seen:
            self.damage = Damage()
            state = read_silences(self._path.parent, self.damage)
            self._seen = None if state is None else signature
            self._state = self._state if state is None else state
        return self._state

    def add(self, entry: SilenceEntry) -> None:
        """Append one line and put it on the disk, under a lock that is held for this moment only."""
        if not self._path.parent.is_dir():
            raise NothingFoundError(f"{self._path.parent}: no samples here: name the folder with --data")
        try:
            descriptor = open_to_append(self._path)
        except OSError as error:
            raise StorageError(
                f"{self._path}: cannot be written ({error.strerror}): ask as the user that runs sysmon"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            size = os.fstat(descriptor).st_size
            torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
            os.write(descriptor, (b"\n" if torn else b"") + jsonl.encode_record(silences.to_record(entry)))
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read_silences(data: Path, damage: Damage) -> SilenceState | None:
    """Return all that was said; None where the file is there and cannot be opened. What cannot be read is noted."""
    entries = read_entries(data, damage)
    return None if entries is None else silences.merge(entries)


def read_entries(data: Path, damage: Damage) -> list[SilenceEntry] | None:
    """Return what was said, in order, as `read_silences` does; a last line without newline is still being written."""
    path, entries = data / NAME, list[SilenceEntry]()
    try:
        with open_file(path) as opened:
            for number, line in _lines(opened, path, damage):
                try:
                    entries.append(silences.read_entry(decode.json_record(line)))
                except _REFUSALS as error:
                    damage.note(path, number, f"no silence or acknowledgement ({error})")
    except FileNotFoundError:
        return []
    except OSError as error:
        damage.note(path, None, f"cannot be read ({error.strerror})")
        return None
    return entries


def _lines(opened: BinaryIO, path: Path, damage: Damage) -> Iterator[tuple[int | None, bytes]]:
    """Yield the lines with their numbers; of a file with very much in it only the last ones, which have none."""
    status = os.fstat(opened.fileno())
    is_cut = min(status.st_size, status.st_blocks * _BLOCK) > MOST  # a hole has no blocks, and is passed over
    if is_cut:
        damage.note(path, None, f"more than {MOST // 1024**2} MiB: only what was said last is read")
        opened.seek(status.st_size - MOST)
    for first, lines in read_lines(opened, path, damage, packed=False):
        for offset, line in enumerate(lines):
            if not is_cut:
                yield first + offset, line
            elif first + offset > 1:  # the first one is only part of a line
                yield None, line


def _signature(path: Path) -> tuple[int, ...] | None:
    """Return what changes with a file; None where there is none, or nobody may look."""
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def new_silence(rule: str, match: dict[str, str], *, since: datetime, until: datetime, why: str, by: str) -> Silence:
    """Return a silence with an id of its own."""
    return Silence(os.urandom(3).hex(), rule, match, since, until, why, by)
