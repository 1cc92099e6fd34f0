"""Records of the event log and the alert log: what sysmon says about itself and the machine, as lines and back."""

import sys
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sysmon.formats.jsonl import origin_items
from sysmon.model import AlertEvent, Culprit, Event, Level, Origin, Transition, Unit, copy_blame
from sysmon.text.instants import format_instant, parse_instant

ACTIVE = "active"
"""The `event` of the record that opens every alert-log segment: all that is firing."""

SIDE_NOTES = (Transition.FLAPPING, Transition.STEADY)
"""Events that say that an alert begins and ends too often; they change nothing about it."""

RUNNING = "running"
"""The `event` of the record that opens every event-log segment: who runs, at which intervals, by which rules."""

RULES_HASH, RULES_TEXT = "rules_hash", "rules_text"
"""The fields of `running` and `reloaded` about the rule file: the CRC-32 of its text, and the text."""

LONGEST_RULES = 64 * 1024
"""So many bytes of text at most are in the event log; of a longer file there is the hash only."""


@dataclass(frozen=True, slots=True)
class ActiveRecord:
    """The record that opens a segment of the alert log: all that fires when a run begins, or at midnight."""

    at: datetime
    alerts: tuple[AlertEvent, ...]


_EVENTS = frozenset({ACTIVE, *(transition.value for transition in Transition)})

AlertEntry = AlertEvent | ActiveRecord
"""What the alert log holds."""


def rules_fields(text: str) -> dict[str, object]:
    """Return the fields that tell by which rules a run goes on, from the text of their file."""
    data = text.encode()
    return {RULES_HASH: f"{zlib.crc32(data):08x}", RULES_TEXT: text if len(data) <= LONGEST_RULES else None}


def event_record(origin: Origin, event: Event) -> dict[str, object]:
    """Return the record of an event about sysmon itself."""
    return {
        "timestamp": format_instant(event.at),
        **dict(origin_items(origin)),
        "event": event.kind,
        **event.fields,
    }


def read_event(record: Mapping[str, Any]) -> Event:
    """Read an event back; raise KeyError, TypeError or ValueError for what is none."""
    fields = {key: value for key, value in record.items() if key not in {"timestamp", "event"}}
    return Event(parse_instant(record["timestamp"]), str(record["event"]), fields)


def _told(event: AlertEvent) -> bool | str:
    """Return the value of the key `told`: true, or what mutes the event."""
    return event.notified or (False if event.muted_by is None else event.muted_by)


def alert_record(event: AlertEvent) -> dict[str, object]:
    """Return the record of one alert event."""
    return {
        "timestamp": format_instant(event.at),
        "event": event.transition.value,
        "rule": event.rule,
        "id": event.id,
        "labels": dict(event.labels),
        "told": _told(event),
        "level": event.level.value,
        "metric": event.metric,
        "unit": event.unit.value,
        "value": event.value,
        "peak": event.peak,
        "threshold": event.threshold,
        "condition": event.condition,
        "since": format_instant(event.since),
        "duration": event.duration,
        "reason": event.reason,
        "message": event.message,
        "trend": list(event.trend),
        "resource": event.resource,
        "top": [asdict(culprit) for culprit in event.top],
        "unaccounted": event.unaccounted,
        "top_at": _instant(event.top_at),
        "peak_top": [asdict(culprit) for culprit in event.peak_top],
        "peak_unaccounted": event.peak_unaccounted,
        "peak_at": _instant(event.peak_at),
        "ended_pids": list(event.ended_pids),
        "growth": event.growth,
        "growth_since": _instant(event.growth_since),
    }


def _instant(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)


def _read_instant(text: str | None) -> datetime | None:
    return None if text is None else parse_instant(text)


def _read_culprits(culprits: Iterable[Mapping[str, Any]]) -> tuple[Culprit, ...]:
    """Read culprits back; keys of a later version are left out."""
    return tuple(map(_read_culprit, culprits))


