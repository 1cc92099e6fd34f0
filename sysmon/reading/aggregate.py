"""Aggregation: the rows of a table over some time as digests, which merge without loss; pure."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from math import fsum, isnan

from sysmon.history import (
    TRANSIENT_LABELS,
    AggregatedGroup,
    AggregatedSeries,
    AggregatedTable,
    GroupUse,
    Series,
    TableHistory,
)
from sysmon.model import Origin, Table
from sysmon.stats.digest import Digest, DigestMerger, digest
from sysmon.stats.tick_runs import TickRun, TickRuns, encode_runs

MINUTE = 60_000

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SeriesAggregate:
    """One series over some time: its instants folded, and the digests of its metrics by name."""

    labels: Mapping[str, str]
    ticks: tuple[TickRun, ...]
    metrics: Mapping[str, Digest]


@dataclass(frozen=True, slots=True)
class TableAggregate:
    """A table over some time; `ticks` are its instants folded.

    `sources` are the stems of the segments it was made of, `skipped` counts what could not be read in them.
    """

    origin: Origin | None
    ticks: tuple[TickRun, ...]
    series: Sequence[SeriesAggregate] = ()
    groups: Sequence[AggregatedGroup] = ()
    sources: frozenset[str] = frozenset()
    skipped: int = 0


def aggregate(history: TableHistory, sources: Iterable[str] = (), skipped: int = 0) -> TableAggregate:
    """Return the sum of rows."""
    table = history.table
    return TableAggregate(
        history.origin,
        tuple(encode_runs(history.ticks)),
        series=tuple(_aggregate_series(series, table) for series in history.series) if table.series else (),
        groups=() if table.series else tuple(_aggregate_groups(history)),
        sources=frozenset(sources),
        skipped=skipped,
    )


def merge_aggregates(parts: Iterable[TableAggregate], table: Table) -> TableAggregate:
    """Return the sum of sums."""
    merger = AggregateMerger(table)
    for part in parts:
        merger.add(part)
    merged = merger.result(())
    names = [metric.name for metric in table.metrics]
    return TableAggregate(
        merged.origin,
        merged.ticks.runs,
        tuple(
            SeriesAggregate(
                dict(zip(table.labels, series.labels, strict=True)),
                series.at.runs,
                {name: summary for name, summary in zip(names, series.digests, strict=True) if summary is not None},
            )
            for series in merged.series
        ),
        tuple(merged.groups),
        merger.sources,
        merger.skipped,
    )


def split_by_minute(history: TableHistory) -> Iterator[TableHistory]:
    """Yield the rows of each minute that has any, in order."""
    minutes: dict[int, dict[int, Series]] = {}
    for number, series in enumerate(history.series):
        width = len(series.block) // len(series.at)
        for row, ms in enumerate(series.at):
            series_of_minute = minutes.setdefault(ms // MINUTE, {})
            part = series_of_minute.setdefault(number, Series(series.labels))
            part.at.append(ms)
            part.block.extend(series.block[row * width : (row + 1) * width])
    for _, parts in sorted(minutes.items()):
        ticks = array("q", sorted({ms for series in parts.values() for ms in series.at}))
        yield TableHistory(history.table, history.origin, ticks, [parts[number] for number in sorted(parts)])


class AggregateMerger:
    """Puts the sums of parts together, in any order, and holds no more than their sum."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._names = [metric.name for metric in table.metrics]
        self._ticks: list[TickRun] = []
        self._series: dict[tuple[str, ...], _SeriesMerger] = {}
        self._groups: dict[Labels, AggregatedGroup] = {}
        self._origin: tuple[int, Origin] | None = None
        self.sources: frozenset[str] = frozenset()
        self.skipped = 0

    def add(self, part: TableAggregate) -> None:
        """Take one in."""
        self._ticks += part.ticks
        self.sources |= part.sources
        self.skipped += part.skipped
        if part.origin is not None and part.ticks and (self._origin is None or part.ticks[0][0] > self._origin[0]):
            self._origin = (part.ticks[0][0], part.origin)
        for series in part.series:
            labels = tuple(series.labels.get(name) or "-" for name in self._table.labels)
            self._series.setdefault(labels, _SeriesMerger()).add(series)
        for group in part.groups:
            before = self._groups.get(group.labels)
            self._groups[group.labels] = group if before is None else _merge_groups(before, group)

    def result(self, sources: tuple[str, ...]) -> AggregatedTable:
        """Return the table over all parts; `sources` says what kinds of files they came from."""
        return AggregatedTable(
            table=self._table,
            origin=None if self._origin is None else self._origin[1],
            ticks=TickRuns(sorted(self._ticks)),
            series=[
                AggregatedSeries(labels, TickRuns(sorted(series.ticks)), series.digests(self._names))
                for labels, series in self._series.items()
            ],
            groups=list(self._groups.values()),
            sources=sources,
        )


