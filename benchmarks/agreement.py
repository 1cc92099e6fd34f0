"""Does sysmon say what vmstat, free, ip and df say? Both are asked at the same instants, and compared line by line.

    python benchmarks/agreement.py --seconds 60

Rates are compared as growth per second, each side by its own clock. A command that is not installed is left out.
"""

import argparse
import json
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sysmon.collectors import Source, discover

_TABLES = ("cpu", "load", "memory", "disk_io", "disk_usage", "network")
_SECTOR = 512

Values = dict[str, float]
"""Numbers by what they are of, such as `disk vda read bytes`."""

Tables = Mapping[str, dict[str, dict[str, Any]]]
"""Metrics by table and first label."""


@dataclass(frozen=True)
class Snapshot:
    """What all sides said at one instant: counters that grow, and the gauges."""

    at: float
    counters: Values
    gauges: Values


class Sysmon:
    """sysmon's own collectors, with the rows of the last two readings."""

    def __init__(self) -> None:
        classes = discover()
        self._collectors = {name: classes[name](Source(), classes[name].Options()) for name in _TABLES}
        loopback = classes["network"].Options(include=("lo",))  # where a comparison can make traffic of its own
        self._collectors["network"] = classes["network"](Source(), loopback)
        self._readings: dict[str, Any] = {}
        self._at = 0.0

    def read(self) -> Tables:
        """Read everything, and return rows by table and first label since the reading before."""
        at = time.monotonic()
        tables = {}
        for name, collector in self._collectors.items():
            after = collector.read()
            rows = collector.rows(self._readings.get(name), after, at - self._at)
            self._readings[name] = after
            width = len(collector.table.labels)
            names = collector.table.columns[width:]
            tables[name] = {str(row[0]) if width else "": dict(zip(names, row[width:], strict=True)) for row in rows}
        self._at = at
        return tables


def run(*command: str) -> str:
    """Return what a command prints; nothing where it is not installed."""
    if shutil.which(command[0]) is None:
        return ""
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def disk_counters() -> Iterator[tuple[str, float]]:
    """Yield the counters of /proc/diskstats."""
    for line in Path("/proc/diskstats").read_text().splitlines():
        fields = line.split()
        counted = [int(field) for field in fields[3:]]
        yield f"disk {fields[2]} read bytes", counted[2] * _SECTOR
        yield f"disk {fields[2]} write bytes", counted[6] * _SECTOR
        yield f"disk {fields[2]} reads", counted[0]
        yield f"disk {fields[2]} writes", counted[4]
        yield f"disk {fields[2]} busy percent", counted[9] / 10
        yield f"disk {fields[2]} queue", counted[10] / 1000


def link_counters() -> Iterator[tuple[str, float]]:
    """Yield the counters of `ip -s link`."""
    for link in json.loads(run("ip", "-s", "-j", "link") or "[]"):
        for side, way in (("rx", "receive"), ("tx", "transmit")):
            for field in ("bytes", "packets", "errors", "dropped"):
                yield f"net {link['ifname']} {way} {field}", link["stats64"][side][field]


def free_gauges() -> Iterator[tuple[str, float]]:
    """Yield what `free -b` prints; `used` of free before 4.0 is another number."""
    lines = run("free", "-b").splitlines()
    for line in lines[1:]:
        name, *numbers = line.split()
        for column, number in zip(lines[0].split(), numbers, strict=False):
            yield f"{name.rstrip(':').lower()} {column}", float(number)


def df_gauges() -> Iterator[tuple[str, float]]:
    """Yield what `df -B1` and `df -i` print."""
    names = ("size", "used", "avail", "itotal", "iused", "iavail")
    for line in run("df", "-B1", f"--output={','.join(names)},target").splitlines()[1:]:
        *numbers, target = line.split(None, len(names))
        for name, number in zip(names, numbers, strict=True):
            if number.isdecimal():
                yield f"df {target} {name}", float(number)


def ask(sysmon: Sysmon) -> tuple[Snapshot, Tables]:
    """Ask everybody now; the counters that move most are read next to each other."""
    at = time.monotonic()
    counters = dict(disk_counters())
    tables = sysmon.read()
    counters |= dict(link_counters())
    return Snapshot(at, counters, dict([*free_gauges(), *df_gauges()])), tables


