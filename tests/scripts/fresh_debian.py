"""Do what the README says in a fresh Debian that has python3-venv and nothing else. Needs root and debootstrap.

    python -m tests.scripts.fresh_debian [--ci] [--keep]

Mirror, name service, certificates and pip's settings are those of this machine. `--ci` runs the second command too,
which takes minutes; `--keep` leaves the folder. Start it as `unshare --mount --fork --pid --kill-child python -m ...`:
what it mounts goes with it, and so does whatever still runs.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.integration.processes import until

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
FINE: tuple[int, ...] = (0,)
HOME = "/usr/src/sysmon"
MOUNTS = (("proc", "proc"), ("sysfs", "sys"), ("tmpfs", "dev/shm"), ("devpts", "dev/pts"))
PATIENCE = 600.0
"""Seconds that one command may take."""


def block(holding: str) -> str:
    """Return the one block of the README that holds a text."""
    (block,) = [text for text in re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL) if holding in text]
    return str(block).strip()


def mirror() -> tuple[str, str]:
    """Return this machine's mirror and the release that it takes from there."""
    command = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(CODENAME)", "Created-By: Packages"]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\n")
    targets = sorted({tuple(line.split()) for line in lines if "/debian/ " in line}, key=lambda pair: len(pair[1]))
    return targets[0][0], targets[0][1]


def build(root: Path) -> None:
    """Make the system, and give it what this one knows about its network."""
    source, release = mirror()
    packages = "--include=python3-venv,ca-certificates"
    subprocess.run(["debootstrap", "--variant=minbase", packages, release, str(root), source], check=True)
    for name in ("/etc/resolv.conf", "/etc/hosts", "/etc/ssl/certs/ca-certificates.crt"):
        shutil.copy(name, root / name[1:])
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", str(root), str(root)], check=True)  # so that / is a file system in there
    for kind, place in MOUNTS:
        (root / place).mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", kind, kind, str(root / place)], check=True)
    checkout = root / HOME[1:]
    checkout.mkdir(parents=True)
    archive = subprocess.run(["git", "-C", str(ROOT), "archive", "HEAD"], check=True, capture_output=True).stdout
    subprocess.run(["tar", "-x", "-C", str(checkout)], input=archive, check=True)


def start(root: Path, command: str) -> "subprocess.Popen[bytes]":
    """Start a command of the README in the new system, as root in the checkout."""
    print(f"$ {command}", flush=True)
    passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    variables = {"PATH": f"{HOME}/.venv/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "CI": "true", **passed}
    inside = ["chroot", str(root), "/bin/sh", "-ec", f"cd {HOME}\n{command}"]
    return subprocess.Popen(inside, env=variables, start_new_session=True)


def ended(process: "subprocess.Popen[bytes]") -> int:
    """Return how a command ended."""
    return process.wait(PATIENCE)


def first_command(root: Path) -> int:
    """Install and watch as the README says, until there are two samples; then press Ctrl-C."""
    watch = start(root, block("sysmon run"))
    data = root / HOME[1:] / "data"
    began = time.monotonic()

    def has_two() -> bool:
        return any(path.read_bytes().count(b"\n") >= 2 for path in data.glob("*/agent/*.jsonl"))

    until(lambda: has_two() or watch.poll() is not None, PATIENCE)
    if watch.poll() is not None:
        raise SystemExit("it ended before it had two samples")
    print(f"-- two samples after {time.monotonic() - began:.0f} s, with the installation", flush=True)
    os.killpg(watch.pid, signal.SIGINT)
    return ended(watch)


def main(arguments: list[str]) -> int:
    """Print each command with what it prints; return 1 when one did not end as it should."""
    root = Path(tempfile.mkdtemp(prefix="fresh-debian-"))
    root.chmod(0o755)
    try:
        build(root)
        ends: dict[str, tuple[int, tuple[int, ...]]] = {}
        ends["the first command, ended by Ctrl-C"] = first_command(root), (0, 130, -signal.SIGINT)
        if "--ci" in arguments:
            ends[".ci/run"] = (ended(start(root, block(".ci/run"))), FINE)
        for command in (
            "sysmon",
            block("sysmon report"),
            "sysmon init -o /etc/sysmon",
            "sysmon verify",
            "sysmon metrics",
        ):
            ends[command] = (ended(start(root, f"{command} | head -n 12")), FINE)
    finally:
        if "--keep" in arguments:
            print(f"-- it is in {root}")
        else:
            for _, place in MOUNTS:
                subprocess.run(["umount", "--lazy", str(root / place)], check=True)
            subprocess.run(["umount", "--lazy", str(root)], check=True)
            shutil.rmtree(root)
    for step, (code, right) in ends.items():
        print(f"{'ok' if code in right else 'WRONG'}  {step}: {code}")
    return int(any(code not in right for code, right in ends.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
