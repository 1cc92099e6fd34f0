"""Kinds of files that may answer for a range, rows or roll-ups. When are roll-ups needed?"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.datadir import segments
from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import FOLDER, Resolution, RollupFile
from sysmon.reading import catalog

SHORT = timedelta(hours=6)
"""Up to this length rows are read: that takes no longer, and their percentiles are exact."""

ROWS = "rows"
KINDS = (Resolution.DAY.value, Resolution.HOUR.value, Resolution.MINUTE.value, ROWS)
"""What may answer, the coarsest first."""


def sort_kinds(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return kinds of files, the coarsest first."""
    return tuple(sorted(kinds, key=KINDS.index))


def rollup_path(host: Path, file: RollupFile) -> Path:
    """Return where a roll-up is kept."""
    return host / FOLDER / file.resolution / file.name


def needs_rollups(folder: Path, since: datetime, until: datetime, *, short: timedelta = SHORT) -> bool:
    """Say whether the rows in a table's folder need roll-ups beside them: for long ranges, and where they expired."""
    return until - since > short or _has_expired(folder, since, until)


def _has_expired(folder: Path, since: datetime, until: datetime) -> bool:
    """Say whether an hour of which there is a roll-up that can be used has no rows any more."""
    hours, hour = [], Resolution.HOUR.floor(since)
    while hour < until:
        whole = since <= hour and hour + Resolution.HOUR.length <= until
        usable = (Resolution.HOUR, Resolution.MINUTE) if whole else (Resolution.MINUTE,)
        if any(rollup_path(folder.parent, RollupFile(folder.name, kind, hour)).exists() for kind in usable):
            hours.append(hour)
        hour += Resolution.HOUR.length
    if not hours:
        return False
    stems = segments.stems_by_hour(catalog.names(folder, Damage()), since, until)
    return stems is not None and any(hour not in stems for hour in hours)
