"""What the charts of a page are drawn from, as JSON that no name can break out of."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Any

from sysmon.history import PastAlert
from sysmon.model import Kind
from sysmon.report.render.charts import Chart, Line
from sysmon.report.resolution import numbers
from sysmon.report.summary import Report
from sysmon.text.instants import from_ms, to_ms
from sysmon.text.names import printable

MOST_ALERTS = 200
"""More alerts than these are counted and not shown."""

_QUARTER = 900_000
"""Clocks are put forward and back at multiples of a quarter of an hour (in milliseconds)."""

_MOST_LIMITS = 4
_VISIBLE = 0.005
"""Peaks that rise less above the means, as a share of all that is drawn, are not worth their bytes."""


def payload(reports: Sequence[Report], drawn: Iterable[tuple[Report, Chart]], zone: tzinfo | None) -> str:
    """Return the JSON of all charts of a page, in their order; `<` and `&` are written so that HTML sees none."""
    since, until = min(report.since for report in reports), max(report.until for report in reports)
    found = {
        "begin": to_ms(since),
        "end": to_ms(until),
        "offsets": offsets(since, until, zone),
        "charts": [_chart(report, chart) for report, chart in drawn],
    }
    text = json.dumps(found, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def offsets(since: datetime, until: datetime, zone: tzinfo | None) -> list[tuple[int, int]]:
    """Return from which instant (milliseconds since the epoch) on local time is how many seconds ahead of UTC."""
    found: list[tuple[int, int]] = []
    at = to_ms(since)
    while at < to_ms(until):
        ahead = from_ms(at).astimezone(zone).utcoffset() or timedelta()
        if not found or found[-1][1] != ahead.total_seconds():
            found.append((at, int(ahead.total_seconds())))
        at = (at // _QUARTER + 1) * _QUARTER
    return found


def worst_alerts(report: Report) -> list[PastAlert]:
    """Return as many alerts as a page can show, in their order; of more than these the worst."""
    alerts = report.alerts
    places = sorted(range(len(alerts)), key=lambda place: -alerts[place].level.rank)
    return [alerts[place] for place in sorted(places[:MOST_ALERTS])]


def span_of(alert: PastAlert, report: Report) -> tuple[int, int]:
    """Return from when to when an alert was on within the range, in milliseconds since the epoch."""
    end = alert.since + timedelta(seconds=alert.duration)
    return to_ms(max(alert.since, report.since)), to_ms(min(end, report.until))


def touches(alert: PastAlert, chart: Chart) -> bool:
    """Say whether an alert is about one of the curves."""
    return any(
        line.item.metric.name == alert.metric
        and all(alert.labels.get(name, value) == value for name, value in line.series.labels)
        for line in chart.lines
    )


def _chart(report: Report, chart: Chart) -> dict[str, Any]:
    return {
        "begin": to_ms(report.since),
        "end": to_ms(report.until),
        "unit": chart.unit,
        "parts": chart.parts,
        "lines": [_line(line) for line in chart.lines],
        "limits": list(_limits(chart)),
        "alerts": [_alert(report, alert) for alert in worst_alerts(report) if touches(alert, chart)],
    }


def _line(line: Line) -> dict[str, Any]:
    means, peaks = line.item.trend, line.item.peaks
    if line.item.metric.kind is Kind.COUNT:
        means, peaks = peaks, ()  # how many there were at worst says more than how many at the mean
    known = [value for value in (*means, *peaks) if value is not None]
    spread = max(known) - min(known)
    found = {"name": line.name, "mean": numbers(means, spread)}
    rises = [peak - mean for peak, mean in zip(peaks, means, strict=False) if peak is not None and mean is not None]
    if rises and max(rises) > _VISIBLE * spread:
        found["peak"] = numbers(peaks, spread)
    return found | ({"hidden": True} if line.hidden else {})


def _limits(chart: Chart) -> Iterator[dict[str, Any]]:
    """Yield the limits that the rules set for the curves, each once, unless there are too many to tell apart."""
    found = {(one.limit.level.value, one.limit.value): one.limit for line in chart.lines for one in line.item.beyond}
    if len(found) <= _MOST_LIMITS:
        for level, value in found:
            yield {"level": level, "value": value}


def _alert(report: Report, alert: PastAlert) -> dict[str, Any]:
    begin, end = span_of(alert, report)
    return {"name": printable(alert.rule), "level": alert.level.value, "begin": begin, "end": end}
