"""Alert rules: limits, clear edges, durations, instances and label matching, as values that nothing can change."""

import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, StrEnum
from fnmatch import fnmatchcase
from typing import NewType

from sysmon.alerts.templates import Template
from sysmon.alerts.window import Reduce
from sysmon.model import Level
from sysmon.text.units import format_duration


class Direction(Enum):
    """Where a value gets worse: as it rises, as it falls, or by being a certain number or not."""

    UP = "up"
    DOWN = "down"
    EXACT = "exact"


class Operator(Enum):
    """How a value is compared: the key of the rule file, the sign people read, the test, the direction."""

    ABOVE = ("above", ">", operator.gt, Direction.UP)
    AT_LEAST = ("at_least", ">=", operator.ge, Direction.UP)
    BELOW = ("below", "<", operator.lt, Direction.DOWN)
    AT_MOST = ("at_most", "<=", operator.le, Direction.DOWN)
    EQUALS = ("equals", "==", operator.eq, Direction.EXACT)
    NOT_EQUALS = ("not_equals", "!=", operator.ne, Direction.EXACT)

    def __init__(self, key: str, sign: str, test: Callable[[float, float], bool], direction: Direction) -> None:
        self.key = key
        self.sign = sign
        self.test = test
        self.direction = direction


_OPPOSITE = {
    Operator.ABOVE: Operator.AT_MOST,
    Operator.AT_LEAST: Operator.BELOW,
    Operator.BELOW: Operator.AT_LEAST,
    Operator.AT_MOST: Operator.ABOVE,
    Operator.EQUALS: Operator.NOT_EQUALS,
    Operator.NOT_EQUALS: Operator.EQUALS,
}


@dataclass(frozen=True, slots=True)
class Edge:
    """One comparison with one number."""

    operator: Operator
    limit: float

    def __str__(self) -> str:
        return f"{self.operator.sign} {format_number(self.limit)}"

    def holds(self, value: float) -> bool:
        """Say whether a value meets it."""
        return self.operator.test(value, self.limit)

    def opposite(self) -> "Edge":
        """Return the edge that holds exactly where this one does not."""
        return Edge(_OPPOSITE[self.operator], self.limit)

    def overlaps(self, clear: "Edge") -> bool:
        """Say whether some value meets both this trigger and a clear edge (below, above or equals)."""
        if self.operator is Operator.NOT_EQUALS:
            return clear != Edge(Operator.EQUALS, self.limit)
        if clear.operator is Operator.EQUALS:
            return self.holds(clear.limit)
        if self.operator is Operator.EQUALS:
            return clear.holds(self.limit)
        if self.operator.direction is clear.operator.direction:
            return True
        return clear.limit > self.limit if self.operator.direction is Direction.UP else clear.limit < self.limit


@dataclass(frozen=True, slots=True)
class Count:
    """Fires once `bad` of the last `of` values were breaches."""

    bad: int
    of: int

    def __str__(self) -> str:
        return f"in {self.bad} of {self.of} samples"


ABSENT = Edge(Operator.EQUALS, 1)
"""The trigger of a level that asks for silence: a missing value counts as 1, any other as 0."""

PRESENT = Edge(Operator.EQUALS, 0)
"""The clear edge of such a level."""


@dataclass(frozen=True, slots=True)
class Condition:
    """What one level asks for: breached where `trigger` holds, clear where `clear` does, in the band between them.

    `count` stands in place of `hold` where samples are counted. `absent` is the time that values must stay away, for
    a level that asks for that.
    """

    level: Level
    trigger: Edge
    clear: Edge
    hold: timedelta
    clear_for: timedelta
    count: Count | None = None
    absent: timedelta | None = None

    @property
    def words(self) -> str:
        """Return the breach as people read it: `>= 95 for 1m`, `> 0`, `> 20 in 3 of 5 samples`, `absent for 2m`."""
        if self.absent is not None:
            return f"absent for {format_duration(self.absent)}"
        if self.count is not None:
            return f"{self.trigger} {self.count}"
        return f"{self.trigger} for {format_duration(self.hold)}" if self.hold else str(self.trigger)

    @property
    def threshold(self) -> float:
        """Return the limit as a number: of a level that asks for silence its seconds."""
        return self.trigger.limit if self.absent is None else self.absent.total_seconds()


Match = tuple[tuple[str, tuple[str, ...]], ...]
"""Labels, and the globs of which one must fit."""


InstanceKey = NewType("InstanceKey", tuple[str, ...])
"""Which instance of a rule: the values of the labels of `each`, in its order; empty where a rule has one instance."""


class OnMissing(StrEnum):
    """What becomes of a firing alert when its values stay away: kept, or resolved."""

    HOLD = "hold"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Flap:
    """From `start` times fired within `window` on nobody is told, until there are fewer than `stop` in it."""

    window: timedelta
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule of a file.

    `conditions` has one entry a level, mild to severe; `absent` says that they ask for silence. `match` names labels
    and the globs of which one must fit; `each` the labels that make an instance. `interval` is the time between two
    ticks of the table. `gone_after` None is never. `repeat` 0 is never, `cooldown` 0 none, `attach` how many processes
    are named.
    """

    id: str
    metric: str
    table: str
    conditions: tuple[Condition, ...]
    interval: timedelta
    max_gap: timedelta
    gone_after: timedelta | None
    on_missing: OnMissing = OnMissing.HOLD
    match: Match = ()
    each: tuple[str, ...] = ()
    absent: bool = False
    reduce: Reduce | None = None
    repeat: timedelta = timedelta(0)
    cooldown: timedelta = timedelta(0)
    flap: Flap | None = None
    attach: int = 5
    message: Template | None = None

    @property
    def span(self) -> timedelta:
        """Return how far back values count for what it says now."""
        holds = (
            max(level.hold, level.count.of * self.interval if level.count else level.hold) for level in self.conditions
        )
        longest = max(*holds, *(level.clear_for for level in self.conditions))
        return longest + self.max_gap + (self.reduce.over if self.reduce else timedelta(0))

    def condition(self, level: Level) -> Condition:
        """Return what a level of this rule asks for."""
        return next(condition for condition in self.conditions if condition.level is level)

    def breached(self, value: float) -> bool:
        """Say whether a value is over the limit of any level."""
        return any(condition.trigger.holds(value) for condition in self.conditions)

    def worse(self, value: float, other: float) -> float:
        """Return the worse of two values: the higher, the lower, or the one that breaches the higher level.

        Where both breach the same level of `equals` or `not_equals`, the one further from its limit is worse.
        """
        direction = self.conditions[0].trigger.operator.direction
        if direction is Direction.UP:
            return max(value, other)
        if direction is Direction.DOWN:
            return min(value, other)
        return max(value, other, key=self._severity)

    def _severity(self, value: float) -> tuple[int, float]:
        breached = [i for i, condition in enumerate(self.conditions, 1) if condition.trigger.holds(value)]
        top = breached[-1] if breached else 0
        return top, abs(value - self.conditions[top - 1].trigger.limit)


def format_number(value: float) -> str:
    """Return a number as a rule file has it: `95`, `0.5`."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)


def matches(match: Iterable[tuple[str, Collection[str]]], labels: Mapping[str, str]) -> bool:
    """Say whether labels are what a match asks for; a label that is missing counts as empty."""
    return all(matches_any(globs, labels.get(label, "")) for label, globs in match)


def matches_any(globs: Iterable[str], text: str) -> bool:
    """Say whether one of some globs fits a text, a whole one and with its case."""
    return any(fnmatchcase(text, glob) for glob in globs)
