"""Sums up the rows of a table over some time, and puts such sums together; pure."""

from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import compress
from math import fsum, isnan

from sysmon.history import GroupUse, RolledGroup, RolledSeries, RolledTable, Series, TableHistory
from sysmon.model import Origin, Table
from sysmon.stats.digest import Digest, Merging, digest
from sysmon.stats.tick_runs import Run, Ticks, folded

PASSING = frozenset({"pid", "started"})
"""Labels that tell apart what comes and goes; rows that are equal but for these count as one."""

MINUTE = 60_000

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


def sum_of(parts: Iterable[TableSum], table: Table) -> TableSum:
    """Return the sum of sums."""
    joining = Joining(table)
    for part in parts:
        joining.add(part)
    joined = joining.result(())
    names = [metric.name for metric in table.metrics]
    return TableSum(
        joined.origin,
        joined.ticks.runs,
        tuple(
            SeriesSum(
                dict(zip(table.labels, one.labels, strict=True)),
                one.at.runs,
                {name: found for name, found in zip(names, one.digests, strict=True) if found is not None},
            )
            for one in joined.series
        ),
        tuple(joined.groups),
        joining.sources,
        joining.skipped,
    )


def by_minute(history: TableHistory) -> Iterator[TableHistory]:
    """Yield the rows of each minute that has any, in order."""
    minutes: dict[int, dict[int, Series]] = {}
    for number, series in enumerate(history.series):
        width = len(series.block) // len(series.at)
        for place, ms in enumerate(series.at):
            here = minutes.setdefault(ms // MINUTE, {})
            one = here.setdefault(number, Series(series.labels))
            one.at.append(ms)
            one.block.extend(series.block[place * width : (place + 1) * width])
    for _, found in sorted(minutes.items()):
        ticks = array("q", sorted({ms for series in found.values() for ms in series.at}))
        yield TableHistory(history.table, history.origin, ticks, [found[number] for number in sorted(found)])


class Joining:
    """Puts the sums of parts together, in any order, and holds no more than their sum."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._names = [metric.name for metric in table.metrics]
        self._ticks: list[Run] = []
        self._series: dict[tuple[str, ...], _Parts] = {}
        self._groups: dict[Labels, RolledGroup] = {}
        self._origin: tuple[int, Origin] | None = None
        self.sources: frozenset[str] = frozenset()
        self.skipped = 0

    def add(self, part: TableSum) -> None:
        """Take one in."""
        self._ticks += part.ticks
        self.sources |= part.sources
        self.skipped += part.skipped
        if part.origin is not None and part.ticks and (self._origin is None or part.ticks[0][0] > self._origin[0]):
            self._origin = (part.ticks[0][0], part.origin)
        for one in part.series:
            labels = tuple(one.labels.get(name) or "-" for name in self._table.labels)
            self._series.setdefault(labels, _Parts()).add(one)
        for group in part.groups:
            known = self._groups.get(group.labels)
            self._groups[group.labels] = group if known is None else _merged_group(known, group)

    def result(self, sources: tuple[str, ...]) -> RolledTable:
        """Return the table over all parts; `sources` says what kinds of files they came from."""
        return RolledTable(
            table=self._table,
            origin=None if self._origin is None else self._origin[1],
            ticks=Ticks(sorted(self._ticks)),
            series=[
                RolledSeries(labels, Ticks(sorted(one.ticks)), one.digests(self._names))
                for labels, one in self._series.items()
            ],
            groups=list(self._groups.values()),
            sources=sources,
        )


class _Parts:
    """What the parts have of one series."""

    def __init__(self) -> None:
        self.ticks: list[Run] = []
        self._metrics: dict[str, Merging] = {}

    def add(self, one: SeriesSum) -> None:
        self.ticks += one.ticks
        for name, found in one.metrics.items():
            self._metrics.setdefault(name, Merging()).add(found)

    def digests(self, names: Iterable[str]) -> list[Digest | None]:
        return [self._metrics[name].result() if name in self._metrics else None for name in names]


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


def _merged_group(one: RolledGroup, other: RolledGroup) -> RolledGroup:
    uses = dict(one.uses)
    for name, use in other.uses.items():
        uses[name] = _merged_use(uses[name], use) if name in uses else use
    return RolledGroup(one.labels, one.pids | other.pids, uses)


def _merged_use(one: GroupUse, other: GroupUse) -> GroupUse:
    highest = max(one, other, key=lambda use: (use.high, -use.high_at))
    return GroupUse(one.ticks + other.ticks, one.total + other.total, highest.high, highest.high_at)