class _SeriesMerger:
    """What the parts have of one series."""

    def __init__(self) -> None:
        self.ticks: list[TickRun] = []
        self._metrics: dict[str, DigestMerger] = {}

    def add(self, series: SeriesAggregate) -> None:
        self.ticks += series.ticks
        for name, summary in series.metrics.items():
            self._metrics.setdefault(name, DigestMerger()).add(summary)

    def digests(self, names: Iterable[str]) -> list[Digest | None]:
        return [self._metrics[name].result() if name in self._metrics else None for name in names]


def _aggregate_series(series: Series, table: Table) -> SeriesAggregate:
    metrics = {}
    for index, metric in enumerate(table.metrics):
        summary = digest(*_drop_missing(series.at, series.column(index)))
        if summary is not None:
            metrics[metric.name] = summary
    labels = dict(zip(table.labels, series.labels, strict=True))
    return SeriesAggregate(labels, tuple(encode_runs(sorted(series.at))), metrics)


def _drop_missing(at: Sequence[int], values: "array[float]") -> "tuple[Sequence[int], array[float]]":
    if not isnan(sum(values)):
        return at, values
    there = [value == value for value in values]
    return list(compress(at, there)), array("d", compress(values, there))


def _aggregate_groups(history: TableHistory) -> list[AggregatedGroup]:
    table = history.table
    sums: dict[Labels, dict[str, dict[int, float]]] = {}
    pids: dict[Labels, set[str]] = {}
    for series in history.series:
        named = dict(zip(table.labels, series.labels, strict=True))
        group = tuple((name, value) for name, value in named.items() if name not in TRANSIENT_LABELS)
        pids.setdefault(group, set()).add(named.get("pid", ""))
        metrics = sums.setdefault(group, {})
        for index, metric in enumerate(table.metrics):
            at, values = _drop_missing(series.at, series.column(index))
            by_tick = metrics.setdefault(metric.name, {})
            for ms, value in zip(at, values, strict=True):
                by_tick[ms] = by_tick.get(ms, 0.0) + value
    return [
        AggregatedGroup(
            labels,
            frozenset(pids[labels]),
            {name: _aggregate_use(by_tick) for name, by_tick in metrics.items() if by_tick},
        )
        for labels, metrics in sums.items()
    ]


def _aggregate_use(by_tick: Mapping[int, float]) -> GroupUse:
    high = max(by_tick.values())
    return GroupUse(len(by_tick), fsum(by_tick.values()), high, min(ms for ms in by_tick if by_tick[ms] == high))


def _merge_groups(first: AggregatedGroup, second: AggregatedGroup) -> AggregatedGroup:
    uses = dict(first.uses)
    for name, use in second.uses.items():
        uses[name] = _merge_uses(uses[name], use) if name in uses else use
    return AggregatedGroup(first.labels, first.pids | second.pids, uses)


def _merge_uses(first: GroupUse, second: GroupUse) -> GroupUse:
    highest = max(first, second, key=lambda use: (use.high, -use.high_at))
    return GroupUse(first.ticks + second.ticks, first.total + second.total, highest.high, highest.high_at)
