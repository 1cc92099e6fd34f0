"""Gauges: how full processor, memory and swap are, in the first lines of a screen."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sysmon.headlines import pick_headlines
from sysmon.model import Unit
from sysmon.text.cells import join_fitting, pad
from sysmon.text.spans import Line, Look, Span, draw_gauge, draw_sparkline, level_style, load_style
from sysmon.text.units import human
from sysmon.view.alert_marks import level_of
from sysmon.view.load_line import LABEL, draw_load_line
from sysmon.view.snapshot import IN_OVERVIEW, NamedRow, Snapshot, ValuePicker, number

_VALUE, _GAP = 8, 2
_LEAST_WORDS = 31
_LEAST_TREND = 10
_SHARES = {"user": "user", "sys": "system", "io": "iowait", "steal": "steal"}
_SHARES |= {"nice": "nice", "irq": "irq", "softirq": "softirq"}
_ALWAYS = frozenset({"user", "sys"})
_WAITING = "io"
"""Time in which the processor waits for disks is none in which it is in use."""

_SEEN = 0.05
"""Percent below which a share of the processor is not worth a word."""


@dataclass(frozen=True, slots=True)
class _Gauge:
    """One resource: the row that tells of it, the percentage that is its bar, words in the order of their weight."""

    label: str
    table: str
    record: NamedRow
    metric: str
    words: Sequence[str]
    pick: ValuePicker


@dataclass(frozen=True, slots=True)
class _Grid:
    """How many columns the bar, the words and the trend of a line have; no trend where it would be too short."""

    bar: int
    words: int
    trend: int


def draw_gauges(snapshot: Snapshot, width: int, look: Look) -> list[Line]:
    """Return a line for each resource that is known, one for what has to wait, and one for other tables' headlines."""
    grid = _grid(width - LABEL - _VALUE - _GAP)
    lines = [_draw(gauge, snapshot, grid, look) for gauge in _resources(snapshot)]
    lines += [draw_load_line(snapshot, width, look), _headlines(snapshot, width, look)]
    return [line for line in lines if line]


def _headlines(snapshot: Snapshot, width: int, look: Look) -> Line:
    shown = [(held.table, held.rows) for held in snapshot.tables.values()]
    parts = [look.sanitize(str(headline)) for headline in pick_headlines(shown, besides=IN_OVERVIEW)]
    return [Span(f"{'more':<{LABEL}}", "dim"), Span(join_fitting(parts, width - LABEL))] if parts else []


def _grid(room: int) -> _Grid:
    bar = max(6, min(40, room // 4))
    rest = room - bar - 2 * _GAP
    trend = rest - max(_LEAST_WORDS, rest // 2)
    return _Grid(bar, rest - trend - _GAP, trend) if trend >= _LEAST_TREND else _Grid(bar, rest, 0)


def _resources(snapshot: Snapshot) -> Iterator[_Gauge]:
    cpu, memory = snapshot.record("cpu", core="all"), snapshot.record("memory")
    pick = snapshot.pick_metric("cpu", "cpu_usage_percent", "all")
    yield _Gauge("cpu", "cpu", cpu, "cpu_usage_percent", _shares(cpu), pick)
    words = [_used(memory, "memory"), *_amounts(memory)]
    pick = snapshot.pick_metric("memory", "memory_usage_percent")
    yield _Gauge("memory", "memory", memory, "memory_usage_percent", words, pick)
    if number(memory, "swap_total_bytes"):
        rates = [
            f"{way} {human(number(memory, f'swap_{way}_bytes_per_second'), Unit.BYTES_PER_SECOND)}"
            for way in ("in", "out")
        ]
        pick = snapshot.pick_metric("memory", "swap_usage_percent")
        yield _Gauge("swap", "memory", memory, "swap_usage_percent", [_used(memory, "swap"), *rates], pick)


def _shares(cpu: NamedRow) -> list[str]:
    """Return the parts of the processor's time, the largest first: those that fit explain most of its use."""
    values = {name: number(cpu, f"cpu_{metric}_percent") for name, metric in _SHARES.items()}
    there = [
        (value, name) for name, value in values.items() if value is not None and (value >= _SEEN or name in _ALWAYS)
    ]
    return [f"{name} {value:.1f}" for value, name in sorted(there, key=lambda share: (share[1] == _WAITING, -share[0]))]


def _used(memory: NamedRow, resource: str) -> str:
    used, whole = (human(number(memory, f"{resource}_{part}_bytes"), Unit.BYTES) for part in ("used", "total"))
    return f"{used} of {whole}"


def _amounts(memory: NamedRow) -> list[str]:
    return [
        f"{resource} {human(value, Unit.BYTES)}"
        for resource in ("available", "cached", "dirty")
        if (value := number(memory, f"memory_{resource}_bytes")) is not None
    ]


def _draw(gauge: _Gauge, snapshot: Snapshot, grid: _Grid, look: Look) -> Line:
    percent = number(gauge.record, gauge.metric)
    if percent is None:
        return []
    level = level_of(snapshot, gauge.table, gauge.record, about=gauge.label)
    words = join_fitting(gauge.words, grid.words)
    spans = [
        Span(f"{gauge.label:<{LABEL}}", level_style(level) if level else "dim"),
        Span(f"{human(percent, Unit.PERCENT):>{_VALUE}}{' ' * _GAP}"),
        *draw_gauge(percent, grid.bar, look, load_style(percent, level)),
        Span(" " * _GAP + pad(words, grid.words)),
    ]
    if grid.trend:
        history = snapshot.history(gauge.table, gauge.pick, grid.trend)
        spans += [Span(" " * _GAP), Span(draw_sparkline(history, grid.trend, 100.0, look.bars))]
    return spans
