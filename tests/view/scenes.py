"""A busy moment of a server with the real tables, and the quarter of an hour before it."""

import math
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

from sysmon.app.catalog import tables
from sysmon.model import AlertEvent, Culprit, Level, Row, Transition
from sysmon.text.instants import to_ms
from sysmon.view.commands import Situation
from sysmon.view.snapshot import Snapshot, TableSnapshot

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STEP = timedelta(seconds=10)
GIB = 2**30
CORES = 8
LOST = range(20, 24)
"""Samples before the moment that are missing."""

CHARTED = ("cpu", "memory", "disk_io", "network", "pressure", "load", "tcp")


def values(table: str, labels: tuple[str, ...], **given: float | None) -> Row:
    """Return a row of a real table; what is not given is absent."""
    definition = tables()[table]
    assert given.keys() <= {metric.name for metric in definition.metrics}
    return (*labels, *(given.get(metric.name) for metric in definition.metrics))


def _wave(number: int, place: int) -> float:
    return round(50 + 45 * math.sin((number + 7 * place) / 9), 1)


def _cpu(number: int) -> list[Row]:
    def row(core: str, used: float) -> Row:
        return values(
            "cpu",
            (core,),
            cpu_usage_percent=used,
            cpu_user_percent=used - 5,
            cpu_system_percent=5.0,
            cpu_iowait_percent=1.2,
            cpu_steal_percent=0.0,
        )

    cores = [_wave(number, core) for core in range(CORES)]
    return [row("all", sum(cores) / CORES), *(row(str(core), used) for core, used in enumerate(cores))]


def _memory(number: int) -> list[Row]:
    return [
        values(
            "memory",
            (),
            memory_total_bytes=15.6 * GIB,
            memory_used_bytes=(7 + number / 100) * GIB,
            memory_available_bytes=8.4 * GIB,
            memory_cached_bytes=5.0 * GIB,
            memory_usage_percent=45.1,
            swap_total_bytes=2.0 * GIB,
            swap_used_bytes=0.25 * GIB,
            swap_usage_percent=12.5,
            swap_in_bytes_per_second=0.0,
            swap_out_bytes_per_second=4096.0,
        )
    ]


def _disks(number: int) -> list[Row]:
    return [
        values(
            "disk_io",
            (name,),
            disk_io_util_percent=_wave(number, place) / (place + 1),
            disk_read_bytes_per_second=12e6 / (place + 1),
            disk_write_bytes_per_second=340e3,
            disk_await_ms=None if place else 1.4,
            disk_queue_length=0.5,
        )
        for place, name in enumerate(("nvme0n1", "sda", "sdb"))
    ]


def _network(number: int) -> list[Row]:
    return [
        values(
            "network",
            (name,),
            network_receive_bytes_per_second=1e6 * _wave(number, place) / (place + 1),
            network_transmit_bytes_per_second=340e3,
            network_drop_percent=0.0,
        )
        for place, name in enumerate(("eth0", "wg0"))
    ]


def _pressure(_number: int) -> list[Row]:
    return [values("pressure", (name,), pressure_some_percent=1.5) for name in ("cpu", "memory", "io")]


def _load(_number: int) -> list[Row]:
    averages = {"load_average_1m": 9.5, "load_average_5m": 4.25, "load_average_15m": 2.0}
    return [values("load", (), **averages, cpu_count=8, processes_total=312, processes_running=9)]


def _tcp(_number: int) -> list[Row]:
    return [values("tcp", (), tcp_retransmits_per_second=0.4, tcp_listen_drops_per_second=0.0)]


SERIES = {
    "cpu": _cpu,
    "memory": _memory,
    "disk_io": _disks,
    "network": _network,
    "pressure": _pressure,
    "load": _load,
    "tcp": _tcp,
}
MOUNTS = [
    values(
        "disk_usage",
        (mountpoint, device, "ext4"),
        disk_total_bytes=100.0 * GIB,
        disk_free_bytes=(100 - used) * GIB,
        disk_usage_percent=float(used),
        inode_usage_percent=3.0,
    )
    for mountpoint, device, used in (("/", "sda1", 41), ("/var/lib/docker", "sdb1", 92), ("/boot", "sda2", 12))
]
STATES = [
    values("connections", (state,), network_connections=count)
    for state, count in (("ESTABLISHED", 127), ("TIME_WAIT", 41), ("SYN_RECV", 0), ("LISTEN", 14))
]
PROCESSES = [
    values(
        "process",
        (pid, "2026-11-20T09:00:00Z", name, user, unit),
        process_cpu_percent=cpu,
        process_memory_bytes=memory,
        process_memory_percent=memory / (156 * GIB / 1000),
        process_threads=threads,
        process_read_bytes_per_second=read,
        process_write_bytes_per_second=0.0 if read is not None else None,
    )
    for pid, name, user, unit, cpu, memory, threads, read in (
        ("4312", "java", "app", "shop.service", 180.0, 3.5 * GIB, 84, 0.0),
        ("991", "postgres", "postgres", "postgresql.service", 44.0, 1.2 * GIB, 1, 12e6),
        ("1", "systemd", "root", "init.scope", 0.0, 0.01 * GIB, 1, 0.0),
        ("2210", "zsh", "ann", "user@1000.service", 0.5, 0.02 * GIB, 1, None),
        ("-1", "(others)", "-", "-", 36.0, 2.0 * GIB, 210, None),
    )
]
SLOW: Mapping[str, Sequence[Row]] = {
    "disk_usage": MOUNTS,
    "connections": STATES,
    "process": PROCESSES,
    "collector": [values("collector", ("cpu",), collector_duration_seconds=0.0002, collector_up=1, collector_errors=0)],
    "agent": [values("agent", ("5f1c",), agent_sequence=540, agent_cpu_percent=0.12)],
}


def _alert(rule: str, metric: str, level: Level, begun: float, **labels: str) -> AlertEvent:
    since = NOON - timedelta(seconds=begun)
    return AlertEvent(
        at=since,
        transition=Transition.FIRED,
        rule=rule,
        id=rule,
        metric=metric,
        labels={"hostname": "web-01", **labels},
        level=level,
        value=97.0,
        peak=97.0,
        threshold=80.0,
        condition=">= 80 for 1m",
        since=since,
        duration=60.0,
        reason="breach",
        resource="cpu",
        top=(Culprit("4312", "java", "app", "shop.service", 180.0, 90.0),),
    )


ALERTS = (
    _alert("disk-full", "disk_usage_percent", Level.WARNING, 10_800.0, mountpoint="/var/lib/docker", device="sdb1"),
    _alert("cpu-saturated", "cpu_usage_percent", Level.CRITICAL, 750.0, core="all"),
)


def busy() -> Snapshot:
    """Return the moment."""
    shown = {}
    for name, table in tables().items():
        if name in SERIES:
            recent = {to_ms(NOON - STEP * back): SERIES[name](-back) for back in range(89, -1, -1) if back not in LOST}
            shown[name] = TableSnapshot(table, NOON, recent[to_ms(NOON)], 10.0, recent)
        elif name in SLOW:
            shown[name] = TableSnapshot(table, NOON, SLOW[name], 60.0 if name == "disk_usage" else 10.0)
    return Snapshot("web-01", NOON, 10.0, shown, ALERTS)


LIVE = Situation(now=NOON + timedelta(seconds=2), live=True, standing="every 10s", zone=UTC)
PAST = Situation(
    now=NOON + timedelta(hours=2),
    live=False,
    standing="every 10s",
    note="2026-11-20 12:05:00 UTC: sysmon was not running; this sample is 5m older",
    zone=UTC,
)
