"""What does `sysmon run` cost? CPU a tick (in all, and by collector), memory, bytes and lateness, on made-up machines.

    sudo python benchmarks/agent_cost.py [--interval 10 --ticks 12]

Each machine is a private pid and network namespace that holds so many sleeping processes and TCP sockets. CPU is what
the kernel counts for all threads of the process (schedstat), syncs included, between two of its ticks; collectors are
also timed one by one, in a process of their own.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks import crowd
from sysmon.collectors import Source, discover
from sysmon.errors import Unavailable

MACHINES = ((0, 0, False), (0, 0, True), (100, 0, True), (150, 0, True), (1000, 0, True), (0, 10_000, True))
"""Processes, sockets, and whether the processes are looked at."""

TARGETS = {(0, 0, False): 1.3, (100, 0, True): 2.5, (150, 0, True): 3.0, (1000, 0, True): 13.0}
_WARM_UP = 2


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of all threads of a process, to the nanosecond."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def resident(pid: int) -> dict[str, int]:
    """Return the resident memory of a process in kB, by kind."""
    status = Path(f"/proc/{pid}/status").read_text()
    return {
        line.split()[0][:-1]: int(line.split()[1]) for line in status.splitlines() if line.startswith(("VmRSS", "Rss"))
    }


def lateness(folder: Path) -> list[float]:
    """Return how late each tick was."""
    paths = sorted(folder.glob("*/agent/*.jsonl"))
    return [json.loads(line)["agent_tick_lateness_seconds"] for path in paths for line in path.read_text().splitlines()]


def watch(interval: float, ticks: int, *, processes: bool) -> dict[str, Any]:
    """Run sysmon in this namespace and measure it from tick to tick."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = f"collectors:\n  process: {{enabled: {'true' if processes else 'false'}}}\n"
        (folder / "sysmon.yaml").write_text(settings)
        arguments = ["--config", str(folder / "sysmon.yaml"), "--data", str(folder / "data")]
        seconds = [f"{interval:g}s", str(ticks + _WARM_UP + 2)]
        command = [sys.executable, "-m", "sysmon", "run", *arguments, "--interval", seconds[0], "--ticks", seconds[1]]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        between = -(-time.time() // interval) * interval + interval * (_WARM_UP + 0.5)
        time.sleep(between - time.time())
        before, rows = cpu_seconds(process.pid), len(lateness(folder / "data"))
        size = sum(path.stat().st_size for path in (folder / "data").rglob("*-*") if path.is_file())
        time.sleep(interval * ticks)
        after, late = cpu_seconds(process.pid), lateness(folder / "data")
        memory = resident(process.pid)
        grown = sum(path.stat().st_size for path in (folder / "data").rglob("*-*") if path.is_file()) - size
        process.wait(60)
        taken = len(late) - rows
        return {
            "ms": 1000 * (after - before) / taken,
            "ticks": taken,
            "memory": memory,
            "bytes": grown / taken,
            "late": max(late[_WARM_UP:]),
        }


def by_collector(rounds: int, gap: float) -> dict[str, float]:
    """Return the median CPU milliseconds of each collector's reading and rows, read every `gap` seconds."""
    source = Source()
    collectors = {name: kind(source, kind.Options()) for name, kind in discover().items()}
    before: dict[str, Any] = {}
    costs: dict[str, list[float]] = {}
    for _ in range(rounds + 1):
        for name, collector in collectors.items():
            began = time.thread_time()
            try:
                after = collector.read()
            except Unavailable:
                continue
            collector.rows(before.get(name), after, gap)
            costs.setdefault(name, []).append(1000 * (time.thread_time() - began))
            before[name] = after
        time.sleep(gap)
    for collector in collectors.values():
        getattr(collector, "close", lambda: None)()
    return {name: statistics.median(spent[1:]) for name, spent in costs.items()}


def measure(interval: float, ticks: int, *, processes: bool) -> None:
    """Print what one machine gave, as JSON; called inside its namespaces."""
    costs = watch(interval, ticks, processes=processes)
    print(json.dumps({**costs, "collectors": by_collector(10, 0.5) if processes else {}}))


def inside(machine: tuple[int, int, bool], interval: float, ticks: int) -> dict[str, Any]:
    """Make up a machine and measure in it."""
    processes, sockets, scanned = machine
    inner = [
        sys.executable,
        "-m",
        "benchmarks.agent_cost",
        "--measure",
        "--interval",
        str(interval),
        "--ticks",
        str(ticks),
    ]
    command = crowd.command(processes, sockets, inner if scanned else [*inner, "--without-processes"])
    answered = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    answer: dict[str, Any] = json.loads(answered.stdout.splitlines()[-1])
    return answer


def table(costs: Mapping[tuple[int, int, bool], Mapping[str, Any]]) -> None:
    """Print the figures of all machines."""
    print("| processes | sockets | scan | ms a tick | target | ratio | RSS MB (anonymous) | bytes a tick | latest ms |")
    print("|---|---|---|---|---|---|---|---|---|")
    for machine, seen in costs.items():
        processes, sockets, scanned = machine
        target, memory = TARGETS.get(machine), seen["memory"]
        goal = f"{target:.1f} | {seen['ms'] / target:.2f}" if target else "- | -"
        size = f"{memory['VmRSS'] / 1024:.1f} ({memory['RssAnon'] / 1024:.1f})"
        late = f"{1000 * seen['late']:.1f}"
        print(
            f"| {processes} | {sockets} | {'yes' if scanned else 'no'} | {seen['ms']:.2f} | {goal} |"
            f" {size} | {seen['bytes']:.0f} | {late} |"
        )
    scanned_machines = [machine for machine in costs if machine[2]]
    print("\n| collector, ms | " + " | ".join(f"{machine[0]} / {machine[1]}" for machine in scanned_machines) + " |")
    print("|---" * (len(scanned_machines) + 1) + "|")
    for name in sorted({name for machine in scanned_machines for name in costs[machine]["collectors"]}):
        cells = [costs[machine]["collectors"].get(name, float("nan")) for machine in scanned_machines]
        print(f"| {name} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")


def main() -> int:
    """Measure every machine."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interval", type=float, default=10.0)
    parser.add_argument("--ticks", type=int, default=12)
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--without-processes", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        measure(options.interval, options.ticks, processes=not options.without_processes)
        return 0
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        print("namespaces need root and unshare(1)", file=sys.stderr)
        return 2
    print(
        f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}, load {os.getloadavg()}\n"
    )
    table({machine: inside(machine, options.interval, options.ticks) for machine in MACHINES})
    return 0


if __name__ == "__main__":
    sys.exit(main())
