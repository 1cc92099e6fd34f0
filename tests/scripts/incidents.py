"""Does an alert name who did it? Incidents with real processes, one after the other: who is named, right or wrong?

    sudo python tests/scripts/incidents.py [--only NAME ...]

Each begins a `sysmon run --interval 1s` of its own, whose only rule fires some hundred megabytes (or connections, or
percent) above what this machine uses anyway, starts what shall be blamed, and reads back `sysmon alerts`. It takes 25
seconds at most. Some need root (a tmpfs is mounted). Other work on the machine only makes it harder. Exits with 1
where a name is wrong.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MIB = 2**20
SYSMON = [sys.executable, "-m", "sysmon"]
SECONDS = 25.0

SPIN = "while True: pass"
HOLD = "import sys, time; block = bytearray(b'x') * (int(sys.argv[1]) * 2**20); time.sleep(float(sys.argv[2]))"
SHARE = """
import mmap, sys, time
block = mmap.mmap(-1, int(sys.argv[1]) * 2**20)
for place in range(0, len(block), 4096):
    block[place] = 1
time.sleep(60)
"""
WRITE = """
import os, sys, time
descriptor = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o600)
for _ in range(int(sys.argv[2])):
    os.write(descriptor, os.urandom(2**20) * 20)
    os.fsync(descriptor)
    time.sleep(0.3)
"""
CONNECT = """
import resource, socket, time
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
server = socket.create_server(("127.0.0.1", 0), backlog=600)
ends = []
for _ in range(600):
    ends += [socket.create_connection(server.getsockname()), server.accept()[0]]
until = time.monotonic() + 6
while time.monotonic() < until:
    pass
time.sleep(60)
"""
LOOP = "while :; do /bin/true; done"
TREE = "yes | xargs -n 1 sh -c 'sh -c \"i=0; while [ \\$i -lt 20000 ]; do i=\\$((i+1)); done\"'"


@dataclass
class Stage:
    """What an incident runs on: a folder, a rule, and the processes that it has started."""

    folder: Path
    rule: dict[str, Any] = field(default_factory=dict)
    include: list[str] = field(default_factory=list)
    processes: "list[subprocess.Popen[bytes]]" = field(default_factory=list)
    exits: ExitStack = field(default_factory=ExitStack)

    def python(self, code: str, *words: object) -> int:
        """Start a Python program; return its pid."""
        return self.start([sys.executable, "-c", code, *map(str, words)])

    def start(self, command: list[str]) -> int:
        """Start a program in a session of its own; return its pid."""
        process = subprocess.Popen(
            command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        self.processes.append(process)
        return process.pid

    def end(self) -> None:
        """End every program and its children, and unmount."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.exits.close()


Judge = Callable[[dict[str, Any]], bool]
"""Says whether an alert, as `sysmon alerts --format json` has it, names the right one."""


def memory_used() -> int:
    """Return the bytes of memory in use, as sysmon counts."""
    words = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    return 1024 * (int(words["MemTotal"].split()[0]) - int(words["MemAvailable"].split()[0]))


def watch_memory(stage: Stage, more: int, **keys: Any) -> None:
    """Have the rule fire at so many more megabytes than are in use now."""
    stage.rule = {"metric": "memory_used_bytes", "warning": {"at_least": memory_used() + more * MIB}, **keys}


def names(alert: dict[str, Any]) -> list[str]:
    """Return the pids of all that are named, at the peak or else."""
    return [culprit["pid"] for culprit in (*alert["peak_top"], *alert["top"])]


def first(alert: dict[str, Any]) -> dict[str, Any]:
    """Return whoever is named first, at the peak where that is told apart."""
    return next(iter(alert["peak_top"] or alert["top"]), {"pid": "", "name": ""})


def watch_cpu(stage: Stage) -> None:
    """Have the rule fire where the processor is in use by a third."""
    stage.rule = {"metric": "cpu_usage_percent", "match": {"core": "all"}, "warning": {"at_least": 33, "for": "3s"}}


def busy_loop(stage: Stage) -> Judge:
    """A program that spins."""
    watch_cpu(stage)
    pid = str(stage.python(SPIN))
    return lambda alert: pid in names(alert)


def forking_loop(stage: Stage) -> Judge:
    """A shell whose children live for a millisecond."""
    watch_cpu(stage)
    pid = str(stage.start(["bash", "-c", LOOP]))
    return lambda alert: (
        (pid, "bash and ended children")
        in [(culprit["pid"], culprit["name"]) for culprit in (*alert["peak_top"], *alert["top"])]
    )


def compiler_tree(stage: Stage) -> Judge:
    """A tree as of make: whoever works is a grandchild that is soon gone."""
    watch_cpu(stage)
    stage.start(["bash", "-c", TREE])
    return lambda alert: any(
        culprit["name"] == "xargs and ended children" for culprit in (*alert["peak_top"], *alert["top"])
    )


def takeover(stage: Stage) -> Judge:
    """A memory hog that ends, and a larger one that takes over before the alert clears."""
    watch_memory(stage, 300, clear_for="1m")
    late = str(stage.start(["sh", "-c", '"$0" -c "$1" 600 5; exec "$0" -c "$1" 900 60', sys.executable, HOLD]))
    return lambda alert: first(alert)["pid"] == late and len(alert["ended_pids"]) > 0


def beside_others(stage: Stage) -> Judge:
    """A memory hog beside three smaller ones."""
    for _ in range(3):
        stage.python(HOLD, 150, 60)
    time.sleep(1)
    watch_memory(stage, 300)
    pid = str(stage.python(HOLD, 700, 60))
    return lambda alert: first(alert)["pid"] == pid


