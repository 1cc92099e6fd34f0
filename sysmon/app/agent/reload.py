"""Reload of rules and configuration when their files change: all of it, or nothing."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.alerts.rules.loader import RuleSet, load_rules
from sysmon.app.catalog import tables
from sysmon.config import Config
from sysmon.errors import SysmonError
from sysmon.shortage import is_shortage
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
        self._seen: tuple[_Signature, ...] | None = self._signatures()
        self._looked: datetime | None = None
        self._short = False

    def look(self, at: datetime, *, forced: bool) -> Fresh | SysmonError | OSError | None:
        """Return what was read anew, or why it cannot be used; None where nothing changed and it is not forced.

        What cannot be read for want of descriptors or memory is returned once, and read again at each look.
        """
        if not forced:
            if self._looked is not None and timedelta(0) <= at - self._looked < SETTLED:
                return None
            self._looked = at
            signatures = self._signatures()
            if signatures == self._seen or not all(_settled(signature, at) for signature in signatures):
                return None
        self._seen = self._signatures()
        try:
            config = self._load()
            fresh = Fresh(config, load_rules(config.rules, tables(), self._intervals), self._restart(config))
        except (SysmonError, OSError) as error:
            again, self._short = self._short, is_shortage(error)
            if self._short:
                self._seen = None
            return None if again and self._short else error
        self._short = False
        self._config = config
        self._seen = self._signatures()
        return fresh

    def _restart(self, config: Config) -> tuple[str, ...]:
        names = [field.name for field in fields(Config) if field.name not in AT_RUN_TIME]
        return tuple(name for name in names if getattr(config, name) != getattr(self._config, name))

    def _signatures(self) -> tuple[_Signature, ...]:
        paths = [path for path in (self._config.file, self._config.rules) if path is not None]
        return tuple(map(_signature, paths))


def _signature(path: Path) -> _Signature:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino


def _settled(signature: _Signature, at: datetime) -> bool:
    if signature is None:
        return True
    changed = from_ms(signature[0] // 1_000_000)
    return not at - SETTLED < changed <= at
