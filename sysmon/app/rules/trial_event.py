"""Test notification: an alert that never was, to try with it what real ones will meet."""

import platform

from sysmon.formats import jsonl, records
from sysmon.model import AlertEvent, Culprit, Level, Transition, Unit
from sysmon.sampling.clock import SystemClock
from sysmon.text.names import escape


def make_test_event() -> bytes:
    """Return the event as one line of JSON."""
    now = SystemClock().now()
    event = AlertEvent(
        at=now,
        transition=Transition.FIRED,
        rule="test",
        id="00000000",
        metric="cpu_usage_percent",
        labels={"hostname": escape(platform.node() or "localhost"), "core": "all"},
        level=Level.INFO,
        value=97.2,
        peak=97.2,
        threshold=95.0,
        condition=">= 95 for 1m",
        since=now,
        duration=0.0,
        reason="a test of notify.command",
        unit=Unit.PERCENT,
        message="This is a test: nothing is wrong.",
        trend=(94.0, 96.5, 97.2),
        resource="cpu",
        top=(Culprit("4312", "example", "nobody", "-", 180.0, 90.0),),
        unaccounted=20.0,
    )
    return jsonl.encode_record(records.alert_record(event))
