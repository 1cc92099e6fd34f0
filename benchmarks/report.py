"""What does a report take? A machine of 8 cores, 4 disks, 3 interfaces and 20 processes, every 10 s, for 30 days.

    python -m benchmarks.report [DIR] [--python PYTHON] [--runs 7] [--sysmon-only]

Writes the past of that machine (140 MB a day; the same each time), lets `sysmon maintain` sum it up and compress it,
and measures `sysmon report` from its start to its last line: CPU of the process and its children, and its largest
memory. Beside it sar -A, sadf -j and atopsar read a day of this machine, as far as they are installed: their recorders
are told by libfaketime that 10 s have passed whenever 20 ms have, so that a day of records takes three minutes; weeks
and months are as many times a day. A folder that has the data already is measured again as it is.
"""

import argparse
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

DAYS = 30
RECORDS = 8640
RANGES = {"1h": (1 / 24, 0.20), "24h": (1.0, 0.30), "7d": (7.0, 0.30), "30d": (30.0, 0.40)}
"""How many days a range has, and how many seconds of CPU are the target."""

MEMORY_MB = 40
_SPEED = 500
_STEP = 10 / _SPEED
_SADC = "/usr/lib/sysstat/sadc"
_FAKETIME = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
)


@dataclass(frozen=True)
class Cost:
    """Seconds of CPU, the lowest and the median of some runs, and the most memory in megabytes."""

    lowest: float
    seconds: float
    memory_mb: float


def measure(command: Sequence[str], runs: int, environ: Mapping[str, str] | None = None) -> Cost:
    """Run a command so many times; children count."""
    seconds, memory = [], 0.0
    for _ in range(runs):
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=environ)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            raise SystemExit(f"{' '.join(command)}: exit code {child.returncode}")
        seconds.append(usage.ru_utime + usage.ru_stime)
        memory = max(memory, usage.ru_maxrss / 1024)
    return Cost(min(seconds), sorted(seconds)[runs // 2], memory)


def prepare(folder: Path) -> datetime:
    """Write the past of the machine unless it is there; return when it ends."""
    ended = folder / "ended"
    if not ended.exists():
        # In processes of their own: children inherit the largest memory of their parent.
        subprocess.run([sys.executable, "-m", "benchmarks.machine", str(folder / "data"), str(DAYS), "now"], check=True)
        config = folder / "sysmon.yaml"
        config.write_text("storage: {max_bytes: 1TiB, min_free: 0B, retention: {rows: 52w}}\n")
        where = ["--data", str(folder / "data"), "--config", str(config)]
        subprocess.run([sys.executable, "-m", "sysmon", "maintain", *where], check=True)
        ended.write_text(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:00+00:00}")
    return datetime.fromisoformat(ended.read_text())


def record(folder: Path) -> dict[str, Path]:
    """Let the recorders that are there take a day of records of this machine in a hurry; return their files."""
    library = next((path for path in _FAKETIME if Path(path).exists()), None)
    if library is None:
        return {}
    recorders = {
        "sysstat": [_SADC, "-S", "XALL", "10", str(RECORDS), str(folder / "sysstat")],
        "atop": ["atop", "-w", str(folder / "atop"), "10", str(RECORDS)],
    }
    faked = {"LD_PRELOAD": library, "FAKETIME": f"@2026-11-20 00:00:00 x{_SPEED}", "DONT_FAKE_MONOTONIC": "1"}
    spans = {}
    for name, command in recorders.items():
        if shutil.which(command[0]) is None:
            continue
        if not (folder / name).exists():
            _hurry(subprocess.Popen(command, env={**os.environ, **faked, "TZ": "UTC"}))
        spans[name] = folder / name
    return spans


def _hurry(recorder: "subprocess.Popen[bytes]") -> None:
    """Ring the clock of a recorder that waits for the next sample."""
    time.sleep(1)
    due = time.monotonic()
    while recorder.poll() is None:
        recorder.send_signal(signal.SIGALRM)
        due += _STEP
        time.sleep(max(0.0, due - time.monotonic()))


def readers(files: Mapping[str, Path], *, hour: bool) -> dict[str, list[str]]:
    """Return what others would be asked for a day of everything, or for its last hour."""
    last = ["-s", "22:59:59", "-e", "23:59:59"] if hour else []
    spans = {}
    if "sysstat" in files:
        spans["sar -A"] = ["sar", "-A", "-f", str(files["sysstat"]), *last]
        spans["sadf -j -- -A"] = ["sadf", "-j", *last, str(files["sysstat"]), "--", "-A"]
    if "atop" in files:
        # One of its reports only: each takes as long again.
        spans["atopsar -c"] = ["atopsar", "-c", "-r", str(files["atop"]), *(["-b", "23:00"] if hour else [])]
    return spans


def main() -> None:
    """Make the data where there is none, measure, and print two tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", type=Path, default=Path(tempfile.gettempdir()) / "sysmon-report-bench")
    parser.add_argument("--python", default=sys.executable, help="the interpreter that runs sysmon")
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--sysmon-only", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    until = prepare(options.folder)
    print(f"{platform.platform()}, {os.cpu_count()} processors")
    subprocess.run([options.python, "-VV"], check=True)
    print("| range | target s CPU | lowest | median | MB |\n|---|---|---|---|---|")
    ours = {}
    for name, (days, target) in RANGES.items():
        span = [
            "--since",
            f"{until - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}",
            "--until",
            f"{until:%Y-%m-%dT%H:%M:%SZ}",
        ]
        command = [options.python, "-m", "sysmon", "report", *span, "--data", str(options.folder / "data")]
        ours[name] = measure(command, options.runs)
        cost = ours[name]
        print(
            f"| {name} | {target:.2f} | {cost.lowest:.2f} | {cost.seconds:.2f} | {cost.memory_mb:.0f} of {MEMORY_MB} |"
        )
    if options.sysmon_only:
        return
    files = record(options.folder)
    environ = {**os.environ, "TZ": "UTC", "LC_ALL": "C"}
    print("| program | 1h | 24h | 7d | 30d | MB |\n|---|---|---|---|---|---|")
    print("| sysmon report |", " | ".join(f"{cost.seconds:.2f}" for cost in ours.values()), "|", end=" ")
    print(f"{max(cost.memory_mb for cost in ours.values()):.0f} |")
    of_an_hour = readers(files, hour=True)
    for name, command in readers(files, hour=False).items():
        hour, day = measure(of_an_hour[name], 1, environ), measure(command, 1, environ)
        weeks = " | ".join(f"{days * day.seconds:.1f}" for days in (7, 30))
        print(f"| {name} | {hour.seconds:.2f} | {day.seconds:.2f} | {weeks} | {day.memory_mb:.0f} |")


if __name__ == "__main__":
    main()
