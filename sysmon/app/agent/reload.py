"""Notices that the rules or the configuration have changed, and reads them again: all of it, or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.alerts.rules.loader import RuleSet, load_rules
from sysmon.app.catalog import tables
from sysmon.config import Config
from sysmon.errors import SysmonError
from sysmon.text.instants import from_ms

SETTLED = timedelta(seconds=1)
"""How long a file must have been left alone (an editor may be in the middle of it), and how often it is looked at."""

AT_RUN_TIME = frozenset({"file", "rules", "logging", "notify", "warnings", "origins"})
"""The parts of the configuration that a run takes over; the others need a restart."""

_Signature = tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Fresh:
    """What was read; `restart` names the settings that changed and hold only after a restart."""

    config: Config
    rules: RuleSet
    restart: tuple[str, ...]


class Reloader:
    """Looks at the files of a run, a stat each at most once a second."""

    def __init__(self, load: Callable[[], Config], config: Config, intervals: Mapping[str, float]) -> None:
        self._load = load
        self._config = config
        self._intervals = intervals
        self._seen = self._signatures()
        self._looked: datetime | None = None

    def look(self, at: datetime, *, asked: bool) -> Fresh | SysmonError | None:
        """Return what was read anew, or why it cannot be used; None where nothing changed and nobody asked."""
        if not asked:
            if self._looked is not None and timedelta(0) <= at - self._looked < SETTLED:
                return None
            self._looked = at
            found = self._signatures()
            if found == self._seen or not all(_settled(one, at) for one in found):
                return None
        self._seen = self._signatures()
        try:
            config = self._load()
            fresh = Fresh(config, load_rules(config.rules, tables(), self._intervals), self._restart(config))
        except SysmonError as error:
            return error
        self._config = config
        self._seen = self._signatures()
        return fresh

    def _restart(self, config: Config) -> tuple[str, ...]:
        names = [one.name for one in fields(Config) if one.name not in AT_RUN_TIME]
        return tuple(name for name in names if getattr(config, name) != getattr(self._config, name))

    def _signatures(self) -> tuple[_Signature, ...]:
        paths = [path for path in (self._config.file, self._config.rules) if path is not None]
        return tuple(map(_signature, paths))


def _signature(path: Path) -> _Signature:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _settled(signature: _Signature, at: datetime) -> bool:
    if signature is None:
        return True
    changed = from_ms(signature[0] // 1_000_000)
    return not at - SETTLED < changed <= at
