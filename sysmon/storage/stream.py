"""One table's files: open a new segment, append whole lines, rotate, sync. Any failure abandons the segment."""

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.segments import Form, Segment
from sysmon.storage.lock import FILE_MODE, make_directory, sync_directory

_OPEN = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
_sync_data = getattr(os, "fdatasync", os.fsync)


@dataclass(slots=True)
class _File:
    """An open file and how many bytes it holds."""

    descriptor: int
    size: int = 0


@dataclass(slots=True)
class _Current:
    """The segment being written; `unsynced` are the instants appended since its last sync."""

    segment: Segment
    end: datetime
    files: dict[Form, _File]
    unsynced: list[datetime] = field(default_factory=list)


class SyncError(OSError):
    """What was appended since the last good sync may be gone; `instants` says what that was."""

    def __init__(self, instants: list[datetime], error: OSError) -> None:
        super().__init__(error.errno, error.strerror)
        self.instants = instants


class CopyError(OSError):
    """The rows are stored; their copy in another form is not, from here to the end of the segment."""


class Stream:
    """Appends to the current segment of one table.

    `heads` gives what a new file of each form begins with, at the instant it begins; its keys are the forms written.
    The first form is the one that is synced; another is a copy of it.
    """

    def __init__(
        self,
        folder: Path,
        heads: Mapping[Form, Callable[[datetime], bytes]],
        *,
        period: timedelta,
        max_bytes: int,
    ) -> None:
        self._folder = folder
        self._heads = heads
        self._forms = tuple(heads)
        self._period = period
        self._max_bytes = max_bytes
        self._current: _Current | None = None

    def append(self, at: datetime, data: Mapping[Form, bytes]) -> None:
        """Write the lines of one instant, in one write a file.

        Raise OSError when nothing was stored, and CopyError when only the copy was not; both leave whole lines only.
        """
        current = self._ready(at)
        first, *copies = self._forms
        try:
            self._write(current, first, at, data[first])
        except OSError:
            self._abandon()
            raise
        current.unsynced.append(at)
        try:
            for form in copies:
                self._write(current, form, at, data[form])
        except OSError as error:
            self.close()
            raise CopyError(error.errno, error.strerror) from error

    def open(self, at: datetime) -> None:
        """Have a segment that holds an instant, with nothing but its head; raise OSError."""
        current = self._ready(at)
        if not any(file.size for file in current.files.values()):
            self.append(at, dict.fromkeys(self._forms, b""))

    def sync(self) -> None:
        """Put what was appended on the disk; raise SyncError when that cannot be relied on."""
        current = self._current
        if current is None or not current.unsynced:
            return
        try:
            _sync_data(current.files[self._forms[0]].descriptor)
        except OSError as error:
            self._abandon()
            raise SyncError(current.unsynced, error) from error
        current.unsynced = []

    def close(self) -> None:
        """End the segment; the next instant opens a new one. Raise SyncError as `sync` does."""
        try:
            self.sync()
        finally:
            self._abandon()

    def _write(self, current: _Current, form: Form, at: datetime, lines: bytes) -> None:
        file = current.files[form]
        data = lines if file.size else self._heads[form](at) + lines
        if not data:
            return
        written = os.write(file.descriptor, data)
        if written < len(data):
            with suppress(OSError):  # then the torn line stays at the file's end, which readers know
                os.ftruncate(file.descriptor, file.size)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file.size += written

    def _ready(self, at: datetime) -> _Current:
        current = self._current
        if current is not None:
            full = any(file.size >= self._max_bytes for file in current.files.values())
            if full or not current.segment.start <= at < current.end or self._gone(current):
                self.close()
                current = None
        if current is None:
            current = self._current = self._open(at)
        return current

    def _open(self, at: datetime) -> _Current:
        make_directory(self._folder)
        segment = Segment(self._folder.name, at.replace(microsecond=0), self._period)
        taken = {path.name.split(".", 1)[0] for path in self._folder.iterdir()}
        while segment.stem in taken:
            segment = segment.again()
        files: dict[Form, _File] = {}
        try:
            for form in self._forms:
                descriptor = os.open(self._folder / segment.file_name(form), _OPEN, FILE_MODE)
                files[form] = _File(descriptor)
                os.fchmod(descriptor, FILE_MODE)
            sync_directory(self._folder)
        except OSError:
            _close(files)
            raise
        end = segment.end
        assert end is not None  # noqa: S101 - what sysmon writes has a period
        return _Current(segment, end, files)

    def _gone(self, current: _Current) -> bool:
        """Say whether a file was deleted under us: writes would go on succeeding, into nothing."""
        return any(os.fstat(file.descriptor).st_nlink == 0 for file in current.files.values())

    def _abandon(self) -> None:
        if self._current is not None:
            files, self._current = self._current.files, None
            _close(files)


def _close(files: Mapping[Form, _File]) -> None:
    for file in files.values():
        with suppress(OSError):  # a close that fails tells no more than the sync before it
            os.close(file.descriptor)
