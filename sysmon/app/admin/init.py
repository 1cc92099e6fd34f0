"""First configuration of a machine: the shipped files, with what there is here written beside the settings."""

import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from sysmon.collectors import Source, discover
from sysmon.config import locations
from sysmon.datadir.files import PASSABLE_MODE, READABLE_MODE, Owner
from sysmon.errors import UsageError
from sysmon.model import Row, Unit
from sysmon.sampling.clock import SystemClock
from sysmon.sampling.sampler import Sampler
from sysmon.storage.files import make_directory, write_atomic
from sysmon.text.names import printable
from sysmon.text.units import human

_LOOKED_AT = ("cpu", "disk_io", "disk_usage", "memory", "network")
_BUSY, _BUSY_CLEAR, _SWAMPED, _SWAMPED_CLEAR = 2, 1.5, 4, 3
"""Programs that want to run, for each core."""


@dataclass(frozen=True, slots=True)
class MountHere:
    """A file system that is watched: `size` in bytes, `used` in percent of `usable` bytes, as df counts.

    What is reserved for root is in `size` and not in `usable`.
    """

    mountpoint: str
    fstype: str
    size: float
    used: float
    usable: float


@dataclass(frozen=True, slots=True)
class Machine:
    """What init tells of a machine; sizes in bytes."""

    host: str
    cores: int
    memory: float
    swap: float
    mounts: tuple[MountHere, ...] = ()
    devices: Mapping[str, Sequence[str]] = field(default_factory=dict)


def inspect_machine() -> Machine:
    """Return what there is on this machine, as the collectors see it with their default settings."""
    clock = SystemClock()
    collectors = discover()
    sampler = Sampler(
        {name: collectors[name](Source(), collectors[name].Options()) for name in _LOOKED_AT}, clock.monotonic
    )
    try:
        return machine(socket.gethostname(), sampler.preview(clock.now()).rows)
    finally:
        sampler.close()


def machine(host: str, rows: Mapping[str, Sequence[Row]]) -> Machine:
    """Return what the rows of one sample say of a machine; a table that is not there says nothing."""
    cells = {
        name: [dict(zip(collector.table.columns, row, strict=True)) for row in rows.get(name, ())]
        for name, collector in discover().items()
        if name in _LOOKED_AT
    }
    (memory,) = cells["memory"] or [{}]
    return Machine(
        host=host,
        cores=sum(row["core"] != "all" for row in cells["cpu"]),
        memory=memory.get("memory_total_bytes") or 0,
        swap=memory.get("swap_total_bytes") or 0,
        mounts=tuple(
            MountHere(
                row["mountpoint"], row["fstype"], row["disk_total_bytes"], row["disk_usage_percent"], _usable(row)
            )
            for row in cells["disk_usage"]
            if row["disk_total_bytes"] and row["disk_usage_percent"] is not None
        ),
        devices={
            "disk_io": [row["device"] for row in cells["disk_io"]],
            "network": [row["interface"] for row in cells["network"]],
        },
    )


def _usable(row: Mapping[str, Any]) -> float:
    """Return the bytes that the used percent of a file system is of: those in use and those left for users."""
    used, free = row["disk_used_bytes"], row["disk_free_bytes"]
    return float(row["disk_total_bytes"] if used is None or free is None else used + free)


def configuration(here: Machine, shipped: str, *, at: datetime) -> str:
    """Return the shipped configuration with what there is to choose from beside the settings that choose."""
    mounts = [f"{mount.mountpoint} ({mount.fstype}, {human(mount.size, Unit.BYTES)})" for mount in here.mounts]
    choices = {"disk_usage": mounts, **here.devices}
    lines = [_headline(here, at)]
    for line in shipped.splitlines():
        lines.append(line)
        name = line.strip().partition(":")[0]
        if line.startswith(f"  {name}:") and choices.get(name):
            lines.append(_comment(f"watched on this machine: {', '.join(choices[name])}", indent=4))
    return "\n".join(lines) + "\n"


