"""Event log lines: what happened to the run itself, for whoever reads its log."""

import logging
from typing import ClassVar

from sysmon.app.agent.log import LOGGER
from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.formats.records import RULES_TEXT
from sysmon.model import Event

_LOGGER = logging.getLogger(LOGGER)
_LEVELS = dict.fromkeys(("reloaded", "collector_recovered", "limit_kept_again", "lock_released"), logging.INFO)
_LEVELS["interval_changed"] = logging.DEBUG  # it is in the event log, and no news for whoever watches the alerts


class EventLogger(Observer):
    """Logs the events of each tick, a line each."""

    place: ClassVar[Place] = Place.LOG

    def tick(self, entry: Entry, /) -> None:
        """Log what happened; most kinds of events are a warning."""
        for event in entry.events:
            _LOGGER.log(_LEVELS.get(event.kind, logging.WARNING), "%s", _describe(event))


def _describe(event: Event) -> str:
    fields = ", ".join(f"{name} {value}" for name, value in event.fields.items() if name != RULES_TEXT)
    return f"{event.kind.replace('_', ' ')}: {fields}"
