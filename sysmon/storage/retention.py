"""Retention: which files expire by age and size, the oldest first, and none because of a clock that jumped."""

import itertools
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sysmon.datadir.segments import Form
from sysmon.storage.inventory import StoredFile, Tier

HOLE = timedelta(days=1)
"""A stretch without data after which the clock may have jumped."""

PROOF = timedelta(days=7)
"""How long a stretch of data must be, after a hole, to vouch for the time it claims all by itself."""

PROOF_WITH_BOOTS = timedelta(days=1)
"""How long it must be where the clock came through two starts of the machine, too."""

BOOTS = 2

DOUBTED = 3
"""Short stretches at the end of all data that are not believed; machines that run now and then have many."""


@dataclass(frozen=True, slots=True)
class ClockEvidence:
    """What vouches for the clock after a hole in the data.

    `synchronised` says that NTP keeps it right at this moment, or that a person says so. `boots` are by host the
    instants of events with the id of the boot in which they came.
    """

    synchronised: bool = False
    boots: Mapping[str, Sequence[tuple[datetime, str]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Hold:
    """Files of a host that are kept beyond their age, because nothing vouches for the clock from `since` on."""

    host: str
    since: datetime
    files: int


NO_EVIDENCE = ClockEvidence()


def select_expired(
    files: Sequence[StoredFile],
    ages: Mapping[Tier, timedelta],
    *,
    total: int,
    max_bytes: int,
    now: datetime,
    evidence: ClockEvidence = NO_EVIDENCE,
) -> list[StoredFile]:
    """Return what to delete, in that order: first all that is too old, then as much as is over `max_bytes`.

    `total` is what everything in the data directory takes. Files that a writer has not finished are never chosen.
    Events and alerts go for their size only when nothing else is left.
    """
    finished = sorted((file for file in files if not file.open), key=_by_age)
    old = _too_old(files, finished, ages, now, evidence)
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


def find_holds(
    files: Sequence[StoredFile], ages: Mapping[Tier, timedelta], *, now: datetime, evidence: ClockEvidence
) -> list[Hold]:
    """Return of which hosts files would go for their age, were the clock believed, and do not."""
    finished = [file for file in files if not file.open]
    gone = set(map(id, _too_old(files, finished, ages, now, evidence)))
    kept = [
        file for file in _too_old(files, finished, ages, now, ClockEvidence(synchronised=True)) if id(file) not in gone
    ]
    doubts = find_doubts(files, evidence)
    counts = Counter(file.host for file in kept)
    return [Hold(host, doubts[host], count) for host, count in sorted(counts.items()) if host in doubts]


def find_doubts(files: Iterable[StoredFile], evidence: ClockEvidence) -> dict[str, datetime]:
    """Return by host from when on the clock is doubted; a host is missing where it is not."""
    doubts = {
        host: find_doubt(starts, synchronised=evidence.synchronised, boots=evidence.boots.get(host, ()))
        for host, starts in _starts_by_host(files).items()
    }
    return {host: since for host, since in doubts.items() if since is not None}


def find_doubt(
    starts: Iterable[datetime], *, synchronised: bool = False, boots: Sequence[tuple[datetime, str]] = ()
) -> datetime | None:
    """Return where the time begins that the data claim and nothing vouches for; None where there is no such.

    `starts` are those of all segments. A clock that jumped forward writes a new stretch far from the others: until
    that is a week long, or a day and the machine was started twice in it, it is doubted, unless NTP keeps the clock.
    """
    ordered = sorted(set(starts))
    if synchronised or not ordered:
        return None
    holes = [index for index, (early, late) in enumerate(itertools.pairwise(ordered)) if late - early > HOLE]
    begin = len(ordered)
    for _ in range(DOUBTED):
        before = [hole + 1 for hole in holes if hole + 1 < begin]
        if not before or _is_proven(ordered[before[-1]], ordered[begin - 1], boots):
            break
        begin = before[-1]
    return ordered[begin] if begin < len(ordered) else None


def _is_proven(first: datetime, last: datetime, boots: Iterable[tuple[datetime, str]]) -> bool:
    """Say whether a stretch of data is enough to believe the time it claims."""
    length = last - first
    started = {boot for at, boot in boots if first <= at <= last + HOLE}
    return length >= PROOF or (length >= PROOF_WITH_BOOTS and len(started) >= BOOTS)


def find_trusted_now(
    starts: Iterable[datetime],
    now: datetime,
    *,
    synchronised: bool = False,
    boots: Sequence[tuple[datetime, str]] = (),
) -> datetime:
    """Return the latest instant that the data agree on, for ages to be measured from.

    That is the end of what is not doubted (`find_doubt`). After the last of the data no time has passed, whatever the
    clock says.
    """
    ordered = sorted(set(starts))
    if not ordered:
        return now
    doubt = find_doubt(ordered, synchronised=synchronised, boots=boots)
    last = ordered[-1] if doubt is None else ordered[bisect_left(ordered, doubt) - 1]
    return min(now, last + HOLE)


def _too_old(
    files: Sequence[StoredFile],
    finished: Sequence[StoredFile],
    ages: Mapping[Tier, timedelta],
    now: datetime,
    evidence: ClockEvidence,
) -> list[StoredFile]:
    today = {
        host: find_trusted_now(starts, now, synchronised=evidence.synchronised, boots=evidence.boots.get(host, ()))
        for host, starts in _starts_by_host(files).items()
    }
    return [file for file in finished if file.host in today and file.end + ages[file.tier] <= today[file.host]]


def _starts_by_host(files: Iterable[StoredFile]) -> Mapping[str, list[datetime]]:
    starts: dict[str, list[datetime]] = defaultdict(list)
    for file in files:
        if file.tier in {Tier.ROWS, Tier.CSV}:
            starts[file.host].append(file.start)
    return starts


def _by_age(file: StoredFile) -> tuple[datetime, bool, str]:
    return file.start, file.tier is not Tier.CSV, str(file.path)


def _by_worth(file: StoredFile) -> tuple[bool, tuple[datetime, bool, str]]:
    return file.tier is Tier.EVENTS, _by_age(file)
