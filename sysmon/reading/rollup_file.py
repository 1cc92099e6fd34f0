"""Roll-ups as files: compressed JSON Lines, a head and then a line for each series or group of processes.

Instants in them are milliseconds after the beginning of the roll-up's hour or day.
"""

from collections.abc import Callable, Iterable, Mapping
from itertools import accumulate
from math import nan
from pathlib import Path
from typing import TypeVar

import msgspec

from sysmon.datadir.rollups import RollupFile
from sysmon.history import GroupUse, RolledGroup
from sysmon.model import Origin
from sysmon.reading.aggregate import SeriesSum, TableSum
from sysmon.reading.damage import Damage
from sysmon.reading.lines import open_file, read_lines, read_whole
from sysmon.stats.ddsketch import Bins
from sysmon.stats.digest import Digest
from sysmon.stats.hourly import HOUR, Hourly
from sysmon.stats.tick_runs import Run
from sysmon.text.instants import format_instant, to_ms

T = TypeVar("T")

VERSION = 2
"""Grows when what is written changes its meaning; a file of a later version is passed over."""

DIGITS = ".6g"
"""The means and peaks of hours are only for drawing."""


_Hours = tuple[list[int], list[int]]
"""Beginnings of hours, and how many values each has."""


class Head(msgspec.Struct, omit_defaults=True):
    """The first line of a roll-up."""

    timestamp: str
    rollup: str
    version: int
    hostname: str | None
    origin: dict[str, str]
    ticks: list[Run]
    sources: list[str]
    skipped: int = 0

    @property
    def whose(self) -> Origin | None:
        """Return whose rows they are; None where that is not known."""
        return None if self.hostname is None else Origin(self.hostname, self.origin)


class _Metric(msgspec.Struct, omit_defaults=True):
    count: int
    sum: float
    min: float
    max: float
    max_at: int
    first: float
    first_at: int
    last: float
    last_at: int
    histogram: list[tuple[int, list[int]]] = []
    """Stretches of bins: the number of the first one, and how many values it and each that follows it have."""
    bins: list[int] = []
    """Of version 1: the numbers of the bins, the first one and then the distance from each to the next."""
    counts: list[int] = []
    hours: list[int] = []
    """Left out, as sizes are, where they are those of the line."""
    sizes: list[int] = []
    means: list[float] = []
    peaks: list[float | None] = []


class _Use(msgspec.Struct):
    ticks: int
    sum: float
    max: float
    max_at: int


class _Line(msgspec.Struct, omit_defaults=True):
    """A series where it has ticks, else a group."""

    labels: dict[str, str]
    ticks: list[Run] = []
    hours: list[int] = []
    sizes: list[int] = []
    metrics: dict[str, _Metric] = {}
    pids: list[str] = []
    uses: dict[str, _Use] = {}


_ENCODE = msgspec.json.Encoder().encode
_DECODE_HEAD = msgspec.json.Decoder(Head).decode
_DECODE_LINE = msgspec.json.Decoder(_Line).decode


def encode(found: TableSum, file: RollupFile) -> bytes:
    """Return the text of a roll-up."""
    base = to_ms(file.start)
    lines = [_series_line(one, base) for one in found.series] + [_group_line(one, base) for one in found.groups]
    return b"".join([*(_ENCODE(line) + b"\n" for line in (head_of(found, file), *lines))])


def head_of(found: TableSum, file: RollupFile) -> Head:
    """Return the first line of the roll-up of a sum."""
    origin = found.origin
    return Head(
        timestamp=format_instant(file.start),
        rollup=file.span.value,
        version=VERSION,
        hostname=None if origin is None else origin.hostname,
        origin={} if origin is None else dict(origin.labels),
        ticks=shifted(found.ticks, -to_ms(file.start)),
        sources=sorted(found.sources),
        skipped=found.skipped,
    )


def read(path: Path, file: RollupFile, damage: Damage) -> TableSum | None:
    """Return what a roll-up holds; None where it is missing, of another version or cannot be read (which is noted)."""
    base = to_ms(file.start)

    def made(head: Head, lines: list[bytes]) -> TableSum:
        decoded = [_DECODE_LINE(line) for line in lines]
        return TableSum(
            origin=head.whose,
            ticks=tuple(shifted(head.ticks, base)),
            series=tuple(_series_of(line, base) for line in decoded if line.ticks),
            groups=tuple(_group_of(line, base) for line in decoded if line.pids),
            sources=frozenset(head.sources),
            skipped=head.skipped,
        )

    return parse(path, damage, made)


def parse(path: Path, damage: Damage, made: Callable[[Head, list[bytes]], T]) -> T | None:
    """Return what is made of the head and the lines of a roll-up; None, and a note, as `read` says."""
    lines = _lines_of(path, damage)
    if not lines:
        return None
    try:
        head = _DECODE_HEAD(lines[0])
        return made(head, lines[1:]) if head.version <= VERSION else None
    except (ValueError, RecursionError) as error:
        damage.note(path, None, f"no roll-up ({error})")
        return None


