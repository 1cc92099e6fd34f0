"""The first lines of a screen: how full processor, memory and swap are."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sysmon.model import Unit
from sysmon.text.cells import join_fitting, pad
from sysmon.text.spans import Line, Look, Span, draw_gauge, draw_sparkline, level_style
from sysmon.text.units import human
from sysmon.view.alert_marks import level_of
from sysmon.view.load_line import LABEL, waiting
from sysmon.view.snapshot import Moment, Pick, Record, number

_VALUE, _GAP = 8, 2
_LEAST_WORDS = 31
_LEAST_TREND = 10
_SHARES = {"user": "user", "sys": "system", "io": "iowait", "steal": "steal"}
_SHARES |= {"nice": "nice", "irq": "irq", "softirq": "softirq"}
_ALWAYS = frozenset({"user", "sys"})
_SEEN = 0.05
"""Percent below which a share of the processor is not worth a word."""


@dataclass(frozen=True, slots=True)
class _Gauge:
    """One resource: the row that tells of it, the percentage that is its bar, words in the order of their weight."""

    label: str
    table: str
    record: Record
    metric: str
    words: Sequence[str]
    pick: Pick


@dataclass(frozen=True, slots=True)
class _Grid:
    """How many columns the bar, the words and the trend of a line have; no trend where it would be too short."""

    bar: int
    words: int
    trend: int


def gauges(moment: Moment, width: int, look: Look) -> list[Line]:
    """Return a line for each resource that is known, and one for what has to wait."""
    grid = _grid(width - LABEL - _VALUE - _GAP)
    found = [_drawn(one, moment, grid, look) for one in _resources(moment)]
    return [line for line in (*found, waiting(moment, width, look)) if line]


def _grid(room: int) -> _Grid:
    bar = max(6, min(40, room // 4))
    rest = room - bar - 2 * _GAP
    trend = rest - max(_LEAST_WORDS, rest // 2)
    return _Grid(bar, rest - trend - _GAP, trend) if trend >= _LEAST_TREND else _Grid(bar, rest, 0)


def _resources(moment: Moment) -> Iterator[_Gauge]:
    cpu, memory = moment.record("cpu", core="all"), moment.record("memory")
    pick = moment.picker("cpu", "cpu_usage_percent", "all")
    yield _Gauge("cpu", "cpu", cpu, "cpu_usage_percent", _shares(cpu), pick)
    words = [_used(memory, "memory"), *_amounts(memory)]
    pick = moment.picker("memory", "memory_usage_percent")
    yield _Gauge("memory", "memory", memory, "memory_usage_percent", words, pick)
    if number(memory, "swap_total_bytes"):
        rates = [
            f"{way} {human(number(memory, f'swap_{way}_bytes_per_second'), Unit.BYTES_PER_SECOND)}"
            for way in ("in", "out")
        ]
        pick = moment.picker("memory", "swap_usage_percent")
        yield _Gauge("swap", "memory", memory, "swap_usage_percent", [_used(memory, "swap"), *rates], pick)


def _shares(cpu: Record) -> list[str]:
    return [
        f"{name} {value:.1f}"
        for name, metric in _SHARES.items()
        if (value := number(cpu, f"cpu_{metric}_percent")) is not None and (value >= _SEEN or name in _ALWAYS)
    ]


def _used(memory: Record, what: str) -> str:
    used, whole = (human(number(memory, f"{what}_{part}_bytes"), Unit.BYTES) for part in ("used", "total"))
    return f"{used} of {whole}"


def _amounts(memory: Record) -> list[str]:
    return [
        f"{what} {human(value, Unit.BYTES)}"
        for what in ("available", "cached", "dirty")
        if (value := number(memory, f"memory_{what}_bytes")) is not None
    ]


def _drawn(one: _Gauge, moment: Moment, grid: _Grid, look: Look) -> Line:
    percent = number(one.record, one.metric)
    if percent is None:
        return []
    level = level_of(moment, one.table, one.record, about=one.label)
    words = join_fitting(one.words, grid.words)
    spans = [
        Span(f"{one.label:<{LABEL}}", level_style(level) if level else "dim"),
        Span(f"{human(percent, Unit.PERCENT):>{_VALUE}}{' ' * _GAP}"),
        *draw_gauge(percent, grid.bar, look, level_style(level)),
        Span(" " * _GAP + pad(words, grid.words)),
    ]
    if grid.trend:
        course = moment.course(one.table, one.pick, grid.trend)
        spans += [Span(" " * _GAP), Span(draw_sparkline(course, grid.trend, 100.0, look.bars))]
    return spans
