"""Holders of file locks: their process and command, as the kernel lists them. Is it a sysmon, or somebody else?

Whoever may read a file may lock it, and nothing is deleted or compressed while a stranger holds a lock of ours.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from sysmon.datadir.files import open_regular
from sysmon.text.names import printable

_LOCK = re.compile(
    r"\d+: FLOCK +ADVISORY +(?P<kind>READ|WRITE) +(?P<pid>\d+) +"
    r"(?P<major>[0-9a-f]+):(?P<minor>[0-9a-f]+):(?P<inode>\d+) .*"
)
"""A line of /proc/locks, as proc(5) has it; those who only wait have an arrow before the kind."""

_LONGEST = 80
"""Characters of a command that are shown."""

_LONGEST_PID = 32


@dataclass(frozen=True, slots=True)
class LockHolder:
    """A process that holds a lock: `command` is empty where it cannot be seen; `is_sysmon` where the file says so.

    A sysmon writes its process id into the file whose lock it takes. One that is `shared` keeps others only from
    holding it alone.
    """

    pid: int
    command: str
    shared: bool
    is_sysmon: bool

    def __str__(self) -> str:
        """Return it for a sentence: `process 123 (flock -s data/lock sleep 999)`."""
        return f"process {self.pid} ({self.command})" if self.command else f"process {self.pid}"


def find_holders(path: Path, *, proc: Path = Path("/proc")) -> list[LockHolder]:
    """Return who holds the lock of a file, as far as that can be seen from here: not from another container."""
    try:
        about = path.stat()
        listed = (proc / "locks").read_text("ascii", "replace").splitlines()
    except OSError:
        return []
    locks = [match for line in listed if (match := _LOCK.fullmatch(line)) and int(match["inode"]) == about.st_ino]
    device = os.major(about.st_dev), os.minor(about.st_dev)
    # Btrfs and overlays call a file's device otherwise in stat(2) than in /proc/locks.
    same = [match for match in locks if (int(match["major"], 16), int(match["minor"], 16)) == device] or locks
    written = _written_pid(path)
    holders = {int(match["pid"]): match["kind"] == "READ" for match in same}
    return [
        LockHolder(
            pid, _command(proc, pid), shared, not shared and (written is None or written in _pids_inside(proc, pid))
        )
        for pid, shared in sorted(holders.items())
    ]


def find_strangers(path: Path, *, proc: Path = Path("/proc")) -> list[LockHolder]:
    """Return who holds the lock of a file and is no sysmon."""
    return [holder for holder in find_holders(path, proc=proc) if not holder.is_sysmon]


def _written_pid(path: Path) -> int | None:
    """Return the process id in a lock file, 0 where there is none; None where we may not read it, nor any stranger."""
    try:
        descriptor = open_regular(path)
    except PermissionError:
        return None
    except OSError:
        return 0
    try:
        text = os.pread(descriptor, _LONGEST_PID, 0).decode("ascii", "replace").strip()
    except OSError:
        return 0
    finally:
        os.close(descriptor)
    return int(text) if text.isdecimal() else 0


def _pids_inside(proc: Path, pid: int) -> set[int]:
    """Return a process's ids: here, and in the containers that it is in."""
    pids = {pid}
    try:
        status = (proc / str(pid) / "status").read_text("utf-8", "replace")
    except OSError:
        return pids
    for line in status.splitlines():
        if line.startswith("NSpid:"):
            pids |= set(map(int, line.split()[1:]))
    return pids


def _command(proc: Path, pid: int) -> str:
    try:
        words = (proc / str(pid) / "cmdline").read_bytes()[:_LONGEST].decode("utf-8", "surrogateescape")
    except OSError:
        return ""
    return printable(" ".join(words.rstrip("\0").split("\0")))
