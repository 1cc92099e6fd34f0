"""Write a small disk full ten times with a real run, and look at how much is taken every 50 ms. Needs root.

    python -m tests.scripts.overfill [--times 10] [--rotation 2s] [--compress-after 10s]

A tmpfs of 8 MiB, `max_bytes: 4MiB`, rows made long by labels. Prints the most that `du` saw, and by how much of a
segment (all files of one rotation) that is over the bound. Exits with 1 when it is more than one segment and one
temporary file, when a line is damaged, or a sample neither stored nor deleted. Maintenance lets everything else go
first: a machine that is busy with other things delays it by more than such a short rotation.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from sysmon.app.admin.verify import verify_files
from sysmon.storage import inventory
from tests.integration.crashes import sequence
from tests.integration.disks import MIB, small_disk
from tests.integration.processes import CALM, SYSMON, environment

MOST = 4 * MIB
LOOK = 0.05


def command(folder: Path, options: argparse.Namespace) -> list[str]:
    """Return the command line of a run that writes a lot."""
    labels = ", ".join(f"{name}: {'x' * 64}" for name in ("environment", "region", "datacenter", "role"))
    storage = f"rotation: {options.rotation}, compress_after: {options.compress_after}, max_bytes: {MOST // MIB}MiB"
    (folder / "sysmon.yaml").write_text(f"storage: {{{storage}, min_free: 0B}}\nlabels: {{{labels}}}\n")
    (folder / "rules.yaml").write_text(CALM)
    files = ["--config", str(folder / "sysmon.yaml"), "--rules", str(folder / "rules.yaml")]
    return [*SYSMON, "run", "--data", str(folder / "data"), *files, "--interval", "50ms", "--quiet"]


def main() -> int:
    """Fill, look, tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--times", type=float, default=10.0)
    parser.add_argument("--rotation", default="2s")
    parser.add_argument("--compress-after", default="10s")
    options = parser.parse_args()
    if os.geteuid() != 0:
        sys.stderr.write("only root can mount file systems: try again with sudo\n")
        return 2
    with tempfile.TemporaryDirectory() as name, small_disk(Path(name) / "data", 2 * MOST):
        data = Path(name) / "data"
        process = subprocess.Popen(command(Path(name), options), env=environment())
        most = packed = 0
        segments: dict[object, dict[Path, int]] = defaultdict(dict)
        while sum(sum(files.values()) for files in segments.values()) < options.times * MOST:
            if process.poll() is not None:
                return 1
            taken = subprocess.run(["du", "-sB1", str(data)], capture_output=True, text=True, check=False)
            most = max(most, int(taken.stdout.split()[0]))
            for file in inventory.take_inventory(data).files:
                if file.segment is not None and file.segment.packed:
                    packed = max(packed, file.size)
                elif file.segment is not None:
                    segments[file.end][file.path] = file.size
            time.sleep(LOOK)
        process.terminate()
        process.wait(30)
        (host,) = [folder.name for folder in data.iterdir() if (folder / "agent").is_dir()]
        stored = [number for _, number in sequence(data, host)]
        faults = verify_files(data, repair=False).faults
    whole = stored == list(range(stored[0], stored[0] + len(stored)))
    segment = max(sum(files.values()) for files in segments.values())
    written = sum(sum(files.values()) for files in segments.values())
    print(
        f"{written / MIB:.1f} MiB written, {stored[-1]} samples; at most {most / MIB:.2f} MiB taken of {MOST / MIB:.0f}"
    )
    print(f"a segment is {segment / MIB:.2f} MiB: over by {max(0, most - MOST) / segment:.2f} of it", *faults, sep="\n")
    return 0 if whole and not faults and most <= MOST + segment + packed else 1


if __name__ == "__main__":
    sys.exit(main())
