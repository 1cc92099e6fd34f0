"""Peaks of alerts from the stored rows: while one fires, the log knows only how bad it was at its latest event."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sysmon.errors import UsageError
from sysmon.formats.records import ActiveRecord, AlertEntry
from sysmon.history import AlertState, PastAlert
from sysmon.model import AlertEvent
from sysmon.reading.rows import labels_of

if TYPE_CHECKING:
    from sysmon.reading.archive import Archive, StoredTable

_MS = timedelta(milliseconds=1)


def refresh_peaks(
    archive: "Archive", alerts: Sequence[PastAlert], entries: Iterable[AlertEntry], until: datetime
) -> list[PastAlert]:
    """Return alerts with the worst of their rows up to `until` as their peak, where the log may not hold it.

    It holds the peak of an alert that has ended, unless a run ended in between. Where rows cannot tell (the rule is
    about a mean or a rise of values, or its instances are several series), the log's word stands.
    """
    events, relisted = _read_log(entries)
    return [
        _refresh(archive, alert, events[alert.id], until)
        if alert.id in events and (alert.state is not AlertState.RESOLVED or alert.id in relisted)
        else alert
        for alert in alerts
    ]


def _read_log(entries: Iterable[AlertEntry]) -> tuple[Mapping[str, AlertEvent], set[str]]:
    """Return the first event with a value of each alert, and which alerts a run has found firing when it began."""
    events: dict[str, AlertEvent] = {}
    relisted: set[str] = set()
    for entry in entries:
        for event in entry.alerts if isinstance(entry, ActiveRecord) else (entry,):
            if event.value is not None:
                events.setdefault(event.id, event)
        if isinstance(entry, ActiveRecord):
            relisted.update(event.id for event in entry.alerts)
    return events, relisted


def _refresh(archive: "Archive", alert: PastAlert, event: AlertEvent, until: datetime) -> PastAlert:
    end = until if alert.ended is None else min(alert.ended + _MS, until)
    stored = _find_table(archive, alert.metric, alert.since, end) if alert.since < end else None
    if alert.condition[:1] not in {"<", ">"} or alert.peak is None or stored is None:
        return alert
    names = stored.table.labels
    if not all(name in alert.labels for name in names) or not _has_value(stored, event):
        return alert
    labels = {name: alert.labels[name] for name in names}
    try:
        series = stored.series(alert.metric, labels, alert.since, end, points=1)
    except UsageError:  # a stored table that has changed meanwhile
        return alert
    if alert.condition.startswith("<"):
        return replace(alert, peak=min([alert.peak, *(point.low for point in series.points)]))
    return replace(alert, peak=max([alert.peak, *(point.high for point in series.points)]))


def _find_table(archive: "Archive", metric: str, since: datetime, until: datetime) -> "StoredTable | None":
    stored = (archive.table(name, since, until) for name in archive.table_names)
    return next((each for each in stored if any(column.name == metric for column in each.table.metrics)), None)


def _has_value(stored: "StoredTable", event: AlertEvent) -> bool:
    """Say whether the value of an event is that of a row: a rule that reduces values is about other numbers."""
    column = stored.table.columns.index(event.metric)
    own = tuple(event.labels[name] for name in stored.table.labels)
    return any(
        labels_of(record, stored.table) == own and record[column - len(stored.table.columns)] == event.value
        for _, record in stored.scan(event.at, event.at + _MS)
    )
