"""What may answer a question about the past: roll-ups or rows; and when are roll-ups asked?"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.datadir import segments
from sysmon.datadir.rollups import FOLDER, RollupFile, Span
from sysmon.model import Table
from sysmon.reading import catalog
from sysmon.reading.damage import Damage

SHORT = timedelta(hours=6)
"""Up to this length rows are read: that takes no longer, and their percentiles are exact."""

ROWS = "rows"
KINDS = (Span.DAY.value, Span.HOUR.value, Span.MINUTE.value, ROWS)
"""What may answer, the coarsest first."""


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """Return kinds of files, the coarsest first."""
    return tuple(sorted(kinds, key=KINDS.index))


def path_of(host: Path, file: RollupFile) -> Path:
    """Return where a roll-up is kept."""
    return host / FOLDER / file.span / file.name


def wants_sums(host: Path, table: Table, since: datetime, until: datetime, *, short: timedelta = SHORT) -> bool:
    """Say whether roll-ups are asked: for long ranges, and where rows have expired."""
    return until - since > short or _has_expired(host, table, since, until)


def _has_expired(host: Path, table: Table, since: datetime, until: datetime) -> bool:
    """Say whether an hour of which there is a roll-up that can be used has no rows any more."""
    hours, hour = [], Span.HOUR.floor(since)
    while hour < until:
        whole = since <= hour and hour + Span.HOUR.length <= until
        usable = (Span.HOUR, Span.MINUTE) if whole else (Span.MINUTE,)
        if any(path_of(host, RollupFile(table.name, span, hour)).exists() for span in usable):
            hours.append(hour)
        hour += Span.HOUR.length
    if not hours:
        return False
    stems = segments.stems_by_hour(catalog.names(host / table.name, Damage()), since, until)
    return stems is not None and any(hour not in stems for hour in hours)
