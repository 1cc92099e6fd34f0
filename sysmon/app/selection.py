"""Selection of stored rows: host, range, tables and metrics. Are they there?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from sysmon.datadir.damage import Damage
from sysmon.datadir.names import RESERVED_TABLES
from sysmon.errors import DamagedError, NothingFoundError, UsageError
from sysmon.model import Table
from sysmon.reading import catalog
from sysmon.reading.archive import Archive
from sysmon.reading.rows import RowReader
from sysmon.reading.tiers import SHORT
from sysmon.text.instants import EPOCH, format_instant, from_ms
from sysmon.text.names import printable
from sysmon.text.spelling import closest

_WORD = 3
"""Letters from which on a part of a metric's name says which is meant."""

ALL = "all"
"""What stands for every host there is."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are read: those of [since, until), of one host; no tables or metrics named means all of them.

    `exact` is for rows only, whatever roll-ups there are; `strict` for no answer where anything is damaged.
    A range that is no longer than `short` is read from rows as long as there are any.
    """

    data: Path
    since: datetime
    until: datetime
    now: datetime
    host: str | None = None
    tables: Sequence[str] = ()
    metrics: Sequence[str] = ()
    exact: bool = False
    strict: bool = False
    short: timedelta = SHORT

    def __post_init__(self) -> None:
        if self.since >= self.until:
            raise UsageError(
                f"the range begins at {format_instant(self.since)} and ends at {format_instant(self.until)}: "
                "write a --since that is before --until"
            )

    @property
    def is_whole(self) -> bool:
        """Say whether all tables and metrics are selected."""
        return not self.tables and not self.metrics

    def damage(self) -> Damage:
        """Return what counts the damage that is met on the way to the answer, or ends that way."""
        return Damage(strict=self.strict)

    def wants(self, metric: str) -> bool:
        """Say whether a metric of this name is selected."""
        return not self.metrics or any(fnmatchcase(metric, glob) for glob in self.metrics)


def open_archive(selection: Selection, declared: Mapping[str, Table], damage: Damage | None = None) -> Archive:
    """Return the archive of the selected host; raise StorageError for data that only a newer sysmon can read.

    What is damaged is counted in `damage`, or where none is given in one of its own.
    """
    return Archive.open(selection.data, selection.host, damage or selection.damage(), declared)


def find_hosts(selection: Selection, names: Sequence[str]) -> list[str | None]:
    """Return the hosts that are meant, each once: None for the one that is taken when none is named."""
    if not names:
        return [None]
    stored = catalog.hosts(selection.data)
    hosts = stored if ALL in names else [catalog.find_host(selection.data, name).name for name in names]
    return list(dict.fromkeys(hosts)) or [None]


def find_tables(selection: Selection, archive: Archive) -> list[Table]:
    """Return the selected tables that have files: those that sysmon declares in its order, then all others."""
    stored = archive.table_names
    for name in selection.tables:
        if name in RESERVED_TABLES:
            raise UsageError(f"{name!r} holds no rows: look into {archive.host.folder / name}")
        if name not in archive.declared and name not in stored:
            names = sorted({*archive.declared, *stored})
            close = closest(name, names)
            way = f"did you mean {close!r}?" if close else f"known are {', '.join(names)}"
            raise UsageError(f"no table {name!r}: {way}")
    tables = [
        archive.table(name, selection.since, selection.until).table
        for name in stored
        if not selection.tables or name in selection.tables
    ]
    if selection.metrics:
        names = [metric.name for table in tables for metric in table.metrics]
        tables = [table for table in tables if any(selection.wants(metric.name) for metric in table.metrics)]
        if not tables:
            hints = [hint for glob in selection.metrics if (hint := _suggest_metric(glob, names))]
            way = f"did you mean {' or '.join(hints)}?" if hints else "look them up with `sysmon metrics`"
            raise UsageError(f"no metric is named {' or '.join(selection.metrics)}: {way}")
    return tables


def _suggest_metric(glob: str, names: Sequence[str]) -> str | None:
    """Return what may have been meant where no metric was named: all that hold the word, or the one most like it."""
    word = glob.strip("*")
    for wider in (f"{word}*", f"*{word}*"):
        if len(word) >= _WORD and any(fnmatchcase(name, wider) for name in names):
            return repr(wider)
    close = closest(word, names)
    return None if close is None else repr(close)


def no_rows_error(selection: Selection, archive: Archive) -> NothingFoundError | DamagedError:
    """Return what to say when no row is in the range: where there are some; or what of the range cannot be read."""
    span = f"{format_instant(selection.since)} to {format_instant(selection.until)}"
    where = f" in {', '.join(selection.tables)}" if selection.tables else ""
    text = f"{printable(archive.host.name)}: no samples{where} from {span}"
    if archive.damage.count:
        return DamagedError("\n".join([f"{text} can be read", *archive.damage.messages()]))
    ends = [end for name in archive.table_names for end in _ends(archive, name)]
    if not ends:
        return NothingFoundError(f"{text}, nor at any other time")
    return NothingFoundError(f"{text}: there are some from {format_instant(min(ends))} to {format_instant(max(ends))}")


def _ends(archive: Archive, name: str) -> list[datetime]:
    """Return the instants of a table's first and last segment, and of the last row where there is one."""
    reader = RowReader(archive.host.folder / name, Table(name, "", ()), Damage())  # it was counted when rows were read
    files = catalog.files(reader.folder, EPOCH, catalog.LAST, reader.damage)
    ends = [file.segment.start for file in files]
    if files:
        last = max(reader.instants(files[-1].segment.start, catalog.LAST), default=0)
        ends.append(from_ms(last))
    return [end for end in ends if end > EPOCH]
