"""What do exports and queries cost? A month of a host of 8 cores, 4 disks and 20 processes, sampled every 10 s.

    python -m benchmarks.export [DIR] [DAYS]

Makes the data where DIR has none, then runs each command once and prints its CPU time and its largest memory.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.maintenance import measured

DAY = ("--since", "2d", "--until", "1d")
TOP = "select name, avg(process_cpu_percent) from process group by 1 order by 2 desc limit 3"
CORES = "select core, quantile_cont(cpu_usage_percent, 0.95) from cpu group by 1 order by 1"


def main() -> None:
    """Make the data and measure."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    days = int(sys.argv[2]) if len(sys.argv) > 2 else 30
    data, out = folder / "data", folder / "out"
    if not data.exists():
        # In a process of its own: children inherit the largest memory of their parent.
        subprocess.run([sys.executable, "-m", "benchmarks.machine", str(data), str(days)], check=True)
    everything = ("export", "--data", str(data), "--since", f"{days + 2}d", "-o", f"{out}/")
    for form in ("csv", "jsonl", "parquet"):
        measured(f"{days} days, {form}", *everything, "--format", form)
        shutil.rmtree(out)
    measured(f"{days} days, 1m", *everything, "--rate", "1m")
    resumed = ("export", "--data", str(data), "--resume", "bench", "-o", f"{out}/")
    measured("--resume, the first", *resumed)
    measured("--resume, nothing new", *resumed)
    shutil.rmtree(out)
    for path in data.glob("export-*"):
        path.unlink()
    query = ("query", "--data", str(data))
    measured("a day of cpu", *query, *DAY, CORES)
    measured("a day of process", *query, *DAY, TOP)
    measured(f"{days} days of cpu", *query, "--since", f"{days + 2}d", CORES)


if __name__ == "__main__":
    main()
