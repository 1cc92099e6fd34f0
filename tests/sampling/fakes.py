"""A clock that stands still until somebody waits, and a wait that moves it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, ClassVar

from sysmon.errors import Unavailable
from sysmon.model import Kind, Metric, Notice, Row, Table, Unit
from sysmon.rates import per_second
from sysmon.sampling.clock import ClockReading


@dataclass
class FakeClock:
    """Three clocks that move together unless one of them is set."""

    at: datetime
    seconds: float = 1000.0
    boot: float = 5000.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.seconds

    def read(self) -> ClockReading:
        return ClockReading(self.at, self.seconds, self.boot)

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.seconds += seconds
        self.boot += seconds

    def sleep_of_machine(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.boot += seconds


@dataclass
class FakeWaiting:
    """Moves the clock to each deadline; `happens[n]` is called after the n-th wait, `enough` waits end the run."""

    clock: FakeClock
    enough: int
    happens: dict[int, Callable[[], None]] = field(default_factory=dict)
    waits: int = 0

    def sleep_until(self, deadline: float) -> bool:
        if self.waits == self.enough:
            return False
        self.clock.pass_(max(0.0, deadline - self.clock.seconds))
        self.waits += 1
        self.happens.get(self.waits, lambda: None)()
        return True


class CountingCollector:
    """A counter that the test sets; `fails` is raised instead of an answer."""

    table: ClassVar[Table] = Table(
        name="counting",
        help="A counter.",
        labels=("name",),
        metrics=(Metric("counted_per_second", Kind.RATE, Unit.PER_SECOND, "How fast it counts."),),
    )
    default_interval: ClassVar[float | None] = None

    def __init__(self, *, name: str = "one", unavailable: bool = False) -> None:
        self.count = 0
        self.fails: Exception | None = Unavailable("none here") if unavailable else None
        self.name = name

    def read(self) -> int:
        if self.fails is not None:
            raise self.fails
        return self.count

    def rows(self, before: Any | None, after: Any, seconds: float) -> list[Row]:
        return [(self.name, per_second(before, after, seconds))]


@dataclass
class Noticed:
    """A reading that brings news."""

    notices: tuple[Notice, ...]


class NoticingCollector:
    """Tells its news with each reading, and holds something until it is closed."""

    table: ClassVar[Table] = Table(name="noticing", help="No numbers.", metrics=())
    default_interval: ClassVar[float | None] = None

    def __init__(self) -> None:
        self.news: tuple[Notice, ...] = ()
        self.closed = False

    def read(self) -> Noticed:
        return Noticed(self.news)

    def rows(self, before: Any | None, after: Any, seconds: float) -> list[Row]:
        return []

    def close(self) -> None:
        self.closed = True
