"""Writes small data directories as `sysmon run` would, with the encoders it uses."""

import gzip
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from sysmon.datadir.segments import Form, Segment, boundary_after
from sysmon.formats import csv, jsonl, records
from sysmon.model import AlertEvent, Event, Headline, Kind, Metric, Origin, Row, Table, Unit
from sysmon.text.instants import format_instant

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
ORIGIN = Origin("web-01", {"environment": "prod", "region": "eu"})

LOAD = Table(
    "load",
    "Load.",
    (
        Metric("load_average_1m", Kind.GAUGE, Unit.NONE, ""),
        Metric("context_switches_per_second", Kind.RATE, Unit.PER_SECOND, ""),
    ),
)
CPU = Table(
    "cpu",
    "Processors.",
    (
        Metric("cpu_usage_percent", Kind.RATIO, Unit.PERCENT, "", headline=Headline("CPU", 10)),
        Metric("cpu_steal_percent", Kind.RATIO, Unit.PERCENT, ""),
    ),
    labels=("core",),
    whole="all",
)
DISK_USAGE = Table(
    "disk_usage",
    "File systems.",
    (Metric("disk_used_bytes", Kind.GAUGE, Unit.BYTES, ""), Metric("inode_used", Kind.GAUGE, Unit.NONE, "")),
    labels=("mountpoint", "device", "fstype"),
)
PROCESS = Table(
    "process",
    "Processes.",
    (
        Metric("process_cpu_percent", Kind.RATIO, Unit.PERCENT, "", headline=Headline("top by CPU")),
        Metric("process_memory_bytes", Kind.GAUGE, Unit.BYTES, "", headline=Headline("top by memory")),
    ),
    labels=("pid", "started", "name", "username", "unit"),
    series=False,
)
AGENT = Table("agent", "The agent.", (Metric("agent_sequence", Kind.GAUGE, Unit.NONE, ""),), labels=("run",))
TABLES = {table.name: table for table in (CPU, LOAD, DISK_USAGE, PROCESS, AGENT)}

Samples = Iterable[tuple[datetime, Sequence[Row]]]


def at(seconds: float) -> datetime:
    """Return an instant that many seconds after START."""
    return START + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    """Return such an instant as it is stored."""
    return format_instant(at(seconds))


def write_table(
    data: Path,
    table: Table,
    samples: Samples,
    *,
    form: Form = Form.JSONL,
    packed: bool = False,
    origin: Origin = ORIGIN,
    period: timedelta = HOUR,
) -> list[Path]:
    """Write the segments of one table; return their paths."""
    folder = data / origin.hostname / table.name
    folder.mkdir(parents=True, exist_ok=True)
    encoder = csv.RowEncoder(origin, table) if form is Form.CSV else jsonl.RowEncoder(origin, table)
    head = encoder.header if isinstance(encoder, csv.RowEncoder) else b""
    paths = []
    for _, group in groupby(samples, lambda sample: boundary_after(sample[0], period)):
        chosen = list(group)
        body = head + b"".join(encoder.encode(instant, rows) for instant, rows in chosen)
        segment = Segment(table.name, chosen[0][0], period)
        path = folder / segment.file_name(form, packed=packed)
        path.write_bytes(gzip.compress(body) if packed else body)
        paths.append(path)
    return paths


def write_log(data: Path, name: str, lines: Sequence[Mapping[str, object]], begin: datetime = START) -> Path:
    """Write one segment of the event log or of the alert log."""
    folder = data / ORIGIN.hostname / name
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / Segment(name, begin, DAY).file_name(Form.JSONL)
    path.write_bytes(b"".join(jsonl.encode_record(dict(line)) for line in lines))
    return path


def running(seconds: float, run: str, intervals: Mapping[str, float]) -> Event:
    """Return the event that opens a segment of the event log."""
    return Event(at(seconds), records.RUNNING, {"run": run, "intervals": dict(intervals)})


def started(seconds: float, run: str, intervals: Mapping[str, float], first_tick: float | None = None) -> Event:
    """Return the event of a run that starts, and whose first tick is then or later."""
    first = stamp(seconds if first_tick is None else first_tick)
    return Event(at(seconds), "started", {"run": run, "first_tick": first, "intervals": dict(intervals)})


def stopped(seconds: float, run: str, last_tick: float) -> Event:
    """Return the event of a run that ends in order."""
    return Event(at(seconds), "stopped", {"run": run, "reason": "SIGTERM", "last_tick": stamp(last_tick)})


def event_lines(events: Iterable[Event]) -> list[dict[str, object]]:
    """Return events as records of the log."""
    return [records.event_record(ORIGIN, event) for event in events]


def alert_lines(begin: datetime, firing: Iterable[AlertEvent], events: Iterable[AlertEvent]) -> list[dict[str, object]]:
    """Return a segment of the alert log: what fires at its beginning, then events."""
    return [records.active_record(ORIGIN, begin, firing), *map(records.alert_record, events)]