def read_alert(record: Mapping[str, Any]) -> AlertEvent:
    """Read an alert event back; raise KeyError, TypeError or ValueError for what is none."""
    return AlertEvent(
        at=parse_instant(record["timestamp"]),
        transition=Transition(record["event"]),
        rule=str(record["rule"]),
        id=str(record["id"]),
        metric=str(record["metric"]),
        labels={str(key): str(value) for key, value in record["labels"].items()},
        level=Level(record["level"]),
        value=_number_or_none(record["value"]),
        peak=_number_or_none(record["peak"]),
        threshold=_number(record["threshold"]),
        condition=str(record["condition"]),
        since=parse_instant(record["since"]),
        duration=_number(record["duration"]),
        reason=str(record["reason"]),
        notified=record["told"] is True,
        muted_by=record["told"] if isinstance(record["told"], str) else None,
        message=_text_or_none(record.get("message")),
        unit=Unit.stored(record.get("unit")),
        trend=tuple(map(_number, record.get("trend", ()))),
        resource=_text_or_none(record.get("resource")),
        top=_read_culprits(record.get("top", ())),
        unaccounted=_number_or_none(record.get("unaccounted")),
        top_at=_read_instant(record.get("top_at")),
        peak_top=_read_culprits(record.get("peak_top", ())),
        peak_unaccounted=_number_or_none(record.get("peak_unaccounted")),
        peak_at=_read_instant(record.get("peak_at")),
        ended_pids=tuple(map(str, record.get("ended_pids", ()))),
        growth=_number_or_none(record.get("growth")),
        growth_since=_read_instant(record.get("growth_since")),
    )


def _read_culprit(record: Mapping[str, Any]) -> Culprit:
    pid, name, user, unit = (str(record[key]) for key in ("pid", "name", "user", "unit"))
    return Culprit(pid, name, user, unit, _number(record["value"]), _number_or_none(record["share"]))


def _number(value: Any) -> float:
    """Return a number as it stands there; raise TypeError or ValueError for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError("no number where one should be")
    if abs(value) > sys.float_info.max:
        raise ValueError("a number that is too large")
    return value


def _number_or_none(value: Any) -> float | None:
    return None if value is None else _number(value)


def _text_or_none(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        raise TypeError("no text where one should be")
    return value


def active_record(origin: Origin, at: datetime, firing: Iterable[AlertEvent]) -> dict[str, object]:
    """Return the record that opens an alert-log segment; `firing` is the latest event of each alert that fires."""
    return {
        "timestamp": format_instant(at),
        **dict(origin_items(origin)),
        "event": ACTIVE,
        "alerts": [alert_record(event) for event in firing],
    }


def read_active(record: Mapping[str, Any]) -> ActiveRecord:
    """Read an `active` record back; raise KeyError, TypeError or ValueError for what is none."""
    return ActiveRecord(parse_instant(record["timestamp"]), tuple(read_alert(alert) for alert in record["alerts"]))


def read_alert_entry(record: Mapping[str, Any]) -> AlertEntry | None:
    """Read a record of the alert log back, of either kind; None for an event that only a later version knows."""
    if isinstance(record["event"], str) and record["event"] not in _EVENTS:
        return None
    return read_active(record) if record["event"] == ACTIVE else read_alert(record)


def update_active(active: dict[str, AlertEvent], entry: AlertEntry) -> None:
    """Apply the next entry of an alert log to the latest event of each alert that fires, by id."""
    if isinstance(entry, ActiveRecord):
        active.clear()
        active.update((event.id, event) for event in entry.alerts)
    elif entry.transition is Transition.RESOLVED:
        active.pop(entry.id, None)
    elif entry.transition is Transition.CULPRIT_CHANGED:
        if entry.id in active:
            active[entry.id] = replace(copy_blame(active[entry.id], entry), peak=entry.peak)
    elif entry.transition not in SIDE_NOTES:
        active[entry.id] = entry
