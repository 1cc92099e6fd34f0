"""Readers of the event log and the alert log, from just before a range on: what was already so when it began."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import read_lines
from sysmon.datadir.names import HostEntry
from sysmon.datadir.segments import Form, SegmentFile
from sysmon.formats import records
from sysmon.formats.records import AlertEntry
from sysmon.model import Event
from sysmon.reading import catalog
from sysmon.reading.decode import Unreadable
from sysmon.text.instants import EPOCH, parse_instant

_DECODE = msgspec.json.Decoder(dict[str, Any]).decode
_REFUSALS = (*Unreadable, KeyError, TypeError, AttributeError, OverflowError)
T = TypeVar("T")


def read_events(host: Path, since: datetime, until: datetime, damage: Damage) -> list[Event]:
    """Return the events up to `until`, from the last segment that began before `since` on."""
    return _read(host / HostEntry.EVENTS, since, until, damage, records.read_event)


def read_alerts(host: Path, since: datetime, until: datetime, damage: Damage) -> list[AlertEntry]:
    """Return the entries of the alert log up to `until`, from the last segment that began before `since` on."""
    entries = _read(host / HostEntry.ALERTS, since, until, damage, records.read_alert_entry)
    return [entry for entry in entries if entry is not None]


def _read(
    folder: Path, since: datetime, until: datetime, damage: Damage, read: Callable[[dict[str, Any]], T]
) -> list[T]:
    entries: list[T] = []
    for path, number, line in _lines(folder, since, until, damage):
        try:
            record = _DECODE(line)
            if parse_instant(record["timestamp"]) < until:
                entries.append(read(record))
        except _REFUSALS as error:
            damage.note(path, number, f"no record ({error})")
    return entries


def _lines(folder: Path, since: datetime, until: datetime, damage: Damage) -> Iterator[tuple[Path, int, bytes]]:
    for file, path, opened in catalog.open_files(folder, _select_files(folder, since, until, damage), damage):
        for number, lines in read_lines(opened, path, damage, packed=file.packed):
            yield from ((path, number + offset, line) for offset, line in enumerate(lines))


def _select_files(folder: Path, since: datetime, until: datetime, damage: Damage) -> list[SegmentFile]:
    """Return the files from the last one that began before `since` on: logs are only continued when there is news."""
    logs = [file for file in catalog.files(folder, EPOCH, until, damage) if file.form is Form.JSONL]
    before = [index for index, file in enumerate(logs) if file.segment.start <= since.astimezone(UTC)]
    return logs[before[-1] :] if before else logs
