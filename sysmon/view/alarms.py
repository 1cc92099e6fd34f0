"""Alert lines: what fires, since when, and which processes are to blame."""

from sysmon.model import AlertEvent
from sysmon.text.cells import width_of
from sysmon.text.culprits import format_culprits
from sysmon.text.spans import Line, Look, Span, level_style
from sysmon.text.units import format_age
from sysmon.view.alert_marks import describe_condition, describe_instance
from sysmon.view.snapshot import Snapshot

_BLAMED = 3
_INDENT = 10


def draw_alerts(snapshot: Snapshot, look: Look) -> list[Line]:
    """Return a line for each alert, the worst first, then the oldest; what is cut off first matters least."""
    return [
        [*head, *_blamed(alert, look, "  "), Span(look.sanitize(f"  {describe_condition(alert)}"), "dim")]
        for alert, head in _heads(snapshot, look)
    ]


def draw_alerts_in_full(snapshot: Snapshot, look: Look) -> list[Line]:
    """Return as many lines for each alert as it takes."""
    lines: list[Line] = []
    for alert, head in _heads(snapshot, look):
        lines += [head, [Span(look.sanitize(f"{' ' * _INDENT}{describe_condition(alert)}"), "dim")]]
        if blamed := _blamed(alert, look, " " * _INDENT):
            lines.append(blamed)
    return lines


def _heads(snapshot: Snapshot, look: Look) -> list[tuple[AlertEvent, Line]]:
    ordered = sorted(snapshot.alerts, key=lambda alert: (-alert.level.rank, alert.since, alert.rule, alert.id))
    ages = [format_age(max(0.0, (snapshot.at - alert.since).total_seconds())) for alert in ordered]
    longest = max(map(width_of, ages), default=0)
    return [
        (alert, _head(snapshot, alert, f"{age:>{longest}}", look)) for alert, age in zip(ordered, ages, strict=True)
    ]


def _head(snapshot: Snapshot, alert: AlertEvent, age: str, look: Look) -> Line:
    where = describe_instance(snapshot, alert)
    return [
        Span(f"{alert.level.value.upper():<8}", level_style(alert.level)),
        Span(f"  {age}  "),
        Span(look.sanitize(f"{alert.rule} ({where})" if where else alert.rule)),
    ]


def _blamed(alert: AlertEvent, look: Look, before: str) -> Line:
    blamed = format_culprits(alert, lambda at: f"{at.astimezone():%H:%M:%S}", most=_BLAMED)
    return [Span(look.sanitize(f"{before}{blamed}"), "bold")] if blamed else []
