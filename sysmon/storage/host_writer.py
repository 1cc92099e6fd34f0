"""Writer of all files of one host: its tables in every form, its event log and its alert log."""

import errno
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.datadir.names import HostEntry, host_folder_name
from sysmon.datadir.segments import Form
from sysmon.formats import csv, jsonl, records
from sysmon.formats.paired import PairEncoder
from sysmon.model import AlertEvent, Event, Origin, Row, Table, Unit
from sysmon.storage.free_space import WriteScope, decide_write_scope, free_bytes
from sysmon.storage.layout import StorageLayout
from sysmon.storage.segment_writer import CopyError, SegmentWriter, SyncError
from sysmon.text.units import human

LOG_PERIOD = timedelta(days=1)
"""How long a segment of the event log and of the alert log lasts."""


class HostWriter:
    """Appends rows, events and alerts below `folder`; every method raises OSError where nothing could be stored.

    `opening` makes the `running` event that begins each segment of the event log. What a failed sync may have lost is
    collected in `lost`; `tell` is called with a few words when it happens. `guard` makes sure that the data directory
    is still there and still ours; it raises OSError where it is not.
    """

    def __init__(
        self,
        folder: Path,
        origin: Origin,
        tables: Iterable[Table],
        *,
        layout: StorageLayout,
        opening: Callable[[datetime], Event],
        tell: Callable[[str], None],
        guard: Callable[[], None] = lambda: None,
    ) -> None:
        self._folder = folder
        self._origin = origin
        self._tell = tell
        self._opening = opening
        self._guard = guard
        self._min_free = layout.min_free
        self._scope = WriteScope.EVERYTHING
        self._without_copy: set[str] = set()
        self._active: Sequence[AlertEvent] = ()
        self._tables = {table.name: _TableFiles(folder / table.name, origin, table, layout) for table in tables}
        self._events = _log(folder / HostEntry.EVENTS, self._running_line, layout)
        self._alerts = _log(folder / HostEntry.ALERTS, self._active_line, layout)
        self.lost: set[datetime] = set()

    @property
    def ended(self) -> int:
        """Return how many segments of tables were closed so far."""
        return sum(files.writer.ended for files in self._tables.values())

    def hold(self) -> None:
        """Make sure that what is written next will be found; raise OSError where nothing can be written at all."""
        self._guard()

    def check_free_space(self) -> None:
        """Stop or resume what the free space forbids or allows; raise OSError where not even rows have room."""
        if not self._min_free:
            return
        free = free_bytes(self._folder.parent)
        before, self._scope = self._scope, decide_write_scope(free, self._min_free, before=self._scope)
        if self._scope is not before:
            copies = self._scope is WriteScope.EVERYTHING
            for files in self._tables.values():
                self._counting(lambda writer=files.writer: writer.copy(on=copies))  # type: ignore[misc]  # bound now
            if before is WriteScope.EVERYTHING and len(self._forms()) > 1:
                self._tell(
                    f"only {human(free, Unit.BYTES)} are free: copies in CSV are not written until there is more"
                )
            elif copies and len(self._forms()) > 1:
                self._tell(f"{human(free, Unit.BYTES)} are free: copies in CSV are written again")
        if self._scope is WriteScope.NO_ROWS:
            raise OSError(errno.ENOSPC, f"less than {human(self._min_free, Unit.BYTES)} are free, as min_free asks for")

    def append_rows(self, table: str, at: datetime, rows: Sequence[Row]) -> None:
        """Store the rows of one table at one instant."""
        files = self._tables[table]
        data = files.encode(at, rows)
        try:
            self._append(files.writer, at, data)
            if self._without_copy:
                self._without_copy.discard(table)
        except CopyError as error:
            if not self._without_copy:
                self._tell(f"the CSV copy of a sample was not written ({error.strerror}); the sample itself was")
            self._without_copy.add(table)

    def append_events(self, at: datetime, events: Sequence[Event]) -> None:
        """Put events on the disk: they are what a night is remembered by.

        Raise SyncError when they were written and nobody can say whether they will stay.
        """
        self._append_log(self._events, at, [records.event_record(self._origin, event) for event in events])

    def append_alerts(self, at: datetime, alerts: Sequence[AlertEvent]) -> None:
        """Put alerts on the disk, in the same way."""
        self._append_log(self._alerts, at, [records.alert_record(alert) for alert in alerts])

    def set_active(self, active: Sequence[AlertEvent]) -> None:
        """Say what is firing now: the next segment of the alert log begins with it."""
        self._active = active

    def end_segments(self) -> None:
        """Close every table's segment: the next rows begin new ones."""
        for files in self._tables.values():
            self._counting(files.writer.close)

    def sync(self) -> None:
        """Put all rows on the disk."""
        for files in self._tables.values():
            self._counting(files.writer.sync)

    def close(self) -> None:
        """Sync and close everything."""
        self.end_segments()
        for writer in (self._events, self._alerts):
            self._counting(writer.close)

    def _append(self, writer: SegmentWriter, at: datetime, data: Mapping[Form, bytes]) -> None:
        try:
            writer.append(at, data)
        except SyncError as error:  # found when an older segment ended: that one is given up, this instant is not
            self._count(error)
            writer.append(at, data)

    def _append_log(self, writer: SegmentWriter, at: datetime, lines: Sequence[dict[str, object]]) -> None:
        writer.open(at)
        if lines:
            self._append(writer, at, {Form.JSONL: b"".join(map(jsonl.encode_record, lines))})
        writer.sync()

    def _counting(self, act: Callable[[], None]) -> None:
        try:
            act()
        except SyncError as error:
            self._count(error)

    def _count(self, error: SyncError) -> None:
        if not self.lost:
            self._tell(f"a sync failed ({error.strerror}): what was written since the last one may be lost")
        self.lost.update(error.instants)

    def _forms(self) -> tuple[Form, ...]:
        return next((files.forms for files in self._tables.values()), ())

    def _running_line(self, at: datetime) -> bytes:
        return jsonl.encode_record(records.event_record(self._origin, self._opening(at)))

    def _active_line(self, at: datetime) -> bytes:
        return jsonl.encode_record(records.active_record(self._origin, at, self._active))


