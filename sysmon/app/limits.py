"""Does sysmon itself use more than it may? Told once when it begins and once when it ends."""

from datetime import datetime

from sysmon.config import ResourceLimits
from sysmon.model import Event, Row
from sysmon.sampling.tables import AGENT

PATIENCE = 3
"""Ticks in a row that must agree before it is told: a single one may hold a rotation, or nothing."""


class ResourceWatch:
    """Compares the `agent` rows with the limits; the action is to say so."""

    def __init__(self, limits: ResourceLimits) -> None:
        self._limits = {"agent_cpu_percent": limits.cpu_percent, "agent_memory_bytes": limits.memory}
        self._over = dict.fromkeys(self._limits, False)
        self._differs = dict.fromkeys(self._limits, 0)

    def check(self, at: datetime, row: Row) -> list[Event]:
        """Return an event for each limit that has just been crossed for good, in either direction."""
        values = dict(zip(AGENT.columns, row, strict=True))
        events = []
        for metric, limit in self._limits.items():
            value = values[metric]
            if limit is None or not isinstance(value, int | float):
                continue
            over = value > limit
            self._differs[metric] = self._differs[metric] + 1 if over is not self._over[metric] else 0
            if self._differs[metric] == PATIENCE:
                self._over[metric], self._differs[metric] = over, 0
                kind = "limit_exceeded" if over else "limit_kept_again"
                events.append(Event(at, kind, {"metric": metric, "value": value, "limit": limit}))
        return events
