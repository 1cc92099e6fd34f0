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
    *(f"{level}_{field}" for level in Level for field in ("limit", "samples", "seconds")),
)
BEFORE = tuple(f"before_{name}" for name in ("samples", "mean", "min", "p50", "p95", "p99", "max"))
"""More columns, where the report is compared with another period."""

BUCKET_COLUMNS = (*COLUMNS[: COLUMNS.index("found")], "samples", "mean", "min", "max")
"""The columns of a time table: `since` and `until` are those of a line's part of the range."""

_Cell = str | int | float | None


def render(reports: Sequence[Report], _: RenderOptions) -> str:
    """Return a header and the lines of all hosts; instants are in UTC, what is not known is empty."""
    if any(report.edges for report in reports):
        return b"".join(_bucket_lines(reports)).decode()
    compared = any(report.compared for report in reports)
    lines = [encode_line([*COLUMNS, *(BEFORE if compared else ())])]
    for report in reports:
        head = [*_origin_cells(report), format_instant(report.since), format_instant(report.until)]
        lines += [encode_line(_escape([*head, *cells])) for cells in _lines(report, compared=compared)]
    return b"".join(lines).decode()


FORMAT = Format(render, audience="for a spreadsheet", complete=True)


def _bucket_lines(reports: Sequence[Report]) -> Iterator[bytes]:
    yield encode_line(BUCKET_COLUMNS)
    for report in reports:
        spans = [(format_instant(begin), format_instant(end)) for begin, end in pairwise(report.edges)]
        for table in report.tables:
            for series in table.series:
                for item in series.metrics:
                    start = [table.table.name, _join_labels(series.labels), *_metric_cells(item.metric)]
                    for span, bucket in zip(spans, item.buckets, strict=True):
                        numbers = (
                            [0, None, None, None]
                            if bucket is None
                            else [bucket.samples, bucket.mean, bucket.min, bucket.max]
                        )
                        yield encode_line(_escape([*_origin_cells(report), *span, *start, *numbers]))


def _origin_cells(report: Report) -> list[_Cell]:
    return [report.origin.hostname, *(report.origin.labels.get(name) for name in CONFIGURED_LABELS)]


def _lines(report: Report, *, compared: bool) -> Iterator[list[_Cell]]:
    for table in report.tables:
        for series in table.series:
            covered = _coverage_cells(series.coverage)
            for item in series.metrics:
                start = [table.table.name, _join_labels(series.labels), *_metric_cells(item.metric)]
                yield [*start, *covered, *_stats_cells(item.stats), *_limit_cells(item), *_before_cells(item, compared)]
    for ranking in report.rankings:
        for group in (*ranking.groups, *([ranking.rest] if ranking.rest else [])):
            mean = [None, group.before, *([None] * 5)]
            yield [*_ranking_cells(ranking, group), *(mean if compared else [])]


def _join_labels(labels: Sequence[tuple[str, str]]) -> str | None:
    return ";".join(f"{name}={printable(value)}" for name, value in labels) or None


def _metric_cells(metric: Metric) -> list[_Cell]:
    return [metric.name, metric.kind.value, metric.unit or None]


def _coverage_cells(coverage: Coverage) -> list[_Cell]:
    return [coverage.found, coverage.expected, coverage.interval, coverage.gap, _format_time(coverage.gap_at)]


def _stats_cells(stats: Stats | None) -> list[_Cell]:
    if stats is None:
        return [0, *([None] * 7)]
    numbers = [stats.mean, stats.min, stats.p50, stats.p95, stats.p99, stats.max]
    return [stats.samples, *numbers, format_instant(stats.max_at)]


def _limit_cells(item: MetricSummary) -> list[_Cell]:
    """Return of each level the limit that the metric was beyond most often."""
    cells: list[_Cell] = []
    for level in Level:
        ones = [beyond for beyond in item.beyond if beyond.limit.level is level]
        worst = max(ones, key=lambda beyond: beyond.samples, default=None)
        limit = None if worst is None else f"{worst.limit.sign} {worst.limit.value:g}"
        cells += [None] * 3 if worst is None else [limit, worst.samples, worst.seconds]
    return cells


def _before_cells(item: MetricSummary, compared: bool) -> list[_Cell]:
    if not compared:
        return []
    return _stats_cells(item.before)[:-1] if item.before else [None] * len(BEFORE)


def _ranking_cells(ranking: Ranking, group: RankedGroup) -> list[_Cell]:
    """Return what processes used together: the numbers are lower bounds where fewer were found than expected."""
    start = [ranking.table, _join_labels(group.labels), *_metric_cells(ranking.metric)]
    covered = [group.ticks, ranking.ticks, None, None, None]
    numbers = [group.ticks, group.mean, *([None] * 4), group.max, format_instant(group.max_at)]
    return [*start, *covered, *numbers, *([None] * 3 * len(Level))]


def _format_time(at: datetime | None) -> str | None:
    return None if at is None else format_instant(at)


def _escape(cells: Sequence[_Cell]) -> list[_Cell]:
    return [safe_text(cell) if isinstance(cell, str) else cell for cell in cells]
