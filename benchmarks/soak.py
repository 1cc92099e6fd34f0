"""Does a run that lasts for years grow? Accelerated ticks while processes, interfaces and alerts come and go.

    sudo python benchmarks/soak.py [--ticks 100000]

The whole path of a tick runs as in `sysmon run` (collectors, governor, rules, writer thread and files), without the
waiting. Every few ticks a process starts and one ends, an interface appears or goes, and values cross their limits.
All of that, and the measuring, is done by another process: memory, descriptors and threads are those of the run alone.
They are printed as they go; the last lines compare tick 5,000 with the end. As root it all happens in namespaces of its
own: else the processes that others start on this machine would be counted, and kept, as well.
"""

import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import crowd
from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.agent.gc import GarbageCollection
from sysmon.app.catalog import tables
from sysmon.collectors import Source, discover
from sysmon.model import Event, Origin, Sample
from sysmon.protocols import Governed
from sysmon.sampling.governor import Governor
from sysmon.sampling.sampler import Sampler
from sysmon.sampling.schedule import select_due
from sysmon.sampling.self_metrics import AgentMeter
from sysmon.sampling.self_tables import AGENT, COLLECTOR
from sysmon.storage.host_writer import HostWriter
from sysmon.storage.layout import StorageLayout
from sysmon.storage.writer import Writer

SETTLED = 5_000
_GROUP = 10
_ALONE = "SYSMON_SOAK"
_RULES = """version: 1
rules:
  - {id: ports, metric: network_receive_bytes_per_second, gone_after: 30s, warning: {at_least: 0.1, clear_below: 0.05}}
  - {id: disks, metric: disk_write_ops_per_second, warning: {at_least: 0.2, clear_below: 0.1}}
"""


@dataclass(frozen=True, slots=True)
class Use:
    """What a process holds; its own memory is what no file backs: pages of libraries come and go as others use them."""

    tick: int
    resident_kib: int
    own_kib: int
    descriptors: int
    threads: int

    def line(self) -> str:
        """Return it as a row of a table."""
        return f"| {self.tick} | {self.resident_kib} | {self.own_kib} | {self.descriptors} | {self.threads} |"


