"""Segment writer of one table: append whole lines, rotate, sync. Any failure abandons the segment."""

import errno
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.datadir.files import create, remove
from sysmon.datadir.segments import Form, Segment
from sysmon.storage.files import make_directory, sync_directory
from sysmon.storage.free_space import name_shortage
from sysmon.storage.lock import claim

_sync_data = getattr(os, "fdatasync", os.fsync)


@dataclass(slots=True)
class _File:
    """An open file: where it is, which inode that is, and how many bytes it holds."""

    descriptor: int
    path: str
    identity: tuple[int, int]
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


class SegmentWriter:
    """Appends to the current segment of one table.

    `heads` gives what a new file of each form begins with, at the instant it begins; its keys are the forms written.
    The first form is the one that is synced; another is a copy of it. Each open file carries a lock, by which others
    know that it is not finished. `ended` counts the segments that were closed.
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
        self._first, *self._copies = heads
        self._copying = True
        self._period = period
        self._max_bytes = max_bytes
        self._current: _Current | None = None
        self.ended = 0

    def append(self, at: datetime, data: Mapping[Form, bytes]) -> None:
        """Write the lines of one instant, in one write a file.

        Raise OSError when nothing was stored, and CopyError when only the copy was not; both leave whole lines only.
        """
        current = self._ready(at)
        try:
            self._write(current, self._first, at, data[self._first])
        except OSError:
            self._abandon()
            raise
        current.unsynced.append(at)
        try:
            for form in [form for form in current.files if form is not self._first]:
                self._write(current, form, at, data[form])
        except OSError as error:
            self._end_copies(current)
            raise CopyError(error.errno, error.strerror) from error

    def open(self, at: datetime) -> None:
        """Have a segment that holds an instant, with nothing but its head; raise OSError."""
        current = self._ready(at)
        if not any(file.size for file in current.files.values()):
            self.append(at, dict.fromkeys(self._heads, b""))

    def copy(self, *, on: bool) -> None:
        """Go on without copies at once, or have them again from a new segment on; raise SyncError as `sync` does."""
        if on is self._copying:
            return
        self._copying = on
        if on:
            self.close()
        elif self._current is not None:
            self._end_copies(self._current)

    def sync(self) -> None:
        """Put what was appended on the disk; raise SyncError when that cannot be relied on."""
        current = self._current
        if current is None or not current.unsynced:
            return
        try:
            _sync_data(current.files[self._first].descriptor)
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
            if full or not current.segment.start <= at < current.end or not _all_there(current):
                self.close()
                current = None
        if current is None:
            current = self._current = self._open(at)
        return current

    def _open(self, at: datetime) -> _Current:
        try:
            return self._make(at)
        except OSError as error:
            raise name_shortage(error, self._folder.parent) from error

    def _make(self, at: datetime) -> _Current:
        make_directory(self._folder, below=self._folder.parent.parent)
        segment = Segment(self._folder.name, at.replace(microsecond=0), self._period)
        taken = {path.name.split(".", 1)[0] for path in self._folder.iterdir()}
        while segment.stem in taken:
            segment = segment.again()
        files: dict[Form, _File] = {}
        try:
            for form in (self._first, *(self._copies if self._copying else ())):
                files[form] = _new_file(self._folder / segment.file_name(form))
            sync_directory(self._folder)
        except OSError:
            _close(files)
            raise
        end = segment.end
        assert end is not None  # noqa: S101 - what sysmon writes has a period
        return _Current(segment, end, files)

    def _end_copies(self, current: _Current) -> None:
        _close({form: current.files.pop(form) for form in self._copies if form in current.files})

    def _abandon(self) -> None:
        if self._current is not None:
            files, self._current = self._current.files, None
            self.ended += 1
            _close(files)


def _new_file(path: Path) -> _File:
    descriptor = create(path)
    try:
        claim(descriptor)
        status = os.fstat(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    return _File(descriptor, str(path), (status.st_dev, status.st_ino))


def _all_there(current: _Current) -> bool:
    """Say whether the files are where they were made: else writes would go on succeeding, into nothing."""
    return all(map(_is_there, current.files.values()))


def _is_there(file: _File) -> bool:
    try:
        status = os.lstat(file.path)
    except OSError:
        return False
    return (status.st_dev, status.st_ino) == file.identity


def _close(files: Mapping[Form, _File]) -> None:
    """Close files; one in which nothing was stored goes, or a disk that refuses would be littered with them."""
    for file in files.values():
        with suppress(OSError):
            if not file.size and _is_there(file):
                remove(Path(file.path))  # kept as text, for the look at every append
        with suppress(OSError):  # a close that fails tells no more than the sync before it
            os.close(file.descriptor)
