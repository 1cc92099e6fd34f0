"""Index of roll-ups: the hours and days of a range that have a file, from the names in their folders."""

import os
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import chain
from pathlib import Path

from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import FOLDER, Resolution

FEW = timedelta(days=2)
"""Of so much time every hour is tried: that takes no longer than to list the files of a year."""

_ENDING = ".jsonl.gz"
_LENGTHS = {Resolution.MINUTE: 11, Resolution.HOUR: 11, Resolution.DAY: 8}
"""How long the stamps of names are: `20261120T12` and `20261120`."""

Stamps = Mapping[str, "array[int]"]
"""By table the stamps of its roll-ups as numbers, 2026112012, in order: as instants they would fill the memory."""


def find_candidates(
    host: Path, table: str, since: datetime, until: datetime, damage: Damage, *, few: timedelta = FEW
) -> set[datetime]:
    """Return the beginnings in [since, until) of hours and days of which there may be a roll-up.

    They are as many as there are files, however long the range is, or those of so little time as `few`.
    """
    first = Resolution.HOUR.ceiling(since)
    if until - first <= few:
        hour = Resolution.HOUR.length
        return {first + number * hour for number in range(-((first - until) // hour))}
    starts = (_find_starts(host / FOLDER / each, each, table, (first, until), damage) for each in Resolution)
    return set(chain.from_iterable(starts))


def _find_starts(
    folder: Path, resolution: Resolution, table: str, within: tuple[datetime, datetime], damage: Damage
) -> Iterator[datetime]:
    since, until = within
    try:
        stamps = _list_stamps(folder, resolution, folder.stat().st_mtime_ns).get(table, array("q"))
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        damage.note(folder, None, f"cannot be read ({error.strerror})")
        return
    first, last = (bisect_left(stamps, _to_number(at)) for at in within)
    for number in stamps[first : last + 1]:
        start = _from_number(number)
        if start is not None and since <= start < until:
            yield start


@lru_cache(maxsize=len(Resolution))
def _list_stamps(folder: Path, resolution: Resolution, changed: int) -> Stamps:
    """Return the roll-ups in a folder. A new one that is missed does no harm: its rows are there, and answer."""
    stamps: dict[str, array[int]] = {}
    length = _LENGTHS[resolution]
    for name in os.listdir(folder):  # noqa: PTH208 - names are all that is needed, and there may be many thousands
        table, _, rest = name.removesuffix(_ENDING).rpartition("-")
        digits = rest[:8] + rest[9:]
        if name.endswith(_ENDING) and len(rest) == length and digits.isascii() and digits.isdigit():
            stamps.setdefault(table, array("q")).append(int(digits.ljust(10, "0")))
    return {table: array("q", sorted(numbers)) for table, numbers in stamps.items()}


def _to_number(at: datetime) -> int:
    return ((at.year * 100 + at.month) * 100 + at.day) * 100 + at.hour


def _from_number(number: int) -> datetime | None:
    rest, hour = divmod(number, 100)
    rest, day = divmod(rest, 100)
    year, month = divmod(rest, 100)
    try:
        return datetime(year, month, day, hour, tzinfo=UTC)
    except ValueError:  # no such day
        return None
