"""Rates from two readings of a counter: the one place that knows resets, wraps and clamped jiffies."""

from collections.abc import Sequence
from operator import le

_JITTER = 10
"""Ticks by which idle and iowait may run backwards, if that is also at most a tenth of what all counters grew."""


def increase(before: int | None, after: int | None, *, bits: int | None = None) -> int | None:
    """Return by how much a counter grew; None on first sight and after a reset.

    `bits` is given only for fields that the kernel keeps in that many bits. A smaller value is then a wrap when the
    growth it implies is under half of the field's range, and a reset otherwise.
    """
    if before is None or after is None:
        return None
    if after >= before:
        return after - before
    if bits is not None and before < 1 << bits:
        wrapped = after + (1 << bits) - before
        if wrapped < 1 << (bits - 1):
            return wrapped
    return None


def per_second(before: int | None, after: int | None, seconds: float, *, bits: int | None = None) -> float | None:
    """Return a counter's growth per second, to 3 decimals; None where no time passed or there is no growth to know."""
    grown = increase(before, after, bits=bits)
    if grown is None or seconds <= 0:
        return None
    return round(grown / seconds, 3)


def percent(part: float | None, whole: float | None) -> float | None:
    """Return `part` of `whole` in percent, to 2 decimals; None where the whole is unknown or not positive."""
    if part is None or whole is None or whole <= 0:
        return None
    return round(100.0 * part / whole, 2)


def mean(total: float | None, count: float | None, *, digits: int = 3) -> float | None:
    """Return `total` / `count`, to `digits` decimals; None where nothing was counted."""
    if total is None or not count:
        return None
    return round(total / count, digits)


def shares(before: Sequence[int] | None, after: Sequence[int]) -> list[float | None]:
    """Return each counter's share of the growth of all, in percent.

    The kernel lets idle and iowait run backwards by a few ticks (proc_stat(5)): such a growth is clamped at 0. All are
    None on first sight, when nothing grew, when the fields changed in number, and when one fell by more, in a reset.
    """
    if before is None or len(before) != len(after):
        return [None] * len(after)
    changes = [late - early for early, late in zip(before, after, strict=True)]
    total = sum([change for change in changes if change > 0])
    if -min(changes, default=0) > max(_JITTER, total // 10):
        return [None] * len(after)
    return [percent(max(0, change), total) for change in changes]


def continuous(before: Sequence[int], after: Sequence[int]) -> bool:
    """Say whether counters that are reset together went on: False when any of them is smaller than it was."""
    return all(map(le, before, after))
