"""How is sysmon doing? Whether it runs, how fresh and complete its samples are, what it costs, how full its disk is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import isnan
from pathlib import Path

from sysmon import units
from sysmon.app import growth
from sysmon.config import Storage
from sysmon.history import TableHistory
from sysmon.instants import EPOCH, from_ms
from sysmon.names import printable
from sysmon.reading import store
from sysmon.reading.coverage import runs_of
from sysmon.reading.damage import Damage
from sysmon.reading.logs import read_events
from sysmon.reading.rows import read_table
from sysmon.reading.store import Host
from sysmon.sampling.tables import AGENT
from sysmon.storage import inventory
from sysmon.storage.lock import holder
from sysmon.storage.space import free_bytes

HOUR = timedelta(hours=1)
LATE = 3
"""Intervals without a sample after which something is wrong."""

USUAL = 10.0
MISSED = 0.01
"""The part of an hour's samples that may be missed before it is a fault."""


@dataclass(frozen=True, slots=True)
class Part:
    """One subject: what there is to say about it, and what is wrong."""

    title: str
    lines: tuple[str, ...]
    faults: tuple[str, ...] = ()


def status(data: Path, storage: Storage, host_name: str | None, *, now: datetime) -> list[Part]:
    """Return everything there is to say; raise NothingFoundError where no samples are."""
    store.check_format(data, Damage())
    host = store.find_host(data, host_name)
    recent = read_table(host.folder / AGENT.name, AGENT, now - HOUR, now + HOUR, Damage())
    return [
        _running(data, host, recent, now),
        _own(recent),
        *_disk(data, storage, now),
    ]


def _running(data: Path, host: Host, recent: TableHistory, now: datetime) -> Part:
    pid = holder(data / "lock")
    runs = runs_of(read_events(host.folder, now - HOUR, now + HOUR, Damage()), until=now, now=now)
    interval = min(runs[-1].seconds.values(), default=USUAL) if runs else USUAL
    lines = [f"host {printable(host.name)}, data in {printable(str(data))}"]
    lines.append("not running" if pid is None else f"running, process {pid or 'unknown'}, every {interval:g} s")
    faults = ["not running: start `sysmon run`"] if pid is None else []
    last = _last_sample(host, recent)
    if last is None:
        return Part("run", (*lines, "no sample yet"), (*faults, "no sample yet"))
    age = (now - last).total_seconds()
    lines.append(f"last sample {units.format_age(max(age, 0.0))} ago")
    if pid is not None and age > LATE * interval + 1:
        faults.append(f"no sample for {units.format_age(age)}, and there should be one every {interval:g} s")
    return Part("run", tuple(lines), tuple(faults))


def _last_sample(host: Host, recent: TableHistory) -> datetime | None:
    if recent.ticks:
        return from_ms(recent.ticks[-1])
    files = store.files(host.folder / AGENT.name, EPOCH, store.LAST)
    for file in reversed(files):
        rows = read_table(host.folder / AGENT.name, AGENT, file.segment.start, store.LAST, Damage())
        if rows.ticks:
            return from_ms(rows.ticks[-1])
    return None


def _own(recent: TableHistory) -> Part:
    """Tell what the last hour of the agent's own table says."""
    if not recent.ticks:
        return Part("last hour", ("no samples",))
    columns = {metric.name: index for index, metric in enumerate(AGENT.metrics)}

    def values(name: str) -> list[float]:
        return [value for one in recent.series for value in one.column(columns[name]) if not isnan(value)]

    missed, dropped = sum(values("agent_samples_missed")), sum(values("agent_samples_dropped"))
    cpu, memory = values("agent_cpu_percent"), values("agent_memory_bytes")
    lines = [f"{len(recent.ticks)} samples, {missed:g} missed, {dropped:g} dropped"]
    if cpu and memory:
        mean = units.human(sum(cpu) / len(cpu), "percent")
        lines.append(f"{mean} of one core, at most {units.human(max(memory), 'bytes')} of memory")
    faults = [f"{dropped:g} samples of the last hour were lost before they were stored"] if dropped else []
    if missed > MISSED * (len(recent.ticks) + missed):
        faults.append(f"{missed:g} samples of the last hour were missed: the machine, or sysmon, is too busy")
    return Part("last hour", tuple(lines), tuple(faults))


def _disk(data: Path, storage: Storage, now: datetime) -> list[Part]:
    found = inventory.take(data)
    free = free_bytes(data)
    pace = growth.paces(found.files, now)
    lines = [f"{units.human(found.total, 'bytes')} used, {units.human(free, 'bytes')} free"]
    faults = []
    if found.total > storage.max_bytes:
        faults.append(f"more is stored than max_bytes ({units.format_size(storage.max_bytes)}): run `sysmon maintain`")
    if free < storage.min_free:
        faults.append(f"less is free than min_free ({units.format_size(storage.min_free)}): no samples are written")
    limits = growth.limits(found.files, storage, pace, total=found.total, free=free, now=now)
    return [
        Part("disk", tuple(lines), tuple(faults)),
        Part("bytes a day", tuple(_paces(pace))),
        Part("limits", tuple(_limit(limit) for limit in limits)),
    ]


def _paces(pace: Sequence[growth.Pace]) -> list[str]:
    if not pace:
        return [f"too early to tell: less than {units.format_duration(growth.EARLY)} of the last days are stored"]
    total = growth.Pace("all", sum(one.fresh for one in pace), sum(one.packed for one in pace))
    width = max(len(one.table) for one in (*pace, total))
    numbers = [(one.table, units.human(one.fresh, "bytes"), units.human(one.packed, "bytes")) for one in (*pace, total)]
    return [f"{table:<{width}} {fresh:>9} as text, {packed:>9} compressed" for table, fresh, packed in numbers]


def _limit(limit: growth.Limit) -> str:
    if limit.reached_in is None:
        when = "not in sight" if limit.known else "too early to tell"
    elif not limit.reached_in:
        when = "reached"
    else:
        when = f"reached in {units.format_age(limit.reached_in.total_seconds())}"
    return f"{limit.name:<17}  {limit.used}: {when}"
