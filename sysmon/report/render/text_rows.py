"""Text blocks with one thing a line: overview, largest changes, compact tables, processes, alerts."""

from collections.abc import Iterator

from sysmon.report.layout import TableLayout, compact_cells, compact_changes, compact_titles
from sysmon.report.render.changes import (
    format_overview_change,
    format_ranking_change,
    largest_changes,
    list_added_and_removed,
)
from sysmon.report.render.phrases import OTHERS, Phrases, format_process, overview_cells, ranking_cells
from sysmon.report.render.style import Style
from sysmon.report.summary import RankedGroup, Ranking
from sysmon.text.cells import cut_front, flow, pad, width_of
from sysmon.text.names import printable
from sysmon.thresholds import worst_level

_NAME_WIDTH = 15
_VALUE_WIDTH = 12
_COMPACT_WIDTH = 9
_CHANGE_WIDTH = 9


def render_overview(phrases: Phrases, style: Style) -> list[str]:
    """Return what a person wants to know first."""
    items = phrases.report.overview
    if not items:
        return []
    room = style.columns - _NAME_WIDTH - 2 * _VALUE_WIDTH - _CHANGE_WIDTH - 2 - len("11-20 12:00")
    subjects = [cut_front(printable(item.subject), room, "...") for item in items]
    width = max(map(width_of, subjects))
    heading = "At a glance".ljust(_NAME_WIDTH + width)
    compared = phrases.report.compared is not None
    change = f"{'change' if compared else '':>{_CHANGE_WIDTH * compared}}"
    titles = f"{'mean':>{_VALUE_WIDTH}}{change}{'worst':>{_VALUE_WIDTH}}  at"
    lines = [style.bold(f"{heading}{titles}")]
    for item, subject in zip(items, subjects, strict=True):
        mean, worst = overview_cells(item)
        changed = format_overview_change(item) if compared else ""
        levels = [None if value is None else worst_level(item.limits, value) for value in (item.mean, item.worst)]
        mean, worst = (style.cell(text, _VALUE_WIDTH, level) for text, level in zip((mean, worst), levels, strict=True))
        cells = f"{mean}{changed:>{_CHANGE_WIDTH * compared}}{worst}"
        lines.append(f"{item.title:<{_NAME_WIDTH}}{pad(subject, width)}{cells}  {phrases.when(item.at)}")
    return [*lines, *_render_alert_counts(phrases, style)]


def _render_alert_counts(phrases: Phrases, style: Style) -> Iterator[str]:
    if not phrases.report.alerts:
        yield f"{'alerts':<{_NAME_WIDTH}}none"
    title = "alerts"
    for count, worst in phrases.alert_counts():
        start = f"{title:<{_NAME_WIDTH}}{count:<10}"
        rule, *more = phrases.alert_start(worst)
        first, *rest = flow(
            [f"{start}{worst.level.value.upper()} {rule}", *more], style.columns, indent=_NAME_WIDTH + 2
        )
        yield start + style.level(first[len(start) :], worst.level)
        yield from rest
        title = ""


def render_changes(phrases: Phrases, style: Style) -> list[str]:
    """Return the largest changes, where the report is compared with another period."""
    rows = largest_changes(phrases.report)
    if not rows:
        return []
    width = max(len(row[0]) for row in rows)
    lines = [style.bold(f"{'Largest changes':<{width}}{'then':>10}{'now':>10}{'change':>9}")]
    for metric, then, now, changed, labels in rows:
        start = f"{metric:<{width}}{then:>10}{now:>10}{changed:>9}  "
        room = style.columns - len(start)
        lines.append(start + (labels if len(labels) <= room else f"{labels[: room - 3]}..."))
    for parts in list_added_and_removed(phrases.report):
        lines += flow(parts, style.columns, between=" ")
    return lines


def render_compact(table: str, layout: TableLayout, phrases: Phrases, style: Style) -> list[str]:
    """Return a line for each series: of each metric the few numbers that matter."""
    series = layout.brief
    metrics = [item.metric for item in series[0].metrics]
    names = [", ".join(printable(value) for _, value in line.labels) for line in series]
    left = max([len(table), *map(len, names)])
    heads, titles = [pad(table, left)], [" " * left]
    widths = []
    for metric in metrics:
        below = compact_titles(metric)
        width = max(len(metric.name), _COMPACT_WIDTH * len(below))
        widths.append(width)
        heads.append(metric.name.rjust(width))
        titles.append(_align_right(below, width))
    lines = []
    if layout.shared:
        lines.append(style.bold(f"{table}    {phrases.coverage(layout.shared)}", len(table)))
        heads[0] = " " * left
    lines += [style.bold("  ".join(heads)), "  ".join(titles)]
    for name, line in zip(names, series, strict=True):
        cells = [
            _align_right(compact_cells(item.metric, item.stats), width)
            for item, width in zip(line.metrics, widths, strict=True)
        ]
        lines.append("  ".join([pad(name, left), *cells]))
        if any(item.before for item in line.metrics):
            changed = [
                _align_right(compact_changes(item), width) for item, width in zip(line.metrics, widths, strict=True)
            ]
            lines.append("  ".join(["  change".ljust(left), *changed]))
        if layout.has_own_coverage(line):
            lines.append(f"  {phrases.coverage(line.coverage)}")
    return lines


def render_ranking(ranking: Ranking, phrases: Phrases, style: Style) -> list[str]:
    """Return who used most of something."""
    title, basis = f"Top by {ranking.metric.name}", phrases.ranking(ranking)
    whole = f"{title}  {basis}"
    lines = [style.bold(whole, len(title))] if len(whole) <= style.columns else [style.bold(title), f"  {basis}"]
    changed = f"{'change':>{_CHANGE_WIDTH}}" if phrases.report.compared else ""
    lines.append(f"{'mean':>11}{changed}{'max':>11}  {'max at':<{8 if phrases.one_day else 11}}  process")
    lines += [_render_group(group, ranking, phrases, format_process(group)) for group in ranking.groups]
    if ranking.rest:
        lines.append(_render_group(ranking.rest, ranking, phrases, OTHERS))
    return lines


def render_alerts(phrases: Phrases, style: Style) -> list[str]:
    """Return every alert of the range; one that is too long for a line goes on below it."""
    alerts = phrases.report.alerts
    lines = [style.bold("Alerts" if alerts else "Alerts: none")]
    for alert in alerts:
        first, *more = flow([f"{alert.level.value.upper():<8}", *phrases.alert(alert)], style.columns, indent=10)
        lines += [style.level(first, alert.level), *more]
    for silence in phrases.report.silences:
        lines += flow(["silenced", silence], style.columns, indent=10)
    return lines


def _render_group(group: RankedGroup, ranking: Ranking, phrases: Phrases, name: str) -> str:
    mean, worst = ranking_cells(group, ranking, ">=")
    changed = f"{format_ranking_change(group, ranking):>{_CHANGE_WIDTH}}" if phrases.report.compared else ""
    return f"{mean:>11}{changed}{worst:>11}  {phrases.when(group.max_at)}  {name}"


def _align_right(texts: tuple[str, ...], width: int) -> str:
    return "".join(f"{text:>{_COMPACT_WIDTH}}" for text in texts).rjust(width)
