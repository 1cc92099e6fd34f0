"""The parts of a text report that tell one thing a line: what counts at a glance, small tables, processes, alerts."""

from collections.abc import Iterator

from sysmon.report.layout import Layout, digest, digest_changes, digest_titles
from sysmon.report.render.changes import come_and_gone, glance_change, largest, ranked_change
from sysmon.report.render.phrases import OTHERS, Words, glance_cells, process_name, ranked_cells
from sysmon.report.render.style import Style
from sysmon.report.summary import RankedGroup, Ranking
from sysmon.text.cells import cut_front, flow, pad, width_of
from sysmon.text.names import printable
from sysmon.thresholds import worst_level

_WHAT = 15
_VALUE = 12
_DIGEST = 9
_CHANGE = 9


def glance(words: Words, style: Style) -> list[str]:
    """Return what a person wants to know first."""
    items = words.report.glance
    if not items:
        return []
    room = style.columns - _WHAT - 2 * _VALUE - _CHANGE - 2 - len("11-20 12:00")
    subjects = [cut_front(printable(item.subject), room, "...") for item in items]
    width = max(map(width_of, subjects))
    heading = "At a glance".ljust(_WHAT + width)
    compared = words.report.compared is not None
    titles = f"{'mean':>{_VALUE}}{'change' if compared else '':>{_CHANGE * compared}}{'worst':>{_VALUE}}  at"
    lines = [style.bold(f"{heading}{titles}")]
    for item, subject in zip(items, subjects, strict=True):
        mean, worst = glance_cells(item)
        changed = glance_change(item) if compared else ""
        levels = [None if value is None else worst_level(item.limits, value) for value in (item.mean, item.worst)]
        mean, worst = (style.cell(text, _VALUE, level) for text, level in zip((mean, worst), levels, strict=True))
        cells = f"{mean}{changed:>{_CHANGE * compared}}{worst}"
        lines.append(f"{item.what:<{_WHAT}}{pad(subject, width)}{cells}  {words.when(item.at)}")
    return [*lines, *_alerts_at_a_glance(words, style)]


def _alerts_at_a_glance(words: Words, style: Style) -> Iterator[str]:
    if not words.report.alerts:
        yield f"{'alerts':<{_WHAT}}none"
    what = "alerts"
    for count, worst in words.alerts_at_a_glance():
        start = f"{what:<{_WHAT}}{count:<10}"
        rule, *more = words.alert_begun(worst)
        first, *rest = flow([f"{start}{worst.level.value.upper()} {rule}", *more], style.columns, indent=_WHAT + 2)
        yield start + style.level(first[len(start) :], worst.level)
        yield from rest
        what = ""


def changes(words: Words, style: Style) -> list[str]:
    """Return the largest changes, where the report is compared with another period."""
    rows = largest(words.report)
    if not rows:
        return []
    width = max(len(row[0]) for row in rows)
    lines = [style.bold(f"{'Largest changes':<{width}}{'then':>10}{'now':>10}{'change':>9}")]
    for metric, then, now, changed, labels in rows:
        start = f"{metric:<{width}}{then:>10}{now:>10}{changed:>9}  "
        room = style.columns - len(start)
        lines.append(start + (labels if len(labels) <= room else f"{labels[: room - 3]}..."))
    for parts in come_and_gone(words.report):
        lines += flow(parts, style.columns, between=" ")
    return lines


def compact(table: str, layout: Layout, words: Words, style: Style) -> list[str]:
    """Return a line for each series: of each metric the few numbers that matter."""
    series = layout.brief
    metrics = [item.metric for item in series[0].metrics]
    names = [", ".join(printable(value) for _, value in one.labels) for one in series]
    left = max([len(table), *map(len, names)])
    heads, titles = [table.ljust(left)], [" " * left]
    widths = []
    for metric in metrics:
        below = digest_titles(metric)
        width = max(len(metric.name), _DIGEST * len(below))
        widths.append(width)
        heads.append(metric.name.rjust(width))
        titles.append(_right(below, width))
    lines = []
    if layout.shared:
        lines.append(style.bold(f"{table}    {words.coverage(layout.shared)}", len(table)))
        heads[0] = " " * left
    lines += [style.bold("  ".join(heads)), "  ".join(titles)]
    for name, one in zip(names, series, strict=True):
        cells = [
            _right(digest(item.metric, item.stats), width) for item, width in zip(one.metrics, widths, strict=True)
        ]
        lines.append("  ".join([name.ljust(left), *cells]))
        if any(item.before for item in one.metrics):
            changed = [_right(digest_changes(item), width) for item, width in zip(one.metrics, widths, strict=True)]
            lines.append("  ".join(["  change".ljust(left), *changed]))
        if layout.is_told(one):
            lines.append(f"  {words.coverage(one.coverage)}")
    return lines


def ranking(found: Ranking, words: Words, style: Style) -> list[str]:
    """Return who used most of something."""
    title, told = f"Top by {found.metric.name}", words.ranking(found)
    whole = f"{title}  {told}"
    lines = [style.bold(whole, len(title))] if len(whole) <= style.columns else [style.bold(title), f"  {told}"]
    changed = f"{'change':>{_CHANGE}}" if words.report.compared else ""
    lines.append(f"{'mean':>11}{changed}{'max':>11}  {'max at':<{8 if words.one_day else 11}}  process")
    lines += [_group(group, found, words, process_name(group)) for group in found.groups]
    if found.rest:
        lines.append(_group(found.rest, found, words, OTHERS))
    return lines


def alerts(words: Words, style: Style) -> list[str]:
    """Return every alert of the range; one that is too long for a line goes on below it."""
    found = words.report.alerts
    lines = [style.bold("Alerts" if found else "Alerts: none")]
    for alert in found:
        first, *more = flow([f"{alert.level.value.upper():<8}", *words.alert(alert)], style.columns, indent=10)
        lines += [style.level(first, alert.level), *more]
    for silence in words.report.silences:
        lines += flow(["silenced", silence], style.columns, indent=10)
    return lines


def _group(group: RankedGroup, found: Ranking, words: Words, name: str) -> str:
    mean, worst = ranked_cells(group, found, ">=")
    changed = f"{ranked_change(group, found):>{_CHANGE}}" if words.report.compared else ""
    return f"{mean:>11}{changed}{worst:>11}  {words.when(group.max_at)}  {name}"


def _right(texts: tuple[str, ...], width: int) -> str:
    return "".join(f"{text:>{_DIGEST}}" for text in texts).rjust(width)