class _TableFiles:
    """One table's segment writer, and how its rows become lines of each form."""

    def __init__(self, folder: Path, origin: Origin, table: Table, layout: StorageLayout) -> None:
        self._jsonl = jsonl.RowEncoder(origin, table)
        self._csv = csv.RowEncoder(origin, table)
        self._both = PairEncoder(origin, table)
        self.forms = tuple(form for form in Form if form in layout.formats)
        heads = {form: self._head(form) for form in self.forms}
        self.writer = SegmentWriter(folder, heads, period=layout.rotation, max_bytes=layout.max_segment_bytes)

    def encode(self, at: datetime, rows: Sequence[Row]) -> dict[Form, bytes]:
        """Return the lines of one instant in every form."""
        if len(self.forms) == len(Form):
            return dict(zip((Form.JSONL, Form.CSV), self._both.encode(at, rows), strict=True))
        return {form: (self._csv if form is Form.CSV else self._jsonl).encode(at, rows) for form in self.forms}

    def _head(self, form: Form) -> Callable[[datetime], bytes]:
        head = self._csv.header if form is Form.CSV else b""
        return lambda _at: head


def host_folder(data: Path, hostname: str) -> Path:
    """Return where a host's tables go below a data directory; its name never leads elsewhere."""
    return data / host_folder_name(hostname)


def _log(folder: Path, first_line: Callable[[datetime], bytes], layout: StorageLayout) -> SegmentWriter:
    return SegmentWriter(folder, {Form.JSONL: first_line}, period=LOG_PERIOD, max_bytes=layout.max_segment_bytes)
