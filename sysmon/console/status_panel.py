"""Status panel: the status area as lines, a pure drawing of how things are, for any size."""

from collections.abc import Iterable, Sequence

from sysmon.console.overview import Process
from sysmon.console.status_model import ActiveAlert, Point, RunStatus
from sysmon.model import Level, Unit
from sysmon.text.cells import cut, cut_front, join_fitting, pad, width_of
from sysmon.text.spans import Look, Span, draw_gauge, draw_sparkline, fit, level_style, load_style, paint_line
from sysmon.text.units import format_age, human

MOST_LINES = 13
"""Lines of the area on a usual terminal, so that alerts keep a place above it; a tall one gives it up to a third."""

_LABEL, _VALUE = 7, 9
_NARROW = 60
_WIDE = 100
_DETAIL = 44
_CAPTION = 12


def render(status: RunStatus, *, columns: int, rows: int, look: Look) -> list[str]:
    """Return the lines of the area for a terminal of some size: at least one, at most `rows` - 2.

    The last column stays free: writing there makes terminals wrap, each in its own way. What matters least is left
    out where the rows do not suffice.
    """
    room = max(1, min(rows - 2, max(MOST_LINES, rows // 3)))
    painter = _Painter(status, columns, look)
    lines = _most_important(painter, room)
    return [paint_line(fit(spans, columns - 1, look.more), color=look.color) for spans in lines]


def _most_important(painter: "_Painter", room: int) -> list[list[Span]]:
    """Return as many lines as there is room for, in their order from top to bottom."""
    alerts = painter.alerts()
    by_importance = ["header", "cpu", "alert 0", "memory", "disk", "space", "network", "top", "samples", "more"]
    by_importance += ["alert 1", "alert 2", "files", *(f"alert {number}" for number in range(3, len(alerts)))]
    lines = {**painter.lines(), **{f"alert {number}": line for number, line in enumerate(alerts)}}
    kept = set([name for name in by_importance if lines.get(name)][:room])
    places = [number for number in range(len(alerts)) if f"alert {number}" in kept]
    if 1 < len(places) < len(alerts):
        lines[f"alert {places[-1]}"] = [Span(f"+{len(alerts) - len(places) + 1} more", "dim")]
    return [line for name, line in lines.items() if name in kept]


class _Painter:
    """The lines of one status on a grid: label, value, bar, detail, and on wide terminals a sparkline a line."""

    def __init__(self, status: RunStatus, columns: int, look: Look) -> None:
        self._status = status
        self._look = look
        self._width = columns - 1
        self._gap = " " * (2 if columns >= _NARROW else 1)
        self._narrow = columns < _NARROW
        self._bar = min(30, max(8, columns // 5 - 1))
        self._rest = max(0, self._width - _LABEL - _VALUE - self._bar - 3 * len(self._gap))
        wide = columns >= _WIDE
        self._detail = min(_DETAIL, self._rest) if wide else self._rest
        self._spark = self._rest - self._detail - len(self._gap) if wide else 0

    def lines(self) -> dict[str, list[Span]]:
        """Return the lines but for the alerts, from top to bottom; empty where nothing is known."""
        return {
            "header": self._header(),
            "cpu": self._cpu(),
            "memory": self._memory(),
            "disk": self._disk(),
            "space": self._space(),
            "network": self._network(),
            "more": self._more(),
            "top": self._top(),
            "samples": self._samples(),
            "files": self._files(),
        }

    def alerts(self) -> list[list[Span]]:
        """Return a line for each active alert."""
        longest = max((width_of(format_age(alert.seconds)) for alert in self._status.alerts), default=0)
        return [self._alert(alert, longest) for alert in self._status.alerts]

    def _alert(self, alert: ActiveAlert, longest: int) -> list[Span]:
        name = self._look.sanitize(f"{alert.rule} ({alert.where})" if alert.where else alert.rule)
        return [
            Span(f"{alert.level.value.upper():<8}", level_style(alert.level)),
            Span(f"{self._gap}{format_age(alert.seconds):>{longest}}{self._gap}"),
            Span(name),
            Span(self._gap + alert.condition, "dim"),
        ]

    def _header(self) -> list[Span]:
        status, look = self._status, self._look
        worst = max((alert.level for alert in status.alerts), key=lambda level: level.rank, default=None)
        count = len(status.alerts)
        said = "no alerts" if not count else "1 alert" if count == 1 else f"{count} alerts"
        left = [Span(f"{worst.value.upper() if worst else 'OK':<8}", level_style(worst)), Span(self._gap + said)]
        used = sum(width_of(span.text) for span in left)
        time, age = f"{status.at.astimezone():%H:%M:%S}", format_age(status.running)
        host, every = look.sanitize(status.about.host), f"every {status.about.every}"
        ways = ([host, every, time, f"running {age}"], [host, time, f"running {age}"], [host, time, age], [time, age])
        for way in (*ways, [time]):
            right = ", ".join(way)
            if used + 2 + width_of(right) <= self._width:
                return [*left, Span(" " * (self._width - used - width_of(right))), Span(right, "dim")]
        return left

    def _cpu(self) -> list[Span]:
        status = self._status
        history = [point.cpu for point in status.history]
        room = self._rest
        caption = ""
        if not self._narrow:
            room -= _CAPTION
            shown = status.history[-room:]
            caption = f"{f'last {_span(shown)}' if len(shown) > 1 else '':<{_CAPTION}}"
        tail = [Span(caption, "dim"), Span(draw_sparkline(history, room, 100.0, self._look.bars))]
        return self._measured("cpu", "cpu", status.overview.cpu, tail)

    def _memory(self) -> list[Span]:
        memory, swap = self._status.overview.memory, self._status.overview.swap
        if memory is None:
            return self._unknown("memory")
        parts = [f"{human(memory.used, Unit.BYTES)} of {human(memory.total, Unit.BYTES)}"]
        if self._narrow:
            parts = [human(memory.used, Unit.BYTES)]
        if swap and swap.used:
            parts.append(f"swap {human(swap.percent, Unit.PERCENT)}")
        history = [point.memory for point in self._status.history]
        return self._charted("memory", "memory", memory.percent, self._parts(parts, ", "), history)

    def _disk(self) -> list[Span]:
        disk = self._status.overview.disk
        if disk is None:
            return self._unknown("disk")
        rates = [
            f"read {human(disk.read, Unit.BYTES_PER_SECOND)}",
            f"write {human(disk.written, Unit.BYTES_PER_SECOND)}",
        ]
        history = [point.disk for point in self._status.history]
        return self._charted("disk", "disk_io", disk.percent, self._parts([disk.name, *rates], ", "), history)

    def _space(self) -> list[Span]:
        mount = self._status.overview.mount
        if mount is None:
            return self._unknown("space")
        parts = [mount.name, f"{human(mount.free, Unit.BYTES)} free"]
        return self._measured("space", "disk_usage", mount.percent, [Span(self._parts(parts, ", "))])

    def _network(self) -> list[Span]:
        overview = self._status.overview
        if overview.received is None:
            return self._unknown("network")
        label = self._label("network", "network")
        received = Span(f"{human(overview.received, Unit.BYTES_PER_SECOND):>{_VALUE}}{self._gap}")
        if self._narrow:
            return [label, received, Span(f"in, {human(overview.sent, Unit.BYTES_PER_SECOND)} out")]
        detail = f"{human(overview.sent, Unit.BYTES_PER_SECOND)} out"
        spans = [label, received, Span(f"{'in':<{self._bar}}{self._gap}"), Span(f"{detail:<{self._detail}}")]
        if self._spark <= 0:
            return spans
        history = [point.network for point in self._status.history][-self._spark :]
        highest = max((value for value in history if value is not None), default=0.0)
        return [*spans, Span(self._gap), Span(draw_sparkline(history, self._spark, highest, self._look.bars))]

    def _more(self) -> list[Span]:
        """Return the headlines of tables that have no line of their own."""
        parts = [self._look.sanitize(str(headline)) for headline in self._status.overview.others]
        return [Span(f"{'more':<{_LABEL}}{self._gap}", "dim"), Span(", ".join(parts))] if parts else []

    def _top(self) -> list[Span]:
        """Return who uses most: CPU, then memory where there is room."""
        first, second = self._status.overview.process, self._status.overview.largest
        if first is None and second is None:
            return self._unknown("top cpu")
        value = human(first.value, Unit.PERCENT) if first else "-"
        room = self._width - _LABEL - _VALUE - 2 * len(self._gap)
        spans = [Span(f"{'top cpu':<{_LABEL}}{self._gap}", "dim"), Span(f"{value:>{_VALUE}}{self._gap}")]
        memory = f"memory {human(second.value, Unit.BYTES)} " if second else ""
        if self._narrow or second is None:
            return [*spans, Span(self._process(first, room))]
        left = max(self._bar, min(room // 2 - len(self._gap), width_of(self._process(first, room))))
        name = pad(self._process(first, left), left)
        rest = room - left - len(self._gap) - len(memory)
        return [*spans, Span(name + self._gap), Span(memory, "dim"), Span(self._process(second, rest))]

    def _samples(self) -> list[Span]:
        status = self._status
        label = Span(f"{'samples':<{_LABEL}}{self._gap}", "dim")
        if status.ticks is None:
            return [label, Span(f"{0:>{_VALUE}}{self._gap}"), Span("the first is still to come", "dim")]
        missed = Span(f"{f'{status.missed} missed':<{self._bar}}{self._gap}", "warning" if status.missed else "")
        spans = [label, Span(f"{status.ticks:>{_VALUE}}{self._gap}"), missed]
        spans.append(Span(f"{status.dropped} dropped", "warning" if status.dropped else ""))
        if self._narrow:
            return spans
        cost = f", own cost {human(status.own_cpu, Unit.PERCENT)} CPU, {human(status.own_memory, Unit.BYTES)}"
        return [*spans, Span(cost, "dim")]

    def _files(self) -> list[Span]:
        room = self._width - _LABEL - len(self._gap)
        path = cut_front(self._look.sanitize(self._status.about.files), room, self._look.more)
        return [Span(f"{'files':<{_LABEL}}{self._gap}", "dim"), Span(path)]

    def _charted(
        self, label: str, table: str, percent: float, detail: str, history: Sequence[float | None]
    ) -> list[Span]:
        tail = [Span(detail)]
        if self._spark > 0:
            tail = [Span(pad(detail, self._detail) + self._gap)]
            tail += [Span(draw_sparkline(history, self._spark, 100.0, self._look.bars))]
        return self._measured(label, table, percent, tail)

    def _measured(self, label: str, table: str, percent: float | None, tail: Iterable[Span]) -> list[Span]:
        if percent is None:
            return self._unknown(label)
        return [
            self._label(label, table),
            Span(f"{human(percent, Unit.PERCENT):>{_VALUE}}{self._gap}"),
            *draw_gauge(percent, self._bar, self._look, load_style(percent, self._status.levels.get(table))),
            Span(self._gap),
            *tail,
        ]

    def _label(self, label: str, table: str) -> Span:
        level: Level | None = self._status.levels.get(table)
        return Span(f"{label:<{_LABEL}}{self._gap}", level_style(level) if level else "dim")

    def _unknown(self, label: str) -> list[Span]:
        return [Span(f"{label:<{_LABEL}}{self._gap}", "dim"), Span(f"{'-':>{_VALUE}}", "dim")]

    def _process(self, process: Process | None, width: int) -> str:
        """Return the name of a process with its pid, which stays whole where the name is cut."""
        if process is None:
            return ""
        pid = f" ({process.pid})"
        name = cut(self._look.sanitize(process.name), max(1, width - len(pid)), self._look.more)
        return cut(name + pid, max(0, width), self._look.more)

    def _parts(self, parts: Sequence[str], between: str) -> str:
        """Return as many parts as fit behind a bar; the first is a name, and cut where it must be."""
        first = cut(self._look.sanitize(parts[0]), self._detail, self._look.more)
        return join_fitting([first, *parts[1:]], self._detail, between)


def _span(history: Sequence[Point]) -> str:
    return format_age(max(0.0, (history[-1].at - history[0].at).total_seconds()))
