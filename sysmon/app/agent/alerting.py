"""The alerts of a run: rules that follow their file, states that outlive the process, and who is told."""

import logging
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from sysmon.alerts.evaluator import Evaluator, find_early_tables
from sysmon.alerts.notify_policy import Mutes
from sysmon.alerts.rules.loader import RuleSet
from sysmon.app.agent import log
from sysmon.app.agent.reload import SETTLED, Fresh, Reloader
from sysmon.app.agent.restore import resume
from sysmon.app.catalog import tables
from sysmon.app.silence_store import SilenceStore
from sysmon.config import Config, Notify
from sysmon.formats import jsonl, records
from sysmon.model import AlertEvent, Event, Origin, Sample
from sysmon.text.instants import format_instant

if TYPE_CHECKING:
    from sysmon.console.command import Courier

_LOGGER = logging.getLogger(log.LOGGER)


class AlertPipeline:
    """Evaluates samples; `logged` is what fires as far as the alert log tells, `owed` the events that it lacks."""

    def __init__(
        self,
        config: Config,
        rules: RuleSet,
        origin: Origin,
        *,
        intervals: Mapping[str, float],
        load: Callable[[], Config],
        environ: Mapping[str, str],
    ) -> None:
        self._mutes = Mutes(rules.mute_times)
        self._evaluator = Evaluator(rules.rules, tables(), origin, self._mutes)
        self._reloader = Reloader(load, config, intervals)
        self._silences = SilenceStore(config.data_dir)
        self._asked: datetime | None = None
        self._environ = environ
        self._notify = config.notify
        self._courier = self._new_courier()
        self.logged: list[AlertEvent] = []
        self.owed: list[AlertEvent] = []

    def resume(self, folder: Path, *, now: datetime, first_tick: datetime) -> None:
        """Go on where the last run ended."""
        restored, skipped = resume(self._evaluator, folder, tables(), now=now, first_tick=first_tick)
        self.logged, self.owed = restored.firing, restored.events
        if skipped.lines:
            _LOGGER.warning("%d stored lines could not be read for the state of the alerts", skipped.lines)

    def take(self, sample: Sample, *, reload: bool) -> tuple[list[AlertEvent], list[Event]]:
        """Return what a sample changes, and the news about the rules themselves; `reload` asks to read them again."""
        self._hear(sample.at)
        alerts, news = self._reloaded(sample.at, asked=reload)
        return alerts + self._evaluator.evaluate(sample), news

    def active(self) -> list[AlertEvent]:
        """Return the latest event of each alert that fires."""
        return self._evaluator.active()

    def wanted(self) -> frozenset[str]:
        """Return the collectors that should be read at the next tick whatever their interval is."""
        return find_early_tables(self._evaluator)

    def in_words(self) -> str:
        """Return what fires, for the line at the start: `2 alerts active: ...`; empty where nothing does."""
        active = self.active()
        if not active:
            return ""
        names = [f"{event.rule} {event.level} since {format_instant(event.since)}" for event in active[:5]]
        more = [f"and {len(active) - 5} more"] if len(active) > 5 else []
        return f"{len(active)} alert{'s' if len(active) > 1 else ''} active: {', '.join([*names, *more])}"

    def send(self, alerts: Iterable[AlertEvent], stored: threading.Event) -> None:
        """Hand the events that people are told of to the program of the configuration."""
        if self._courier is not None:
            for event in told(alerts):
                self._courier.send(jsonl.encode_record(records.alert_record(event)), stored)

    def close(self, seconds: float) -> None:
        """Hand over what waits, for a time at most."""
        if self._courier is not None:
            self._courier.close(seconds)

    def _new_courier(self) -> "Courier | None":
        if not self._notify.command:
            return None
        from sysmon.console.command import Courier  # only a run with such a program needs it

        if not _may_reach_out():
            _tell("this service may not use the network, which notify.command may need: `sysmon service install` again")
        seconds = self._notify.timeout.total_seconds()
        return Courier(self._notify.command, self._environ, seconds=seconds, tell=_tell)

    def _renotify(self, notify: Notify) -> None:
        """Take over another program; what waits for the old one is still handed to it."""
        if notify != self._notify:
            if self._courier is not None:
                self._courier.close(0)
            self._notify = notify
            self._courier = self._new_courier()

    def _hear(self, at: datetime) -> None:
        """Take what people said, looking at most once a second."""
        if self._asked is None or not timedelta(0) <= at - self._asked < SETTLED:
            self._asked = at
            self._mutes.silences = self._silences.read()

    def _reloaded(self, at: datetime, *, asked: bool) -> tuple[list[AlertEvent], list[Event]]:
        found = self._reloader.look(at, asked=asked)
        if found is None:
            return [], []
        if not isinstance(found, Fresh):
            first, *others = str(found).split("\n")
            more = {"more": len(others)} if others else {}
            return [], [Event(at, "reload_failed", {"error": first, **more, "kept": len(self._evaluator.rules)})]
        self._mutes.set_mute_times(found.rules.mute_times)
        self._renotify(found.config.notify)
        logging.getLogger(log.LOGGER).setLevel(found.config.logging.level.upper())
        done = self._evaluator.reload(found.rules.rules, at)
        counts = {"added": done.added, "changed": done.changed, "removed": done.removed}
        restart = {"needs_restart": list(found.restart)} if found.restart else {}
        for warning in (*found.config.warnings, *found.rules.warnings):
            _LOGGER.warning("%s", warning)
        return done.events, [Event(at, "reloaded", {"rules": len(found.rules.rules), **counts, **restart})]


def _tell(text: str) -> None:
    _LOGGER.warning("notify: %s", text)


def _may_reach_out() -> bool:
    """Say whether sockets of IPv4 can be made; the unit of a service forbids them where nobody was to be told."""
    try:
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close()
    except OSError:
        return False
    return True


def told(events: Iterable[AlertEvent]) -> list[AlertEvent]:
    """Return the events that people are to be told of."""
    return [event for event in events if event.notified]
