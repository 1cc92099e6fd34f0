"""Pressure stall information (PSI): time lost waiting for the processor, for memory or for disks."""

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sysmon.collectors._kernel_file import parse_count
from sysmon.collectors.api import KernelFile, Kind, Metric, NoOptions, Row, Source, Table, Unavailable, Unit, rates

_RESOURCES = ("cpu", "memory", "io")
_ABSENT = (errno.ENOENT, errno.ENOTDIR, errno.EACCES, errno.EOPNOTSUPP)
"""How a kernel says that it keeps no such account: too old, hidden by a container, or started with psi=0."""


@dataclass(frozen=True, slots=True)
class Stalled:
    """Microseconds lost since the machine started, as long as `some` or all (`full`) programs waited."""

    some: int | None = None
    full: int | None = None


@dataclass(frozen=True, slots=True)
class PressureReading:
    """The time lost for each resource that the kernel keeps account of."""

    resources: Mapping[str, Stalled]


class PressureCollector:
    """Reads /proc/pressure (Documentation/accounting/psi.rst of the kernel): its totals, not its running means."""

    Options = NoOptions
    default_interval: ClassVar[float | None] = None
    table: ClassVar[Table] = Table(
        "pressure",
        "Pressure stall information (PSI): time that programs lost because the machine was short of something.",
        (
            Metric(
                "pressure_some_percent",
                Kind.RATIO,
                Unit.PERCENT,
                'PSI "some": time in which at least one task was stalled.',
            ),
            Metric(
                "pressure_full_percent",
                Kind.RATIO,
                Unit.PERCENT,
                'PSI "full": time in which all non-idle tasks were stalled.',
            ),
        ),
        labels=("resource",),
        order=30,
        resource_label="resource",
    )

    def __init__(self, source: Source, options: NoOptions) -> None:
        self._source = source
        self._files = {resource: KernelFile(source.proc / "pressure" / resource) for resource in _RESOURCES}

    def read(self) -> PressureReading:
        """Read the totals of every resource."""
        answers = (
            {resource: _read_stalled(file) for resource, file in self._files.items()} if self._source.linux else {}
        )
        stalls = {resource: stalled for resource, stalled in answers.items() if stalled is not None}
        if not stalls:
            raise Unavailable(
                "the kernel does not measure pressure (Linux 4.20 with CONFIG_PSI and without psi=0 does)"
            )
        return PressureReading(stalls)

    def rows(self, before: PressureReading | None, after: PressureReading, seconds: float) -> list[Row]:
        """Turn time lost into shares of the time that passed."""
        earlier: Mapping[str, Stalled] = before.resources if before else {}
        return [_row(resource, earlier.get(resource), now, seconds) for resource, now in after.resources.items()]


def _read_stalled(file: KernelFile) -> Stalled | None:
    try:
        text = file.read()
    except OSError as error:
        if error.errno in _ABSENT:
            return None
        raise
    totals = dict(_total(line) for line in text.split(b"\n") if b" total=" in line)
    return Stalled(totals.get(b"some"), totals.get(b"full"))


def _total(line: bytes) -> tuple[bytes, int | None]:
    """Return the first word of a line and the number behind its last `=`."""
    return line.split(b" ", 1)[0], parse_count(line.rpartition(b"=")[2])


def _row(resource: str, before: Stalled | None, after: Stalled, seconds: float) -> Row:
    then = before or Stalled()
    return (resource, _share(then.some, after.some, seconds), _share(then.full, after.full, seconds))


def _share(before: int | None, after: int | None, seconds: float) -> float | None:
    share = rates.percent(rates.increase(before, after), seconds * 1_000_000)
    return None if share is None else min(100.0, share)
