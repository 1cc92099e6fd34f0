"""Text of culprits: `java(4312) 180 %, not attributed 12 %`, the same on the console, in reports and lists."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol

from sysmon.model import ENDED_CHILDREN, NO_PROCESS, Culprit, Unit
from sysmon.text.names import printable
from sysmon.text.units import human

_LEAST_LEFT = 0.01
"""The part of all that was used from which on it is worth saying that nobody is named for it."""

_UNITS = {"memory": Unit.BYTES, "space": Unit.BYTES, "io": Unit.BYTES_PER_SECOND}


class Blaming(Protocol):
    """What names culprits: an event of the alert log, or an alert put together from several."""

    @property
    def resource(self) -> str | None:
        """Return what was used."""

    @property
    def top(self) -> tuple[Culprit, ...]:
        """Return those named last."""

    @property
    def unaccounted(self) -> float | None:
        """Return what they leave over."""

    @property
    def top_at(self) -> datetime | None:
        """Return when they were named."""

    @property
    def peak_top(self) -> tuple[Culprit, ...]:
        """Return those named for the peak, where that is another instant."""

    @property
    def peak_unaccounted(self) -> float | None:
        """Return what these leave over."""

    @property
    def peak_at(self) -> datetime | None:
        """Return when the peak was."""

    @property
    def ended_pids(self) -> tuple[str, ...]:
        """Return the pids of those that have ended since."""

    @property
    def growth(self) -> float | None:
        """Return by how many bytes a file system has grown."""

    @property
    def growth_since(self) -> datetime | None:
        """Return since when."""


def format_culprit(culprit: Culprit, resource: str | None, ended: Sequence[str] = ()) -> str:
    """Return a culprit and what it used of a resource, and whether it has ended."""
    name, mark = culprit.name, " (ended)" if culprit.pid in ended else ""
    if culprit.pid != NO_PROCESS:
        own, children, _ = name.partition(ENDED_CHILDREN)
        name = f"{printable(own)}({printable(culprit.pid)}){children}"
    return f"{name if culprit.pid != NO_PROCESS else printable(name)} {_format_use(culprit.value, resource)}{mark}"


def format_culprits(alert: Blaming, clock: Callable[[datetime], str], *, most: int | None = None) -> str:
    """Return whom an alert names, those at its peak first, with the time; empty where it names nobody.

    `clock` writes an instant as a time of day; of more than `most` in a list the others are summed up.
    """
    latest = _format_list(alert.top, alert.unaccounted, alert, most)
    if alert.growth is not None and alert.growth_since is not None:
        grown = f"grew by {human(alert.growth, Unit.BYTES)} since {clock(alert.growth_since)}"
        return f"{grown}; wrote most: {latest}" if latest else grown
    if alert.peak_at is None or (not alert.peak_top and alert.peak_unaccounted is None):
        return f"top: {latest}" if latest else ""
    peak = (
        f"top at the peak {clock(alert.peak_at)}: {_format_list(alert.peak_top, alert.peak_unaccounted, alert, most)}"
    )
    if not latest or alert.top_at is None or _first(alert.top) == _first(alert.peak_top):
        return peak
    return f"{peak}; at {clock(alert.top_at)}: {_format_list(alert.top, alert.unaccounted, alert, 1)}"


def _first(culprits: Sequence[Culprit]) -> tuple[str, str] | None:
    return (culprits[0].pid, culprits[0].name) if culprits else None


def _format_list(culprits: Sequence[Culprit], left: float | None, alert: Blaming, most: int | None) -> str:
    listed = culprits if most is None or len(culprits) <= most + 1 else culprits[:most]
    words = [format_culprit(culprit, alert.resource, alert.ended_pids) for culprit in listed]
    if more := culprits[len(listed) :]:
        words.append(f"{len(more)} more {_format_use(sum(culprit.value for culprit in more), alert.resource)}")
    whole = sum(culprit.value for culprit in culprits) + (left or 0.0)
    if left is not None and left > _LEAST_LEFT * whole:
        words.append(f"not attributed {_format_use(left, alert.resource)}")
    return ", ".join(words)


def _format_use(value: float, resource: str | None) -> str:
    if resource == "cpu":
        return f"{value:.0f} %"
    if resource == "sockets":
        return f"{value:.0f} sockets"
    return human(value, _UNITS.get(resource or "", Unit.BYTES_PER_SECOND))
