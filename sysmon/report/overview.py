"""Overview: key numbers of a range. The worst of each resource, and when that was."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sysmon.model import Headline, Kind, Metric
from sysmon.report.render.phrases import format_process
from sysmon.report.summary import OverviewItem, Ranking, Stats, TableSummary
from sysmon.thresholds import Threshold


@dataclass(frozen=True, slots=True)
class _HeadlineStats:
    """What one series says of a metric with a headline; `subject` is empty for the one that stands for all."""

    subject: str
    metric: Metric
    stats: Stats
    limits: tuple[Threshold, ...]


def build_overview(tables: Sequence[TableSummary], rankings: Iterable[Ranking]) -> tuple[OverviewItem, ...]:
    """Return a line for each resource that the tables know."""
    return (*_list_resources(tables), *_list_processes(rankings))


def _list_resources(tables: Sequence[TableSummary]) -> Iterator[OverviewItem]:
    by_headline: dict[Headline, list[_HeadlineStats]] = {}
    for table in tables:
        for headline, series in _list_headlines(table):
            by_headline.setdefault(headline, []).append(series)
    for headline in sorted(by_headline, key=lambda each: each.order):
        worst = max(by_headline[headline], key=lambda candidate: (candidate.stats.max, candidate.stats.mean))
        subject, metric, stats = worst.subject, worst.metric, worst.stats
        if stats.max == 0:
            if headline.rare:
                continue
            subject = ""  # none of them is the busiest
        is_count = metric.kind is Kind.COUNT
        mean, high = (None, round(stats.mean * stats.samples)) if is_count else (stats.mean, stats.max)
        yield OverviewItem(headline.title, subject, metric, mean, high, stats.max_at, limits=worst.limits)


def _list_headlines(table: TableSummary) -> Iterator[tuple[Headline, _HeadlineStats]]:
    """Yield what each series, or the one that stands for all of them, says of the metrics that have a headline."""
    whole = table.table.whole
    for series in table.series:
        first = series.labels[0][1] if series.labels else ""
        if whole is not None and first != whole:
            continue
        for item in series.metrics:
            if item.metric.headline is not None and item.stats is not None:
                limits = tuple(beyond.limit for beyond in item.beyond)
                subject = first if whole is None else ""
                yield item.metric.headline, _HeadlineStats(subject, item.metric, item.stats, limits)


def _list_processes(rankings: Iterable[Ranking]) -> Iterator[OverviewItem]:
    for ranking in rankings:
        headline = ranking.metric.headline
        if headline is not None and ranking.groups:
            first = ranking.groups[0]
            subject = format_process(first).split("  ")[0]
            yield OverviewItem(headline.title, subject, ranking.metric, first.mean, first.max, first.max_at)