def vmstat_values(text: str) -> Values:
    """Return the last line of vmstat by its column names."""
    lines = [line.split() for line in text.splitlines()]
    return {f"vmstat {name}": float(value) for name, value in zip(lines[1], lines[-1], strict=False)} if lines else {}


def sysmon_values(tables: Tables) -> Iterator[tuple[str, float | None]]:
    """Yield sysmon's numbers under the names of the others."""
    cpu, load, memory = tables["cpu"]["all"], tables["load"][""], tables["memory"][""]
    yield "vmstat us", cpu["cpu_user_percent"] + cpu["cpu_nice_percent"]
    yield "vmstat sy", cpu["cpu_system_percent"] + cpu["cpu_irq_percent"] + cpu["cpu_softirq_percent"]
    yield "vmstat id", cpu["cpu_idle_percent"]
    yield "vmstat wa", cpu["cpu_iowait_percent"]
    yield "vmstat st", cpu["cpu_steal_percent"]
    yield "vmstat cs", load["context_switches_per_second"]
    for name in ("total", "used", "free", "shared", "available"):
        yield f"mem {name}", memory[f"memory_{name}_bytes"]
    for name in ("total", "used", "free"):
        yield f"swap {name}", memory[f"swap_{name}_bytes"]
    for device, disk in tables["disk_io"].items():
        for way in ("read", "write"):
            yield f"disk {device} {way} bytes", disk[f"disk_{way}_bytes_per_second"]
            yield f"disk {device} {way}s", disk[f"disk_{way}_ops_per_second"]
        yield f"disk {device} busy percent", disk["disk_io_util_percent"]
        yield f"disk {device} queue", disk["disk_queue_length"]
    for interface, net in tables["network"].items():
        for way in ("receive", "transmit"):
            for name in ("bytes", "packets", "errors"):
                yield f"net {interface} {way} {name}", net[f"network_{way}_{name}_per_second"]
    for mountpoint, disk in tables["disk_usage"].items():
        yield f"df {mountpoint} size", disk["disk_total_bytes"]
        yield f"df {mountpoint} used", disk["disk_used_bytes"]
        yield f"df {mountpoint} avail", disk["disk_free_bytes"]
        for name, column in (("itotal", "inode_total"), ("iused", "inode_used"), ("iavail", "inode_free")):
            yield f"df {mountpoint} {name}", disk[column]


def growth(before: Snapshot, after: Snapshot) -> Values:
    """Return what the counters grew by a second."""
    seconds = after.at - before.at
    return {name: (now - before.counters.get(name, now)) / seconds for name, now in after.counters.items()}


def difference(name: str, theirs: float, ours: float) -> str:
    """Return how far apart two numbers are: points for shares of time, percent of theirs for all else."""
    if name.startswith("vmstat") and not name.endswith("cs"):
        return f"{ours - theirs:+.2f} points"
    if theirs == ours:
        return "equal"
    return f"{100 * (ours - theirs) / theirs:+.3f} %" if theirs else "theirs is 0"


def wait(seconds: int) -> str:
    """Let time pass, and return what vmstat says of it."""
    if shutil.which("vmstat") is None:
        time.sleep(seconds)
    return run("vmstat", "-n", str(seconds), "2")


def measure(seconds: int) -> tuple[Values, Values]:
    """Ask both sides twice, with some time between; return their numbers and ours."""
    sysmon = Sysmon()
    sysmon.read()
    before, _ = ask(sysmon)
    vmstat = wait(seconds)
    after, rows = ask(sysmon)
    theirs = growth(before, after) | after.gauges | vmstat_values(vmstat)
    ours = {name: value for name, value in sysmon_values(rows) if value is not None}
    return theirs, ours


def main() -> None:
    """Compare, and print a line for each number that both sides have."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--seconds", type=int, default=60, help="how long to count (default: 60)")
    seconds = parser.parse_args().seconds
    theirs, ours = measure(seconds)
    print(f"{'':44} {'theirs':>18} {'sysmon':>18}   difference")
    for name, value in ours.items():
        if name in theirs:
            print(f"{name:44} {theirs[name]:18.2f} {value:18.2f}   {difference(name, theirs[name], value)}")


if __name__ == "__main__":
    main()
