"""Progress of an export, from the size of its tables and the times of its rows."""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

from sysmon.datadir.segments import SegmentFile
from sysmon.history import StoredRow

Progress = Callable[[float], None]
"""Is told how much is done, from 0 to 1."""

_STEP = 5_000
_COMPRESSION = 10
"""About how much longer a text is than its packed form."""


class ProgressMeter:
    """Watches rows go by, table after table, up to an instant; `total` is what all tables weigh."""

    def __init__(self, report: Progress, total: int, until: datetime) -> None:
        self._report = report
        self._total = max(total, 1)
        self._until = until
        self._done = 0

    def watch(self, rows: Iterable[StoredRow], weight: int) -> Iterator[StoredRow]:
        """Yield the rows of one table, and report where in time they are."""
        begin, span = self._until, timedelta(0)
        for count, row in enumerate(rows):
            if count % _STEP == 0:
                if not count:
                    begin, span = row.at, self._until - row.at
                part = (row.at - begin) / span if span else 1.0
                self._report((self._done + weight * min(max(part, 0.0), 1.0)) / self._total)
            yield row
        self._done += weight
        self._report(self._done / self._total)


def weight(folder: Path, files: Iterable[SegmentFile]) -> int:
    """Return about how many bytes of text there are in some files of a folder."""
    return sum(_size(folder / file.name) * (_COMPRESSION if file.packed else 1) for file in files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:  # gone since it was listed
        return 0
