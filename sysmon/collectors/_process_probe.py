"""Probe of what no table holds: who is alive, maps shared memory, has sockets open? Only where an alert asks."""

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from sysmon.collectors._kernel_file import line_number, read_short
from sysmon.collectors._procfs import parse_stat

_MOST_PROCESSES = 64
_MOST_FILES = 20_000
"""Descriptors that are looked at in one go at most: some 20 ms."""

_GONE = (OSError, ValueError)


class ProcessProbe:
    """Reads /proc/PID/stat, status and fd of a few named processes, and how much of the slab cannot be given back."""

    def __init__(self, proc: Path) -> None:
        self._proc = proc

    def starts(self, pids: Iterable[str]) -> Mapping[str, int]:
        """Return when each of these processes that is alive started, in ticks; a zombie is not alive."""
        starts = {}
        for pid in pids:
            try:
                stat = read_short(f"{self._proc}/{pid}/stat")
            except _GONE:
                continue
            usage = parse_stat(stat)
            if usage is not None and stat[stat.rfind(b")") + 2 :][:1] not in {b"Z", b"X"}:
                starts[pid] = usage.start
        return starts

    def shared(self, pids: Iterable[str]) -> Mapping[str, float]:
        """Return the bytes of shared memory and tmpfs files that each has mapped (RssShmem of proc_pid_status(5))."""
        shared = {}
        for pid in list(pids)[:_MOST_PROCESSES]:
            try:
                number = line_number((self._proc / pid / "status").read_bytes(), b"\nRssShmem:")
            except _GONE:
                continue
            if number:
                shared[pid] = number * 1024.0
        return shared

    def slab(self) -> float:
        """Return the bytes of kernel objects that cannot be given back (SUnreclaim of proc_meminfo(5))."""
        try:
            return 1024.0 * (line_number((self._proc / "meminfo").read_bytes(), b"\nSUnreclaim:") or 0)
        except _GONE:
            return 0.0

    def sockets(self, pids: Iterable[str]) -> Mapping[str, int]:
        """Return how many sockets each has open; those that may not be looked at are left out."""
        counts = {}
        left = _MOST_FILES
        for pid in list(pids)[:_MOST_PROCESSES]:
            folder = f"{self._proc}/{pid}/fd"
            try:
                names = os.listdir(folder)  # noqa: PTH208 - names are all that is needed
            except _GONE:
                continue
            if len(names) > left:
                names = names[:left]
            left -= len(names)
            counts[pid] = sum(_is_socket(f"{folder}/{name}") for name in names)
        return counts


def _is_socket(path: str) -> bool:
    try:
        return os.readlink(path).startswith("socket:")  # noqa: PTH115 - no Path object for each descriptor
    except _GONE:
        return False
