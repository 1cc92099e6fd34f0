"""A status with everything in it, and the sparse one of the first moment."""

from datetime import UTC, datetime, timedelta

from sysmon.console.overview import Disk, Fill, Mount, Overview, Process
from sysmon.console.status_model import ActiveAlert, Point, RunInfo, RunStatus
from sysmon.model import Level

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ABOUT = RunInfo("web-01", "10s", "/var/lib/sysmon/web-01")
OVERVIEW = Overview(
    cpu=97.2,
    memory=Fill(45.1, 7.05 * 2**30, 15.6 * 2**30),
    swap=Fill(12.5, 256 * 2**20, 2.0 * 2**30),
    disk=Disk("nvme0n1", 38.0, 12_000_000.0, 340_000.0),
    mount=Mount("/var/lib/docker/volumes", 82.4, 17.6 * 2**30),
    received=1_500_000.0,
    sent=340_000.0,
    process=Process("java", "4312", 180.0),
    largest=Process("postgres", "991", 1.2 * 2**30),
)
ALERTS = (
    ActiveAlert(Level.CRITICAL, "cpu-saturated", "core=all", "cpu_usage_percent >= 95 for 1m", 750.0),
    ActiveAlert(Level.WARNING, "disk-full", "mountpoint=/var/lib/docker/volumes", "disk_usage_percent >= 80", 10_800.0),
    ActiveAlert(Level.WARNING, "memory-low", "", "memory_usage_percent >= 40", 90.0),
    ActiveAlert(Level.INFO, "swapping", "", "swap_in_bytes_per_second > 0", 30.0),
    ActiveAlert(Level.INFO, "io-pressure", "resource=io", "pressure_some_percent has no data", 7.0),
)


def _history(count: int) -> tuple[Point, ...]:
    """Return ticks of ten seconds: a saw of ten ticks, with three missed ones."""
    points = []
    for number in range(count):
        at, level = NOON - timedelta(seconds=10 * (count - 1 - number)), 10.0 * (number % 10)
        missed = count - 13 <= number < count - 10
        points.append(Point(at) if missed else Point(at, level + 7.2, 45.1, level, 184_000.0 * (number % 10 + 1)))
    return tuple(points)


BUSY = RunStatus(
    about=ABOUT,
    at=NOON,
    running=5400.0,
    overview=OVERVIEW,
    history=_history(200),
    alerts=ALERTS,
    levels={"cpu": Level.CRITICAL, "disk_usage": Level.WARNING, "memory": Level.WARNING},
    ticks=540,
    missed=3,
    own_cpu=0.12,
    own_memory=17.2 * 2**20,
)
FIRST = RunStatus(about=ABOUT, at=NOON)
