"""Top processes: groups ranked by what they used of the processors, of memory and of the disks; pure."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from math import fsum

from sysmon.history import TRANSIENT_LABELS, AggregatedGroup, AggregatedTable, Coverage, GroupUse, TableHistory
from sysmon.model import Metric, Table
from sysmon.report.summary import RankedGroup, Ranking, drop_missing
from sysmon.text.instants import from_ms

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Use:
    """What groups are ranked by: a metric of the table, or one that several of them add up to."""

    metric: Metric
    parts: tuple[str, ...]


def choose_uses(table: Table, wanted: Callable[[str], bool], *, whole: bool) -> list[Use]:
    """Return what to rank a table by: what has a headline and the totals, or of a part of the metrics all wanted."""
    single = [
        Use(metric, (metric.name,))
        for metric in table.metrics
        if wanted(metric.name) and (not whole or metric.headline is not None)
    ]
    totals = (total for total in table.totals if all(map(wanted, total.parts)))
    return [*single, *(Use(total.metric, total.parts) for total in totals)]


def rank_rows(
    history: TableHistory, use: Use, *, top: int, by: Sequence[str] = (), coverage: Coverage | None = None
) -> Ranking | None:
    """Return who used most: rows of one tick that are equal but for pid and start count as one.

    `by` names the labels that count instead of all others. None for a table without rows.
    """
    table = history.table
    if not history.ticks:
        return None
    columns = [index for index, metric in enumerate(table.metrics) if metric.name in use.parts]
    groups: dict[Labels, _Group] = {}
    for series in history.series:
        labels = dict(zip(table.labels, series.labels, strict=True))
        process = labels.get("pid", ""), labels.get("started", "")
        group = groups.setdefault(_select_labels(labels, process[0], by), _Group())
        for index in columns:
            group.add(process, *drop_missing(series.at, series.column(index)))
    ranked = [group.ranked(labels, len(history.ticks)) for labels, group in groups.items() if group.sums]
    return _build_ranking(table, use, len(history.ticks), ranked, top, coverage)


def rank_aggregates(
    table: AggregatedTable, use: Use, *, top: int, by: Sequence[str] = (), coverage: Coverage | None = None
) -> Ranking | None:
    """Return who used most, from sums: what several groups or metrics used together has a lower bound as maximum."""
    if not table.ticks:
        return None
    groups: dict[Labels, list[AggregatedGroup]] = {}
    for group in table.groups:
        if any(part in group.uses for part in use.parts):
            pid = "-1" if group.pids == {"-1"} else ""
            groups.setdefault(_select_labels(dict(group.labels), pid, by), []).append(group)
    ranked = [_merge_groups(labels, parts, use, len(table.ticks)) for labels, parts in groups.items()]
    return _build_ranking(table.table, use, len(table.ticks), ranked, top, coverage)


def is_rest(group: RankedGroup) -> bool:
    """Say whether a group stands for all processes that are not listed."""
    return group.pids == ("-1",)


def _select_labels(labels: dict[str, str], pid: str, by: Sequence[str]) -> Labels:
    """Return the labels that count; those of all that is unlisted are kept, so that it stays a group of its own."""
    return tuple(
        (name, value)
        for name, value in labels.items()
        if name not in TRANSIENT_LABELS and _is_grouped_by(name, pid, by)
    )


def _is_grouped_by(name: str, pid: str, by: Sequence[str]) -> bool:
    return not by or name in by or pid == "-1"


def _build_ranking(
    table: Table, use: Use, ticks: int, ranked: Iterable[RankedGroup], top: int, coverage: Coverage | None
) -> Ranking:
    groups = sorted(ranked, key=lambda group: -group.mean)
    rest = next((group for group in groups if is_rest(group)), None)
    listed = tuple(group for group in groups if group is not rest and group.max > 0)  # who used none is not among them
    return Ranking(table.name, use.metric, ticks, listed[:top], rest, coverage)


def _merge_groups(labels: Labels, groups: Sequence[AggregatedGroup], use: Use, ticks: int) -> RankedGroup:
    uses: list[GroupUse] = [group.uses[part] for group in groups for part in use.parts if part in group.uses]
    highest = max(uses, key=lambda usage: (usage.high, -usage.high_at))
    return RankedGroup(
        labels=labels,
        pids=tuple(sorted(frozenset[str]().union(*(group.pids for group in groups)))),
        ticks=max(usage.ticks for usage in uses),
        mean=fsum(usage.total for usage in uses) / ticks,
        max=highest.high,
        max_at=from_ms(highest.high_at),
        bounded=len(uses) > 1,
    )


class _Group:
    """Adds up the rows of several processes tick by tick."""

    def __init__(self) -> None:
        self.sums: dict[int, float] = {}
        self._processes: set[tuple[str, str]] = set()

    def add(self, process: tuple[str, str], at: Sequence[int], values: "array[float]") -> None:
        if len(values):
            self._processes.add(process)
        for ms, value in zip(at, values, strict=True):
            self.sums[ms] = self.sums.get(ms, 0.0) + value

    def ranked(self, labels: Labels, ticks: int) -> RankedGroup:
        peak = max(self.sums.values())
        return RankedGroup(
            labels=labels,
            pids=tuple(sorted({pid for pid, _ in self._processes})),
            ticks=len(self.sums),
            mean=fsum(self.sums.values()) / ticks,
            max=peak,
            max_at=from_ms(next(ms for ms, value in self.sums.items() if value == peak)),
        )
