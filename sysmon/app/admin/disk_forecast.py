"""Disk forecast: how fast do the files grow, and when is which limit reached? Pure."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sysmon.app.admin.clock_trust import ages_by_tier
from sysmon.config import Storage
from sysmon.datadir.segments import Form
from sysmon.model import Unit
from sysmon.storage.inventory import StoredFile, Tier
from sysmon.text.units import human

DAY = timedelta(days=1)
COMPRESSED_SHARE = 0.12
"""What is left of a text when it is compressed, until files of the same table show it."""

GROWTH_WINDOW = timedelta(days=2)
"""How far back files tell the present pace."""

EARLY = timedelta(minutes=5)
"""Less time than this tells no pace: one sample more or less, and the heads of the files, would change it much."""


@dataclass(frozen=True, slots=True)
class GrowthRate:
    """Bytes a day of one table: as text, and as what stays when it is compressed."""

    table: str
    fresh: float
    packed: float


@dataclass(frozen=True, slots=True)
class CapacityLimit:
    """One bound: how much of it is used in words, and after which time it is reached; None for never at this pace.

    `known` is false while there is too little to know the pace from.
    """

    name: str
    used: str
    reached_in: timedelta | None
    known: bool = True


def measure_growth(files: Iterable[StoredFile], now: datetime) -> list[GrowthRate]:
    """Return the pace of each table that has segments of the last days, the fastest first; none where it is early."""
    recent = [file for file in files if file.segment is not None and now - GROWTH_WINDOW <= file.start <= now]
    by_table: dict[str, list[StoredFile]] = defaultdict(list)
    for file in recent:
        by_table[file.table].append(file)
    old_enough = {table: stored for table, stored in by_table.items() if _covered(stored, now) >= EARLY}
    rates = [_measure_table(table, stored, now) for table, stored in old_enough.items()]
    return sorted(rates, key=lambda rate: -rate.fresh)


def _measure_table(table: str, files: Sequence[StoredFile], now: datetime) -> GrowthRate:
    fresh = packed = 0.0
    for form in Form:
        texts = [file for file in files if _is(file, form, packed=False)]
        gone = [file for file in files if _is(file, form, packed=True)]
        text, small = _daily(texts, now), _daily(gone, now)
        fresh += text or small / COMPRESSED_SHARE
        packed += small or text * COMPRESSED_SHARE
    return GrowthRate(table, fresh, packed)


def _is(file: StoredFile, form: Form, *, packed: bool) -> bool:
    return file.segment is not None and file.segment.form is form and file.segment.packed is packed


def _daily(files: Sequence[StoredFile], now: datetime) -> float:
    """Return the bytes of files by the time that they cover, for a whole day."""
    covered = _covered(files, now)
    return sum(file.size for file in files) * (DAY / covered) if covered else 0.0


def _covered(files: Sequence[StoredFile], now: datetime) -> timedelta:
    """Return how much time files stand for: each up to its end, or up to the file that a new run began before it."""
    ends = {file.start: file.end for file in files}
    starts = sorted(ends)
    following = [*starts, now][1:]
    return sum((min(ends[start], end, now) - start for start, end in zip(starts, following, strict=True)), timedelta(0))


def forecast_limits(
    files: Sequence[StoredFile], storage: Storage, growth: Sequence[GrowthRate], *, total: int, free: int, now: datetime
) -> list[CapacityLimit]:
    """Return every bound of the storage with when it will be reached."""
    by_day = sum(rate.packed for rate in growth)
    steady = _steady(files, storage, growth)
    ages = {tier: age for tier, age in ages_by_tier(storage.retention).items() if age or tier is not Tier.MINUTES}
    limits = [_of_age(tier, [file for file in files if file.tier is tier], age, now) for tier, age in ages.items()]
    left = storage.max_bytes - total
    used = f"{human(total, Unit.BYTES)} of {human(storage.max_bytes, Unit.BYTES)}"
    is_known = bool(growth)
    reached = _after(left, by_day, never=is_known and steady <= storage.max_bytes)
    limits.append(CapacityLimit("max_bytes", used, reached, is_known))
    if storage.min_free:
        room = free - storage.min_free
        used = f"{human(free, Unit.BYTES)} free, {human(storage.min_free, Unit.BYTES)} kept for others"
        reached = _after(room, by_day, never=is_known and steady - total <= room)
        limits.append(CapacityLimit("min_free", used, reached, is_known))
    return limits


def _steady(files: Sequence[StoredFile], storage: Storage, growth: Sequence[GrowthRate]) -> float:
    """Return what everything will take when the oldest goes as fast as the newest comes."""
    packed = sum(rate.packed for rate in growth)
    fresh = sum(rate.fresh for rate in growth)
    return (
        packed * (storage.retention.rows / DAY)
        + fresh * (storage.compress_after / DAY)
        + _daily_of(files, Tier.ROLLUPS) * (storage.retention.rollups / DAY)
        + _daily_of(files, Tier.MINUTES) * (storage.retention.minutes / DAY)
    )


def _daily_of(files: Sequence[StoredFile], tier: Tier) -> float:
    """Return the bytes of a tier by the days that they cover."""
    starts = [file.start for file in files if file.tier is tier]
    days = max((max(starts) - min(starts)) / DAY, 1.0) if starts else 1.0
    return sum(file.size for file in files if file.tier is tier) / days


def _of_age(tier: Tier, files: Sequence[StoredFile], age: timedelta, now: datetime) -> CapacityLimit:
    if not files:
        return CapacityLimit(f"retention.{tier}", "none yet", None)
    oldest = min(file.end for file in files)
    begun = min(file.start for file in files)
    return CapacityLimit(
        f"retention.{tier}", f"oldest of {begun:%Y-%m-%d %H:%M} UTC", max(oldest + age - now, timedelta(0))
    )


def _after(room: float, by_day: float, *, never: bool) -> timedelta | None:
    if room <= 0:
        return timedelta(0)
    if never or by_day <= 0:
        return None
    days = room / by_day
    return timedelta(days=days) if days < 36_500 else None
