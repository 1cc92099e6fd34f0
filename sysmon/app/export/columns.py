"""Column selection: names and globs, looked up in the tables that are exported."""

from collections.abc import Sequence
from fnmatch import fnmatchcase

from sysmon.errors import UsageError
from sysmon.formats import HEAD
from sysmon.model import Table
from sysmon.text.spelling import closest


def parse(text: str) -> tuple[str, ...]:
    """Read `timestamp,core,cpu_*_percent`."""
    names = tuple(part.strip() for part in text.split(","))
    if not all(names):
        raise UsageError(f"--columns {text!r} has an empty name: write timestamp,core,cpu_usage_percent")
    return names


def choose(tables: Sequence[Table], patterns: Sequence[str]) -> list[tuple[Table, tuple[str, ...]]]:
    """Return tables with the names of their columns that are wanted, in the order of the patterns; none means all.

    Where columns of tables are asked for, and not only those that every table has, tables without any are left out.
    Raise UsageError for what no table has.
    """
    if not patterns:
        return [(table, (*HEAD, *table.columns)) for table in tables]
    for pattern in patterns:
        if not any(_matching(pattern, (*HEAD, *table.columns)) for table in tables):
            raise _unknown(pattern, tables)
    own = [table for table in tables if any(_matching(pattern, table.columns) for pattern in patterns)]
    return [(table, _wanted(patterns, (*HEAD, *table.columns))) for table in own or tables]


def _wanted(patterns: Sequence[str], columns: Sequence[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for pattern in patterns for name in _matching(pattern, columns)))


def _matching(pattern: str, columns: Sequence[str]) -> list[str]:
    return [name for name in columns if fnmatchcase(name, pattern)]


def _unknown(pattern: str, tables: Sequence[Table]) -> UsageError:
    names = list(dict.fromkeys([*HEAD, *(name for table in tables for name in table.columns)]))
    close = closest(pattern, names)
    if close:
        return UsageError(f"no column {pattern!r}: did you mean {close!r}?")
    return UsageError(f"no column {pattern!r} in {', '.join(table.name for table in tables)}: see `sysmon metrics`")
