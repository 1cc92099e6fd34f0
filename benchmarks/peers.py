"""What do other programs take for the same? Side by side on this machine, at the same cadence.

    sudo python benchmarks/peers.py [--interval 1 --samples 30]

Compared are sadc, atop, collectd, node_exporter and Glances, as far as they are installed, with sysmon; those that look
at processes with sysmon as it is, the others with sysmon without its process table. CPU is what the kernel counts for
all threads (schedstat) once the program runs; memory is resident at the end; bytes are what it wrote a sample.
"""

import argparse
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PORT = 19101
_WARM_UP = 4
_COLLECTD = """Interval {interval}
BaseDir "{folder}"
PIDFile "{folder}/pid"
PluginDir "/usr/lib/collectd"
TypesDB "/usr/share/collectd/types.db"
{plugins}
<Plugin csv>
  DataDir "{folder}/csv"
</Plugin>
"""
_PLUGINS = ("cpu", "load", "memory", "swap", "disk", "df", "interface", "contextswitch", "vmem", "csv")


@dataclass(frozen=True)
class Peer:
    """How one program is started on a folder; `ask` is called at each sample where it has to be asked."""

    name: str
    processes: bool
    command: Sequence[str]
    ask: Callable[[], object] | None = None


@dataclass(frozen=True)
class Cost:
    """Milliseconds of CPU and bytes a sample, and megabytes of memory."""

    ms: float
    resident_mb: float
    bytes: float


def cpu_ns(pid: int) -> int:
    """Return the CPU time of a process and its children, all threads."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError):
            total += int((task / "schedstat").read_text().split()[0])
            total += sum(cpu_ns(int(child)) for child in (task / "children").read_text().split())
    return total


def size(folder: Path) -> int:
    """Return how many bytes a folder holds."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def measure(peer: Peer, folder: Path, interval: float, samples: int) -> Cost:
    """Start one program, let it settle, and watch it for a number of samples."""
    process = subprocess.Popen(peer.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder)
    try:
        for _ in range(_WARM_UP):
            _sample(peer, interval)
        before, held = cpu_ns(process.pid), size(folder)
        for _ in range(samples):
            _sample(peer, interval)
        ms = (cpu_ns(process.pid) - before) / 1e6 / samples
        status = Path(f"/proc/{process.pid}/status").read_text()
        resident = int(status.partition("VmRSS:")[2].split()[0]) / 1024
        return Cost(ms, resident, (size(folder) - held) / samples)
    finally:
        process.terminate()
        process.wait(30)


def _sample(peer: Peer, interval: float) -> None:
    time.sleep(interval)
    if peer.ask is not None:
        peer.ask()


def _scrape() -> bytes:
    with urllib.request.urlopen(f"http://127.0.0.1:{_PORT}/metrics") as answer:
        page: bytes = answer.read()
        return page


def sysmon(folder: Path, interval: float, *, processes: bool) -> Peer:
    """Return sysmon as it is, or without its process table."""
    enabled = "true" if processes else "false"
    (folder / "sysmon.yaml").write_text(f"collectors:\n  process: {{enabled: {enabled}}}\n")
    where = ["--config", str(folder / "sysmon.yaml"), "--data", str(folder / "data")]
    name = "sysmon" if processes else "sysmon without processes"
    command = [sys.executable, "-m", "sysmon", "run", *where, "--interval", f"{interval:g}s", "--quiet"]
    return Peer(name, processes, command)


def collectd(program: str, folder: Path, interval: float, *, processes: bool) -> Peer:
    """Return collectd with the plugins that measure what sysmon measures."""
    plugins = [*_PLUGINS, "processes", "tcpconns"] if processes else _PLUGINS
    lines = "\n".join(f"LoadPlugin {plugin}" for plugin in plugins)
    (folder / "collectd.conf").write_text(_COLLECTD.format(interval=interval, folder=folder, plugins=lines))
    name = "collectd with processes" if processes else "collectd"
    return Peer(name, processes, [program, "-f", "-C", str(folder / "collectd.conf")])


def peers(folder: Path, interval: float) -> list[Peer]:
    """Return what is installed here."""
    programs = [
        sysmon(_new(folder, "lean"), interval, processes=False),
        sysmon(_new(folder, "full"), interval, processes=True),
    ]
    whole = str(max(1, round(interval)))
    if Path("/usr/lib/sysstat/sadc").exists():
        programs.append(Peer("sadc -S ALL", False, ["/usr/lib/sysstat/sadc", "-S", "ALL", whole, "9999", "sa"]))
    if program := shutil.which("prometheus-node-exporter"):
        programs.append(Peer("node_exporter", False, [program, f"--web.listen-address=127.0.0.1:{_PORT}"], _scrape))
    if program := shutil.which("collectd"):
        programs.append(collectd(program, _new(folder, "c1"), interval, processes=False))
        programs.append(collectd(program, _new(folder, "c2"), interval, processes=True))
    if program := shutil.which("atop"):
        programs.append(Peer("atop", True, [program, "-w", "raw", whole]))
    if program := shutil.which("glances"):
        export = ["--quiet", "--export", "csv", "--export-csv-file", "glances.csv"]
        programs.append(Peer("Glances", True, [program, *export, "--time", whole]))
    return programs


def _new(folder: Path, name: str) -> Path:
    (folder / name).mkdir()
    return folder / name


def main() -> int:
    """Measure one after the other and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--interval", type=float, default=1.0)
    parser.add_argument("--samples", type=int, default=30)
    options = parser.parse_args()
    count = sum(map(str.isdecimal, os.listdir("/proc")))  # noqa: PTH208 - only the names are needed
    print(f"{platform.platform()}, {os.cpu_count()} cores, {count} processes, Python {platform.python_version()}\n")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        costs: list[tuple[Peer, Cost]] = []
        for number, peer in enumerate(peers(folder, options.interval)):
            own = Path(peer.command[-1]).parent if peer.name.startswith("collectd") else _new(folder, f"peer{number}")
            own = folder / ("full" if peer.processes else "lean") if peer.name.startswith("sysmon") else own
            costs.append((peer, measure(peer, own, options.interval, options.samples)))
    print("| program | processes | CPU ms a sample | sysmon takes | memory MB | sysmon takes | bytes a sample |")
    print("|---|---|---|---|---|---|---|")
    for peer, cost in costs:
        own_costs = (
            other for mine, other in costs if mine.name.startswith("sysmon") and mine.processes == peer.processes
        )
        like = next(own_costs)
        print(
            f"| {peer.name} | {'yes' if peer.processes else 'no'} | {cost.ms:.2f} | {like.ms / cost.ms:.2f} times |"
            f" {cost.resident_mb:.1f} | {like.resident_mb / cost.resident_mb:.2f} times | {cost.bytes:.0f} |"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
