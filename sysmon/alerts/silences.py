"""What have people said about alerts: which are silenced, which are looked after? One record for each saying."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from sysmon.model import AlertEvent
from sysmon.text.instants import format_instant, parse_instant


@dataclass(frozen=True, slots=True)
class Silence:
    """Nobody is told of alerts of rules like `rule` whose labels fit, until it ends."""

    id: str
    rule: str
    match: Mapping[str, str]
    since: datetime
    until: datetime
    why: str = ""
    by: str = ""

    def covers(self, event: AlertEvent) -> bool:
        """Say whether it is about an alert."""
        return fnmatchcase(event.rule, self.rule) and all(
            fnmatchcase(event.labels.get(label, ""), glob) for label, glob in self.match.items()
        )


@dataclass(frozen=True, slots=True)
class Unsilence:
    """A silence ends before its time."""

    id: str
    at: datetime
    why: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Ack:
    """Somebody looks after an alert: it is not repeated, though told when it gets worse or ends."""

    id: str
    at: datetime
    why: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class Replies:
    """What people have said about alerts: silences by id, and acknowledgements by the alert's id."""

    silences: Mapping[str, Silence] = field(default_factory=dict)
    acknowledged: Mapping[str, Ack] = field(default_factory=dict)

    def silencing(self, event: AlertEvent, at: datetime) -> Silence | None:
        """Return the silence that covers an alert at an instant."""
        on = (silence for silence in self.silences.values() if silence.since <= at < silence.until)
        return next((silence for silence in on if silence.covers(event)), None)

    def active(self, at: datetime) -> list[Silence]:
        """Return the silences that hold at an instant, in the order in which they end."""
        on = [silence for silence in self.silences.values() if at < silence.until]
        return sorted(on, key=lambda silence: silence.until)


def merged(replies: Iterable[Silence | Ack | Unsilence]) -> Replies:
    """Return what holds after all that was said, in the order in which it was said."""
    silences: dict[str, Silence] = {}
    acknowledged: dict[str, Ack] = {}
    for reply in replies:
        if isinstance(reply, Silence):
            silences[reply.id] = reply
        elif isinstance(reply, Ack):
            acknowledged[reply.id] = reply
        elif reply.id in silences:
            silences[reply.id] = replace(silences[reply.id], until=min(silences[reply.id].until, reply.at))
    return Replies(silences, acknowledged)


def record(reply: Silence | Ack | Unsilence) -> dict[str, object]:
    """Return what somebody said as it is stored: one line that is never changed."""
    if isinstance(reply, Silence):
        return {
            "timestamp": format_instant(reply.since),
            "event": "silence",
            "id": reply.id,
            "rule": reply.rule,
            "match": dict(reply.match),
            "until": format_instant(reply.until),
            "why": reply.why,
            "by": reply.by,
        }
    kind = "ack" if isinstance(reply, Ack) else "unsilence"
    return {"timestamp": format_instant(reply.at), "event": kind, "id": reply.id, "why": reply.why, "by": reply.by}


def read(record: Mapping[str, Any]) -> Silence | Ack | Unsilence:
    """Read a record back; raise KeyError, TypeError or ValueError for what is none."""
    at, id_ = parse_instant(record["timestamp"]), str(record["id"])
    why, by = str(record.get("why", "")), str(record.get("by", ""))
    if record["event"] == "ack":
        return Ack(id_, at, why, by)
    if record["event"] == "unsilence":
        return Unsilence(id_, at, why, by)
    if record["event"] != "silence":
        raise ValueError(f"no such reply: {record['event']}")
    match = {str(label): str(glob) for label, glob in dict(record["match"]).items()}
    return Silence(id_, str(record["rule"]), match, at, parse_instant(record["until"]), why, by)
