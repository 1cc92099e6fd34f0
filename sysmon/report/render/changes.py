"""Changes between two periods as words and cells, for every format."""

from sysmon.model import Metric, Unit
from sysmon.report.render.phrases import add_commas
from sysmon.report.render.style import shown_values
from sysmon.report.summary import MetricSummary, OverviewItem, RankedGroup, Ranking, Report
from sysmon.text import units
from sysmon.text.names import printable

LARGEST = 10
"""How many changes are listed."""


def format_change(metric: Metric, then: float, now: float) -> str:
    """Return how a number changed, in at most 8 characters: `+12.5pp` (points of percent), `-40%`, `x12`, `=`."""
    if then == now:
        return "="
    if metric.unit is Unit.PERCENT:
        return f"{_format_signed(now - then)}pp"
    if then <= 0 or now < 0:
        return "up" if now > then else "down"
    if now >= 10 * then:
        times = now / then
        return "x1e6+" if now >= 1e6 * then else f"x{times:.0f}" if times >= 999.5 else f"x{times:.3g}"
    return f"{_format_signed(100 * (now / then - 1))}%"


def _format_signed(number: float) -> str:
    return f"{number:+.{0 if abs(number) >= 99.95 else 1 if abs(number) >= 0.05 else 2}f}"


def format_changes(item: MetricSummary) -> list[str]:
    """Return how each number of a metric changed; empty where there is nothing to compare with."""
    before, after = item.before, item.stats
    if before is None or after is None:
        return []
    pairs = zip(shown_values(before), shown_values(after), strict=True)
    return ["" if then is None or now is None else format_change(item.metric, then, now) for then, now in pairs]


def largest_changes(report: Report) -> list[tuple[str, str, str, str, str]]:
    """Return the largest changes: metric, value then and now, change, and labels."""
    largest = report.compared.changes[:LARGEST] if report.compared else ()
    rows = []
    for listed in largest:
        unit = listed.metric.unit
        labels = " ".join(f"{name}={printable(value)}" for name, value in listed.labels)
        then, now = units.cell(listed.then, unit), units.cell(listed.now, unit)
        rows.append(
            (printable(listed.metric.name), then, now, format_change(listed.metric, listed.then, listed.now), labels)
        )
    return rows


def list_added_and_removed(report: Report) -> list[list[str]]:
    """Return which series are only in one of the two periods, in parts that may stand in lines."""
    if report.compared is None:
        return []
    lines = []
    for title, keys in (("only now:", report.compared.appeared), ("only then:", report.compared.gone)):
        names = [
            "  ".join([table, *(f"{name}={printable(value)}" for name, value in labels)]) for table, labels in keys
        ]
        more = [f"{len(names) - LARGEST} more"] if len(names) > LARGEST else []
        if names:
            lines.append([title, *add_commas([*names[:LARGEST], *more])])
    return lines


def format_ranking_change(group: RankedGroup, ranking: Ranking) -> str:
    """Return how the mean of a group changed: `new` where it was not listed before."""
    return "new" if group.before is None else format_change(ranking.metric, group.before, group.mean)


def format_overview_change(item: OverviewItem) -> str:
    """Return how the mean of a line changed, or its total; empty where another one was the worst before."""
    if item.before is None:
        return ""
    return format_change(item.metric, item.before, item.worst if item.mean is None else item.mean)
