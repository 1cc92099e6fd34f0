"""Attribution: what each process used while an alert was about to fire, and what the named ones leave over; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Protocol

from sysmon.alerts.machine_use import KERNEL, MEMORY_USED, PARTS, SLAB, STEAL, MachineUse, to_number
from sysmon.alerts.space_use import IN_MEMORY, SpaceUse
from sysmon.model import (
    ENDED_CHILDREN,
    NO_PROCESS,
    AlertEvent,
    Culprit,
    Kind,
    Resource,
    Row,
    Sample,
    Table,
    copy_blame,
)
from sysmon.text.instants import EPOCH

PROCESS = "process"
KEPT = 64
"""Processes that are followed at once at most: those listed last, and those that used most."""

LEAST = 0.05
"""The part of a resource from which on somebody is named for it."""

_REST = "-1"
_DEVICE = "device"
_WHO = ("pid", "started", "name", "username", "unit")
_CHILDREN = "process_children_cpu_percent"
_CHILDREN_COUNT = 0.1
"""The part of what a process used from which on its ended children are mentioned."""

_Who = tuple[str, str, str, str, str]
_Used = tuple[float, float, float, float]
_NOTHING: _Used = (0.0, 0.0, 0.0, 0.0)
_INDEX = {Resource.CPU: 0, Resource.MEMORY: 1, Resource.IO: 2}
_CHILDREN_INDEX = 3


class Probe(Protocol):
    """Asks this machine for what no table holds; only while something is about to fire or fires."""

    def starts(self, pids: Iterable[str]) -> Mapping[str, int]:
        """Return when each of these processes that is alive started."""

    def shared(self, pids: Iterable[str]) -> Mapping[str, float]:
        """Return the bytes of shared memory that each of these processes has mapped."""

    def slab(self) -> float:
        """Return the bytes of kernel objects that cannot be given back; 0 where that is not known."""

    def sockets(self, pids: Iterable[str]) -> Mapping[str, int]:
        """Return how many sockets each of these processes has open."""


def find_resource(table: Table, event: AlertEvent) -> Resource | None:
    """Return what an alert is about, None where no process can be blamed."""
    if table.resource_label is not None:
        named = event.labels.get(table.resource_label)
        return next((resource for resource in Resource if resource == named), None)
    return table.metric(event.metric).resource or table.resource


def blaming_tables(tables: Mapping[str, Table]) -> frozenset[str]:
    """Return the names of the tables that tell who used what: of processes, disks, memory and processor time."""
    names = {PROCESS, *(table.name for table in tables.values() if _measures_disks(table))}
    return frozenset((names | {"cpu", "memory", "disk_usage"}) & tables.keys())


def _measures_processes(table: Table) -> bool:
    return set(_WHO) <= set(table.labels) and all(map(table.using, _INDEX))


def _measures_disks(table: Table) -> bool:
    return table.labels == (_DEVICE,) and bool(table.using(Resource.IO))


@dataclass(frozen=True, slots=True)
class Sums:
    """What was used since processes are followed: by each, in all, by what is no process, and by each disk (bytes)."""

    ticks: int = 0
    used: Mapping[_Who, _Used] = field(default_factory=dict)
    total: _Used = _NOTHING
    disk_ticks: int = 0
    disks: Mapping[str, float] = field(default_factory=dict)
    machine: Mapping[str, tuple[int, float]] = field(default_factory=dict)


class Culprits:
    """Follows the process table; while nothing is about to fire it keeps two lists and adds up nothing.

    Only what disks and processes write is remembered for an hour, for file systems that fill up slowly.
    """

    def __init__(self, tables: Mapping[str, Table], probe: Probe | None = None) -> None:
        processes = tables.get(PROCESS)
        disks = next(filter(_measures_disks, tables.values()), None)
        self._tables = tables
        self._probe = probe
        self._process = _Columns(processes) if processes is not None and _measures_processes(processes) else None
        self._disk = _DiskColumns(disks) if disks is not None else None
        self._disk_table = "" if disks is None else disks.name
        self._machine = MachineUse(tables)
        self._space = SpaceUse(tables)
        self._before: Sequence[Row] = ()
        self._latest: Sequence[Row] = ()
        self._sample = Sample(EPOCH, {})
        self._held: dict[str, Sequence[Row]] = {}
        self._sums: Sums | None = None
        self._mark = Sums()
        self._now: dict[tuple[str, str, int], AlertEvent] = {}

    @property
    def processes_seen(self) -> bool:
        """Say whether the latest tick was one of the process table."""
        return PROCESS in self._sample.rows

    def see(self, sample: Sample, *, following: bool) -> None:
        """Take a tick; `following` says that something has been pending since the one before."""
        rows = sample.rows.get(PROCESS, ())
        if rows:
            self._before, self._latest = self._latest, rows
        for name in (*self._machine.tables, self._disk_table):
            if name in sample.rows:
                self._held[name] = sample.rows[name]
        self._mark = (self._sums if following else None) or Sums()
        self._sums = None
        self._sample = sample
        self._now.clear()
        self._see_writes(sample, rows)
        if following:
            self._add()

    def mark(self) -> Sums:
        """Return what was used up to the tick before, to be compared with later."""
        self._add()
        return self._mark

    def blame(self, event: AlertEvent, table: str, mark: Sums | None, count: int) -> AlertEvent:
        """Return an event with the processes that used most since a mark."""
        resource = find_resource(self._tables[table], event)
        if resource is None or self._process is None or count == 0:
            return event
        self._add()
        now, then = self._sums or Sums(), mark or Sums()
        is_over = self._tables[table].metric(event.metric).kind is Kind.COUNT  # who was killed is gone by now
        if is_over or now.ticks == then.ticks:
            rows = (self._before or self._latest) if is_over else self._latest
            now, then = self._add_held(rows, machine=not is_over), Sums()
        return self._name(replace(event, top_at=event.at), resource, now, then, count)

    def blame_now(self, event: AlertEvent, table: str, count: int) -> AlertEvent:
        """Return an event with the processes that use most at this tick."""
        resource = find_resource(self._tables[table], event)
        if resource is None or self._process is None or count == 0:
            return event
        key = (
            resource.value,
            "\0".join(event.labels.get(name, "") for name in (_DEVICE, "mountpoint", "state")),
            count,
        )
        named = self._now.get(key)
        if named is None:
            named = self._name(event, resource, self._add_held(self._latest, machine=True), Sums(), count)
            self._now[key] = named
        return replace(copy_blame(event, named), top_at=self._sample.at)

    def starts(self, culprits: Iterable[Culprit]) -> Mapping[str, int]:
        """Return when each of those named that are alive started; nothing where nobody can tell."""
        pids = [culprit.pid for culprit in culprits if culprit.pid != NO_PROCESS]
        return self._probe.starts(pids) if self._probe is not None and pids else {}

    def _name(self, event: AlertEvent, resource: Resource, now: Sums, then: Sums, count: int) -> AlertEvent:
        if resource is Resource.SPACE:
            return self._name_writers(event, count)
        if resource is Resource.SOCKETS:
            return self._name_socket_owners(event, now, count)
        index = _INDEX[resource]
        ticks = max(1, now.ticks - then.ticks)
        used = {who: _less(sums, then.used.get(who, _NOTHING), ticks) for who, sums in now.used.items()}
        processes = (now.total[index] - then.total[index]) / ticks
        others = _mean_parts(now, then)
        match resource:
            case Resource.CPU:
                total: float | None = processes + others.get(STEAL, 0.0)
            case Resource.MEMORY:
                total = others.get(MEMORY_USED, processes)
            case _:
                total = self._disk_total(event, now, then)
        values = {who: use[index] + (use[_CHILDREN_INDEX] if index == 0 else 0.0) for who, use in used.items()}
        if resource is Resource.MEMORY:
            self._take_shared(values, count)
        least = LEAST * (sum(values.values()) if total is None else total)
        named = [
            _make_culprit(_mention_children(who, used[who], index), value, total)
            for who, value in values.items()
            if value > 0 and value >= least
        ]
        left = None if total is None else total - sum(culprit.value for culprit in named)
        parts = {name: others.get(name, 0.0) for name in PARTS.get(resource, ())}
        if resource is Resource.MEMORY and self._probe is not None:
            parts[SLAB] = self._probe.slab()  # the table's includes caches, which count as available
        if resource is Resource.CPU:
            parts[KERNEL] = sum(values[who] for who in values if _is_kernel(who, used[who]) and values[who] < least)
        for name, value in parts.items():
            part = value if left is None else min(value, left)  # some kernels count it for processes, too
            if part > 0 and part >= least:
                named.append(Culprit(NO_PROCESS, name, "-", "-", round(part, 2), _share(part, total)))
                left = None if left is None else left - part
        return _with_top(event, resource, named, total, count)

    def _take_shared(self, values: dict[_Who, float], count: int) -> None:
        """Count shared memory once, not again for each process that has mapped it."""
        if self._probe is None:
            return
        largest = sorted(values, key=lambda who: -values[who])[: 2 * count]
        shared = self._probe.shared(who[0] for who in largest)
        for who in largest:
            values[who] = max(0.0, values[who] - shared.get(who[0], 0.0))

    def _name_socket_owners(self, event: AlertEvent, now: Sums, count: int) -> AlertEvent:
        pids = {who[0]: who for who in now.used}
        counts = {} if self._probe is None else self._probe.sockets(pids)
        least = LEAST * (event.value or 0.0)
        named = [_make_culprit(pids[pid], number, None) for pid, number in counts.items() if number > max(0, least)]
        return _with_top(event, Resource.SOCKETS, named, None, count)

    def _name_writers(self, event: AlertEvent, count: int) -> AlertEvent:
        rise = self._space.find_rise(event)
        if rise is None:
            return replace(event, resource=Resource.SPACE.value, top=(), unaccounted=None)
        grown = replace(event, growth=rise.growth, growth_since=rise.since)
        if self._space.find_fstype(event) in IN_MEMORY:
            return replace(grown, resource=Resource.MEMORY.value, top=(), unaccounted=None)
        writers = self._space.find_writers(event, rise)
        if writers is None:
            return replace(grown, resource=Resource.SPACE.value, top=(), unaccounted=None)
        named = [
            _make_culprit(who, written, rise.growth)
            for who, written in writers.items()
            if written >= LEAST * rise.growth
        ]
        return _with_top(grown, Resource.SPACE, named, rise.growth, count)

    def _add(self) -> None:
        if self._sums is not None:
            return
        sums, rows = self._mark, self._sample.rows
        if self._process is not None and rows.get(PROCESS):
            sums = self._process.add(sums, rows[PROCESS])
        if self._disk is not None and rows.get(self._disk_table):
            sums = self._disk.add(sums, rows[self._disk_table])
        self._sums = replace(sums, machine=self._machine.add(sums.machine, rows))

    def _add_held(self, processes: Sequence[Row], *, machine: bool) -> Sums:
        """Return the sums of one tick: these processes, and what was seen last of all else."""
        assert self._process is not None  # noqa: S101 - the caller asked
        sums = self._process.add(Sums(), processes)
        if self._disk is not None and self._held.get(self._disk_table):
            sums = self._disk.add(sums, self._held[self._disk_table])
        return replace(sums, machine=self._machine.add(sums.machine, self._held)) if machine else sums

    def _see_writes(self, sample: Sample, rows: Sequence[Row]) -> None:
        if self._process is not None and rows:
            self._space.writes.add(sample.at, self._process.written(rows))
        if self._disk is not None and self._disk_table in sample.rows:
            self._space.writes.add_disks(sample.at, self._disk.written(sample.rows[self._disk_table]))
        self._space.see(sample)

    def _disk_total(self, event: AlertEvent, now: Sums, then: Sums) -> float | None:
        """Return what the disk that an alert is about moved a second; None where it is about no disk."""
        device = event.labels.get("device", "")
        if device not in now.disks or now.disk_ticks == then.disk_ticks:
            return None
        return (now.disks[device] - then.disks.get(device, 0.0)) / (now.disk_ticks - then.disk_ticks)


class _Columns:
    """Where the process table has what is needed."""

    def __init__(self, table: Table) -> None:
        columns = table.columns
        self._who = itemgetter(*map(columns.index, _WHO))
        self._cpu, self._memory, self._io = (
            [columns.index(name) for name in table.using(resource)] for resource in _INDEX
        )
        self._children = [columns.index(_CHILDREN)] if _CHILDREN in columns else []
        self._written = self._io[-1]

    def add(self, sums: Sums, rows: Sequence[Row]) -> Sums:
        """Return sums with the rows of another tick."""
        used = dict(sums.used)
        cpu, memory, io, children = sums.total
        present = set()
        for row in rows:
            now = (
                *(_sum(row, self._cpu), _sum(row, self._memory)),
                *(_sum(row, self._io), _sum(row, self._children)),
            )
            cpu, memory, io, children = cpu + now[0], memory + now[1], io + now[2], children + now[3]
            who: _Who = self._who(row)
            if who[0] != _REST:
                then = used.get(who, _NOTHING)
                used[who] = (then[0] + now[0], then[1] + now[1], then[2] + now[2], then[3] + now[3])
                present.add(who)
        if len(used) > KEPT:
            gone = [who for who in used if who not in present]
            for who in sorted(gone, key=lambda each: (used[each][0], used[each][2]))[: len(used) - KEPT]:
                del used[who]
        return replace(sums, ticks=sums.ticks + 1, used=used, total=(cpu, memory, io, children))

    def written(self, rows: Sequence[Row]) -> Iterator[tuple[_Who, float]]:
        """Yield the bytes a second of each process that writes."""
        for row in rows:
            rate = row[self._written]
            if rate and isinstance(rate, int | float):
                yield self._who(row), float(rate)


class _DiskColumns:
    """Where the table of disks has what is needed."""

    def __init__(self, table: Table) -> None:
        columns = table.columns
        self._device = columns.index(_DEVICE)
        self._moved = [columns.index(name) for name in table.using(Resource.IO)]

    def written(self, rows: Sequence[Row]) -> Iterator[tuple[str, float]]:
        """Yield the bytes a second that each disk writes."""
        for row in rows:
            yield str(row[self._device]), to_number(row[self._moved[-1]])

    def add(self, sums: Sums, rows: Sequence[Row]) -> Sums:
        """Return sums with the rows of another tick."""
        disks = dict(sums.disks)
        for row in rows:
            device = str(row[self._device])
            disks[device] = disks.get(device, 0.0) + _sum(row, self._moved)
        return replace(sums, disk_ticks=sums.disk_ticks + 1, disks=disks)


def _with_top(
    event: AlertEvent, resource: Resource, named: Sequence[Culprit], total: float | None, count: int
) -> AlertEvent:
    top = tuple(sorted(named, key=lambda culprit: -culprit.value)[:count])
    left = None if total is None else round(max(0.0, total - sum(culprit.value for culprit in top)), 2)
    return replace(event, resource=resource.value, top=top, unaccounted=left)


def _less(used: _Used, then: _Used, ticks: int) -> _Used:
    """Return the mean of each over so many ticks."""
    cpu, memory, io, children = ((late - early) / ticks for late, early in zip(used, then, strict=True))
    return cpu, memory, io, children


def _mean_parts(now: Sums, then: Sums) -> dict[str, float]:
    means = {}
    for name, (ticks, total) in now.machine.items():
        ticks_then, total_then = then.machine.get(name, (0, 0.0))
        if ticks > ticks_then:
            means[name] = (total - total_then) / (ticks - ticks_then)
    return means


def _mention_children(who: _Who, used: _Used, index: int) -> _Who:
    children = used[_CHILDREN_INDEX]
    if index != 0 or not children or children < _CHILDREN_COUNT * (used[0] + children):
        return who
    pid, started, name, user, unit = who
    return pid, started, name + ENDED_CHILDREN, user, unit


def _is_kernel(who: _Who, used: _Used) -> bool:
    """Say whether this is a thread of the kernel: it has no memory of its own, and belongs to nothing."""
    return used[1] == 0 and who[4] == "-"


def _make_culprit(who: _Who, value: float, total: float | None) -> Culprit:
    pid, _, name, user, unit = who
    return Culprit(pid, name, user, unit, round(value, 2), _share(value, total))


def _share(value: float, total: float | None) -> float | None:
    return round(min(100.0, 100 * value / total), 1) if total else None


def _sum(row: Row, columns: Sequence[int]) -> float:
    return sum(to_number(row[column]) for column in columns)
