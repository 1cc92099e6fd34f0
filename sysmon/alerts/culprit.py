"""Attribution: what each process used while an alert was about to fire, and what the named ones leave over; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter

from sysmon.model import AlertEvent, Culprit, Kind, Resource, Row, Sample, Table

PROCESS = "process"
KEPT = 64
"""Processes that are followed at once at most: those listed last, and those that used most."""

_REST = "-1"
_DEVICE = "device"
_WHO = ("pid", "started", "name", "username", "unit")
_Who = tuple[str, str, str, str, str]
_Used = tuple[float, float, float]
_INDEX = {Resource.CPU: 0, Resource.MEMORY: 1, Resource.IO: 2}


def find_resource(table: Table, event: AlertEvent) -> Resource | None:
    """Return what an alert is about, None where no process can be blamed."""
    if table.resource_label is not None:
        named = event.labels.get(table.resource_label)
        return next((resource for resource in Resource if resource == named), None)
    return table.metric(event.metric).resource or table.resource


def blaming_tables(tables: Mapping[str, Table]) -> frozenset[str]:
    """Return the names of the tables that tell who used what: of processes, and of what disks moved."""
    names = {PROCESS, *(table.name for table in tables.values() if _measures_disks(table))}
    return frozenset(names & tables.keys())


def _measures_processes(table: Table) -> bool:
    return set(_WHO) <= set(table.labels) and all(map(table.using, Resource))


def _measures_disks(table: Table) -> bool:
    return table.labels == (_DEVICE,) and bool(table.using(Resource.IO))


@dataclass(frozen=True, slots=True)
class Sums:
    """What was used since processes are followed: by each, in all, and by each disk (bytes)."""

    ticks: int = 0
    used: Mapping[_Who, _Used] = field(default_factory=dict)
    total: _Used = (0.0, 0.0, 0.0)
    disk_ticks: int = 0
    disks: Mapping[str, float] = field(default_factory=dict)


class Culprits:
    """Follows the process table; while nothing is about to fire it keeps two lists and adds up nothing."""

    def __init__(self, tables: Mapping[str, Table]) -> None:
        processes = tables.get(PROCESS)
        disks = next(filter(_measures_disks, tables.values()), None)
        self._tables = tables
        self._process = _Columns(processes) if processes is not None and _measures_processes(processes) else None
        self._disk = _DiskColumns(disks) if disks is not None else None
        self._disk_table = "" if disks is None else disks.name
        self._before: Sequence[Row] = ()
        self._latest: Sequence[Row] = ()
        self._rows: Sequence[Row] = ()
        self._disk_rows: Sequence[Row] = ()
        self._sums: Sums | None = None
        self._mark = Sums()

    def see(self, sample: Sample, *, following: bool) -> None:
        """Take a tick; `following` says that something has been pending since the one before."""
        rows = sample.rows.get(PROCESS, ())
        if rows:
            self._before, self._latest = self._latest, rows
        self._mark = (self._sums if following else None) or Sums()
        self._sums = None
        self._rows, self._disk_rows = rows, sample.rows.get(self._disk_table, ())
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
        index = _INDEX[resource]
        self._add()
        now, then = self._sums or Sums(), mark or Sums()
        is_over = self._tables[table].metric(event.metric).kind is Kind.COUNT  # who was killed is gone by now
        if is_over or now.ticks == then.ticks:
            rows = (self._before or self._latest) if is_over else self._latest
            now, then = self._process.add(Sums(), rows), Sums()
        ticks = max(1, now.ticks - then.ticks)
        used = [
            (who, (sums[index] - then.used.get(who, (0.0, 0.0, 0.0))[index]) / ticks) for who, sums in now.used.items()
        ]
        listed = sorted((use for use in used if use[1] > 0), key=itemgetter(1), reverse=True)[:count]
        total: float | None = (now.total[index] - then.total[index]) / ticks
        if resource is Resource.IO:
            total = self._disk_total(event, now, then)
        top = tuple(_make_culprit(who, value, total) for who, value in listed)
        left = None if total is None else round(max(0.0, total - sum(culprit.value for culprit in top)), 2)
        return replace(event, resource=resource.value, top=top, unaccounted=left)

    def _add(self) -> None:
        if self._sums is not None:
            return
        sums = self._mark
        if self._process is not None and self._rows:
            sums = self._process.add(sums, self._rows)
        if self._disk is not None and self._disk_rows:
            sums = self._disk.add(sums, self._disk_rows)
        self._sums = sums

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

    def add(self, sums: Sums, rows: Sequence[Row]) -> Sums:
        """Return sums with the rows of another tick."""
        used = dict(sums.used)
        cpu, memory, io = sums.total
        seen = set()
        for row in rows:
            now = (_sum(row, self._cpu), _sum(row, self._memory), _sum(row, self._io))
            cpu, memory, io = cpu + now[0], memory + now[1], io + now[2]
            who: _Who = self._who(row)
            if who[0] != _REST:
                then = used.get(who, (0.0, 0.0, 0.0))
                used[who] = (then[0] + now[0], then[1] + now[1], then[2] + now[2])
                seen.add(who)
        if len(used) > KEPT:
            gone = [who for who in used if who not in seen]
            for who in sorted(gone, key=lambda each: (used[each][0], used[each][2]))[: len(used) - KEPT]:
                del used[who]
        return replace(sums, ticks=sums.ticks + 1, used=used, total=(cpu, memory, io))


class _DiskColumns:
    """Where the table of disks has what is needed."""

    def __init__(self, table: Table) -> None:
        columns = table.columns
        self._device = columns.index(_DEVICE)
        self._moved = [columns.index(name) for name in table.using(Resource.IO)]

    def add(self, sums: Sums, rows: Sequence[Row]) -> Sums:
        """Return sums with the rows of another tick."""
        disks = dict(sums.disks)
        for row in rows:
            device = str(row[self._device])
            disks[device] = disks.get(device, 0.0) + _sum(row, self._moved)
        return replace(sums, disk_ticks=sums.disk_ticks + 1, disks=disks)


def _make_culprit(who: _Who, value: float, total: float | None) -> Culprit:
    pid, _, name, user, unit = who
    share = round(min(100.0, 100 * value / total), 1) if total else None
    return Culprit(pid, name, user, unit, round(value, 2), share)


def _sum(row: Row, columns: Sequence[int]) -> float:
    return sum(_to_number(row[column]) for column in columns)


def _to_number(cell: str | int | float | None) -> float:
    return float(cell) if isinstance(cell, int | float) else 0.0
