"""Silence store: the file of silences and acknowledgements in the data directory, appended to, never changed."""

import fcntl
import os
from datetime import datetime
from pathlib import Path

from sysmon.alerts import silences
from sysmon.alerts.silences import Silence, SilenceEntry, SilenceState
from sysmon.datadir.names import DataEntry
from sysmon.errors import NothingFoundError, StorageError
from sysmon.formats import decode, jsonl
from sysmon.storage.files import FILE_MODE

NAME = DataEntry.REPLIES.value
_REFUSALS = (*decode.UNREADABLE, KeyError, TypeError, AttributeError, OverflowError)


class SilenceStore:
    """Reads the file when it has changed, and appends to it; `skipped` counts lines that could not be read."""

    def __init__(self, data: Path) -> None:
        self._path = data / NAME
        self._seen: tuple[int, int] | None = None
        self._state = SilenceState()
        self.skipped = 0

    def read(self) -> SilenceState:
        """Return all that was said; a last line without newline is still being written."""
        try:
            status = self._path.stat()
            signature = (status.st_mtime_ns, status.st_size)
            if signature != self._seen:
                data = self._path.read_bytes()
                self._state = self._merge(data[: data.rfind(b"\n") + 1].splitlines())
                self._seen = signature
        except FileNotFoundError:
            self._seen, self._state = None, SilenceState()
        except OSError:  # the last state goes on to hold until the file can be read again
            self.skipped += 1
        return self._state

    def add(self, entry: SilenceEntry) -> None:
        """Append one line and put it on the disk, under a lock that is held for this moment only."""
        if not self._path.parent.is_dir():
            raise NothingFoundError(f"{self._path.parent}: no samples here: name the folder with --data")
        try:
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, FILE_MODE)
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

    def _merge(self, lines: list[bytes]) -> SilenceState:
        entries = []
        for line in lines:
            try:
                entries.append(silences.read_entry(decode.json_record(line)))
            except _REFUSALS:
                self.skipped += 1
        return silences.merge(entries)


def new_silence(rule: str, match: dict[str, str], *, since: datetime, until: datetime, why: str, by: str) -> Silence:
    """Return a silence with an id of its own."""
    return Silence(os.urandom(3).hex(), rule, match, since, until, why, by)
