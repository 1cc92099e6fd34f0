"""Silences and acknowledgements: what people have said about alerts. Which are silenced, which are looked after?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sysmon.alerts.rule import matches, matches_any
from sysmon.model import AlertEvent
from sysmon.text.instants import format_instant, parse_instant


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is notified of alerts of rules like `rule` whose labels fit, until it ends."""

    id: str
    rule: str
    match: Mapping[str, str]
    since: datetime
    until: datetime
    why: str = ""
    by: str = ""

    def covers(self, event: AlertEvent) -> bool:
        """Say whether it is about an alert."""
        match = tuple((label, (glob,)) for label, glob in self.match.items())
        return matches_any((self.rule,), event.rule) and matches(match, event.labels)


@dataclass(frozen=True, slots=True)
class Unsilence:
    """A silence ends before its time."""

    id: str
    at: datetime
    why: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody looks after an alert: no reminders, but people are notified when it gets worse or ends."""

    id: str
    at: datetime
    why: str = ""
    by: str = ""


SilenceEntry = Silence | Ack | Unsilence
"""One line of the file: what somebody said once."""


@dataclass(frozen=True, slots=True)
class SilenceState:
    """What people have said about alerts: silences by id, and acknowledgements by the alert's id."""

    silences: Mapping[str, Silence] = field(default_factory=dict)
    acknowledged: Mapping[str, Ack] = field(default_factory=dict)

    def find(self, event: AlertEvent, at: datetime) -> Silence | None:
        """Return the silence that covers an alert at an instant."""
        current = (silence for silence in self.silences.values() if silence.since <= at < silence.until)
        return next((silence for silence in current if silence.covers(event)), None)

    def active(self, at: datetime) -> list[Silence]:
        """Return the silences that hold at an instant, in the order in which they end."""
        current = [silence for silence in self.silences.values() if at < silence.until]
        return sorted(current, key=lambda silence: silence.until)


def merge(entries: Iterable[SilenceEntry]) -> SilenceState:
    """Return what holds after all that was said, in the order in which it was said."""
    silences: dict[str, Silence] = {}
    acknowledged: dict[str, Ack] = {}
    for entry in entries:
        if isinstance(entry, Silence):
            silences[entry.id] = entry
        elif isinstance(entry, Ack):
            acknowledged[entry.id] = entry
        elif entry.id in silences:
            silences[entry.id] = replace(silences[entry.id], until=min(silences[entry.id].until, entry.at))
    return SilenceState(silences, acknowledged)


def to_record(entry: SilenceEntry) -> dict[str, object]:
    """Return what somebody said as it is stored: one line that is never changed."""
    if isinstance(entry, Silence):
        return {
            "timestamp": format_instant(entry.since),
            "event": "silence",
            "id": entry.id,
            "rule": entry.rule,
            "match": dict(entry.match),
            "until": format_instant(entry.until),
            "why": entry.why,
            "by": entry.by,
        }
    kind = "ack" if isinstance(entry, Ack) else "unsilence"
    return {"timestamp": format_instant(entry.at), "event": kind, "id": entry.id, "why": entry.why, "by": entry.by}


def read_entry(record: Mapping[str, Any]) -> SilenceEntry:
    """Read a record back; raise KeyError, TypeError or ValueError for what is none."""
    at, id_ = parse_instant(record["timestamp"]), str(record["id"])
    why, by = str(record.get("why", "")), str(record.get("by", ""))
    if record["event"] == "ack":
        return Ack(id_, at, why, by)
    if record["event"] == "unsilence":
        return Unsilence(id_, at, why, by)
    if record["event"] != "silence":
        raise ValueError(f"no such entry: {record['event']}")
    match = {str(label): str(glob) for label, glob in dict(record["match"]).items()}
    return Silence(id_, str(record["rule"]), match, at, parse_instant(record["until"]), why, by)
