"""Chart data of an HTML report: JSON that no name can break out of."""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Any

from sysmon.history import PastAlert
from sysmon.model import Kind
from sysmon.report.render.charts import Chart, Line
from sysmon.report.resolution import format_numbers
from sysmon.report.summary import Report
from sysmon.text.instants import from_ms, to_ms
from sysmon.text.names import printable

MOST_ALERTS = 200
"""More alerts than these are counted and not shown."""

_QUARTER = 900_000
"""Clocks are put forward and back at multiples of a quarter of an hour (in milliseconds)."""

_STRIDE = 14 * 96
"""Quarters of an hour in two weeks, which no clock was put forward and back within."""

_MOST_LIMITS = 4
_VISIBLE = 0.005
"""Peaks that rise less above the means, as a share of all that is drawn, are not worth their bytes."""


def encode_payload(reports: Sequence[Report], drawn: Iterable[tuple[Report, Chart]], zone: tzinfo | None) -> str:
    """Return the JSON of all charts of a page, in their order; `<` and `&` are written so that HTML sees none."""
    since, until = min(report.since for report in reports), max(report.until for report in reports)
    page = {
        "begin": to_ms(since),
        "end": to_ms(until),
        "offsets": list_offsets(since, until, zone),
        "charts": [_encode_chart(report, chart) for report, chart in drawn],
    }
    text = json.dumps(page, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def list_offsets(since: datetime, until: datetime, zone: tzinfo | None) -> list[tuple[int, int]]:
    """Return from which instant (milliseconds since the epoch) on local time is how many seconds ahead of UTC."""
    begin, end = to_ms(since), to_ms(until)
    quarters = range((begin // _QUARTER + 1) * _QUARTER, end, _QUARTER)
    marks = [begin, *quarters[::_STRIDE], *quarters[-1:]] if begin < end else []
    offsets = [(at, _find_offset(at, zone)) for at in marks]
    changes = offsets[:1]
    for early, late in pairwise(offsets):
        changes += _find_changes(early, late, zone)
    return changes


def _find_changes(early: tuple[int, int], late: tuple[int, int], zone: tzinfo | None) -> Iterator[tuple[int, int]]:
    """Yield the changes between two instants with their offsets, the later one among them, by halving."""
    if early[1] == late[1]:
        return
    at = (early[0] + late[0]) // 2 // _QUARTER * _QUARTER
    if at <= early[0]:
        yield late
        return
    middle = (at, _find_offset(at, zone))
    yield from _find_changes(early, middle, zone)
    yield from _find_changes(middle, late, zone)


def _find_offset(ms: int, zone: tzinfo | None) -> int:
    return int((from_ms(ms).astimezone(zone).utcoffset() or timedelta()).total_seconds())


def select_worst_alerts(report: Report) -> list[PastAlert]:
    """Return as many alerts as a page can show, in their order; of more than these the worst."""
    alerts = report.alerts
    places = sorted(range(len(alerts)), key=lambda place: -alerts[place].level.rank)
    return [alerts[place] for place in sorted(places[:MOST_ALERTS])]


def clip_alert(alert: PastAlert, report: Report) -> tuple[int, int]:
    """Return from when to when an alert was on within the range, in milliseconds since the epoch."""
    end = alert.since + timedelta(seconds=alert.duration)
    return to_ms(max(alert.since, report.since)), to_ms(min(end, report.until))


def concerns(alert: PastAlert, chart: Chart) -> bool:
    """Say whether an alert is about one of the curves."""
    return any(
        line.item.metric.name == alert.metric
        and all(alert.labels.get(name, value) == value for name, value in line.series.labels)
        for line in chart.lines
    )


def _encode_chart(report: Report, chart: Chart) -> dict[str, Any]:
    return {
        "begin": to_ms(report.since),
        "end": to_ms(report.until),
        "unit": chart.unit,
        "parts": chart.parts,
        "lines": [_encode_line(line) for line in chart.lines],
        "limits": list(_encode_limits(chart)),
        "alerts": [_encode_alert(report, alert) for alert in select_worst_alerts(report) if concerns(alert, chart)],
    }


def _encode_line(line: Line) -> dict[str, Any]:
    means, peaks = line.item.trend, line.item.peaks
    if line.item.metric.kind is Kind.COUNT:
        means, peaks = peaks, ()  # how many there were at worst says more than how many at the mean
    drawn = [value for value in (*means, *peaks) if value is not None]
    spread = max(drawn) - min(drawn)
    encoded = {"name": line.name, "mean": format_numbers(means, spread)}
    rises = [peak - mean for peak, mean in zip(peaks, means, strict=False) if peak is not None and mean is not None]
    if rises and max(rises) > _VISIBLE * spread:
        encoded["peak"] = format_numbers(peaks, spread)
    return encoded | ({"hidden": True} if line.hidden else {})


def _encode_limits(chart: Chart) -> Iterator[dict[str, Any]]:
    """Yield the limits that the rules set for the curves, each once, unless there are too many to tell apart."""
    limits = {
        (exceeded.limit.level.value, exceeded.limit.value): exceeded.limit
        for line in chart.lines
        for exceeded in line.item.beyond
    }
    if len(limits) <= _MOST_LIMITS:
        for level, value in limits:
            yield {"level": level, "value": value}


def _encode_alert(report: Report, alert: PastAlert) -> dict[str, Any]:
    begin, end = clip_alert(alert, report)
    return {"name": printable(alert.rule), "level": alert.level.value, "begin": begin, "end": end}