def read_sources(path: Path) -> frozenset[str] | None:
    """Return the segments that a roll-up was made of; None where it cannot be used."""
    try:
        lines = _lines_of(path, Damage(), only_head=True)
        head = _DECODE_HEAD(lines[0]) if lines else None
    except (ValueError, RecursionError):
        return None
    return frozenset(head.sources) if head is not None and head.version <= VERSION else None


def _lines_of(path: Path, damage: Damage, *, only_head: bool = False) -> list[bytes]:
    """Return the lines of a roll-up; none where it is missing or cannot be read (which is noted)."""
    found: list[bytes] = []
    before = damage.count
    try:
        opened = open_file(path)
    except FileNotFoundError:
        return []
    except OSError as error:
        damage.note(path, None, f"cannot be opened ({error.strerror})")
        return []
    with opened:
        if (whole := read_whole(opened)) is not None:
            return whole
        for _, lines in read_lines(opened, path, damage, packed=True):
            found += lines
            if only_head:
                break
    return [] if damage.count > before else found


def _series_line(one: SeriesSum, base: int) -> _Line:
    usual = next((_hours_of(found, base) for found in one.metrics.values() if len(found.hours) > 1), ([], []))
    metrics = {name: _metric_line(found, base, usual) for name, found in one.metrics.items()}
    return _Line(dict(one.labels), shifted(one.ticks, -base), *usual, metrics=metrics)


def _metric_line(found: Digest, base: int, usual: _Hours) -> _Metric:
    hours = found.hours if len(found.hours) > 1 else Hourly()
    own = _hours_of(found, base)
    begins, sizes = own if hours and own != usual else ([], [])
    return _Metric(
        count=found.count,
        sum=found.total,
        min=found.low,
        max=found.high,
        max_at=found.high_at - base,
        first=found.first,
        first_at=found.first_at - base,
        last=found.last,
        last_at=found.last_at - base,
        histogram=[(first, list(counts)) for first, counts in found.bins.stretches],
        hours=begins,
        sizes=sizes,
        means=[_rounded(mean) for _, _, mean, _ in hours],
        peaks=[None if peak is None else _rounded(peak) for *_, peak in hours],
    )


def _hours_of(found: Digest, base: int) -> _Hours:
    return [(hour - base) // HOUR for hour in found.hours.starts], list(found.hours.sizes)


def _rounded(value: float) -> float:
    return float(format(value, DIGITS))


def _group_line(group: RolledGroup, base: int) -> _Line:
    uses = {name: _Use(use.ticks, use.total, use.high, use.high_at - base) for name, use in group.uses.items()}
    return _Line(dict(group.labels), pids=sorted(group.pids), uses=uses)


def _series_of(line: _Line, base: int) -> SeriesSum:
    usual = [base + hour * HOUR for hour in line.hours], line.sizes
    metrics = {name: _digest_of(metric, base, usual) for name, metric in line.metrics.items()}
    return SeriesSum(line.labels, tuple(shifted(line.ticks, base)), metrics)


def _digest_of(metric: _Metric, base: int, usual: _Hours) -> Digest:
    if metric.means:
        begins, sizes = usual
        if metric.hours:
            begins, sizes = [base + hour * HOUR for hour in metric.hours], metric.sizes
        peaks = metric.peaks or [None] * len(begins)  # days that were written before there were any
        if not len(begins) == len(sizes) == len(metric.means) == len(peaks):
            raise ValueError("hours that differ in number")
        hours = Hourly(begins, sizes, metric.means, [nan if peak is None else peak for peak in peaks])
    else:
        begin = (base + metric.first_at) // HOUR * HOUR
        hours = Hourly((begin,), (metric.count,), (metric.sum / metric.count,), (metric.max,))
    return Digest(
        count=metric.count,
        total=metric.sum,
        low=metric.min,
        high=metric.max,
        high_at=base + metric.max_at,
        first=metric.first,
        first_at=base + metric.first_at,
        last=metric.last,
        last_at=base + metric.last_at,
        bins=Bins(metric.histogram) if metric.histogram else _first_version(metric),
        hours=hours,
    )


def _first_version(metric: _Metric) -> Bins:
    return Bins.counted(dict(zip(accumulate(metric.bins), metric.counts, strict=True)))


def _group_of(line: _Line, base: int) -> RolledGroup:
    uses: Mapping[str, GroupUse] = {
        name: GroupUse(use.ticks, use.sum, use.max, base + use.max_at) for name, use in line.uses.items()
    }
    return RolledGroup(tuple(line.labels.items()), frozenset(line.pids), uses)


def shifted(runs: Iterable[Run], by: int) -> list[Run]:
    """Return instants that are so many milliseconds later."""
    return [(begin + by, step, count) for begin, step, count in runs]
