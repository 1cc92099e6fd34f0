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

_RARER = 0.1
"""A peak that rises on is worth a line of the log once in this part of the time since the alert fired."""


class Namer(Protocol):
    """Names the culprits of the present tick."""

    def name(self, event: AlertEvent) -> AlertEvent:
        """Return an event with those who use most now."""

    def starts(self, culprits: tuple[Culprit, ...]) -> Mapping[str, int]:
        """Return when each of those that are alive started."""


@dataclass(slots=True)
class Trail:
    """What is remembered of one alert that fires: whom it names, for how many ticks somebody else has come first.

    `logged` is when the log was last told of it, `logged_peak` and `leader` the peak and who led at it as it was told.
    """

    blamed: AlertEvent
    peak: float | None
    began: datetime
    changed: datetime
    logged: datetime
    logged_peak: float | None
    leader: Culprit | None
    starts: dict[str, int] = field(default_factory=dict)
    streak: int = 0


def begin(event: AlertEvent, namer: Namer | None, peak: float | None, before: Trail | None = None) -> Trail:
    """Return the trail of an alert that has just fired or got worse, or that a log tells of (`namer` is None)."""
    leader = next(iter(event.peak_top or event.top), None)
    trail = Trail(event, peak, event.at, event.at, event.at, peak, leader)
    if before is not None and before.blamed.top_at is not None:
        trail.starts = before.starts
    if namer is not None:
        trail.starts |= namer.starts(event.top)
    return trail


def follow(trail: Trail, namer: Namer, at: datetime, peak: float | None) -> bool:
    """Bring a trail up to a tick; return whether that is worth a line in the log."""
    has_news = _note_ended(trail, namer)
    if peak != trail.peak:
        _take_peak(trail, namer, at, peak)
    has_news = _look_for_another(trail, namer, at) or has_news
    leader = next(iter(trail.blamed.peak_top or trail.blamed.top), None)
    if not has_news and not _has_new_peak(trail, at, leader):
        return False
    trail.logged, trail.logged_peak, trail.leader = at, trail.peak, leader
    return True


def _has_new_peak(trail: Trail, at: datetime, leader: Culprit | None) -> bool:
    """Say whether the log should hear of a peak: at once where whom it names for it has ended, else now and then."""
    if trail.peak == trail.logged_peak:
        return False
    named = trail.leader
    is_dead = named is None or named.pid in trail.blamed.ended_pids
    if leader is not None and not _is_same(leader, named) and is_dead:
        return True
    return at - trail.logged >= max(_APART, _RARER * (at - trail.began))


def _look_for_another(trail: Trail, namer: Namer, at: datetime) -> bool:
    """Name whoever comes first now, where that is for good; return whether it has come to that."""
    now = namer.name(trail.blamed)
    first, then = _first(now), _first(trail.blamed)
    if first is None or _is_same(first, then):
        trail.streak = 0
        return False
    trail.streak += 1
    is_dead = then is not None and then.pid in trail.blamed.ended_pids
    named_before = next((culprit for culprit in now.top if _is_same(culprit, then)), None)
    is_clear = named_before is None or first.value >= _CLEARLY * named_before.value
    if not is_dead and (trail.streak < _TICKS or not is_clear or at - trail.changed < _APART):
        return False
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
