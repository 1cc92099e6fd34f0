"""Storage observer: hands each tick to the writer of the data directory."""

import logging
from collections.abc import Callable
from typing import ClassVar

from sysmon.app.agent.agent import Agent
from sysmon.app.agent.log import LOGGER
from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.app.catalog import tables
from sysmon.storage.host_writer import HostWriter
from sysmon.storage.lock import DataDirectory
from sysmon.storage.writer import Writer

_CLOSING_SECONDS = 3.0
"""How long a disk may do nothing at the end before it is left alone."""

_LOGGER = logging.getLogger(LOGGER)


class Storage(Observer):
    """Stores samples, events and alerts; `written` is called once, by the writer, when the first sample is in its file.

    The directory stays its owner's, who closes it when the run is over.
    """

    place: ClassVar[Place] = Place.STORAGE
    _writer: Writer

    def __init__(self, directory: DataDirectory, *, written: Callable[[], None] | None = None) -> None:
        self._directory = directory
        self._written = written
        self._answers = True

    @property
    def segments_ended(self) -> int:
        """Return how many segments were closed so far."""
        return self._writer.ended

    @property
    def trouble(self) -> str | None:
        """Return why nothing can be written at present; None where all is well."""
        return self._writer.trouble

    def open(self, agent: Agent, /) -> None:
        """Start the writer."""
        layout = agent.config.storage
        files = HostWriter(
            agent.folder,
            agent.identity.origin,
            tables().values(),
            layout=layout,
            opening=agent.running_event,
            tell=_warn,
            guard=self._hold_directory,
        )
        files.set_active(agent.alerts.logged)
        seconds = layout.sync_interval.total_seconds()
        self._writer = Writer(files, sync_seconds=seconds, tell=_warn, on_first_write=self._written)
        agent.count_dropped(self._writer.dropped, settle=self._settle)
        self._writer.start()

    def start(self, entry: Entry, /) -> None:
        """Store the event and the alerts."""
        self._put(entry)

    def tick(self, entry: Entry, /) -> None:
        """Store the tick."""
        self._put(entry)

    def stop(self, entry: Entry, /) -> None:
        """Store the event."""
        self._put(entry)

    def close(self) -> None:
        """Write what waits, for a time at most."""
        if not self._writer.close(_CLOSING_SECONDS if self._answers else 0):
            _LOGGER.error("the disk does not answer: what is still in memory is lost")

    def _settle(self) -> None:
        self._answers = self._writer.settle(_CLOSING_SECONDS)

    def _put(self, entry: Entry) -> None:
        entry.stored = self._writer.put(entry.sample, events=entry.events, alerts=entry.alerts, active=entry.active)

    def _hold_directory(self) -> None:
        if self._directory.hold():
            _warn(f"{self._directory.path} was moved or deleted: it is begun anew")


def _warn(text: str) -> None:
    _LOGGER.warning("storage: %s", text)
