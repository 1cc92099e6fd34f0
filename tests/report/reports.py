"""A small machine with an hour of history: a spike, a gap, processes, alerts. The goldens are its reports."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from sysmon.alerts.rules.loader import load_rules
from sysmon.app.reports.rule_limits import RuleLimits
from sysmon.app.selection import Selection
from sysmon.datadir.segments import Form
from sysmon.model import AlertEvent, Headline, Kind, Level, Metric, Row, Table, Total, Transition, Unit
from tests.reading.stored import (
    AGENT,
    CPU,
    DISK_USAGE,
    LOAD,
    PROCESS,
    START,
    TABLES,
    Samples,
    alert_lines,
    at,
    event_lines,
    started,
    write_log,
    write_table,
)

STEP = 60
ROWS = range(300, 3600, STEP)
LOST = {1500, 1560, 1620}
READ = Metric("process_read_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "")
WRITTEN = Metric("process_write_bytes_per_second", Kind.RATE, Unit.BYTES_PER_SECOND, "")
MOVED = Metric(
    "process_io_bytes_per_second",
    Kind.RATE,
    Unit.BYTES_PER_SECOND,
    "read and written together",
    headline=Headline("top by I/O"),
)
PROCESSES = replace(
    PROCESS, metrics=(*PROCESS.metrics, READ, WRITTEN), totals=(Total(MOVED, (READ.name, WRITTEN.name)),)
)
KNOWN = TABLES | {"process": PROCESSES}
RULES = """\
version: 1
rules:
  - id: cpu-saturated
    metric: cpu_usage_percent
    match: {core: all}
    warning: {at_least: 40, clear_below: 30}
    critical: {at_least: 65, clear_below: 60}
  - id: disk-full
    metric: disk_used_bytes
    warning: {above: 40e9, clear_below: 39e9}
  - id: load-gone
    metric: load_average_1m
    critical: {absent_for: 5m}
"""
INTERVALS = {table.name: float(STEP) for table in TABLES.values()} | {"disk_usage": 300.0}


def write_machine(data: Path, *, form: Form = Form.JSONL, packed: bool = False) -> None:
    """Write everything; the run begins five minutes into the hour."""
    tables: Mapping[str, tuple[Table, Samples]] = {
        "cpu": (CPU, _samples(_cpu)),
        "load": (LOAD, _samples(lambda n: [(n / 1000, n if n > 900 else None)])),
        "disk_usage": (DISK_USAGE, [(at(n), _disks(n)) for n in range(300, 3600, 300)]),
        "process": (PROCESSES, _samples(_processes)),
        "agent": (AGENT, _samples(lambda n: [("5f1c", n // STEP)])),
    }
    for table, samples in tables.values():
        write_table(data, table, samples, form=form, packed=packed)
    write_log(data, "events", event_lines([started(295, "5f1c", INTERVALS, 300)]))
    write_log(data, "alerts", alert_lines(START, [], _alerts()))


def limits(folder: Path) -> RuleLimits:
    """Return the limits of the rules, which are written into a folder."""
    (folder / "rules.yaml").write_text(RULES)
    return RuleLimits(load_rules(folder / "rules.yaml", TABLES, INTERVALS).rules)


def whole_hour(data: Path) -> Selection:
    """Ask for that hour, just after it."""
    return Selection(data, since=START, until=at(3600), now=at(3601))


def _samples(rows: Callable[[int], list[Row]]) -> Samples:
    return [(at(second), rows(second)) for second in ROWS if second not in LOST]


def _cpu(second: int) -> list[Row]:
    cores = [(second // STEP * (7 + core)) % 50 + (45 if second == 2400 else 0) for core in range(2)]
    return [("all", sum(cores) / 2, 0.0), *((str(core), float(used), 0.0) for core, used in enumerate(cores))]


def _disks(second: int) -> list[Row]:
    used = 40_000_000_000 + second * 1_000_000
    rows: list[Row] = [("/", "/dev/sda1", "ext4", used, 411_000)]
    return [*rows, ("/mnt/usb\u202e2J", "/dev/sdb1", "vfat", 5_000_000, None)] if second >= 1800 else rows


def _processes(second: int) -> list[Row]:
    begun = "2026-11-20T09:00:00.000Z"
    rows: list[Row] = [
        ("1", begun, "systemd", "root", "init.scope", 0.1, 12_000_000, None, None),
        ("4312", begun, "java", "app", "shop.service", 50.0 + second / 100, 2_000_000_000, 0.0, 12_000.0),
        ("21", begun, "worker", "app", "shop.service", 10.0, 90_000_000, 2_000_000.0, 500.0),
        ("22", begun, "worker", "app", "shop.service", 12.0, 95_000_000, 1_000_000.0 + second, 0.0),
        ("-1", "-", "(others)", "-", "-", 3.5, 700_000_000, None, None),
    ]
    backup: Row = ("900", begun, "backup", "root", "-", 95.0, 300_000_000, 250e6, 125e6)
    return [*rows, backup] if second == 2400 else rows


def _alerts() -> list[AlertEvent]:
    hot = AlertEvent(
        at=at(2400),
        transition=Transition.FIRED,
        rule="cpu-saturated",
        id="aabbccdd",
        metric="cpu_usage_percent",
        labels={"hostname": "web-01", "environment": "prod", "region": "eu", "core": "all"},
        level=Level.WARNING,
        value=85.0,
        peak=85.0,
        threshold=80.0,
        condition=">= 80 for 5m",
        since=at(2340),
        duration=60.0,
        reason="",
        unit=Unit.PERCENT,
    )
    worse = replace(hot, at=at(2460), transition=Transition.ESCALATED, level=Level.CRITICAL, peak=97.25)
    over = replace(worse, at=at(2700), transition=Transition.RESOLVED, duration=360.0)
    full = replace(
        hot,
        at=at(3000),
        rule="disk-full",
        id="11223344",
        metric="disk_used_bytes",
        unit=Unit.BYTES,
        peak=43e9,
        since=at(2700),
    )
    return [hot, worse, over, replace(full, labels={"hostname": "web-01", "mountpoint": "/"})]
