"""What does somebody need to know in five seconds? The worst of each resource, and when that was."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sysmon.model import Kind, Metric
from sysmon.report.render.phrases import process_name
from sysmon.report.summary import GlanceItem, Ranking, Stats, TableSummary
from sysmon.thresholds import Limit


@dataclass(frozen=True, slots=True)
class _Look:
    """Where to look: of all series the one with the worst value is told; a `rare` one only if it is not 0."""

    what: str
    metric: str
    rare: bool = False


_LOOKS = (
    _Look("CPU", "cpu_usage_percent"),
    _Look("CPU throttled", "cgroup_throttled_percent", rare=True),
    _Look("memory", "memory_usage_percent"),
    _Look("swap", "swap_usage_percent", rare=True),
    _Look("OOM kills", "oom_kills", rare=True),
    _Look("busiest disk", "disk_io_util_percent"),
    _Look("fullest mount", "disk_usage_percent"),
    _Look("network in", "network_receive_bytes_per_second"),
    _Look("network out", "network_transmit_bytes_per_second"),
)
LOOKED_AT = tuple(look.metric for look in _LOOKS)
"""The metrics that tell most of their tables."""

_TOP = {
    "process_cpu_percent": "top by CPU",
    "process_memory_bytes": "top by memory",
    "process_io_bytes_per_second": "top by I/O",
}


def glance(tables: Sequence[TableSummary], rankings: Iterable[Ranking]) -> tuple[GlanceItem, ...]:
    """Return a line for each resource that the tables know."""
    return (*_resources(tables), *_processes(rankings))


def _resources(tables: Sequence[TableSummary]) -> Iterator[GlanceItem]:
    for look in _LOOKS:
        found = [one for table in tables for one in _stats(table, look.metric)]
        if not found:
            continue
        subject, metric, stats, limits = max(found, key=lambda one: (one[2].max, one[2].mean))
        if stats.max == 0:
            if look.rare:
                continue
            subject = ""  # none of them is the busiest
        if metric.kind is Kind.COUNT:
            total = round(stats.mean * stats.samples)
            yield GlanceItem(look.what, subject, metric, None, total, stats.max_at, limits=limits)
        else:
            yield GlanceItem(look.what, subject, metric, stats.mean, stats.max, stats.max_at, limits=limits)


def _stats(table: TableSummary, name: str) -> Iterator[tuple[str, Metric, Stats, tuple[Limit, ...]]]:
    """Yield what each series, or the one that stands for all of them, says of a metric."""
    whole = table.table.whole
    for series in table.series:
        first = series.labels[0][1] if series.labels else ""
        if whole is not None and first != whole:
            continue
        for item in series.metrics:
            if item.metric.name == name and item.stats is not None:
                limits = tuple(one.limit for one in item.beyond)
                yield first if whole is None else "", item.metric, item.stats, limits


def _processes(rankings: Iterable[Ranking]) -> Iterator[GlanceItem]:
    for ranking in rankings:
        if ranking.metric.name in _TOP and ranking.groups:
            first = ranking.groups[0]
            subject = process_name(first).split("  ")[0]
            yield GlanceItem(_TOP[ranking.metric.name], subject, ranking.metric, first.mean, first.max, first.max_at)
