"""Thresholds: the limits that rules set for a metric, and how often values lay beyond them; pure."""

import operator
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

from sysmon.model import Level


class Sign(StrEnum):
    """How a value is compared with a limit."""

    ABOVE = ">"
    AT_LEAST = ">="
    BELOW = "<"
    AT_MOST = "<="
    EQUALS = "=="
    NOT_EQUALS = "!="


_TESTS: dict[Sign, Callable[[float, float], bool]] = {
    Sign.ABOVE: operator.gt,
    Sign.AT_LEAST: operator.ge,
    Sign.BELOW: operator.lt,
    Sign.AT_MOST: operator.le,
    Sign.EQUALS: operator.eq,
    Sign.NOT_EQUALS: operator.ne,
}


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number that a rule compares values with, and how bad one beyond it is."""

    rule: str
    level: Level
    sign: Sign
    value: float

    def exceeded(self, value: float) -> bool:
        """Say whether a value lies beyond it, where the rule does not want it."""
        return _TESTS[self.sign](value, self.value)

    def count(self, values: Iterable[float]) -> int:
        """Return how many values lie beyond it."""
        test, limit = _TESTS[self.sign], self.value
        return sum(test(value, limit) for value in values)


@dataclass(frozen=True, slots=True)
class Beyond:
    """How many samples lay beyond a limit, of how many that had a value, and how long that is in seconds.

    `seconds` is None where nothing tells how long a sample stands for. `exact` is false for what roll-ups tell within
    2 % of the limit, and where samples were taken at different intervals.
    """

    limit: Threshold
    samples: int
    of: int
    seconds: float | None
    exact: bool = True

    @property
    def share(self) -> float:
        """Return the part of the samples that lay beyond, from 0 to 1."""
        return self.samples / self.of


def worst_level(limits: Iterable[Threshold], value: float) -> Level | None:
    """Return the highest level of the limits that a value lies beyond, None where it is within all."""
    levels = [limit.level for limit in limits if limit.exceeded(value)]
    return max(levels, key=lambda level: level.rank, default=None)
