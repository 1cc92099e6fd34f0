"""Following of culprits while an alert fires: who is named at its peak, who has ended, who has taken over?"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Protocol

from sysmon.model import NO_PROCESS, AlertEvent, Culprit

_TICKS = 3
"""For so many ticks another one must come first until it is named instead."""

_CLEARLY = 1.25
"""How many times as much as the one named so far it must use."""

_APART = timedelta(minutes=1)
"""The time between two such changes, unless the one named has ended."""


class Namer(Protocol):
    """Names the culprits of the present tick."""

    def name(self, event: AlertEvent) -> AlertEvent:
        """Return an event with those who use most now."""

    def starts(self, culprits: tuple[Culprit, ...]) -> Mapping[str, int]:
        """Return when each of those that are alive started."""


@dataclass(slots=True)
class Trail:
    """What is remembered of one alert that fires: whom it names, and since when somebody else comes first."""

    blamed: AlertEvent
    peak: float | None
    changed: datetime
    starts: dict[str, int] = field(default_factory=dict)
    streak: int = 0


def begin(event: AlertEvent, namer: Namer | None, peak: float | None, before: Trail | None = None) -> Trail:
    """Return the trail of an alert that has just fired or got worse, or that a log tells of (`namer` is None)."""
    trail = Trail(event, peak, event.at)
    if before is not None and before.blamed.top_at is not None:
        trail.starts = before.starts
    if namer is not None:
        trail.starts |= namer.starts(event.top)
    return trail


def follow(trail: Trail, namer: Namer, at: datetime, peak: float | None) -> bool:
    """Bring a trail up to a tick; return whether that is worth a line in the log."""
    ended_first = _note_ended(trail, namer)
    if peak != trail.peak:
        _take_peak(trail, namer, at, peak)
    now = namer.name(trail.blamed)
    first, then = _first(now), _first(trail.blamed)
    if first is None or _is_same(first, then):
        trail.streak = 0
        return ended_first
    trail.streak += 1
    is_dead = then is not None and then.pid in trail.blamed.ended_pids
    named_before = next((culprit for culprit in now.top if _is_same(culprit, then)), None)
    is_clear = named_before is None or first.value >= _CLEARLY * named_before.value
    if not is_dead and (trail.streak < _TICKS or not is_clear or at - trail.changed < _APART):
        return ended_first
    _change(trail, namer, now, at)
    return True


def _take_peak(trail: Trail, namer: Namer, at: datetime, peak: float | None) -> None:
    now = namer.name(trail.blamed)
    trail.peak = peak
    trail.blamed = replace(
        trail.blamed,
        peak_top=now.top,
        peak_unaccounted=now.unaccounted,
        peak_at=at,
        growth=now.growth,
        growth_since=now.growth_since,
    )
    trail.starts |= {pid: start for pid, start in namer.starts(now.top).items() if pid not in trail.starts}


def _change(trail: Trail, namer: Namer, now: AlertEvent, at: datetime) -> None:
    blamed = trail.blamed
    if blamed.peak_at is None:  # the peak was when it fired, and whom that names stays named
        blamed = replace(
            blamed, peak_top=blamed.top, peak_unaccounted=blamed.unaccounted, peak_at=blamed.top_at or blamed.at
        )
    trail.blamed = replace(blamed, top=now.top, unaccounted=now.unaccounted, top_at=at)
    trail.changed, trail.streak = at, 0
    trail.starts |= {pid: start for pid, start in namer.starts(now.top).items() if pid not in trail.starts}


def _note_ended(trail: Trail, namer: Namer) -> bool:
    """Note who of those named has ended; return whether that is the one named first."""
    blamed = trail.blamed
    followed = tuple(
        culprit
        for culprit in (*blamed.top, *blamed.peak_top)
        if culprit.pid in trail.starts and culprit.pid not in blamed.ended_pids
    )
    if not followed:
        return False
    alive = namer.starts(followed)
    ended = dict.fromkeys(culprit.pid for culprit in followed if alive.get(culprit.pid) != trail.starts[culprit.pid])
    if not ended:
        return False
    trail.blamed = replace(blamed, ended_pids=(*blamed.ended_pids, *ended))
    first = _first(blamed)
    return first is not None and first.pid in ended


def _first(event: AlertEvent) -> Culprit | None:
    return event.top[0] if event.top else None


def _is_same(culprit: Culprit, other: Culprit | None) -> bool:
    if other is None or culprit.pid != other.pid:
        return False
    return culprit.pid != NO_PROCESS or culprit.name == other.name
