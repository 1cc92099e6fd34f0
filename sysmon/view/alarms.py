"""What fires at a moment, since when, and who is blamed for it: a line each."""

from sysmon.blame import blame
from sysmon.cells import Look, Span, level_style, width_of
from sysmon.model import AlertEvent
from sysmon.units import format_age
from sysmon.view.gauges import Line
from sysmon.view.marks import condition, instance
from sysmon.view.moment import Moment


def alarms(moment: Moment, look: Look) -> list[Line]:
    """Return a line for each alert, the worst first, then the oldest; what is cut off first matters least."""
    ordered = sorted(moment.alerts, key=lambda alert: (-alert.level.rank, alert.since, alert.rule, alert.id))
    ages = [format_age(max(0.0, (moment.at - alert.since).total_seconds())) for alert in ordered]
    longest = max(map(width_of, ages), default=0)
    return [_line(moment, alert, f"{age:>{longest}}", look) for alert, age in zip(ordered, ages, strict=True)]


def _line(moment: Moment, alert: AlertEvent, age: str, look: Look) -> Line:
    where = instance(moment, alert)
    line = [
        Span(f"{alert.level.value.upper():<8}", level_style(alert.level)),
        Span(f"  {age}  "),
        Span(look.shown(f"{alert.rule} ({where})" if where else alert.rule)),
    ]
    if alert.top:
        blamed = ", ".join(blame(one, alert.resource) for one in alert.top[:2])
        line.append(Span(look.shown(f"  top: {blamed}"), "bold"))
    return [*line, Span(look.shown(f"  {condition(alert)}"), "dim")]
