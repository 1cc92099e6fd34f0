"""What do roll-ups and compression cost? A host of 8 cores, 4 disks and 20 processes, sampled every 10 s.

    python benchmarks/maintenance.py [DIR] [DAYS]

Makes a day of samples, puts it there for each day, and measures `sysmon maintain` and `sysmon report` as they are.
"""

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sysmon.app.catalogue import tables
from sysmon.formats import csvrows, jsonl, records
from sysmon.instants import format_instant
from sysmon.model import Event, Kind, Metric, Origin, Row, Table
from sysmon.segments import Form, Segment

ORIGIN = Origin("bench-01", {"environment": "prod", "region": "eu", "datacenter": "fra1", "role": "db"})
HOUR = timedelta(hours=1)
STEP = timedelta(seconds=10)
LABELS: dict[str, list[tuple[str, ...]]] = {
    "cpu": [("all",), *((str(core),) for core in range(8))],
    "disk_io": [(f"sd{letter}",) for letter in "abcd"],
    "disk_usage": [(f"/mnt/{letter}", f"/dev/sd{letter}1", "ext4") for letter in "abcd"],
    "network": [("eth0",), ("eth1",)],
    "connections": [(state,) for state in ("ESTABLISHED", "TIME_WAIT", "LISTEN")],
    "pressure": [("cpu",), ("memory",), ("io",)],
    "process": [(str(1000 + n), "2026-10-01T00:00:00Z", f"proc{n}", "root", f"s{n}.service") for n in range(20)],
    "collector": [(name,) for name in ("cpu", "disk_io", "disk_usage", "load", "memory", "network", "process")],
    "agent": [("0badcafe",)],
}


def value(metric: Metric, chance: random.Random, level: float) -> float | int | None:
    """Return a plausible value."""
    if metric.kind is Kind.RATIO:
        return round(min(100.0, abs(chance.gauss(level, level / 3))), 2)
    if metric.unit == "bytes":
        return int(2**30 * (5 + level / 10) + chance.randrange(2**16) * 4096)
    if metric.kind is Kind.RATE:
        return round(abs(chance.gauss(level * 1000, level * 300)), 1)
    return int(level * 10)


def day(table: Table, begin: datetime, chance: random.Random) -> Iterator[tuple[datetime, list[Row]]]:
    """Yield a day of rows."""
    step = timedelta(seconds=60) if table.name == "disk_usage" else STEP
    for index in range(timedelta(days=1) // step):
        rows: list[Row] = []
        for number, labels in enumerate(LABELS.get(table.name, [()])):
            level = 20 + 10 * number % 40
            rows.append((*labels, *(value(metric, chance, level) for metric in table.metrics)))
        yield begin + index * step, rows


def write(data: Path, begin: datetime, days: int) -> None:
    """Write the same day for each day, as JSON Lines, and the last one as CSV too."""
    chance = random.Random(1)  # noqa: S311 - the same numbers each time
    host = data / ORIGIN.hostname
    for table in tables().values():
        folder = host / table.name
        folder.mkdir(parents=True)
        lines: dict[datetime, list[bytes]] = {}
        cells: dict[datetime, list[bytes]] = {}
        encoder, csv = jsonl.RowEncoder(ORIGIN, table), csvrows.RowEncoder(ORIGIN, table)
        for at, rows in day(table, begin, chance):
            hour = at.replace(minute=0, second=0)
            lines.setdefault(hour, []).append(encoder.encode(at, rows))
            cells.setdefault(hour, [csv.header]).append(csv.encode(at, rows))
        old = f"{begin:%Y-%m-%d}T".encode()
        for number in range(days):
            new = f"{begin + timedelta(days=number):%Y-%m-%d}T".encode()
            for hour, found in lines.items():
                segment = Segment(table.name, hour + timedelta(days=number), HOUR)
                (folder / segment.file_name(Form.JSONL)).write_bytes(
                    b"".join(found).replace(b'":"' + old, b'":"' + new)
                )
                if number == days - 1:
                    text = b"".join(cells[hour]).replace(old, new)
                    (folder / segment.file_name(Form.CSV)).write_bytes(text)
    events = host / "events"
    events.mkdir()
    intervals = {name: 60.0 if name == "disk_usage" else 10.0 for name in tables()}
    opening = Event(begin, "started", {"run": "0badcafe", "first_tick": format_instant(begin), "intervals": intervals})
    segment = Segment("events", begin, timedelta(days=1))
    (events / segment.file_name(Form.JSONL)).write_bytes(jsonl.encode_record(records.event_record(ORIGIN, opening)))


def measured(title: str, *arguments: str) -> None:
    """Run a command; print its CPU time and its largest memory."""
    began = time.monotonic()
    child = subprocess.Popen([sys.executable, "-m", "sysmon", *arguments], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    took, memory = time.monotonic() - began, usage.ru_maxrss / 1024
    print(f"{title:24} {cpu:6.2f} s CPU {took:6.2f} s {memory:6.1f} MB  exit code {child.returncode}")


def size(folder: Path, pattern: str) -> str:
    """Return the megabytes of files."""
    return f"{sum(path.stat().st_size for path in folder.rglob(pattern)) / 1e6:.2f} MB"


def main() -> None:
    """Make the data and measure."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    now = datetime.now(UTC)
    begin = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    data = folder / "data"
    if len(sys.argv) > 3:  # in a process of its own: children inherit the largest memory of their parent
        write(data, begin, days)
        return
    subprocess.run([sys.executable, __file__, str(folder), str(days), "write"], check=True)
    print(f"{days} days: {size(data, '*.jsonl')} of JSON Lines; a day of CSV: {size(data, '*.csv')}")
    config = folder / "sysmon.yaml"
    config.write_text("storage: {compress_after: 5200w, max_bytes: 1TiB, min_free: 0B}\n")
    where = ["--data", str(data), "--config", str(config)]
    measured(f"roll up {days} days", "maintain", *where)
    rollup = data / ORIGIN.hostname / "rollup"
    for path in [*rollup.glob(f"1h/*-{now - timedelta(days=1):%Y%m%d}T12.jsonl.gz")]:
        path.unlink()
    measured("roll up one hour", "maintain", *where)
    measured("nothing to do", "maintain", *where)
    print(f"a day of hours: {size(rollup / '1h', f'*-{now - timedelta(days=1):%Y%m%d}T*')}", end=", ")
    print(f"a day of days: {size(rollup / '1d', f'*-{now - timedelta(days=1):%Y%m%d}.*')}")
    for since in ("1h", "24h", "7d", f"{days}d"):
        measured(f"report --since {since}", "report", "--since", since, *where)
    config.write_text("storage: {compress_after: 1d, max_bytes: 1TiB, min_free: 0B}\n")
    yesterday = f"*-{now - timedelta(days=2):%Y%m%d}T*.jsonl"
    for path in data.rglob("*.jsonl"):
        if path.parent.name != "events" and not path.match(yesterday):
            path.unlink()
    for path in data.rglob("*.csv"):
        moved = path.name.replace(f"{now - timedelta(days=1):%Y%m%d}", f"{now - timedelta(days=2):%Y%m%d}")
        path.rename(path.with_name(moved))
    measured("compress a day", "maintain", *where)
    print(f"a day compressed: {size(data / ORIGIN.hostname, f'{yesterday}.gz')} of JSON Lines", end=", ")
    print(f"{size(data, '*.csv.gz')} of CSV")


if __name__ == "__main__":
    main()
