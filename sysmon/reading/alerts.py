"""Alert history from the entries of the alert log. Which alerts were on in a range, for how long and how bad?"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sysmon.formats.records import SIDE_NOTES, ActiveRecord, AlertEntry, update_active
from sysmon.history import AlertState, PastAlert
from sysmon.model import BLAME_FIELDS, AlertEvent, Transition, copy_blame


def past_alerts(entries: Iterable[AlertEntry], since: datetime, until: datetime) -> list[PastAlert]:
    """Return the alerts that were on at some moment of [since, until), in the order in which they began.

    A list of what fires that leaves out an alert means that its run ended without it: nobody knows how it went on.
    """
    by_id: dict[str, PastAlert] = {}
    for entry in entries:
        if isinstance(entry, AlertEvent):
            if entry.transition in SIDE_NOTES:
                continue
            by_id[entry.id] = _apply_event(by_id.get(entry.id), entry)
            continue
        for event in entry.alerts:
            by_id.setdefault(event.id, _apply_event(None, event))
        on = {event.id for event in entry.alerts}
        for id_, alert in by_id.items():
            if alert.state is AlertState.FIRING and id_ not in on:
                by_id[id_] = _close(alert, entry.at, AlertState.UNKNOWN)
    alerts = [replace(alert, duration=_duration(alert, until)) for alert in by_id.values()]
    return sorted(
        (alert for alert in alerts if alert.since < until and (alert.ended is None or alert.ended >= since)),
        key=lambda alert: (alert.since, alert.rule, alert.id),
    )


def active_alerts(entries: Iterable[AlertEntry]) -> list[AlertEvent]:
    """Return the latest event of each alert that is on after these entries; it names whom the alert last blamed."""
    on: dict[str, AlertEvent] = {}
    for entry in entries:
        if isinstance(entry, ActiveRecord):
            listed = tuple(_keep_culprits(on.get(event.id), event) for event in entry.alerts)
            update_active(on, ActiveRecord(entry.at, listed))
        else:
            update_active(on, _keep_culprits(on.get(entry.id), entry))
    return list(on.values())


def _keep_culprits(before: AlertEvent | None, event: AlertEvent) -> AlertEvent:
    return event if event.resource is not None or before is None else copy_blame(event, before)


def _apply_event(before: PastAlert | None, event: AlertEvent) -> PastAlert:
    if event.transition is Transition.CULPRIT_CHANGED and before is not None:
        return replace(before, peak=event.peak, **_read_blame(event))
    worse = before is None or event.level.rank > before.level.rank
    blamed = event if event.resource is not None or before is None else before
    alert = PastAlert(
        id=event.id,
        rule=event.rule,
        metric=event.metric,
        unit=event.unit,
        level=event.level if before is None else max(before.level, event.level, key=lambda level: level.rank),
        labels=event.labels,
        since=event.since,
        ended=None,
        duration=event.duration,
        value=event.value,
        peak=event.peak,
        state=AlertState.FIRING,
        condition=event.condition if worse or before is None else before.condition,
        **_read_blame(blamed),
    )
    resolved = event.transition is Transition.RESOLVED
    return _close(alert, event.at, AlertState.RESOLVED) if resolved else alert


def _read_blame(source: AlertEvent | PastAlert) -> dict[str, Any]:
    return {name: getattr(source, name) for name in BLAME_FIELDS}


def _close(alert: PastAlert, at: datetime, state: AlertState) -> PastAlert:
    return replace(alert, ended=at, state=state)


def _duration(alert: PastAlert, until: datetime) -> float:
    """Return for how long it was bad: as its end said, which leaves out the waiting for `clear_for`, or up to now."""
    if alert.state is AlertState.RESOLVED:
        return alert.duration
    return ((alert.ended or until) - alert.since).total_seconds()