def shared_memory(stage: Stage) -> Judge:
    """A program that shares most of what is in use; its own part is small."""
    watch_memory(stage, 300)
    stage.python(SHARE, memory_used() // MIB + 500)
    return lambda alert: first(alert)["name"] == "shared memory and tmpfs"


def written_to_shm(stage: Stage) -> Judge:
    """A file in /dev/shm whose writer has ended."""
    path = Path(f"/dev/shm/sysmon-incident-{os.getpid()}")
    stage.exits.callback(path.unlink, missing_ok=True)
    watch_memory(stage, 300)
    with path.open("wb") as file:
        subprocess.run(["head", "-c", str(memory_used() + 500 * MIB), "/dev/zero"], stdout=file, check=True)
    return lambda alert: first(alert)["name"] == "shared memory and tmpfs"


def full_tmpfs(stage: Stage) -> Judge:
    """A tmpfs that fills up: memory, and nobody can know who wrote."""
    mount = stage.folder / "tmpfs"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m", "tmpfs", str(mount)], check=True)
    stage.exits.callback(subprocess.run, ["umount", str(mount)], check=True)
    stage.include = [str(mount)]
    stage.rule = {"metric": "disk_usage_percent", "match": {"mountpoint": str(mount)}, "warning": {"at_least": 80}}
    stage.start(["sh", "-c", f"sleep 6; head -c 180M /dev/zero > {mount}/blob"])
    return lambda alert: (alert["resource"], alert["top"]) == ("memory", []) and alert["growth"] > 150 * MIB


def filler_that_ended(stage: Stage) -> Judge:
    """A program that writes half a gigabyte to the disk and ends before the alert fires."""
    status = os.statvfs(stage.folder)
    used = (status.f_blocks - status.f_bfree) * status.f_frsize
    mount = subprocess.run(
        ["findmnt", "-n", "-o", "TARGET", "-T", str(stage.folder)], capture_output=True, text=True, check=True
    ).stdout.strip()
    stage.rule = {
        "metric": "disk_used_bytes",
        "match": {"mountpoint": mount},
        "warning": {"at_least": used + 250 * MIB, "for": "4s"},
    }
    code = f"import time; time.sleep(5)\n{WRITE}"
    pid = str(stage.python(code, stage.folder / "filler", 20))
    return lambda alert: first(alert)["pid"] == pid and alert["growth"] > 200 * MIB


def many_sockets(stage: Stage) -> Judge:
    """A program with a thousand connections."""
    stage.rule = {"metric": "network_connections", "match": {"state": "ESTABLISHED"}, "warning": {"at_least": 900}}
    pid = str(stage.python(CONNECT))
    return lambda alert: first(alert)["pid"] == pid


def disk_writer(stage: Stage) -> Judge:
    """A program that keeps the disk busy."""
    stage.rule = {"metric": "disk_write_bytes_per_second", "warning": {"at_least": 20_000_000, "for": "2s"}}
    pid = str(stage.python(WRITE, stage.folder / "written", 40))
    return lambda alert: pid in names(alert)


INCIDENTS = (
    *(busy_loop, forking_loop, compiler_tree, takeover, beside_others, shared_memory),
    *(written_to_shm, full_tmpfs, filler_that_ended, many_sockets, disk_writer),
)


@contextmanager
def running(stage: Stage) -> Iterator[None]:
    """Have a run watch while the context lasts."""
    rules = {"version": 1, "defaults": {"for": "1s", "clear_for": "10s", "max_gap": "60s"}}
    path = stage.folder / "rules.yaml"
    path.write_text(json.dumps({**rules, "rules": [{"id": "incident", **stage.rule}]}))
    usage = {"interval": "1s", "include": stage.include}
    settings = {"rules": str(path), "collectors": {"disk_usage": usage}}
    (stage.folder / "sysmon.yaml").write_text(json.dumps(settings))
    data = ["--config", str(stage.folder / "sysmon.yaml"), "--data", str(stage.folder / "data")]
    run = subprocess.Popen([*SYSMON, "run", "--interval", "1s", *data], stdout=subprocess.DEVNULL)
    try:
        yield
    finally:
        run.terminate()
        run.wait(30)


def read_alerts(stage: Stage, *flags: str) -> str:
    """Return what `sysmon alerts` says."""
    command = [*SYSMON, "alerts", "--data", str(stage.folder / "data"), *flags]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout


def play(incident: Callable[[Stage], Judge], folder: Path) -> bool:
    """Stage one incident; print who was named, and say whether that is right."""
    stage = Stage(folder)
    began = time.monotonic()
    right = False
    try:
        judge = incident(stage)
        with running(stage):
            while not right and time.monotonic() - began < SECONDS:
                time.sleep(1)
                alerts = json.loads(read_alerts(stage, "--format", "json") or '{"alerts": []}')["alerts"]
                right = any(judge(alert) for alert in alerts)
            text = read_alerts(stage)
    finally:
        stage.end()
    named = [line.strip() for line in text.splitlines() if "top" in line or "grew" in line]
    print(f"{'right' if right else 'WRONG'}  {incident.__name__}: {'; '.join(named) or 'no alert'}", flush=True)
    return right


def main() -> None:
    """Stage the incidents."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=[incident.__name__ for incident in INCIDENTS])
    only = parser.parse_args().only
    wanted = [incident for incident in INCIDENTS if not only or incident.__name__ in only]
    results = []
    for incident in wanted:
        with tempfile.TemporaryDirectory() as name:
            results.append(play(incident, Path(name)))
    print(f"{sum(results)} of {len(results)} right")
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main()
