"""What fires at a moment, since when, and who is blamed for it: a line each."""

from sysmon.model import AlertEvent
from sysmon.text.cells import width_of
from sysmon.text.culprits import blame
from sysmon.text.spans import Line, Look, Span, level_style
from sysmon.text.units import format_age
from sysmon.view.alert_marks import condition, instance
from sysmon.view.snapshot import Moment

_BLAMED = 3
_INDENT = 10


def alarms(moment: Moment, look: Look) -> list[Line]:
    """Return a line for each alert, the worst first, then the oldest; what is cut off first matters least."""
    return [
        [*head, *_blamed(alert, look, "  "), Span(look.sanitize(f"  {condition(alert)}"), "dim")]
        for alert, head in _heads(moment, look)
    ]


def alarms_in_full(moment: Moment, look: Look) -> list[Line]:
    """Return as many lines for each alert as it takes."""
    lines: list[Line] = []
    for alert, head in _heads(moment, look):
        lines += [head, [Span(look.sanitize(f"{' ' * _INDENT}{condition(alert)}"), "dim")]]
        if alert.top:
            lines.append(_blamed(alert, look, " " * _INDENT))
    return lines


def _heads(moment: Moment, look: Look) -> list[tuple[AlertEvent, Line]]:
    ordered = sorted(moment.alerts, key=lambda alert: (-alert.level.rank, alert.since, alert.rule, alert.id))
    ages = [format_age(max(0.0, (moment.at - alert.since).total_seconds())) for alert in ordered]
    longest = max(map(width_of, ages), default=0)
    return [(alert, _head(moment, alert, f"{age:>{longest}}", look)) for alert, age in zip(ordered, ages, strict=True)]


def _head(moment: Moment, alert: AlertEvent, age: str, look: Look) -> Line:
    where = instance(moment, alert)
    return [
        Span(f"{alert.level.value.upper():<8}", level_style(alert.level)),
        Span(f"  {age}  "),
        Span(look.sanitize(f"{alert.rule} ({where})" if where else alert.rule)),
    ]


def _blamed(alert: AlertEvent, look: Look, before: str) -> Line:
    if not alert.top:
        return []
    blamed = ", ".join(blame(one, alert.resource) for one in alert.top[:_BLAMED])
    return [Span(look.sanitize(f"{before}top: {blamed}"), "bold")]
