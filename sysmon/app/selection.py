"""What was asked for, and is it there? Host, range and tables of a question about stored rows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path

from sysmon.errors import NothingFoundError, UsageError
from sysmon.model import Table
from sysmon.reading import catalog
from sysmon.reading.catalog import Host
from sysmon.reading.damage import Damage
from sysmon.reading.infer_table import discover_table
from sysmon.reading.rows import scan
from sysmon.reading.tiers import SHORT
from sysmon.text.instants import EPOCH, format_instant, from_ms
from sysmon.text.names import RESERVED_TABLES, printable

ALL = "all"
"""What stands for every host there is."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Which rows are meant: those of [since, until), of one host; no tables or metrics named means all of them.

    `exact` asks for rows only, whatever sums there are of them; `strict` for no answer where anything is damaged.
    A range that is no longer than `short` is answered from rows as long as there are any.
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
        """Say whether everything that is there was asked for, rather than some tables or metrics."""
        return not self.tables and not self.metrics

    def damage(self) -> Damage:
        """Return what counts the damage that is met on the way to the answer, or ends that way."""
        return Damage(strict=self.strict)

    def wants(self, metric: str) -> bool:
        """Say whether a metric of this name was asked for."""
        return not self.metrics or any(fnmatchcase(metric, glob) for glob in self.metrics)


def find_host(selection: Selection, damage: Damage) -> Host:
    """Return the host in question; raise StorageError for data that only a newer sysmon can read."""
    catalog.check_format(selection.data, damage)
    return catalog.find_host(selection.data, selection.host)


def find_hosts(selection: Selection, names: Sequence[str]) -> list[str | None]:
    """Return the hosts that are meant, each once: None for the one that is taken when none is named."""
    if not names:
        return [None]
    known = catalog.hosts(selection.data)
    found = known if ALL in names else [catalog.find_host(selection.data, name).name for name in names]
    return list(dict.fromkeys(found)) or [None]


def find_tables(selection: Selection, host: Host, known: Mapping[str, Table]) -> list[Table]:
    """Return the tables in question that have files: those that sysmon knows in its order, then all others."""
    stored = host.tables()
    for name in selection.tables:
        if name in RESERVED_TABLES:
            raise UsageError(f"{name!r} holds no rows: look into {host.folder / name}")
        if name not in known and name not in stored:
            raise UsageError(f"no table {name!r}: known are {', '.join(sorted({*known, *stored}))}")
    names = [name for name in known if name in stored] + [name for name in stored if name not in known]
    tables = [
        known.get(name) or discover_table(host.folder / name, selection.since, selection.until)
        for name in names
        if not selection.tables or name in selection.tables
    ]
    if selection.metrics:
        tables = [table for table in tables if any(selection.wants(metric.name) for metric in table.metrics)]
        if not tables:
            raise UsageError(f"no metric is named {' or '.join(selection.metrics)}: look them up with `sysmon metrics`")
    return tables


def no_rows_error(selection: Selection, host: Host, damage: Damage) -> NothingFoundError:
    """Return what to say when no row is in the range: where there are some."""
    ends = [end for name in host.tables() for end in _ends(host.folder / name)]
    asked = f"{format_instant(selection.since)} to {format_instant(selection.until)}"
    about = printable(host.name)
    what = f" in {', '.join(selection.tables)}" if selection.tables else ""
    if damage.count:
        what += f" ({damage.count} could not be read)"
    if not ends:
        return NothingFoundError(f"{about}: no samples{what} from {asked}, nor at any other time")
    first, last = format_instant(min(ends)), format_instant(max(ends))
    return NothingFoundError(f"{about}: no samples{what} from {asked}: there are some from {first} to {last}")


def _ends(folder: Path) -> list[datetime]:
    """Return the instants of a table's first and last segment, and of the last row where there is one."""
    files = catalog.files(folder, EPOCH, catalog.LAST, Damage())
    ends = [file.segment.start for file in files]
    if files:
        bare = Table(folder.name, "", ())
        rows = scan(folder, bare, files[-1].segment.start, catalog.LAST, Damage())
        ends += [from_ms(max((ms for ms, _ in rows), default=0))]
    return [end for end in ends if end > EPOCH]
