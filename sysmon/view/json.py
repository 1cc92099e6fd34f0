"""A moment for programs: one JSON object with raw numbers, under the names that they have everywhere."""

import json
from collections.abc import Collection
from datetime import datetime

from sysmon.formats.records import alert_record
from sysmon.text.instants import format_instant
from sysmon.view.commands import Situation
from sysmon.view.snapshot import Moment

SCHEMA = 1


def render(moment: Moment, situation: Situation, *, asked: datetime, tables: Collection[str]) -> str:
    """Return the object; `note` is null when the sample is of the instant that was asked for."""
    page = {
        "schema": SCHEMA,
        "hostname": moment.host,
        "asked": format_instant(asked),
        "timestamp": format_instant(moment.at),
        "note": situation.note or None,
        "interval_seconds": moment.seconds,
        "skipped": situation.skipped,
        "alerts": [alert_record(alert) for alert in moment.alerts],
        "tables": {
            name: {"timestamp": format_instant(shown.at), "rows": [dict(record) for record in shown.records()]}
            for name, shown in moment.tables.items()
            if not tables or name in tables
        },
    }
    return json.dumps(page, ensure_ascii=False, allow_nan=False, indent=1)
