"""Sampler: one tick reads every collector that is due, keeps each one's failures to itself, and makes the sample."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sysmon.errors import Unavailable
from sysmon.model import Event, Failure, Notice, Row, Sample
from sysmon.protocols import Closing, Collector
from sysmon.sampling.sanitize import LabelSanitizer
from sysmon.sampling.self_tables import COLLECTOR

UNHEALTHY_AFTER = 3
"""Failures in a row after which a collector is called unhealthy."""

LONGEST_PAUSE = 63
"""Due ticks that a collector that fails, or has no source here, is left alone at most."""


@dataclass(slots=True)
class _CollectorState:
    """A collector and what is remembered of it: its last reading with its monotonic second, and its failures."""

    collector: Collector
    before: Any = None
    read_at: float = 0.0
    failed: int = 0
    absent: int = 0
    pause: int = 0
    errors: int = 0


@dataclass(slots=True)
class _Tick:
    """What comes together while a tick is taken."""

    at: datetime
    rows: dict[str, list[Row]] = field(default_factory=dict)
    own: list[Row] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)


class Sampler:
    """Turns readings into samples. Collectors are asked in the order given.

    `costs` holds the seconds of CPU that each collector took at the last tick, where it was read.
    """

    def __init__(
        self,
        collectors: Mapping[str, Collector],
        monotonic: Callable[[], float],
        cpu: Callable[[], float] = time.thread_time,
        stored: LabelSanitizer = LabelSanitizer(),  # noqa: B008 - it holds nothing that changes
    ) -> None:
        self._states = {name: _CollectorState(collector) for name, collector in collectors.items()}
        self._monotonic = monotonic
        self._cpu = cpu
        self._stored = stored
        self._notices: list[tuple[str, Notice]] = []
        self.costs: dict[str, float] = {}

    def prime(self) -> None:
        """Take first readings, so that the first sample already has its rates; failures show at the first tick."""
        for name, state in self._states.items():
            try:
                state.before, state.read_at = self._read(name, state), self._monotonic()
            except Exception:  # noqa: BLE001 - a collector may fail in any way; it is asked again, and counted, at the tick
                state.before = None
                state.errors += 1

    def preview(self, at: datetime) -> Sample:
        """Return what a tick would see now, remembering nothing of it."""
        tick = _Tick(at)
        for name, state in self._states.items():
            glimpse = _CollectorState(state.collector, state.before, state.read_at)
            self._ask(name, glimpse, tick)
        return Sample(at, tick.rows)

    def take(self, at: datetime, due: Collection[str]) -> tuple[Sample, list[Event]]:
        """Take the sample of a tick, and what a reader must know of the collectors' health."""
        tick = _Tick(at)
        self.costs = {}
        before = self._cpu()
        for name, state in self._states.items():
            if name in due:
                self._ask_unless_paused(name, state, tick)
                after = self._cpu()
                self.costs[name], before = after - before, after
        tick.rows[COLLECTOR.name] = tick.own
        return Sample(at, tick.rows, tuple(tick.failures)), [*tick.events, *self._news(at)]

    def close(self) -> None:
        """Have the collectors give back what they hold."""
        for state in self._states.values():
            if isinstance(state.collector, Closing):
                state.collector.close()

    def _ask_unless_paused(self, name: str, state: _CollectorState, tick: _Tick) -> None:
        if state.pause:
            state.pause -= 1
            if state.failed:
                tick.own.append((name, None, 0, state.errors))
                state.errors = 0
        else:
            self._ask(name, state, tick)

    def _read(self, name: str, state: _CollectorState) -> Any:
        after = state.collector.read()
        notices: tuple[Notice, ...] = getattr(after, "notices", ())
        self._notices += [(name, notice) for notice in notices]
        return after

    def _news(self, at: datetime) -> list[Event]:
        """Return the notices as events; those of a first look wait for the first tick, too."""
        notices, self._notices = self._notices, []
        return [
            Event(at, notice.kind, {"collector": name} | self._stored.fields(notice.fields)) for name, notice in notices
        ]

    def _ask(self, name: str, state: _CollectorState, tick: _Tick) -> None:
        began = self._monotonic()
        try:
            after = self._read(name, state)
            rows = self._rows(state, after, began)
        except Unavailable:
            state.before = None
            state.absent += 1
            state.pause = _pause_after(state.absent)
            return
        except Exception as error:  # noqa: BLE001 - whatever one source does, the others go on; it is counted and told
            self._failed(name, state, tick, error)
            return
        state.before, state.read_at, state.absent = after, began, 0
        tick.rows[name] = rows
        tick.own.append((name, round(self._monotonic() - began, 6), 1, state.errors))
        state.errors = 0
        if state.failed:
            tick.events.append(Event(tick.at, "collector_recovered", {"collector": name, "failures": state.failed}))
            state.failed = 0

    def _rows(self, state: _CollectorState, after: Any, began: float) -> list[Row]:
        """Return the rows as they are stored; raise ValueError for one that has not the form of its table."""
        table = state.collector.table
        width = len(table.labels) + len(table.metrics)
        rows = state.collector.rows(state.before, after, began - state.read_at)
        for row in rows:
            if not isinstance(row, tuple) or len(row) != width:
                raise ValueError(f"a row of {table.name} is not a tuple of {width} values: {row!r:.100}")
        return self._stored.rows(table, rows)

    def _failed(self, name: str, state: _CollectorState, tick: _Tick, error: Exception) -> None:
        text = self._stored.error(error)
        state.before = None
        state.failed += 1
        state.pause = _pause_after(state.failed)
        tick.failures.append(Failure(name, text))
        tick.own.append((name, None, 0, state.errors + 1))
        state.errors = 0
        if state.failed == 1:
            tick.events.append(Event(tick.at, "collector_failed", {"collector": name, "error": text}))
        elif state.failed == UNHEALTHY_AFTER:
            tick.events.append(Event(tick.at, "collector_unhealthy", {"collector": name, "error": text}))


def _pause_after(times: int) -> int:
    return min((1 << min(times, 7) - 1) - 1, LONGEST_PAUSE)
