"""Short ways to write rules and series for the tests of the alerts."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sysmon.alerts.rule import Condition, Edge, OnMissing, Operator, Rule
from sysmon.alerts.state_machine import IDLE, Signal, State, StateChange, step
from sysmon.model import Kind, Level, Metric, Table, Transition, Unit
from sysmon.text.units import parse_duration

START = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)

Step = tuple[datetime, State | None, tuple[StateChange, ...]]


def level(
    limit: str,
    clear: str | None = None,
    *,
    name: Level = Level.WARNING,
    hold: str = "2m",
    clear_for: str = "2m",
) -> Condition:
    """Make a condition from `>= 85` and `< 75`."""
    trigger = edge(limit)
    return Condition(
        name,
        trigger,
        trigger.opposite() if clear is None else edge(clear),
        parse_duration(hold),
        parse_duration(clear_for),
    )


def edge(text: str) -> Edge:
    sign, number = text.split()
    return Edge(next(operator for operator in Operator if operator.sign == sign), float(number))


def rule(
    *conditions: Condition,
    interval: str = "1m",
    max_gap: str = "3m",
    on_missing: OnMissing = OnMissing.HOLD,
    gone_after: str | None = None,
    match: tuple[tuple[str, tuple[str, ...]], ...] = (),
    each: tuple[str, ...] = (),
    name: str = "busy",
    **more: Any,
) -> Rule:
    return Rule(
        name,
        "busy_percent",
        "work",
        conditions,
        parse_duration(interval),
        parse_duration(max_gap),
        parse_duration(gone_after or max_gap),
        on_missing,
        match,
        each,
        **more,
    )


def series(text: str, *, every: timedelta = MINUTE) -> Iterator[tuple[datetime, float | Signal]]:
    """Read one input a minute: numbers, `_` missing, `x` gone, `.` nothing at all."""
    words: Mapping[str, Signal] = {"_": Signal.MISSING, "x": Signal.GONE}
    for number, word in enumerate(text.split()):
        if word != ".":
            yield START + number * every, words[word] if word in words else float(word)


def play(of: Rule, inputs: Iterable[tuple[datetime, float | Signal]]) -> Iterator[Step]:
    state: State | None = IDLE
    for at, value in inputs:
        state, changes = step(of, state, at, value)
        yield at, state, changes


def phases(of: Rule, text: str) -> str:
    """Return what each input leads to: the phase of the only level, then `!` and the transition for each event."""
    return " ".join(
        "!".join([phase(state), *(change.transition.value for change in changes)])
        for _, state, changes in play(of, series(text))
    )


def phase(state: State | None, index: int = 0) -> str:
    return "ok" if state is IDLE else state.latches[index].phase.name.lower()


def changes(of: Rule, inputs: Iterable[tuple[datetime, float | Signal]]) -> list[tuple[datetime, StateChange]]:
    return [(at, change) for at, _, changes in play(of, inputs) for change in changes]


def read_changes(of: Rule, text: str) -> list[tuple[int, Transition, Level]]:
    """Return minute, transition and level of each event."""
    return [(minutes(at), change.transition, change.level) for at, change in changes(of, series(text))]


def minutes(at: datetime) -> int:
    return (at - START) // MINUTE


WORK = Table("work", "How busy.", (Metric("busy_percent", Kind.RATIO, Unit.PERCENT, "Busy."),), ("device", "kind"))
WHOLE = Table("whole", "The machine.", (Metric("load", Kind.GAUGE, Unit.NONE, "Load."),))
COLLECTOR = Table(
    "collector",
    "Collectors.",
    (
        Metric("collector_duration_seconds", Kind.GAUGE, Unit.SECONDS, "Time taken."),
        Metric("collector_up", Kind.GAUGE, Unit.NONE, "1 when it answered."),
        Metric("collector_errors", Kind.COUNT, Unit.NONE, "Failures."),
    ),
    ("collector",),
)
PROCESS = Table(
    "process", "Busy ones.", (Metric("process_cpu_percent", Kind.RATIO, Unit.PERCENT, "CPU."),), ("name",), series=False
)
TABLES = {table.name: table for table in (WORK, WHOLE, COLLECTOR, PROCESS)}
