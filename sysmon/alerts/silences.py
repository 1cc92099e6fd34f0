"""Whom has somebody silenced, and which alerts are acknowledged? Said once in a record, read by everybody."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fnmatch import fnmatchcase

from sysmon.model import AlertEvent


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
class Replies:
    """What people have said about alerts: silences by id, and the ids of alerts that somebody looks after."""

    silences: Mapping[str, Silence] = field(default_factory=dict)
    acknowledged: Mapping[str, str] = field(default_factory=dict)

    def silencing(self, event: AlertEvent, at: datetime) -> Silence | None:
        """Return the silence that covers an alert at an instant."""
        on = (silence for silence in self.silences.values() if silence.since <= at < silence.until)
        return next((silence for silence in on if silence.covers(event)), None)

    def active(self, at: datetime) -> list[Silence]:
        """Return the silences that hold at an instant, in the order in which they end."""
        on = [silence for silence in self.silences.values() if at < silence.until]
        return sorted(on, key=lambda silence: silence.until)


def merged(replies: Iterable[Silence | tuple[str, str]]) -> Replies:
    """Return what holds after all that was said: a silence, or an alert's id and who acknowledged it."""
    silences: dict[str, Silence] = {}
    acknowledged: dict[str, str] = {}
    for reply in replies:
        if isinstance(reply, Silence):
            silences[reply.id] = reply
        else:
            acknowledged[reply[0]] = reply[1]
    return Replies(silences, acknowledged)
