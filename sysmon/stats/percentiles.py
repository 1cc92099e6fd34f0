"""Percentiles by nearest rank: of n sorted values the one of rank ceil(q n), counted from 1."""


def nearest_rank(count: int, part: int, of: int = 100) -> int:
    """Return at which index (from 0) of `count` sorted values the percentile is: `part` of 100, of 1000 and so on.

    It is the least value that at least this part of them stays at or below; whole numbers, as 0.95 x 20 is none.
    """
    return max(-(-count * part // of), 1) - 1
