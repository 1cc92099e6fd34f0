"""Snapshot as JSON: one object with raw numbers, under the names that they have everywhere."""

import json
from collections.abc import Collection
from datetime import datetime

from sysmon.formats.records import alert_record
from sysmon.text.instants import format_instant
from sysmon.view.commands import Situation
from sysmon.view.snapshot import Snapshot

SCHEMA = 1


def render(snapshot: Snapshot, situation: Situation, *, requested: datetime, tables: Collection[str]) -> str:
    """Return the object; `note` is null when the sample is of the instant that was asked for."""
    page = {
        "schema": SCHEMA,
        "hostname": snapshot.host,
        "asked": format_instant(requested),
        "timestamp": format_instant(snapshot.at),
        "note": situation.note or None,
        "interval_seconds": snapshot.seconds,
        "skipped": situation.skipped,
        "alerts": [alert_record(alert) for alert in snapshot.alerts],
        "tables": {
            name: {"timestamp": format_instant(shown.at), "rows": [dict(record) for record in shown.records()]}
            for name, shown in snapshot.tables.items()
            if not tables or name in tables
        },
    }
    return json.dumps(page, ensure_ascii=False, allow_nan=False, indent=1)
