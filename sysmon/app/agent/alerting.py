"""Alert pipeline of a run: rules that follow their file, and states that outlive the process."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import ClassVar

from sysmon.alerts.evaluator import Evaluator, find_early_tables
from sysmon.alerts.notify_policy import Mutes
from sysmon.alerts.rules.loader import RuleSet
from sysmon.app.agent import log
from sysmon.app.agent.observer import Entry, Observer, Place
from sysmon.app.agent.reload import SETTLED, Fresh, Reloader
from sysmon.app.agent.restore import resume
from sysmon.app.catalog import tables
from sysmon.app.collectors import make_probe
from sysmon.app.silence_store import SilenceStore
from sysmon.config import Config
from sysmon.datadir.damage import Damage
from sysmon.formats.records import rules_fields
from sysmon.model import AlertEvent, Event, Origin
from sysmon.text.instants import format_instant

_LOGGER = logging.getLogger(log.LOGGER)


class AlertPipeline(Observer):
    """Evaluates samples; `logged` is what fires as far as the alert log tells, `owed` the events that it lacks.

    `rules_fields` tells the event log which rules hold.

    Without `load` the rules stay as they are.
    """

    place: ClassVar[Place] = Place.RULES

    def __init__(
        self,
        config: Config,
        rules: RuleSet,
        origin: Origin,
        *,
        intervals: Mapping[str, float],
        load: Callable[[], Config] | None,
    ) -> None:
        self._mutes = Mutes(rules.mute_times)
        self._evaluator = Evaluator(rules.rules, tables(), origin, self._mutes, probe=make_probe(config))
        self._reloader = None if load is None else Reloader(load, config, intervals)
        self._silences = SilenceStore(config.data_dir)
        self._silences_read: datetime | None = None
        self._silences_damage: list[str] = []
        self.rules_fields: Mapping[str, object] = rules_fields(rules.text)
        self.logged: list[AlertEvent] = []
        self.owed: list[AlertEvent] = []

    def resume(self, folder: Path, *, now: datetime, first_tick: datetime) -> None:
        """Go on where the last run ended."""
        restored, damage = resume(self._evaluator, folder, tables(), now=now, first_tick=first_tick)
        self.logged, self.owed = restored.firing, restored.events
        if damage.count:
            text = "%d stored lines or files could not be read for the state of the alerts, the first: %s"
            _LOGGER.warning(text, damage.count, damage.lines[0])

    def start(self, entry: Entry, /) -> None:
        """Hand on what the log lacks."""
        entry.alerts = self.owed
        entry.active = self.active()

    def tick(self, entry: Entry, /) -> None:
        """Evaluate the sample, by rules that are read again where they changed or where that was asked for."""
        at = entry.sample.at
        self._read_silences(at)
        if self._reloader is not None:
            self._reload(self._reloader, entry)
        entry.alerts += self._evaluator.evaluate(entry.sample)
        entry.active = self.active()

    def stop(self, entry: Entry, /) -> None:
        """Hand on what still fires."""
        entry.active = self.active()

    def active(self) -> list[AlertEvent]:
        """Return the latest event of each alert that fires."""
        return self._evaluator.active()

    def wanted(self) -> frozenset[str]:
        """Return the collectors that should be read at the next tick whatever their interval is."""
        return find_early_tables(self._evaluator)

    def describe_active(self) -> str:
        """Return what fires, for the line at the start: `2 alerts active: ...`; empty where nothing does."""
        active = self.active()
        if not active:
            return ""
        names = [f"{event.rule} {event.level} since {format_instant(event.since)}" for event in active[:5]]
        more = [f"and {len(active) - 5} more"] if len(active) > 5 else []
        return f"{len(active)} alert{'s' if len(active) > 1 else ''} active: {', '.join([*names, *more])}"

    def _read_silences(self, at: datetime) -> None:
        """Take the silences and acknowledgements, looking at most once a second."""
        if self._silences_read is None or not timedelta(0) <= at - self._silences_read < SETTLED:
            self._silences_read = at
            self._mutes.silences = self._silences.read()
            self._tell_damage(self._silences.damage)

    def _tell_damage(self, damage: Damage) -> None:
        """Warn of silences that cannot be read, once as long as nothing changes about them."""
        if damage.lines != self._silences_damage and damage.count:
            text = "%d silences or acknowledgements cannot be read, the first: %s"
            _LOGGER.warning(text, damage.count, damage.lines[0])
        self._silences_damage = damage.lines

    def _reload(self, reloader: Reloader, entry: Entry) -> None:
        at = entry.sample.at
        loaded = reloader.look(at, forced=entry.reload)
        if loaded is None:
            return
        if not isinstance(loaded, Fresh):
            first, *others = str(loaded).split("\n")
            more = {"more": len(others)} if others else {}
            fields = {"error": first, **more, "kept": len(self._evaluator.rules)}
            entry.events.append(Event(at, "reload_failed", fields))
            return
        self._mutes.set_mute_times(loaded.rules.mute_times)
        entry.config = loaded.config
        logging.getLogger(log.LOGGER).setLevel(loaded.config.logging.level.upper())
        done = self._evaluator.reload(loaded.rules.rules, at)
        counts = {"added": done.added, "changed": done.changed, "removed": done.removed}
        restart = {"needs_restart": list(loaded.restart)} if loaded.restart else {}
        for warning in (*loaded.config.warnings, *loaded.rules.warnings):
            _LOGGER.warning("%s", warning)
        entry.alerts += done.events
        self.rules_fields = rules_fields(loaded.rules.text)
        counts = {"rules": len(loaded.rules.rules), **counts}
        entry.events.append(Event(at, "reloaded", {**counts, **restart, **self.rules_fields}))
