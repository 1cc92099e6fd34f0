"""Parser of /proc/PID: one short read a process, more only for the few that lead."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sysmon.collectors._kernel_file import read_short
from sysmon.collectors._process_files import GONE, MOST_KEPT, ProcessFiles

_PAGE = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
_KERNEL_THREAD = 0x00200000  # PF_KTHREAD of include/linux/sched.h
_UNITS = (".service", ".scope", ".mount", ".socket", ".swap")
_SLICE = ".slice"
_CONTAINER = re.compile(r"[0-9a-f]{64}|(?<=/)[0-9a-f]{32}(?=(?:-[0-9]+)?(?:/|$))")  # Docker and Podman, ECS
_JOB = re.compile(r"/(job_[^/]+(?:/step_[^/]+)?)")  # Slurm


class Usage(NamedTuple):
    """What one process uses. With its pid, `start` (in ticks) tells it from any other; None is unknown.

    `parent` is the pid of its parent, `children` the ticks of the children that it has waited for, and of theirs.
    """

    start: int
    ticks: int | None
    memory: int | None
    threads: int | None
    name: bytes
    parent: int = 0
    children: int = 0


class Scanner:
    """Reads /proc/PID/stat of every process. What has not changed since the last scan is not parsed again."""

    def __init__(
        self, proc: Path, names: Callable[[], list[str]], *, kernel_threads: bool, most_kept: int = MOST_KEPT
    ) -> None:
        self._names = names
        self._kernel_threads = kernel_threads
        self._known: dict[str, tuple[bytes, Usage | None]] = {}
        self._files = ProcessFiles(proc, "stat", most_kept)

    def scan(self) -> dict[int, Usage]:
        """Return every process there is by its pid; those that end meanwhile are left out."""
        before, read = self._known, self._files.read
        entries = {}
        for entry in self._names():
            try:
                stat = read(entry)
            except GONE:
                continue
            past = before.get(entry)
            entries[entry] = (
                past
                if past is not None and past[0] == stat
                else (stat, parse_stat(stat, kernel_threads=self._kernel_threads))
            )
        self._known = entries
        self._files.turn()
        return {int(entry): usage for entry, (_, usage) in entries.items() if usage is not None}


def parse_stat(stat: bytes, *, kernel_threads: bool = True) -> Usage | None:
    """Read proc_pid_stat(5); None for a torn line, and for a kernel thread unless these are wanted.

    The name is fenced by the first `(` and the last `)`: it may hold spaces and parentheses itself.
    """
    end = stat.rfind(b")")
    fields = stat[end + 2 :].split(b" ", 22)
    if end < 0 or len(fields) < 22 or not (kernel_threads or not int(fields[6]) & _KERNEL_THREAD):
        return None
    return Usage(
        int(fields[19]),
        int(fields[11]) + int(fields[12]),
        int(fields[21]) * _PAGE,
        int(fields[17]),
        stat[stat.index(b"(") + 1 : end],
        int(fields[1]),
        int(fields[13]) + int(fields[14]),
    )


def read_io(proc: Path, pid: int) -> tuple[int, int] | None:
    """Return the bytes that a process made the disks read and write; None where it is secret."""
    try:
        return parse_io(read_short(f"{proc}/{pid}/io"))
    except GONE:
        return None


def parse_io(said: bytes) -> tuple[int, int] | None:
    """Read proc_pid_io(5); None from a kernel without task I/O accounting."""
    words = said.split()
    counted = dict(zip(words[::2], words[1::2], strict=False))
    try:
        return int(counted[b"read_bytes:"]), int(counted[b"write_bytes:"])
    except KeyError:
        return None


def owner(proc: Path, pid: int) -> int | None:
    """Return the effective user id of a process; None when it has ended."""
    try:
        return os.stat(f"{proc}/{pid}").st_uid  # noqa: PTH116 - no Path object for each process
    except GONE:
        return None


def user_name(uid: int) -> str:
    """Return a user's name, or the number of a user that is not known here."""
    import pwd  # not on Windows

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def user_names(root: Path) -> Callable[[int], str]:
    """Return what names users: this system, or the list of the one whose root is mounted elsewhere (passwd(5))."""
    if root == Path("/"):
        return user_name

    def named(uid: int) -> str:
        try:
            lines = (root / "etc/passwd").read_text("utf-8", "replace").split("\n")
        except OSError:
            return str(uid)
        fields = (line.split(":") for line in lines)
        return next((field[0] for field in fields if len(field) > 2 and field[2] == str(uid)), str(uid))

    return named


def read_unit(proc: Path, pid: int) -> str:
    """Return the unit or container that a process belongs to; `-` when there is none or it has ended."""
    try:
        return unit_of(read_short(f"{proc}/{pid}/cgroup").decode("utf-8", "surrogateescape"))
    except GONE:
        return "-"


def unit_of(cgroups: str) -> str:
    """Return the first 12 digits of a container's id, else a Slurm job and its step, else the innermost systemd unit.

    These are looked for in all hierarchies that cgroups(7) tell: the unified one (`0::`), then systemd's own
    (`name=systemd`), then the others in their order. A slice counts where there is nothing else, `-` is nothing at all.
    """
    lines = [line.split(":", 2) for line in cgroups.split("\n") if line.count(":") >= 2]
    lines.sort(key=lambda line: (line[0] != "0", line[1] != "name=systemd"))
    paths = [path for _, _, path in lines]
    if containers := [numbers[-1] for path in paths if (numbers := _CONTAINER.findall(path))]:
        return str(containers[0][:12])
    if jobs := [match[1] for path in paths if "slurm" in path and (match := _JOB.search(path))]:
        return max(jobs, key=len)
    parts = [part for path in paths for part in reversed(path.split("/"))]
    units = [part for part in parts if part.endswith(_UNITS)] or [part for part in parts if part.endswith(_SLICE)]
    return units[0] if units else "-"
