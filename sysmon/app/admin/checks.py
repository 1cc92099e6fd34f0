"""Checks of `sysmon doctor`: each status with what to do about it; pure."""

import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sysmon.adapters.installation import Programs
from sysmon.model import Event, Unit
from sysmon.text.names import printable
from sysmon.text.units import format_age, human

FEW_FILES = 256
"""Open files below which a run with many tables may fail."""

LITTLE_MEMORY = 64 * 2**20
"""A memory limit below which a run, its maintenance and a report may not fit together."""

FEW_INODES = 1000
BUILT = 2020
"""A year that the clock of a machine that runs this program cannot be before."""

_NETWORK = (
    *("9p", "afs", "beegfs", "ceph", "cifs", "coda", "glusterfs", "gpfs", "lustre", "ncpfs", "nfs", "nfs4"),
    *("smb3", "smbfs", "vboxsf", "virtiofs", "vmhgfs"),
)
_IN_MEMORY = ("tmpfs", "ramfs", "rootfs")
_LAYERED = ("overlay", "aufs", "unionfs")


class CheckStatus(StrEnum):
    """The status of a check: a note is worth knowing, a problem costs samples or the trust in them."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what there is to say, and what to do about it (nothing where all is well)."""

    status: CheckStatus
    subject: str
    text: str
    advice: str = ""


def ok(subject: str, text: str) -> Check:
    """Return that something is as it should be."""
    return Check(CheckStatus.OK, subject, text)


def note(subject: str, text: str, advice: str = "") -> Check:
    """Return what is worth knowing."""
    return Check(CheckStatus.NOTE, subject, text, advice)


def problem(subject: str, text: str, advice: str) -> Check:
    """Return what needs to be changed."""
    return Check(CheckStatus.PROBLEM, subject, text, advice)


def program(installed: Programs) -> list[Check]:
    """Judge which program the name `sysmon` starts: others of that name exist, such as Microsoft's for Linux."""
    own = None if installed.own is None else printable(str(installed.own))
    strangers = [printable(str(path)) for path in installed.on_path if path != installed.own]
    if installed.on_path and installed.on_path[0] != installed.own:
        way = f"type {own}" if own else "type `python3 -m sysmon`, with the Python that sysmon is installed for"
        return [note("program", f"`sysmon` starts {strangers[0]}, which is not this program", way)]
    if strangers:
        text = f"{strangers[0]} is another `sysmon`, later in the PATH"
        return [note("program", text, f"type {own} where the PATH may differ, as in cron and sudo")]
    return [ok("program", own or "started as a module; no `sysmon` is in the PATH")]


def check_permissions(path: str, mode: int, owner: str, folders: Sequence[int]) -> Check:
    """Judge who may look into a data directory, by its mode and those of the folders in it."""
    shown = f"{printable(path)} of {printable(owner)}, mode {stat.S_IMODE(mode):04o}"
    if mode & stat.S_IWOTH:
        way = f"chmod o-rwx {printable(path)}"
        return problem("permissions", f"{shown}: everybody on this machine may put something else there", way)
    if mode & stat.S_IRWXO and any(folder & stat.S_IRWXO for folder in folders):
        way = f"chmod o-rwx {printable(path)}"
        return problem("permissions", f"{shown}: everybody on this machine may look at what was stored", way)
    return ok("permissions", shown)


def check_file_system(path: str, kind: str, mountpoint: str) -> Check:
    """Judge what kind of file system the samples are on."""
    shown = f"{printable(path)} is on {printable(kind)} ({printable(mountpoint)})"
    if kind in _NETWORK or kind.startswith("fuse"):
        text = f"{shown}: locks, and what survives a power cut, depend on another machine or program"
        return problem("file system", text, "keep the samples on a disk of this machine: set data_dir")
    if kind in _IN_MEMORY:
        return problem("file system", f"{shown}: it is gone with the next start", "set data_dir to a folder on a disk")
    if kind in _LAYERED:
        return note("file system", f"{shown}: it is gone with its container", "mount a volume there, if it shall stay")
    return ok("file system", shown)


