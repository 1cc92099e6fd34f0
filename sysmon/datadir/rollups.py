"""File names of roll-ups, which say what hour or day each holds; an hour may be in minutes."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from sysmon.datadir.names import HostEntry

FOLDER = HostEntry.ROLLUP.value
"""Where a host's roll-ups are, beside its tables."""

_NAME = re.compile(r"(?P<table>[A-Za-z0-9_]+)-(?P<stamp>\d{8}(?:T\d\d)?)\.jsonl\.gz", re.ASCII)


class Resolution(StrEnum):
    """How much time is summed up as one; its value is the name of its folder. A file of minutes holds an hour."""

    MINUTE = "1m"
    HOUR = "1h"
    DAY = "1d"

    @property
    def length(self) -> timedelta:
        """Return how much time one file holds."""
        return timedelta(days=1) if self is Resolution.DAY else timedelta(hours=1)

    def floor(self, at: datetime) -> datetime:
        """Return the beginning of the file's hour or day (UTC) that an instant lies in."""
        hour = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
        return hour.replace(hour=0) if self is Resolution.DAY else hour

    def ceiling(self, at: datetime) -> datetime:
        """Return the first beginning of a file's hour or day that is not before an instant."""
        floor = self.floor(at)
        return floor if floor == at else floor + self.length


@dataclass(frozen=True, slots=True)
class RollupFile:
    """The roll-up of one table over one hour or day."""

    table: str
    resolution: Resolution
    start: datetime

    @property
    def name(self) -> str:
        """Return its file name, `cpu-20261120T12.jsonl.gz` or `cpu-20261120.jsonl.gz`."""
        return f"{self.table}-{self.start:{'%Y%m%d' if self.resolution is Resolution.DAY else '%Y%m%dT%H'}}.jsonl.gz"

    @property
    def end(self) -> datetime:
        """Return the instant from which on it holds nothing."""
        return self.start + self.resolution.length


def parse(file_name: str, resolution: Resolution) -> RollupFile | None:
    """Read the name of a file in the folder of a resolution; None when it is no roll-up's.

    None either for years of fewer than four digits, which would not be written again in the same way, and the last.
    """
    match = _NAME.fullmatch(file_name)
    if match is None:
        return None
    try:
        start = datetime.strptime(match["stamp"], "%Y%m%d" if resolution is Resolution.DAY else "%Y%m%dT%H").replace(
            tzinfo=UTC
        )
    except ValueError:
        return None
    return RollupFile(match["table"], resolution, start) if 1000 <= start.year <= 9998 else None
