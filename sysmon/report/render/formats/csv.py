"""CSV report: a line for each metric of each series, for a spreadsheet or a mail from cron."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise

from sysmon.formats import CONFIGURED_LABELS
from sysmon.formats.csv import encode_line, safe_text
from sysmon.history import Coverage
from sysmon.model import Level, Metric
from sysmon.report.render import Format, RenderOptions
from sysmon.report.summary import MetricSummary, RankedGroup, Ranking, Report, Stats
from sysmon.text.instants import format_instant
from sysmon.text.names import printable

COLUMNS = (
    "hostname",
    *CONFIGURED_LABELS,
    "since",
    "until",
    "table",
    "series",
    "metric",
    "kind",
    "unit",
    "found",
    "expected",
    "interval_seconds",
    "longest_gap_seconds",
    "longest_gap_at",
    "samples",
    "mean",
    "min",
    "p50",
    "p95",
    "p99",
    "max",
    "max_at",
    *(f"{level}_{what}" for level in Level for what in ("limit", "samples", "seconds")),
)
BEFORE = tuple(f"before_{name}" for name in ("samples", "mean", "min", "p50", "p95", "p99", "max"))
"""More columns, where the report is compared with another period."""

TIMES = (*COLUMNS[: COLUMNS.index("found")], "samples", "mean", "min", "max")
"""The columns of a time table: `since` and `until` are those of a line's part of the range."""

_Cell = str | int | float | None


def render(reports: Sequence[Report], _: RenderOptions) -> str:
    """Return a header and the lines of all hosts; instants are in UTC, what is not known is empty."""
    if any(report.edges for report in reports):
        return b"".join(_time_table(reports)).decode()
    compared = any(report.compared for report in reports)
    lines = [encode_line([*COLUMNS, *(BEFORE if compared else ())])]
    for report in reports:
        head = [*_about(report), format_instant(report.since), format_instant(report.until)]
        lines += [encode_line(_safe([*head, *cells])) for cells in _lines(report, compared=compared)]
    return b"".join(lines).decode()


FORMAT = Format(render, audience="for a spreadsheet")


def _time_table(reports: Sequence[Report]) -> Iterator[bytes]:
    yield encode_line(TIMES)
    for report in reports:
        spans = [(format_instant(begin), format_instant(end)) for begin, end in pairwise(report.edges)]
        for table in report.tables:
            for series in table.series:
                for item in series.metrics:
                    what = [table.table.name, _series(series.labels), *_metric(item.metric)]
                    for span, one in zip(spans, item.buckets, strict=True):
                        numbers = [0, None, None, None] if one is None else [one.samples, one.mean, one.min, one.max]
                        yield encode_line(_safe([*_about(report), *span, *what, *numbers]))


def _about(report: Report) -> list[_Cell]:
    return [report.origin.hostname, *(report.origin.labels.get(name) for name in CONFIGURED_LABELS)]


def _lines(report: Report, *, compared: bool) -> Iterator[list[_Cell]]:
    for table in report.tables:
        for series in table.series:
            covered = _coverage(series.coverage)
            for item in series.metrics:
                start = [table.table.name, _series(series.labels), *_metric(item.metric)]
                yield [*start, *covered, *_stats(item.stats), *_limits(item), *_before(item, compared)]
    for ranking in report.rankings:
        for group in (*ranking.groups, *([ranking.rest] if ranking.rest else [])):
            mean = [None, group.before, *([None] * 5)]
            yield [*_group(ranking, group), *(mean if compared else [])]


def _series(labels: Sequence[tuple[str, str]]) -> str | None:
    return ";".join(f"{name}={printable(value)}" for name, value in labels) or None


def _metric(metric: Metric) -> list[_Cell]:
    return [metric.name, metric.kind.value, metric.unit or None]


def _coverage(coverage: Coverage) -> list[_Cell]:
    return [coverage.found, coverage.expected, coverage.interval, coverage.gap, _instant(coverage.gap_at)]


def _stats(stats: Stats | None) -> list[_Cell]:
    if stats is None:
        return [0, *([None] * 7)]
    numbers = [stats.mean, stats.min, stats.p50, stats.p95, stats.p99, stats.max]
    return [stats.samples, *numbers, format_instant(stats.max_at)]


def _limits(item: MetricSummary) -> list[_Cell]:
    """Return of each level the limit that the metric was beyond most often."""
    cells: list[_Cell] = []
    for level in Level:
        ones = [one for one in item.beyond if one.limit.level is level]
        worst = max(ones, key=lambda one: one.samples, default=None)
        told = None if worst is None else f"{worst.limit.sign} {worst.limit.value:g}"
        cells += [None] * 3 if worst is None else [told, worst.samples, worst.seconds]
    return cells


def _before(item: MetricSummary, compared: bool) -> list[_Cell]:
    if not compared:
        return []
    return _stats(item.before)[:-1] if item.before else [None] * len(BEFORE)


def _group(ranking: Ranking, group: RankedGroup) -> list[_Cell]:
    """Return what processes used together: the numbers are lower bounds where fewer were found than expected."""
    start = [ranking.table, _series(group.labels), *_metric(ranking.metric)]
    covered = [group.ticks, ranking.ticks, None, None, None]
    numbers = [group.ticks, group.mean, *([None] * 4), group.max, format_instant(group.max_at)]
    return [*start, *covered, *numbers, *([None] * 3 * len(Level))]


def _instant(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)


def _safe(cells: Sequence[_Cell]) -> list[_Cell]:
    return [safe_text(cell) if isinstance(cell, str) else cell for cell in cells]
