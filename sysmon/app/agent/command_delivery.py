"""Alert delivery by command: hands the alerts that people are notified of to the program of the configuration."""

import logging
import socket
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar

from sysmon.app.agent.log import LOGGER
from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.config import Notify
from sysmon.formats import jsonl, records
from sysmon.shortage import SHORTAGES, ThreadLimitError

if TYPE_CHECKING:
    from sysmon.console.command import Courier

_CLOSING_SECONDS = 0.3
_LOGGER = logging.getLogger(LOGGER)


class CommandDelivery(Observer):
    """Sends each alert to `notify.command`; does nothing where there is none."""

    place: ClassVar[Place] = Place.DELIVERY

    def __init__(self, notify: Notify, environ: Mapping[str, str]) -> None:
        self._notify = notify
        self._environ = environ
        self._trouble = ""
        self._courier = self._make_courier()

    def start(self, entry: Entry, /) -> None:
        """Send what the log of the last run lacks."""
        self._send(entry)

    def tick(self, entry: Entry, /) -> None:
        """Send what changed; a new configuration may name another program."""
        if entry.config is not None:
            self._replace(entry.config.notify)
        elif self._courier is None and self._notify.command:
            self._begin()
        self._send(entry)

    def close(self) -> None:
        """Hand over what waits, for a time at most."""
        if self._courier is not None:
            self._courier.close(_CLOSING_SECONDS)

    def _send(self, entry: Entry) -> None:
        events = [event for event in entry.alerts if event.notified]
        if self._courier is not None:
            for event in events:
                self._courier.send(jsonl.encode_record(records.alert_record(event)), entry.stored)
        elif events and self._notify.command:
            _warn(f"{self._notify.command[0]} was not told of {len(events)} alerts: {self._trouble}")

    def _replace(self, notify: Notify) -> None:
        """Take over another program; what waits for the old one is still handed to it."""
        if notify != self._notify:
            if self._courier is not None:
                self._courier.close(0)
            self._notify, self._courier = notify, None
            self._begin()

    def _begin(self) -> None:
        """Be ready for the program; where this process lacks what that takes, it is tried again at each tick."""
        try:
            self._courier, self._trouble = self._make_courier(), ""
        except (OSError, ImportError, ThreadLimitError) as error:
            if not self._trouble:
                _warn(f"{self._notify.command[0]} cannot be run yet: {error}")
            self._trouble = str(error)

    def _make_courier(self) -> "Courier | None":
        if not self._notify.command:
            return None
        from sysmon.console.command import Courier  # only a run with such a program needs it

        seconds = self._notify.timeout.total_seconds()
        courier = Courier(self._notify.command, self._environ, seconds=seconds, tell=_warn)
        if not _may_reach_out():
            _warn("this service may not use the network, which notify.command may need: `sysmon service install` again")
        return courier


def _warn(text: str) -> None:
    _LOGGER.warning("notify: %s", text)


def _may_reach_out() -> bool:
    """Say whether sockets of IPv4 can be made; the unit of a service forbids them where nobody was to be told."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError as error:
        return error.errno in SHORTAGES  # which says nothing of the network
    return True
