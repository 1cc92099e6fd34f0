"""Cgroup limits and throttling: what does a container or a service manager allow here?"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

from sysmon.collectors._mounts import Mount, find_visible, parse_mountinfo
from sysmon.collectors._source import read_bytes
from sysmon.collectors.api import (
    Headline,
    Kind,
    Metric,
    NoOptions,
    Resource,
    Row,
    Source,
    Table,
    Unavailable,
    Unit,
    rates,
)

_NO_LIMIT = 2**62
"""Version 1 has no word for "no limit": it gives the largest number of whole pages, just under 2^63 bytes."""


class Levels(NamedTuple):
    """A control group and those around it, outermost first, as folders; `unified` is version 2."""

    unified: bool
    folders: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class CgroupReading:
    """The tightest limits, and what the group that has each of them has used; None where there is no limit.

    `cpu_group` is the group whose `periods` (and those in which it was `throttled`) are counted.
    """

    memory_limit: int | None = None
    memory_used: int | None = None
    cpu_limit: float | None = None
    cpu_group: str | None = None
    periods: int | None = None
    throttled: int | None = None


class CgroupCollector:
    """Reads cgroups(7), both versions: sysmon's own group and all around it that can be seen from here.

    Version 2 (Documentation/admin-guide/cgroup-v2.rst): memory.max, memory.current, cpu.max, cpu.stat. Version 1:
    memory.limit_in_bytes, memory.usage_in_bytes, cpu.cfs_quota_us, cpu.cfs_period_us, cpu.stat.
    """

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "cgroup",
        "The tightest limits on the control group that sysmon runs in, or on one around it; no row without a limit.",
        (
            Metric(
                "cgroup_memory_limit_bytes",
                Kind.GAUGE,
                Unit.BYTES,
                "Memory that the limited group may use.",
                resource=Resource.MEMORY,
            ),
            Metric(
                "cgroup_memory_used_bytes",
                Kind.GAUGE,
                Unit.BYTES,
                "Memory that it uses, cached files included.",
                resource=Resource.MEMORY,
            ),
            Metric(
                "cgroup_cpu_limit_cores",
                Kind.GAUGE,
                Unit.NONE,
                "Processor time that the limited group may use, in cores.",
                resource=Resource.CPU,
            ),
            Metric(
                "cgroup_throttled_percent",
                Kind.RATIO,
                Unit.PERCENT,
                "CPU throttling: periods in which it used up its quota and had to stop.",
                headline=Headline("CPU throttled", 20, rare=True),
                resource=Resource.CPU,
            ),
        ),
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source
        self._membership = b""
        self._memory = self._cpu = Levels(unified=True, folders=())

    def read(self) -> CgroupReading:
        """Read the limits of every level, and the counters of the tightest."""
        if not self._source.linux:
            raise Unavailable("only Linux has control groups")
        self._find_levels()
        memory_limit, memory_used = _memory(self._memory)
        cpu_limit, folder = _cpu(self._cpu)
        if memory_limit is None and cpu_limit is None:
            raise Unavailable("no control group limits memory or CPU here")
        counted = _counters(folder) if folder else {}
        return CgroupReading(
            memory_limit=memory_limit,
            memory_used=memory_used,
            cpu_limit=cpu_limit,
            cpu_group=str(folder) if folder else None,
            periods=counted.get("nr_periods"),
            throttled=counted.get("nr_throttled"),
        )

    def rows(self, before: CgroupReading | None, after: CgroupReading, seconds: float) -> list[Row]:
        """Return the one row; throttling counts only between two readings of the same group."""
        then = before if before and before.cpu_group == after.cpu_group else CgroupReading()
        throttled = rates.increase(then.throttled, after.throttled)
        periods = rates.increase(then.periods, after.periods)
        return [(after.memory_limit, after.memory_used, after.cpu_limit, rates.percent(throttled, periods))]

    def _find_levels(self) -> None:
        """Find the groups again whenever this process was moved to another one."""
        own = self._source.proc / "self"
        membership = self._source.require(own / "cgroup")
        if membership == self._membership:
            return
        mounts = find_visible(parse_mountinfo(self._source.read_text(own / "mountinfo")))
        text = membership.decode("utf-8", "surrogateescape")
        self._memory, self._cpu = (self._placed(find_levels(text, mounts, name)) for name in ("memory", "cpu"))
        self._membership = membership

    def _placed(self, levels: Levels) -> Levels:
        """Return levels as they are reached below this source's /sys; our own are never below that of a host."""
        if self._source.view != "self":
            return levels
        system = Path("/sys")
        return Levels(
            levels.unified,
            tuple(
                self._source.sys / folder.relative_to(system) if folder.is_relative_to(system) else folder
                for folder in levels.folders
            ),
        )


