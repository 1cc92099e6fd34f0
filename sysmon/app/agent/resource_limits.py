"""Resource limits of sysmon itself: what is done when they are exceeded, step by step, and taken back step by step."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import ClassVar

from sysmon.app.agent.agent import Agent
from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.config import LimitAction, ResourceLimits
from sysmon.model import Event, Row
from sysmon.sampling.governor import Governor
from sysmon.sampling.self_tables import AGENT

PATIENCE = 3
"""Ticks in a row that must agree before anything is told or done: a single one may hold a rotation, or nothing."""

CALM = 30
"""Ticks in a row that must be well within the limits before a step is taken back; twice as many after each relapse."""

LONGEST_CALM = 960

MARGIN = 0.8
"""The share of a limit that is well within it."""


STOP_REASON = "resource_limits"
"""Why a run ends that used more than it may, where `action: stop` says so."""


@dataclass(slots=True)
class _Limit:
    """One limit: whether it was told to be exceeded, and for how many ticks it has been otherwise."""

    metric: str
    most: float
    over: bool = False
    differs: int = 0

    def check(self, at: datetime, value: float, action: LimitAction) -> list[Event]:
        """Return an event when the limit has just been crossed for good, in either direction."""
        over = value > self.most
        self.differs = self.differs + 1 if over is not self.over else 0
        if self.differs < PATIENCE:
            return []
        self.over, self.differs = over, 0
        kind = "limit_exceeded" if over else "limit_kept_again"
        fields = {"metric": self.metric, "value": value, "limit": self.most, "action": action.value}
        return [Event(at, kind, fields)]


class ResourceWatch:
    """Compares the `agent` rows with the limits and does what the configuration asks for.

    `stop` asks the run to end, once. Slowing down and disabling go one step further for as long as a limit stays
    exceeded, and back by one step whenever all limits were kept well for a while.
    """

    def __init__(self, limits: ResourceLimits, governor: Governor, *, stop: Callable[[], None]) -> None:
        given = {"agent_cpu_percent": limits.cpu_percent, "agent_memory_bytes": limits.memory}
        self._limits = [_Limit(metric, most) for metric, most in given.items() if most is not None]
        self._action = limits.action
        self._governor = governor
        self._stop = stop
        self._steps = 0
        self._over = 0
        self._calm = 0
        self._enough = CALM
        self._relieved = False

    def check(self, at: datetime, row: Row) -> list[Event]:
        """Look at one tick; return what changed and what was done."""
        values = dict(zip(AGENT.columns, row, strict=True))
        events, over, calm = [], False, True
        for limit in self._limits:
            value = values[limit.metric]
            if isinstance(value, int | float):
                events += limit.check(at, value, self._action)
                over = over or value > limit.most
                calm = calm and value <= MARGIN * limit.most
        self._over = self._over + 1 if over else 0
        self._calm = self._calm + 1 if calm else 0
        return [*events, *self._act(at)]

    def _act(self, at: datetime) -> list[Event]:
        if self._over == PATIENCE:
            self._over = 0
            return self._step(at)
        if self._steps and self._calm == self._enough:
            self._calm = 0
            self._steps -= 1
            self._relieved = True
            return self._step_back(at)
        return []

    def _step(self, at: datetime) -> list[Event]:
        if self._action is LimitAction.STOP and not self._steps:
            self._steps = 1
            self._stop()
            return []
        events = self._further(at)
        if events:
            self._steps += 1
            if self._relieved:
                self._enough = min(LONGEST_CALM, self._enough * 2)
                self._relieved = False
        return events

    def _further(self, at: datetime) -> list[Event]:
        if self._action is LimitAction.SLOW_DOWN:
            return self._governor.slow_down(at)
        if self._action is LimitAction.DISABLE_COLLECTORS:
            return self._governor.disable_dearest(at)
        return []

    def _step_back(self, at: datetime) -> list[Event]:
        if self._action is LimitAction.SLOW_DOWN:
            return self._governor.speed_up(at)
        if self._action is LimitAction.DISABLE_COLLECTORS:
            return self._governor.enable_cheapest(at)
        return []


class ResourceLimiter(Observer):
    """Has each tick's own cost compared with the limits of the configuration."""

    place: ClassVar[Place] = Place.LIMITS
    _watch: ResourceWatch

    def open(self, agent: Agent, /) -> None:
        """Take hold of what can slow the agent down, or end it."""
        stop = partial(agent.request_stop, STOP_REASON)
        self._watch = ResourceWatch(agent.config.resource_limits, agent.governor, stop=stop)

    def tick(self, entry: Entry, /) -> None:
        """Add what changed and what was done."""
        entry.events += self._watch.check(entry.sample.at, entry.sample.rows[AGENT.name][0])
