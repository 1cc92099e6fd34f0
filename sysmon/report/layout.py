"""Layout of a table: which series deserve a block, which a line, and which share one? The same for every format."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sysmon.history import Coverage
from sysmon.model import Kind, Metric, Unit
from sysmon.report.render.changes import format_change
from sysmon.report.render.phrases import is_exceeded
from sysmon.report.summary import MetricSummary, SeriesSummary, Stats, TableSummary
from sysmon.text.units import cell

_CROWD = 12
_MANY = 4
"""So many quiet groups of incomplete coverage have a line each; more are devices that come and go."""


@dataclass(frozen=True, slots=True)
class TableLayout:
    """How a table is told: series in full, in a line each, and those in which nothing happened, by coverage.

    Where many of the latter came and went, these are one group of several coverages. `usual` is the coverage that need
    not be repeated at each line of `brief`. `crowded` says that those in full are too many for blocks of their own.
    """

    full: tuple[SeriesSummary, ...]
    brief: tuple[SeriesSummary, ...]
    quiet: tuple[tuple[tuple[Coverage, ...], tuple[SeriesSummary, ...]], ...]
    usual: Coverage | None
    crowded: bool = False

    @property
    def shared(self) -> Coverage | None:
        """Return what is to be said above the lines of `brief`: a coverage that leaves something to be desired."""
        usual = self.usual
        return usual if usual is not None and not self.full and usual.found < usual.expected else None

    def has_own_coverage(self, series: SeriesSummary) -> bool:
        """Say whether a line of `brief` has a coverage of its own to tell."""
        coverage = series.coverage
        return coverage != self.usual and coverage.found < coverage.expected


def lay_out(table: TableSummary) -> TableLayout:
    """Decide how each series of a table is told."""
    quiet = [series for series in table.series if _is_quiet(series)]
    moved = [series for series in table.series if series not in quiet]
    in_lines = table.brief or table.table.compact
    full = tuple(series for series in moved if not in_lines or _is_whole(table, series))
    brief = tuple(series for series in moved if series not in full)
    alike = Counter(series.coverage for series in full[:1] or brief)
    usual = alike.most_common(1)[0][0] if alike else None
    return TableLayout(full, brief, tuple(_group_by_coverage(quiet)), usual, table.general and len(full) > _CROWD)


def has_trend(item: MetricSummary) -> bool:
    """Say whether a metric has something to show: it had more than one value, was beyond a limit, or is new so."""
    stats, before = item.stats, item.before
    if stats is None:
        return False
    return stats.min != stats.max or is_exceeded(item) or (before is not None and before.mean != stats.mean)


def compact_titles(metric: Metric) -> tuple[str, ...]:
    """Return what is told of a metric where a series has one line."""
    if metric.kind is Kind.COUNT:
        return ("total",)
    return ("share",) if metric.unit is Unit.YES_OR_NO else ("mean", "p95", "max")


def compact_cells(metric: Metric, stats: Stats | None) -> tuple[str, ...]:
    """Return the cells below these titles."""
    if stats is None:
        return ("-",) * len(compact_titles(metric))
    if metric.kind is Kind.COUNT:
        return (cell(round(stats.mean * stats.samples), metric.unit),)
    if metric.unit is Unit.YES_OR_NO:
        # Rounded down, as coverage is.
        return (f"{int(1000 * stats.mean) / 10:g} %",)
    return tuple(cell(value, metric.unit) for value in (stats.mean, stats.p95 if stats.has_tail else None, stats.max))


def compact_changes(item: MetricSummary) -> tuple[str, ...]:
    """Return how each of these cells changed; empty where there is nothing to compare with."""
    metric, stats, before = item.metric, item.stats, item.before
    if stats is None or before is None:
        return ("",) * len(compact_titles(metric))
    if metric.kind is Kind.COUNT:
        return (format_change(metric, round(before.mean * before.samples), round(stats.mean * stats.samples)),)
    if metric.unit is Unit.YES_OR_NO:
        return (format_change(metric, before.mean, stats.mean),)
    tail = format_change(metric, before.p95, stats.p95) if before.has_tail and stats.has_tail else ""
    return format_change(metric, before.mean, stats.mean), tail, format_change(metric, before.max, stats.max)


def _is_quiet(series: SeriesSummary) -> bool:
    still = (item.stats is None or item.stats.min == item.stats.max == 0 for item in series.metrics)
    return all(still) and not any(map(has_trend, series.metrics))


def _is_whole(table: TableSummary, series: SeriesSummary) -> bool:
    return table.table.whole is not None and series.labels[0][1] == table.table.whole


def _group_by_coverage(
    quiet: Sequence[SeriesSummary],
) -> Iterator[tuple[tuple[Coverage, ...], tuple[SeriesSummary, ...]]]:
    coverages = list(dict.fromkeys(series.coverage for series in quiet))
    passing = [coverage for coverage in coverages if coverage.found < coverage.expected]
    together = frozenset(passing) if len(passing) > _MANY else frozenset[Coverage]()
    for coverage in coverages:
        if coverage not in together:
            yield (coverage,), tuple(series for series in quiet if series.coverage == coverage)
    if together:
        yield tuple(passing), tuple(series for series in quiet if series.coverage in together)
