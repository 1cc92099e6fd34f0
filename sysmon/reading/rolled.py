"""Sums up the rows of a table over some time, and puts such sums together; pure."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import compress
from math import fsum, isnan

from sysmon.digest import Digest, digest, merged
from sysmon.history import GroupUse, RolledGroup, RolledSeries, RolledTable, Series, TableHistory
from sysmon.model import Origin, Table
from sysmon.ticks import Run, folded, unfolded

PASSING = frozenset({"pid", "started"})
"""Labels that tell apart what comes and goes; rows that are equal but for these count as one."""

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SeriesSum:
    """One series over some time: its instants folded, and the digests of its metrics by name."""

    labels: Mapping[str, str]
    ticks: tuple[Run, ...]
    metrics: Mapping[str, Digest]


@dataclass(frozen=True, slots=True)
class TableSum:
    """A table over some time; `ticks` are its instants folded.

    `sources` are the stems of the segments it was made of, `skipped` counts what could not be read in them.
    """

    origin: Origin | None
    ticks: tuple[Run, ...]
    series: Sequence[SeriesSum] = ()
    groups: Sequence[RolledGroup] = ()
    sources: frozenset[str] = frozenset()
    skipped: int = 0


def sum_up(history: TableHistory, sources: Iterable[str] = (), skipped: int = 0) -> TableSum:
    """Return the sum of rows."""
    table = history.table
    return TableSum(
        history.origin,
        tuple(folded(history.ticks)),
        series=tuple(_series(one, table) for one in history.series) if table.series else (),
        groups=() if table.series else tuple(_groups(history)),
        sources=frozenset(sources),
        skipped=skipped,
    )


def sum_of(parts: Sequence[TableSum], table: Table) -> TableSum:
    """Return the sum of sums, given in order of time."""
    joined = join(parts, table, sources=())
    series = [
        SeriesSum(
            dict(zip(table.labels, one.labels, strict=True)),
            tuple(folded(one.at)),
            {metric.name: found for metric, found in zip(table.metrics, one.digests, strict=True) if found is not None},
        )
        for one in joined.series
    ]
    return TableSum(
        joined.origin,
        tuple(folded(joined.ticks)),
        series,
        joined.groups,
        frozenset().union(*(part.sources for part in parts)),
        sum(part.skipped for part in parts),
    )


def join(parts: Sequence[TableSum], table: Table, *, sources: tuple[str, ...]) -> RolledTable:
    """Return a table over all parts, given in order of time."""
    shared: dict[tuple[Run, ...], array[int]] = {}
    by_labels: dict[tuple[str, ...], _Parts] = {}
    for part in parts:
        for one in part.series:
            labels = tuple(one.labels.get(name) or "-" for name in table.labels)
            by_labels.setdefault(labels, _Parts()).add(one)
    names = [metric.name for metric in table.metrics]
    return RolledTable(
        table=table,
        origin=next((part.origin for part in reversed(parts) if part.origin is not None), None),
        ticks=_instants(tuple(run for part in parts for run in part.ticks), shared),
        series=[
            RolledSeries(
                labels, _instants(tuple(one.ticks), shared), [merged(one.metrics.get(name, ())) for name in names]
            )
            for labels, one in by_labels.items()
        ],
        groups=_merged_groups(group for part in parts for group in part.groups),
        sources=sources,
    )


@dataclass(slots=True)
class _Parts:
    """What the parts have of one series."""

    ticks: list[Run] = field(default_factory=list)
    metrics: dict[str, list[Digest]] = field(default_factory=dict)

    def add(self, one: SeriesSum) -> None:
        self.ticks += one.ticks
        for name, found in one.metrics.items():
            self.metrics.setdefault(name, []).append(found)

    def digests(self, names: Iterable[str]) -> list[Digest | None]:
        return [merged(self.metrics.get(name, ())) for name in names]


def _instants(runs: tuple[Run, ...], shared: "dict[tuple[Run, ...], array[int]]") -> "array[int]":
    if runs not in shared:
        instants = unfolded(runs)
        shared[runs] = instants
    return shared[runs]


def _series(series: Series, table: Table) -> SeriesSum:
    metrics = {}
    for index, metric in enumerate(table.metrics):
        found = digest(*_present(series.at, series.column(index)))
        if found is not None:
            metrics[metric.name] = found
    labels = dict(zip(table.labels, series.labels, strict=True))
    return SeriesSum(labels, tuple(folded(sorted(series.at))), metrics)


def _present(at: Sequence[int], values: "array[float]") -> "tuple[Sequence[int], array[float]]":
    if not isnan(sum(values)):
        return at, values
    there = [value == value for value in values]
    return list(compress(at, there)), array("d", compress(values, there))


def _groups(history: TableHistory) -> list[RolledGroup]:
    table = history.table
    sums: dict[Labels, dict[str, dict[int, float]]] = {}
    pids: dict[Labels, set[str]] = {}
    for series in history.series:
        named = dict(zip(table.labels, series.labels, strict=True))
        group = tuple((name, value) for name, value in named.items() if name not in PASSING)
        pids.setdefault(group, set()).add(named.get("pid", ""))
        metrics = sums.setdefault(group, {})
        for index, metric in enumerate(table.metrics):
            at, values = _present(series.at, series.column(index))
            by_tick = metrics.setdefault(metric.name, {})
            for ms, value in zip(at, values, strict=True):
                by_tick[ms] = by_tick.get(ms, 0.0) + value
    return [
        RolledGroup(labels, frozenset(pids[labels]), {name: _use(found) for name, found in metrics.items() if found})
        for labels, metrics in sums.items()
    ]


def _use(by_tick: Mapping[int, float]) -> GroupUse:
    high = max(by_tick.values())
    return GroupUse(len(by_tick), fsum(by_tick.values()), high, min(ms for ms in by_tick if by_tick[ms] == high))


def _merged_groups(groups: Iterable[RolledGroup]) -> list[RolledGroup]:
    by_labels: dict[Labels, list[RolledGroup]] = {}
    for group in groups:
        by_labels.setdefault(group.labels, []).append(group)
    return [_merged_group(labels, found) for labels, found in by_labels.items()]


def _merged_group(labels: Labels, groups: Sequence[RolledGroup]) -> RolledGroup:
    if len(groups) == 1:
        return groups[0]
    uses: dict[str, list[GroupUse]] = {}
    for group in groups:
        for name, use in group.uses.items():
            uses.setdefault(name, []).append(use)
    return RolledGroup(
        labels,
        frozenset().union(*(group.pids for group in groups)),
        {name: _merged_use(found) for name, found in uses.items()},
    )


def _merged_use(uses: Sequence[GroupUse]) -> GroupUse:
    high = max(use.high for use in uses)
    return GroupUse(
        sum(use.ticks for use in uses),
        fsum(use.total for use in uses),
        high,
        min(use.high_at for use in uses if use.high == high),
    )