def find_levels(membership: str, mounts: Iterable[Mount], controller: str) -> Levels:
    """Return where the groups of a controller are that /proc/self/cgroup and the mounts tell of.

    A controller that no hierarchy of version 1 names is with version 2, whose line is `0::` and the group.
    """
    groups: dict[str, str] = {}
    for line in membership.splitlines():
        _, _, named = line.partition(":")
        controllers, _, path = named.partition(":")
        groups |= dict.fromkeys(controllers.split(","), path)
    unified = controller not in groups
    group = groups.get("" if unified else controller)
    fitting = [mount for mount in mounts if _has_controller(mount, None if unified else controller)]
    if group is None or not fitting:
        return Levels(unified, ())
    return Levels(unified, _folders(group, fitting))


def _has_controller(mount: Mount, controller: str | None) -> bool:
    """Say whether a mount shows a controller's hierarchy; None is version 2, which has one for all."""
    if controller is None:
        return mount.fstype == "cgroup2"
    return mount.fstype == "cgroup" and controller in mount.settings


def _folders(path: str, mounts: Iterable[Mount]) -> tuple[Path, ...]:
    """Return a mount's folder and those below it down to a group; the mount with the widest view is taken.

    A group out of sight (a container sees its own part of the tree only) is stood for by the root of the mount.
    """
    widest = sorted(mounts, key=lambda mount: len(mount.root))
    for mount in widest:
        root = mount.root.rstrip("/")
        if f"{path}/".startswith(f"{root}/") and ".." not in path.split("/"):
            below = [part for part in path[len(root) :].split("/") if part]
            return tuple(Path(mount.mountpoint, *below[:depth]) for depth in range(len(below) + 1))
    return (Path(widest[0].mountpoint),)


def _memory(levels: Levels) -> tuple[int | None, int | None]:
    """Return the smallest limit, and the use of the group that has it; of equals the outermost, which uses most."""
    limit_file, used_file = (
        ("memory.max", "memory.current") if levels.unified else ("memory.limit_in_bytes", "memory.usage_in_bytes")
    )
    limits = [(_number(folder / limit_file), folder) for folder in levels.folders]
    bounds = [(limit, folder) for limit, folder in limits if limit is not None and limit < _NO_LIMIT]
    if not bounds:
        return None, None
    limit, folder = min(bounds, key=lambda bound: bound[0])
    return limit, _number(folder / used_file)


def _cpu(levels: Levels) -> tuple[float | None, Path | None]:
    """Return the smallest limit in cores, and the group that has it."""
    limits = [(_cores(folder, unified=levels.unified), folder) for folder in levels.folders]
    limit, folder = min(limits, key=lambda bound: bound[0], default=(math.inf, None))
    return (None, None) if math.isinf(limit) else (limit, folder)


def _cores(folder: Path, *, unified: bool) -> float:
    """Return how many cores a group may use: its quota of each period."""
    if unified:
        quota, period = (*_words(folder / "cpu.max"), b"max", b"max")[:2]
    else:
        quota = (*_words(folder / "cpu.cfs_quota_us"), b"max")[0]
        period = b"max" if quota in {b"max", b"-1"} else (*_words(folder / "cpu.cfs_period_us"), b"max")[0]
    return round(int(quota) / int(period), 3) if quota.isdigit() and period.isdigit() else math.inf


def _number(file: Path) -> int | None:
    """Return the number in a file; None where there is none (`max`), or no file: the root has no limits."""
    words = _words(file)
    return int(words[0]) if words and words[0].isdigit() else None


def _counters(folder: Path) -> dict[str, int]:
    words = _words(folder / "cpu.stat")
    return {key.decode("ascii"): int(number) for key, number in zip(words[::2], words[1::2], strict=False)}


def _words(file: Path) -> list[bytes]:
    try:
        return read_bytes(file).split()
    except FileNotFoundError:
        return []
