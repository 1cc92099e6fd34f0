"""Observer protocol of an agent: who takes part in its ticks, and in which order."""

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from sysmon.config import Config
from sysmon.model import AlertEvent, Event, Sample
from sysmon.sampling.loop import TickCounts

if TYPE_CHECKING:
    from sysmon.app.agent.agent import Agent

_NOTHING_TO_STORE = threading.Event()
_NOTHING_TO_STORE.set()


class Place(IntEnum):
    """The order in which observers are called, at each call of the protocol; each place has its reason."""

    ANNOUNCE = 1
    """A service manager hears of a reload or of the end before either begins: both may take a while."""
    RULES = 2
    """The rules make alerts of the sample, and may be read again; all that follow need what they give."""
    LIMITS = 3
    """What exceeded limits give are events, which are stored with the tick."""
    STORAGE = 4
    """The log comes before everything else: who is notified from here on can wait for `stored`."""
    MAINTENANCE = 5
    """It follows the segments that storage has ended; its process is told to end before storage closes."""
    DELIVERY = 6
    """Other programs hear of alerts before people do here; at the end they need time, the console none."""
    CONSOLE = 7
    """Alerts above the tick that they belong to; the last line is shown when all others are done."""
    LOG = 8
    """What happened besides, below the tick on a terminal that shows both."""
    LISTENER = 9
    """Whoever embeds the agent: everything about the tick is known, and a watchdog notices who hangs here."""
    SERVICE = 10
    """A sign of life is given when all others are through with the tick: one that hangs must be noticed."""
    HOUSEKEEPING = 11
    """What takes time and nobody waits for."""


@dataclass(slots=True)
class Entry:
    """One tick, or the start or the end of a run: observers add what those after them need.

    The sample of a start or an end has no rows. `active` are the alerts that fire now, `alerts` what changed. `reload`
    says that the configuration shall be read again whether or not it changed, `config` is one that was just taken
    over. `stored` is set when events and alerts are on the disk.
    """

    sample: Sample
    events: list[Event]
    counts: TickCounts
    reload: bool = False
    alerts: list[AlertEvent] = field(default_factory=list)
    active: Sequence[AlertEvent] = ()
    config: Config | None = None
    stored: threading.Event = _NOTHING_TO_STORE


class Observer(Protocol):
    """Takes part in a run. Whoever inherits from it defines only the calls that matter to it.

    All calls come from the thread that runs the agent, and none may wait for anything: the next tick would be late.
    """

    place: ClassVar[Place] = Place.LISTENER

    def open(self, agent: "Agent", /) -> None:
        """Get ready; the agent has not read anything yet."""
        return

    def start(self, entry: Entry, /) -> None:
        """Take the event `started`, and the alerts that the log of the last run lacks."""
        return

    def tick(self, entry: Entry, /) -> None:
        """Take a sample with all that came of it."""
        return

    def stop(self, entry: Entry, /) -> None:
        """Take the event `stopped`."""
        return

    def close(self) -> None:
        """Let go of what is held, after all have taken the event."""
        return
