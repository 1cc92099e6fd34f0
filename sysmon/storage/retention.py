"""Retention: which files expire by age and size, the oldest first, and none because of a clock that jumped."""

import itertools
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta

from sysmon.datadir.segments import Form
from sysmon.storage.inventory import StoredFile, Tier

HOLE = timedelta(days=1)
"""A stretch without data after which the clock may have jumped."""

PROOF = timedelta(days=1)
"""How long a stretch of data must be, after a hole, to vouch for the time it claims."""

DOUBTED = 3
"""Short stretches at the end of all data that are not believed; machines that run now and then have many."""


def select_expired(
    files: Sequence[StoredFile], ages: Mapping[Tier, timedelta], *, total: int, max_bytes: int, now: datetime
) -> list[StoredFile]:
    """Return what to delete, in that order: first all that is too old, then as much as is over `max_bytes`.

    `total` is what everything in the data directory takes. Files that a writer has not finished are never chosen.
    Events and alerts go for their size only when nothing else is left.
    """
    finished = sorted((file for file in files if not file.open), key=_by_age)
    old = _too_old(files, finished, ages, now)
    excess = total - max_bytes - sum(file.size for file in old)
    gone = set(map(id, old))
    chosen = list(old)
    for file in sorted((file for file in finished if id(file) not in gone), key=_by_worth):
        if excess <= 0:
            break
        chosen.append(file)
        excess -= file.size
    return chosen


def estimate_growth(files: Iterable[StoredFile]) -> int:
    """Return how many bytes the unfinished files are still to grow by: to what their predecessors came to.

    A predecessor that is packed tells nothing; maintenance meets the one that has just ended as text.
    """
    texts = [file for file in files if file.segment is not None and not file.segment.packed]
    last: dict[tuple[str, str, Form], StoredFile] = {}
    for file in sorted(texts, key=lambda file: file.start):
        if not file.open:
            last[_kind(file)] = file
    return sum(max(0, last[_kind(file)].size - file.size) for file in texts if file.open and _kind(file) in last)


def _kind(file: StoredFile) -> tuple[str, str, Form]:
    assert file.segment is not None  # noqa: S101 - asked of segments only
    return file.host, file.table, file.segment.form


def find_trusted_now(starts: Iterable[datetime], now: datetime) -> datetime:
    """Return the latest instant that the data agree on, for ages to be measured from.

    `starts` are those of all segments. A clock that jumped forward writes a new stretch far from the others: until
    that is long enough it is doubted, and the stretch before it counts. After the last of the data no time has
    passed, whatever the clock says.
    """
    ordered = sorted(set(starts))
    if not ordered:
        return now
    ends = [index for index, (early, late) in enumerate(itertools.pairwise(ordered)) if late - early > HOLE]
    begin = len(ordered)
    for _ in range(DOUBTED):
        before = [end + 1 for end in ends if end + 1 < begin]
        if not before or ordered[begin - 1] - ordered[before[-1]] >= PROOF:
            break
        begin = before[-1]
    return min(now, ordered[begin - 1] + HOLE)


def _too_old(
    files: Sequence[StoredFile], finished: Sequence[StoredFile], ages: Mapping[Tier, timedelta], now: datetime
) -> list[StoredFile]:
    starts: dict[str, list[datetime]] = defaultdict(list)
    for file in files:
        if file.tier in {Tier.ROWS, Tier.CSV}:
            starts[file.host].append(file.start)
    today = {host: find_trusted_now(instants, now) for host, instants in starts.items()}
    return [file for file in finished if file.host in today and file.end + ages[file.tier] <= today[file.host]]


def _by_age(file: StoredFile) -> tuple[datetime, bool, str]:
    return file.start, file.tier is not Tier.CSV, str(file.path)


def _by_worth(file: StoredFile) -> tuple[bool, tuple[datetime, bool, str]]:
    return file.tier is Tier.EVENTS, _by_age(file)
