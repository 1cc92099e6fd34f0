"""The first lines of a screen: how full processor, memory and swap are, and whether work has to wait."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sysmon.cells import Look, Span, gauge, level_style, sparkline, width_of
from sysmon.units import human, short
from sysmon.view.marks import level_of
from sysmon.view.moment import Moment, Pick, Record, number, text

Line = list[Span]

_LABEL, _VALUE, _GAP = 8, 8, 2
_LEAST_TREND = 10
_SHARES = {"user": "user", "sys": "system", "io": "iowait", "steal": "steal"}
_SHARES |= {"nice": "nice", "irq": "irq", "softirq": "softirq"}
_ALWAYS = frozenset({"user", "sys"})
_SEEN = 0.05
"""Percent below which a share of the processor is not worth a word."""


def length(line: Iterable[Span]) -> int:
    """Return how many cells a line takes."""
    return sum(width_of(span.text) for span in line)


@dataclass(frozen=True, slots=True)
class _Grid:
    """How many columns the bar, the words and the trend of a line have."""

    bar: int
    words: int
    trend: int


def gauges(moment: Moment, width: int, look: Look) -> list[Line]:
    """Return a line for each resource that is known."""
    rest = width - _LABEL - _VALUE - _GAP
    bar = max(6, min(40, rest // 4))
    words = rest - bar - 2 * _GAP
    trend = max(0, words - max(31, words // 2))
    grid = _Grid(bar, words - trend - (_GAP if trend else 0), trend) if trend >= _LEAST_TREND else _Grid(bar, words, 0)
    painter = _Painter(moment, grid, look)
    return [line for line in (painter.cpu(), painter.memory(), painter.swap(), painter.waiting(width)) if line]


class _Painter:
    def __init__(self, moment: Moment, grid: _Grid, look: Look) -> None:
        self._moment = moment
        self._grid = grid
        self._look = look

    def cpu(self) -> Line:
        record = self._moment.record("cpu", core="all")
        parts = [
            f"{name} {value:.1f}"
            for name, metric in _SHARES.items()
            if (value := number(record, f"cpu_{metric}_percent")) and (value >= _SEEN or name in _ALWAYS)
        ]
        pick = self._moment.picker("cpu", "cpu_usage_percent", "all")
        return self._line("cpu", "cpu", record, "cpu_usage_percent", self._flowed(parts), pick)

    def memory(self) -> Line:
        record = self._moment.record("memory")
        used, whole = (human(number(record, f"memory_{what}_bytes"), "bytes") for what in ("used", "total"))
        more = [
            f"{what} {human(value, 'bytes')}"
            for what in ("available", "cached", "dirty")
            if (value := number(record, f"memory_{what}_bytes")) is not None
        ]
        parts = [f"{used} of {whole}", *more]
        pick = self._moment.picker("memory", "memory_usage_percent")
        return self._line("memory", "memory", record, "memory_usage_percent", self._flowed(parts), pick)

    def swap(self) -> Line:
        record = self._moment.record("memory")
        if not number(record, "swap_total_bytes"):
            return []
        used, whole = (human(number(record, f"swap_{what}_bytes"), "bytes") for what in ("used", "total"))
        rates = [
            f"{what} {human(number(record, f'swap_{what}_bytes_per_second'), 'bytes/s')}" for what in ("in", "out")
        ]
        pick = self._moment.picker("memory", "swap_usage_percent")
        return self._line(
            "swap", "memory", record, "swap_usage_percent", self._flowed([f"{used} of {whole}", *rates]), pick
        )

    def waiting(self, width: int) -> Line:
        """Return who waits: the averages of load, and pressure."""
        load = self._moment.record("load")
        line: Line = []
        averages = [number(load, f"load_average_{minutes}m") for minutes in (1, 5, 15)]
        if averages[0] is not None:
            cores = number(load, "cpu_count")
            said = " ".join("-" if one is None else f"{one:.2f}" for one in averages)
            said += "" if cores is None else f" on {cores:.0f} core{'s' if cores != 1 else ''}"
            line += [Span(f"{'load':<{_LABEL}}", "dim"), Span(said)]
        lead = "   pressure %" if line else "pressure %"
        for record in self._moment.records("pressure"):
            level = level_of(self._moment, "pressure", record)
            what = self._look.shown(text(record, "resource"))
            told = f" {what} {short(number(record, 'pressure_some_percent'), 'percent')} "
            if length(line) + len(lead) + width_of(told) > width + 1:
                break
            line += [Span(lead, "dim"), Span(told, level_style(level) if level else "")]
            lead = ""
        extra = [
            f"{what} {short(value, '')}"
            for what, name in (
                ("running", "processes_running"),
                ("blocked", "processes_blocked"),
                ("processes", "processes_total"),
                ("switches/s", "context_switches_per_second"),
                ("forks/s", "processes_forked_per_second"),
                ("open files", "open_files"),
            )
            if (value := number(load, name)) is not None
        ]
        for told in extra:
            if length(line) + 2 + len(told) > width:
                break
            line.append(Span(f"  {told}", "dim"))
        return line

    def _line(
        self,
        label: str,
        table: str,
        record: Record,
        metric: str,
        words: str,
        pick: Pick,
    ) -> Line:
        percent = number(record, metric)
        if percent is None:
            return []
        level = level_of(self._moment, table, record)
        grid = self._grid
        spans = [
            Span(f"{label:<{_LABEL}}", level_style(level) if level else "dim"),
            Span(f"{human(percent, 'percent'):>{_VALUE}}{' ' * _GAP}"),
            *gauge(percent, grid.bar, self._look, level_style(level)),
            Span(" " * _GAP + words + " " * (grid.words - width_of(words))),
        ]
        if grid.trend:
            course = self._moment.course(table, pick, grid.trend)
            spans += [Span(" " * _GAP), Span(sparkline(course, grid.trend, 100.0, self._look.bars))]
        return spans

    def _flowed(self, parts: Sequence[str]) -> str:
        """Return as many parts as there is room for."""
        said = ""
        for part in parts:
            longer = f"{said}, {part}" if said else part
            if width_of(longer) > self._grid.words:
                break
            said = longer
        return said