def check_space(free: int, min_free: int, inodes: int | None) -> Check:
    """Judge how much room is left; `inodes` is None on a file system that has none."""
    if free < min_free:
        text = f"{human(free, Unit.BYTES)} are free, and min_free keeps {human(min_free, Unit.BYTES)} for others"
        return problem("space", f"{text}: nothing is stored", "make room, or set storage.min_free lower")
    if inodes is not None and inodes < FEW_INODES:
        return problem(
            "space", f"only {inodes} more files can be made there", "delete files, or set data_dir elsewhere"
        )
    return ok("space", f"{human(free, Unit.BYTES)} free")


def check_limits(files: float, size: float, memory: int | None) -> list[Check]:
    """Judge what a process may open, how large a file may get, and what its control group allows."""
    checks = []
    if files < FEW_FILES:
        checks.append(
            problem("limits", f"{files:g} open files are allowed", "ulimit -n 1024, or LimitNOFILE= of the unit")
        )
    if size != float("inf"):
        text = f"no file may be larger than {human(size, Unit.BYTES)}: what is beyond is lost"
        checks.append(problem("limits", text, "ulimit -f unlimited, or LimitFSIZE=infinity of the unit"))
    if memory is not None and memory < LITTLE_MEMORY:
        text = f"{human(memory, Unit.BYTES)} of memory are allowed here: maintenance and reports may be ended"
        checks.append(
            problem("limits", text, f"allow {human(LITTLE_MEMORY, Unit.BYTES)} or more (MemoryMax=, --memory)")
        )
    elif memory is not None:
        checks.append(ok("limits", f"{human(memory, Unit.BYTES)} of memory are allowed here"))
    return checks or [ok("limits", "no resource limits in the way")]


def check_clock(now: datetime, steps: Sequence[Event], *, synchronised: bool | None) -> list[Check]:
    """Judge the clock: `steps` are the times of late at which it was set, `synchronised` None where nobody knows."""
    checks = []
    if now.year < BUILT:
        text = f"it says {now:%Y-%m-%d}: samples get names of that day"
        checks.append(problem("clock", text, "set it: timedatectl set-ntp true"))
    if synchronised is False:
        text = "not synchronised (no NTP)"
        checks.append(note("clock", text, "timedatectl set-ntp true, or start chrony"))
    if steps:
        largest = max(abs(_seconds(event)) for event in steps)
        times = "once" if len(steps) == 1 else f"{len(steps)} times"
        text = f"it was set {times} in the last week, by up to {format_age(largest)}"
        checks.append(note("clock", text, "the event log has each as clock_step: sysmon itself never sets it"))
    return checks or [ok("clock", f"{'synchronised, and ' if synchronised else ''}not set in the last week")]


def check_sources(missing: Mapping[str, str], broken: Mapping[str, str], good: Iterable[str]) -> list[Check]:
    """Judge what the collectors gave: nothing here, which is a fact of this machine, an error, or a reading."""
    checks = [
        problem("sources", f"{name} fails: {why}", "see why with `sysmon run --log-level debug`")
        for name, why in broken.items()
    ]
    checks += [note("sources", f"{name}: {why}") for name, why in missing.items()]
    return [*checks, ok("sources", f"read: {', '.join(good)}")]


def check_available_memory(meminfo: str) -> list[Check]:
    """Note where the kernel does not tell how much memory is available: all that is computed from it is an estimate."""
    if "MemTotal:" not in meminfo or "MemAvailable:" in meminfo:
        return []
    return [
        note(
            "memory", "no MemAvailable in /proc/meminfo (Linux before 3.14): memory in use is estimated from its parts"
        )
    ]


def _seconds(event: Event) -> float:
    value = event.fields.get("seconds")
    return float(value) if isinstance(value, int | float) else 0.0
