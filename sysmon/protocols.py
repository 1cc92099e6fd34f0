"""Collector protocol: what a collector is, and how it declares the settings that the configuration may give it."""

from dataclasses import field
from typing import Any, ClassVar, Protocol, runtime_checkable

from sysmon.model import Row, Table


class Collector(Protocol):
    """One source of one table.

    `read` returns raw readings (counters as the kernel gives them) and is the only impure part; it raises
    `Unavailable` where this machine has no such source. `rows` is pure: it turns two readings and the monotonic
    seconds between them into rows; on first sight `before` is None and whatever needs two readings is None. A reading
    that has an attribute `notices` (a tuple of sysmon.model.Notice) brings news besides its numbers, each thing once.

    `default_interval` is in seconds, None for the base interval. `Options` is a frozen dataclass whose fields are
    made by `option`; the configuration reads `collectors.<table name>.<field>` into it.
    """

    table: ClassVar[Table]
    default_interval: ClassVar[float | None]

    def read(self) -> Any:
        """Take raw readings now."""

    def rows(self, before: Any | None, after: Any, seconds: float) -> list[Row]:
        """Turn two readings into rows."""


@runtime_checkable
class Closing(Protocol):
    """A collector that holds something between readings, and gives it back at the end."""

    def close(self) -> None:
        """Give everything back, waiting for nobody."""


@runtime_checkable
class Governed(Protocol):
    """A collector whose work grows with the machine: it is read more rarely where it would cost more than this."""

    cpu_budget: ClassVar[float]
    """Percent of one core."""


def option(default: Any, about: str, *, at_least: int | None = None, at_most: int | None = None) -> Any:
    """Declare one setting of a collector: a tuple of globs, a whole number (with bounds) or true/false."""
    return field(default=default, metadata={"help": about, "at_least": at_least, "at_most": at_most})