def rules(here: Machine, shipped: str, *, at: datetime) -> str:
    """Return the shipped rules, and behind them those that depend on how large this machine is."""
    return "\n".join([_headline(here, at), shipped.rstrip("\n"), "", *_own_rules(here)]) + "\n"


def _own_rules(here: Machine) -> list[str]:
    lines = [_comment(f"What follows was made for {here.host}.", indent=2)]
    for mount in here.mounts:
        left = human(mount.usable * 0.2, Unit.BYTES), human(mount.usable * 0.1, Unit.BYTES)
        text = f"disk-full on {mount.mountpoint}, now {mount.used:.0f} % used: 80 % leaves {left[0]} and 90 % {left[1]}"
        lines.append(_comment(f"{text} of {human(mount.size, Unit.BYTES)}.", indent=2))
    if here.cores:
        critical = f"at_least: {_SWAMPED * here.cores}, clear_below: {_SWAMPED_CLEAR * here.cores}"
        lines += [
            "",
            f"  # {_cores(here)}: more than {_BUSY} programs for each want to run or wait for a disk, for ten minutes.",
            "  - id: load-high",
            "    metric: load_average_5m",
            f"    warning: {{at_least: {_BUSY * here.cores}, clear_below: {_BUSY_CLEAR * here.cores:g}, for: 10m}}",
            f"    critical: {{{critical}, for: 10m}}",
        ]
    if here.swap:
        lines += [
            "",
            f"  # {human(here.swap, Unit.BYTES)} of swap: when it is used up, the kernel ends processes.",
            "  - id: swap-full",
            "    metric: swap_usage_percent",
            "    warning: {at_least: 80, clear_below: 70, for: 5m}",
        ]
    return lines


def _headline(here: Machine, at: datetime) -> str:
    size = f"{_cores(here)}, {human(here.memory, Unit.BYTES)} of memory, {human(here.swap, Unit.BYTES)} of swap"
    return _comment(f"Written by `sysmon init` on {at:%Y-%m-%d} for {here.host}: {size}.", indent=0)


def _cores(here: Machine) -> str:
    return "1 core" if here.cores == 1 else f"{here.cores} cores"


def _comment(text: str, *, indent: int) -> str:
    """Return a line of comment; names from the system may hold anything, a line break too."""
    return f"{' ' * indent}# {printable(text)}"


@dataclass(frozen=True, slots=True)
class WrittenFiles:
    """Which files are new, and which were there and stay as they are."""

    new: tuple[Path, ...]
    kept: tuple[Path, ...]


def write(folder: Path, files: Mapping[str, str]) -> WrittenFiles:
    """Write the files that are not there yet; none is overwritten, not even by two at once."""
    new: list[Path] = []
    kept: list[Path] = []
    try:
        make_directory(folder, mode=PASSABLE_MODE)
    except OSError as error:
        raise _not_written(folder, error) from error
    for path, text in ((folder / name, text) for name, text in files.items()):
        (new if _create(path, text) else kept).append(path)
    return WrittenFiles(tuple(new), tuple(kept))


def _create(path: Path, text: str) -> bool:
    """Write a file; return False where there is mount."""
    try:
        if os.path.lexists(path):  # also in a folder where nothing can be made
            return False
        write_atomic(path, text.encode(), mode=READABLE_MODE, owner=Owner.CALLER, overwrite=False)
    except FileExistsError:
        return False
    except OSError as error:
        raise _not_written(path, error) from error
    return True


def _not_written(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path}: cannot be written ({error.strerror}): name another folder with -o")


def init(folder: Path) -> WrittenFiles:
    """Look at this machine, and write a configuration and rules for it."""
    here, at = inspect_machine(), SystemClock().now()
    config = locations.find_shipped(locations.CONFIG_NAME).read_text("utf-8")
    alerts = locations.find_shipped(locations.RULES_NAME).read_text("utf-8")
    return write(
        folder,
        {
            locations.CONFIG_NAME: configuration(here, config, at=at),
            locations.RULES_NAME: rules(here, alerts, at=at),
        },
    )