def look(pid: int, tick: int) -> Use:
    """Measure a process from outside."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    resident, own, threads = (int(status[key].split()[0]) for key in ("VmRSS", "RssAnon", "Threads"))
    return Use(tick, resident, own, len(os.listdir(f"/proc/{pid}/fd")), threads)  # noqa: PTH208 - a number


class Churn:
    """Processes and network interfaces that come and go."""

    def __init__(self) -> None:
        self._sleepers: list[subprocess.Popen[bytes]] = []
        self._interface = ""
        self._can_link = os.geteuid() == 0 and shutil.which("ip") is not None

    def turn(self, tick: int) -> None:
        """Change something now and then."""
        if tick % 20 == 0:
            self._sleepers.append(subprocess.Popen(["sleep", "1000"]))
            if len(self._sleepers) > 5:
                self._end(self._sleepers.pop(0))
        if self._can_link and tick % 50 == 0:
            command = (
                ["link", "del", self._interface]
                if self._interface
                else ["link", "add", f"soak{tick}", "type", "bridge"]
            )
            self._interface = "" if self._interface else f"soak{tick}"
            subprocess.run(["ip", *command], check=False, stderr=subprocess.DEVNULL)

    def close(self) -> None:
        """Take everything away."""
        for sleeper in self._sleepers:
            self._end(sleeper)
        if self._interface:
            subprocess.run(["ip", "link", "del", self._interface], check=False)

    def _end(self, sleeper: "subprocess.Popen[bytes]") -> None:
        sleeper.kill()
        sleeper.wait()


class Soak:
    """One run without waiting, ten made-up seconds a tick."""

    def __init__(self, folder: Path) -> None:
        source = Source()
        collectors = {name: kind(source, kind.Options()) for name, kind in discover().items()}
        intervals = {name: kind.default_interval or 10.0 for name, kind in discover().items()}
        budgets = {
            name: collector.cpu_budget for name, collector in collectors.items() if isinstance(collector, Governed)
        }
        self._seconds = 0.0
        self._sampler = Sampler(collectors, lambda: self._seconds)
        self._governor = Governor(intervals, budgets)
        (folder / "rules.yaml").write_text(_RULES)
        rules = load_rules(folder / "rules.yaml", tables(), {**intervals, COLLECTOR.name: 10.0, AGENT.name: 10.0})
        origin = Origin("soak")
        self._evaluator = Evaluator(rules.rules, tables(), origin)
        self._folder = folder / "data/soak"
        files = HostWriter(
            self._folder,
            origin,
            tables().values(),
            layout=StorageLayout(),
            opening=lambda at: Event(at, "running", {}),
            tell=print,
        )
        self._writer = Writer(files, sync_seconds=30.0, tell=print)
        self._writer.start()
        self._meter = AgentMeter("soak", 0.0)
        self._tidying = GarbageCollection()
        self._at = datetime(2026, 1, 1, tzinfo=UTC)
        self.alerts = 0

    def tick(self) -> None:
        """Take one tick, all of its path."""
        self._seconds += 10.0
        self._at += timedelta(seconds=10)
        sample, events = self._sampler.take(self._at, select_due(self._at, self._governor.intervals))
        events += self._governor.note(self._at, self._sampler.costs)
        own = self._meter.row(monotonic=self._seconds, lateness=0.0, missed=0, dropped=self._writer.dropped())
        sample = Sample(sample.at, {**sample.rows, AGENT.name: [own]})
        alerts = self._evaluator.evaluate(sample)
        self.alerts += len(alerts)
        stored = self._writer.put(sample, events=events, alerts=alerts, active=self._evaluator.active())
        self._tidying.look(self._at)
        stored.wait()

    def close(self) -> None:
        """Write what is left."""
        self._sampler.close()
        self._writer.close(60)


def forget_files(folder: Path) -> None:
    """Delete all but the newest files of each table: this is about memory."""
    for table in folder.glob("*/"):
        for path in sorted(table.iterdir())[:-8]:
            path.unlink()


def ticking(folder: Path, ticks: int, told_end: int, heard: int) -> None:
    """Take all ticks, one group of them at a word, and nothing else: what is measured is the run, not its scenery."""
    soak = Soak(folder)
    for tick in range(1, ticks + 1):
        soak.tick()
        if tick % _GROUP == 0:
            os.write(told_end, struct.pack("=qq", tick, soak.alerts))
            os.read(heard, 1)
    soak.close()


def watching(pid: int, folder: Path, heard: int, told_end: int) -> tuple[list[Use], int]:
    """Have things come and go between the groups of ticks, and measure now and then; return the uses, and alerts."""
    churn, uses, alerts = Churn(), [], 0
    try:
        while answer := os.read(heard, 16):
            tick, alerts = struct.unpack("=qq", answer)
            churn.turn(tick)
            if tick % SETTLED == 0:
                uses.append(look(pid, tick))
                print(uses[-1].line(), flush=True)
                forget_files(folder / "data/soak")
            os.write(told_end, b".")
    finally:
        churn.close()
    return uses, alerts


def main() -> int:
    """Soak, and say what grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ticks", type=int, default=100_000)
    ticks = max(SETTLED, parser.parse_args().ticks)
    if os.geteuid() == 0 and shutil.which("unshare") and _ALONE not in os.environ:
        command = crowd.command(0, 0, [sys.executable, "-m", "benchmarks.soak", "--ticks", str(ticks)])
        os.execvpe(command[0], command, {**os.environ, _ALONE: "1"})
    began = time.monotonic()
    print("| tick | resident KiB | of that its own | descriptors | threads |\n|---|---|---|---|---|", flush=True)
    (heard, tell), (hear, told_end) = os.pipe(), os.pipe()
    with tempfile.TemporaryDirectory() as name:
        pid = os.fork()
        if pid == 0:
            os.close(heard)
            os.close(told_end)
            ticking(Path(name), ticks, tell, hear)
            os._exit(0)
        os.close(tell)
        os.close(hear)
        uses, alerts = watching(pid, Path(name), heard, told_end)
        os.waitpid(pid, 0)
    first, last = uses[0], uses[-1]
    print(f"\n{alerts} alert events, {time.monotonic() - began:.0f} s; from tick {first.tick} to {last.tick}:")
    grown = f"resident {last.resident_kib - first.resident_kib:+d} KiB, its own {last.own_kib - first.own_kib:+d} KiB"
    print(f"{grown} ({last.own_kib / first.own_kib:.3f} times)")
    print(f"descriptors {last.descriptors - first.descriptors:+d}, threads {last.threads - first.threads:+d}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
