"""File format of roll-ups: compressed JSON Lines, a header and then a line for each series or group of processes.

Instants in them are milliseconds after the beginning of the roll-up's hour or day.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate
from math import nan
from pathlib import Path
from typing import Annotated, BinaryIO, TypeVar

import msgspec

from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import open_file, read_lines, read_whole
from sysmon.datadir.rollups import RollupFile
from sysmon.history import AggregatedGroup, GroupUse
from sysmon.model import Origin
from sysmon.reading.aggregate import SeriesAggregate, TableAggregate
from sysmon.stats.ddsketch import LAST_BIN, DDSketch
from sysmon.stats.digest import Digest
from sysmon.stats.hourly import HOUR, Hourly
from sysmon.stats.tick_runs import TickRun
from sysmon.text.instants import format_instant, to_ms

T = TypeVar("T")

UNREADABLE = (ValueError, RecursionError, ArithmeticError)
"""What decoding raises for a file that is no roll-up."""

VERSION = 2
"""Grows when what is written changes its meaning; a file of a later version is passed over."""

DIGITS = ".6g"
"""The means and peaks of hours are only for drawing."""


MsInDay = Annotated[int, msgspec.Meta(ge=0, lt=24 * HOUR)]
Count = Annotated[int, msgspec.Meta(ge=1, lt=2**48)]
StoredRun = tuple[MsInDay, MsInDay, Count]
"""What a file says of itself is checked as it is decoded: all later sums of it fit into 64 bits."""

_Bin = Annotated[int, msgspec.Meta(ge=-LAST_BIN, le=LAST_BIN)]
_BinCount = Annotated[int, msgspec.Meta(ge=0, lt=2**48)]
_HourOfDay = Annotated[int, msgspec.Meta(ge=0, lt=24)]

_Hours = tuple[list[int], list[int]]
"""Beginnings of hours, and how many values each has."""


class RollupHeader(msgspec.Struct, omit_defaults=True):
    """The first line of a roll-up."""

    timestamp: str
    rollup: str
    version: int
    hostname: str | None
    origin: dict[str, str]
    ticks: list[StoredRun]
    sources: list[str]
    skipped: _BinCount = 0

    @property
    def whose(self) -> Origin | None:
        """Return whose rows they are; None where that is not known."""
        return None if self.hostname is None else Origin(self.hostname, self.origin)


class _Metric(msgspec.Struct, omit_defaults=True):
    count: Count
    sum: float
    min: float
    max: float
    max_at: MsInDay
    first: float
    first_at: MsInDay
    last: float
    last_at: MsInDay
    histogram: list[tuple[_Bin, Annotated[list[_BinCount], msgspec.Meta(min_length=1)]]] = []
    """Stretches of bins: the number of the first one, and how many values it and each that follows it have."""
    bins: list[int] = []
    """Of version 1: the numbers of the bins, the first one and then the distance from each to the next."""
    counts: list[int] = []
    hours: list[_HourOfDay] = []
    """Left out, as sizes are, where they are those of the line."""
    sizes: list[Count] = []
    means: list[float] = []
    peaks: list[float | None] = []


class _Use(msgspec.Struct):
    ticks: Count
    sum: float
    max: float
    max_at: MsInDay


class _Line(msgspec.Struct, omit_defaults=True):
    """A series where it has ticks, else a group."""

    labels: dict[str, str]
    ticks: list[StoredRun] = []
    hours: list[_HourOfDay] = []
    sizes: list[Count] = []
    metrics: dict[str, _Metric] = {}
    pids: list[str] = []
    uses: dict[str, _Use] = {}


_ENCODE = msgspec.json.Encoder().encode
_DECODE_HEAD = msgspec.json.Decoder(RollupHeader).decode
_DECODE_LINE = msgspec.json.Decoder(_Line).decode


def encode(aggregate: TableAggregate, file: RollupFile) -> bytes:
    """Return the text of a roll-up."""
    base = to_ms(file.start)
    lines = [_encode_series(part, base) for part in aggregate.series] + [
        _encode_group(part, base) for part in aggregate.groups
    ]
    return b"".join([*(_ENCODE(line) + b"\n" for line in (build_header(aggregate, file), *lines))])


def build_header(aggregate: TableAggregate, file: RollupFile) -> RollupHeader:
    """Return the first line of the roll-up of a sum."""
    origin = aggregate.origin
    return RollupHeader(
        timestamp=format_instant(file.start),
        rollup=file.resolution.value,
        version=VERSION,
        hostname=None if origin is None else origin.hostname,
        origin={} if origin is None else dict(origin.labels),
        ticks=shift_runs(aggregate.ticks, -to_ms(file.start)),
        sources=sorted(aggregate.sources),
        skipped=aggregate.skipped,
    )


def read(path: Path, file: RollupFile, damage: Damage) -> TableAggregate | None:
    """Return what a roll-up holds; None where it is missing, of another version or cannot be read (which is noted)."""
    base = to_ms(file.start)

    def made(head: RollupHeader, lines: Iterator[bytes]) -> TableAggregate:
        decoded = [_DECODE_LINE(line) for line in lines]
        return TableAggregate(
            origin=head.whose,
            ticks=tuple(shift_runs(head.ticks, base)),
            series=tuple(_decode_series(line, base) for line in decoded if line.ticks),
            groups=tuple(_decode_group(line, base) for line in decoded if line.pids),
            sources=frozenset(head.sources),
            skipped=head.skipped,
        )

    return parse(path, damage, made)


def parse(path: Path, damage: Damage, made: Callable[[RollupHeader, Iterator[bytes]], T]) -> T | None:
    """Return what is made of the head and the lines of a roll-up; None, and a note, as `read` says."""
    before = damage.count
    try:
        with open_file(path) as opened:
            lines = _lines(opened, path, damage)
            content = _make(lines, made)
    except FileNotFoundError:
        return None
    except OSError as error:
        damage.note(path, None, f"cannot be opened ({error.strerror})")
        return None
    except UNREADABLE as error:
        if damage.count == before:  # else it was cut off, and that is noted
            damage.note(path, None, f"no roll-up ({error})")
        return None
    return content if damage.count == before else None


def read_sources(path: Path) -> frozenset[str] | None:
    """Return the segments that a roll-up was made of; None where it cannot be used."""
    return parse(path, Damage(), lambda head, _lines: frozenset(head.sources))


def _make(lines: Iterator[bytes], made: Callable[[RollupHeader, Iterator[bytes]], T]) -> T | None:
    first = next(lines, None)
    if first is None:
        return None
    head = _DECODE_HEAD(first)
    return made(head, lines) if head.version <= VERSION else None


def _lines(opened: BinaryIO, path: Path, damage: Damage) -> Iterator[bytes]:
    if (whole := read_whole(opened)) is not None:
        yield from whole
        return
    for _, lines in read_lines(opened, path, damage, packed=True):
        yield from lines


def _encode_series(series: SeriesAggregate, base: int) -> _Line:
    usual = next((_hours_after(digest, base) for digest in series.metrics.values() if len(digest.hours) > 1), ([], []))
    metrics = {name: _encode_metric(digest, base, usual) for name, digest in series.metrics.items()}
    return _Line(dict(series.labels), shift_runs(series.ticks, -base), *usual, metrics=metrics)


def _encode_metric(digest: Digest, base: int, usual: _Hours) -> _Metric:
    hours = digest.hours if len(digest.hours) > 1 else Hourly()
    own = _hours_after(digest, base)
    begins, sizes = own if hours and own != usual else ([], [])
    return _Metric(
        count=digest.count,
        sum=digest.total,
        min=digest.low,
        max=digest.high,
        max_at=digest.high_at - base,
        first=digest.first,
        first_at=digest.first_at - base,
        last=digest.last,
        last_at=digest.last_at - base,
        histogram=[(first, list(counts)) for first, counts in digest.bins.stretches],
        hours=begins,
        sizes=sizes,
        means=[_rounded(mean) for _, _, mean, _ in hours],
        peaks=[None if peak is None else _rounded(peak) for *_, peak in hours],
    )


def _hours_after(digest: Digest, base: int) -> _Hours:
    return [(hour - base) // HOUR for hour in digest.hours.starts], list(digest.hours.sizes)


def _rounded(value: float) -> float:
    return float(format(value, DIGITS))


def _encode_group(group: AggregatedGroup, base: int) -> _Line:
    uses = {name: _Use(use.ticks, use.total, use.high, use.high_at - base) for name, use in group.uses.items()}
    return _Line(dict(group.labels), pids=sorted(group.pids), uses=uses)


def _decode_series(line: _Line, base: int) -> SeriesAggregate:
    usual = [base + hour * HOUR for hour in line.hours], line.sizes
    metrics = {name: _decode_digest(metric, base, usual) for name, metric in line.metrics.items()}
    return SeriesAggregate(line.labels, tuple(shift_runs(line.ticks, base)), metrics)


def _decode_digest(metric: _Metric, base: int, usual: _Hours) -> Digest:
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
        bins=check_sketch(
            DDSketch(metric.histogram) if metric.histogram else _sketch_of_version_1(metric), metric.count
        ),
        hours=hours,
    )


def check_sketch(sketch: DDSketch, count: int) -> DDSketch:
    """Return a histogram; raise ValueError where it does not hold so many values, each in a bin that there can be."""
    stretches = sketch.stretches
    if stretches and sum([sum(counts) for _, counts in stretches]) != count:
        raise ValueError("a histogram of more or fewer values than are counted")
    if stretches and (stretches[0][0] < -LAST_BIN or stretches[-1][0] + len(stretches[-1][1]) - 1 > LAST_BIN):
        raise ValueError("a histogram of what is no number")
    return sketch


def _sketch_of_version_1(metric: _Metric) -> DDSketch:
    return DDSketch.from_counts(dict(zip(accumulate(metric.bins), metric.counts, strict=True)))


def _decode_group(line: _Line, base: int) -> AggregatedGroup:
    uses: Mapping[str, GroupUse] = {
        name: GroupUse(use.ticks, use.sum, use.max, base + use.max_at) for name, use in line.uses.items()
    }
    return AggregatedGroup(tuple(line.labels.items()), frozenset(line.pids), uses)


def shift_runs(runs: Iterable[TickRun], by: int) -> list[TickRun]:
    """Return instants that are so many milliseconds later."""
    return [(begin + by, step, count) for begin, step, count in runs]
