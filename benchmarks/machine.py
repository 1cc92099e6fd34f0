"""A made-up machine of 8 cores, 4 disks, 3 interfaces and 20 processes, and its past: the same each time."""

import random
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from math import sin, tau
from pathlib import Path

from sysmon.app.catalog import tables
from sysmon.collectors import discover
from sysmon.datadir.segments import Form, Segment
from sysmon.formats import csv as csv_format
from sysmon.formats import jsonl, records
from sysmon.model import Event, Kind, Metric, Origin, Row, Table
from sysmon.text.instants import format_instant

ORIGIN = Origin("bench-01", {})
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
STEP = timedelta(seconds=10)
LABELS: dict[str, list[tuple[str, ...]]] = {
    "cpu": [("all",), *((str(core),) for core in range(8))],
    "disk_io": [(f"sd{letter}",) for letter in "abcd"],
    "disk_usage": [(f"/mnt/{letter}", f"/dev/sd{letter}1", "ext4") for letter in "abcd"],
    "network": [("eth0",), ("eth1",), ("eth2",)],
    "connections": [(state,) for state in ("ESTABLISHED", "TIME_WAIT", "LISTEN")],
    "pressure": [("cpu",), ("memory",), ("io",)],
    "process": [(str(1000 + n), "2026-10-01T00:00:00Z", f"proc{n}", "root", f"s{n}.service") for n in range(20)],
    "collector": [(name,) for name in discover()],
    "agent": [("0badcafe",)],
}


# What hardly ever happens to a machine that is well, what never changes, and what changes slowly.
QUIET = re.compile(r"nice|_irq_|steal|errors|drop|swap|oom|throttled|missed|blocked|major_faults|retransmits|dirty")
FIXED = re.compile(r"total_bytes|inode_total|limit|cpu_count|threads|collector_up")
SLOW = re.compile(r"usage_percent|memory_percent|inode|open_files|processes_total|connections")


def value(metric: Metric, chance: random.Random, level: float, at: float) -> float | int | None:
    """Return a plausible value; `at` is the part of the day that is over."""
    slow = level * (1 + 0.2 * sin(at * tau) + 0.01 * chance.random())
    if QUIET.search(metric.name):
        return 0.0 if metric.kind in {Kind.RATE, Kind.RATIO} else 0
    if FIXED.search(metric.name):
        return 2**37 if metric.unit == "bytes" else 1
    if metric.unit == "bytes":
        return int(slow * 2**26) // 4096 * 4096
    if SLOW.search(metric.name) and metric.name != "cpu_usage_percent":
        return round(slow, 2) if metric.kind is Kind.RATIO else int(slow * 100)
    if metric.name == "agent_sequence":
        return round(at * 8640)
    if metric.kind is Kind.RATIO:
        return round(min(100.0, abs(chance.gauss(level, level / 3))), 2)
    if metric.kind is Kind.RATE:
        return round(abs(chance.gauss(level * 1000, level * 300)), 3)
    return round(abs(chance.gauss(level, level / 3)) / 10, 3)


def day(table: Table, begin: datetime, chance: random.Random) -> Iterator[tuple[datetime, list[Row]]]:
    """Yield a day of rows."""
    step = timedelta(seconds=60) if table.name == "disk_usage" else STEP
    for index in range(DAY // step):
        rows: list[Row] = []
        for number, labels in enumerate(LABELS.get(table.name, [()])):
            level = 20 + 10 * number % 40
            at = index * step / DAY
            rows.append((*labels, *(value(metric, chance, level, at) for metric in table.metrics)))
        yield begin + index * step, rows


def write(data: Path, begin: datetime, until: datetime) -> None:
    """Write the same day for each day, as JSON Lines, and the last whole one as CSV too."""
    chance = random.Random(1)  # noqa: S311 - the same numbers each time
    host = data / ORIGIN.hostname
    last = begin + (until - begin) // DAY * DAY - DAY
    for table in tables().values():
        folder = host / table.name
        folder.mkdir(parents=True)
        lines: dict[datetime, list[tuple[datetime, bytes]]] = {}
        cells: dict[datetime, list[bytes]] = {}
        encoder, csv = jsonl.RowEncoder(ORIGIN, table), csv_format.RowEncoder(ORIGIN, table)
        for at, rows in day(table, begin, chance):
            hour = at.replace(minute=0, second=0)
            lines.setdefault(hour, []).append((at, encoder.encode(at, rows)))
            cells.setdefault(hour, [csv.header]).append(csv.encode(at, rows))
        old = f"{begin:%Y-%m-%d}T".encode()
        for later in (timedelta(days=number) for number in range((until - begin) // DAY + 1)):
            new = f"{begin + later:%Y-%m-%d}T".encode()
            for hour, hour_lines in lines.items():
                if hour + later >= until:
                    break
                text = b"".join([line for at, line in hour_lines if at + later < until])
                segment = Segment(table.name, hour + later, HOUR)
                (folder / segment.file_name(Form.JSONL)).write_bytes(text.replace(b'":"' + old, b'":"' + new))
                if begin + later == last:
                    copy = b"".join(cells[hour]).replace(old, new)
                    (folder / segment.file_name(Form.CSV)).write_bytes(copy)
    events = host / "events"
    events.mkdir()
    intervals = {name: 60.0 if name == "disk_usage" else 10.0 for name in tables()}
    opening = Event(begin, "started", {"run": "0badcafe", "first_tick": format_instant(begin), "intervals": intervals})
    segment = Segment("events", begin, DAY)
    (events / segment.file_name(Form.JSONL)).write_bytes(jsonl.encode_record(records.event_record(ORIGIN, opening)))


def main() -> None:
    """Write the past of so many days up to now: `python -m benchmarks.machine DATA DAYS [now]`."""
    now = datetime.now(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    days = timedelta(days=int(sys.argv[2]))
    write(Path(sys.argv[1]), midnight - days, now if len(sys.argv) > 3 else midnight)


if __name__ == "__main__":
    main()
