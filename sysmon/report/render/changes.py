"""How much is it different from before? In words and cells for every form of page."""

from sysmon.model import Metric, Unit
from sysmon.report.render.phrases import commas
from sysmon.report.summary import GlanceItem, MetricSummary, RankedGroup, Ranking, Report
from sysmon.text import units
from sysmon.text.names import printable

LARGEST = 10
"""How many changes are listed."""


def change(metric: Metric, then: float, now: float) -> str:
    """Return how a number changed, in at most 8 characters: `+12.5pp` (points of percent), `-40%`, `x12`, `=`."""
    if then == now:
        return "="
    if metric.unit is Unit.PERCENT:
        return f"{_signed(now - then)}pp"
    if then <= 0 or now < 0:
        return "up" if now > then else "down"
    if now >= 10 * then:
        times = now / then
        return "x1e6+" if now >= 1e6 * then else f"x{times:.0f}" if times >= 999.5 else f"x{times:.3g}"
    return f"{_signed(100 * (now / then - 1))}%"


def _signed(number: float) -> str:
    return f"{number:+.{0 if abs(number) >= 99.95 else 1 if abs(number) >= 0.05 else 2}f}"


def changes(item: MetricSummary) -> list[str]:
    """Return how each number of a metric changed; empty where there is nothing to compare with."""
    one, other = item.before, item.stats
    if one is None or other is None:
        return []
    pairs = (
        (one.mean, other.mean),
        (one.min, other.min),
        (one.p50, other.p50),
        (one.p95, other.p95),
        (one.p99, other.p99),
        (one.max, other.max),
    )
    return [change(item.metric, then, now) for then, now in pairs]


def largest(report: Report) -> list[tuple[str, str, str, str, str]]:
    """Return the largest changes: metric, value then and now, change, and labels."""
    found = report.compared.changes[:LARGEST] if report.compared else ()
    rows = []
    for one in found:
        unit = one.metric.unit
        labels = " ".join(f"{name}={printable(value)}" for name, value in one.labels)
        then, now = units.cell(one.then, unit), units.cell(one.now, unit)
        rows.append((printable(one.metric.name), then, now, change(one.metric, one.then, one.now), labels))
    return rows


def come_and_gone(report: Report) -> list[list[str]]:
    """Return which series are only in one of the two periods, in parts that may stand in lines."""
    if report.compared is None:
        return []
    told = []
    for what, keys in (("only now:", report.compared.appeared), ("only then:", report.compared.gone)):
        names = [
            "  ".join([table, *(f"{name}={printable(value)}" for name, value in labels)]) for table, labels in keys
        ]
        more = [f"{len(names) - LARGEST} more"] if len(names) > LARGEST else []
        if names:
            told.append([what, *commas([*names[:LARGEST], *more])])
    return told


def ranked_change(group: RankedGroup, ranking: Ranking) -> str:
    """Return how the mean of a group changed: `new` where it was not listed before."""
    return "new" if group.before is None else change(ranking.metric, group.before, group.mean)


def glance_change(item: GlanceItem) -> str:
    """Return how the mean of a line changed, or its total; empty where another one was the worst before."""
    if item.before is None:
        return ""
    return change(item.metric, item.before, item.worst if item.mean is None else item.mean)
