"""Console lines: how a tick and an alert read; words carry the meaning, colour repeats it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sysmon.model import AlertEvent, Transition, Unit
from sysmon.text.colors import paint
from sysmon.text.conditions import name_extreme
from sysmon.text.culprits import format_culprits
from sysmon.text.names import printable
from sysmon.text.units import format_age, human, short

if TYPE_CHECKING:
    from sysmon.console.overview import Disk, Overview, Process

_HEAD = 20  # columns of the time and the level before an alert's text
_HEADINGS = ("time", "state", "alerts", "cpu %", "mem %", "busy disk %", "net in", "net out", "top process %")


def format_heading(width: int) -> str:
    """Return the line of column names above the ticks."""
    return _columns(_HEADINGS)[:width].rstrip()


def format_tick(at: datetime, overview: "Overview", active: Sequence[AlertEvent], *, width: int, color: bool) -> str:
    """Return one tick as a line no wider than the terminal; the time is local."""
    worst = max((alert.level for alert in active), key=lambda level: level.rank, default=None)
    state = worst.value.upper() if worst else "OK"
    cells = (
        f"{at.astimezone():%H:%M:%S}",
        state,
        str(len(active)) if active else "-",
        _number(overview.cpu),
        _number(overview.memory.percent if overview.memory else None),
        _disk(overview.disk, 11),
        short(overview.received, Unit.BYTES_PER_SECOND),
        short(overview.sent, Unit.BYTES_PER_SECOND),
        _process(overview.process, max(14, width - 66)),
    )
    line = _columns(cells)[:width].rstrip()
    return line.replace(state, paint(state, state.lower(), color=color), 1)


def format_alert(event: AlertEvent, *, color: bool, width: int | None = None) -> str:
    """Return one alert event as one line, or on a terminal of some width as lines cut between words.

    The time is local.
    """
    over = event.transition is Transition.RESOLVED or (event.transition is Transition.STEADY and event.reason == "calm")
    word = "RESOLVED" if over else event.level.value.upper()
    labels = {name: value for name, value in event.labels.items() if name != "hostname"}
    where = printable(event.labels.get("hostname", "-"))
    if labels:
        where += " (" + printable(", ".join(f"{name}={value}" for name, value in labels.items())) + ")"
    colour = "OK" if over else word
    shown = paint(f"{word:<8}", colour.lower(), color=color)
    message = printable(event.message) if event.message else f"{_describe(event)} on {where}"
    culprits = format_culprits(event, lambda at: f"{at.astimezone():%H:%M:%S}", most=1)
    text = f"{event.rule}: {message}{'   ' if culprits else ''}{culprits}"
    if width is not None and width > 2 * _HEAD:
        import textwrap  # only where somebody watches: it stays for as long as the run

        text = f"\n{' ' * _HEAD}".join(textwrap.wrap(text, width - _HEAD - 1, break_on_hyphens=False))
    return f"{event.at.astimezone():%H:%M:%S}  {shown}  {text}"


def _describe(event: AlertEvent) -> str:
    value = human(event.value, event.unit)
    peak = f"{name_extreme(event.condition)} {human(event.peak, event.unit)}"
    lasted = format_age(event.duration)
    was_on = format_age(max(0.0, (event.at - event.since).total_seconds()))
    match event.transition:
        case Transition.FIRED:
            return f"{event.metric} {value} {event.condition}"
        case Transition.ESCALATED:
            return f"{event.metric} {value} {event.condition}, escalated after {lasted}"
        case Transition.LOWERED:
            return f"{event.metric} {value}, lowered after {lasted}, {peak}"
        case Transition.NO_DATA:
            return f"{event.metric} has no data; it was firing for {lasted}"
        case Transition.DATA_BACK:
            return f"{event.metric} {value}, data is back; firing for {lasted}"
        case Transition.RESOLVED:
            return f"{event.metric} {value}, {event.reason} after {was_on}, {peak}"
        case Transition.REMINDER:
            return f"{event.metric} {value} {event.condition}, {event.reason} after {lasted}, {peak}"
        case Transition.FLAPPING:
            return f"{event.metric} {value} {event.condition}, flapping: told again when it is steady"
        case Transition.CULPRIT_CHANGED:
            return f"{event.metric} {event.condition}, firing for {lasted}: another one uses most"
        case Transition.STEADY:
            return f"{event.metric} {value}, steady again and {event.reason}"


def _columns(cells: Sequence[str]) -> str:
    time, state, alerts, cpu, memory, disk, received, sent, process = cells
    numbers = f"{alerts:>6} {cpu:>5} {memory:>5}  {disk:<11} {received:>6} {sent:>7}"
    return f"{time:<8} {state:<8} {numbers}  {process}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.1f}"


def _disk(disk: "Disk | None", width: int) -> str:
    return "-" if disk is None else _named(disk.name, disk.percent, width)


def _process(process: "Process | None", width: int) -> str:
    return "-" if process is None else _named(process.name, process.value, width)


def _named(name: str, number: float, width: int) -> str:
    value = f"{number:.1f}"
    return f"{printable(name)[: width - len(value) - 1]} {value}"
