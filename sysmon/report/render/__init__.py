"""Report formats: `FORMATS` has each file of `formats/` by its name; what they are made of lies beside it."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta, tzinfo
from enum import Enum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from sysmon.report.summary import Report

NARROW = 80
"""The width of a page whose reader is not known, in characters."""

_TREND_POINTS = 60


class Medium(Enum):
    """Where a format belongs."""

    TERMINAL = "text for people: it follows the terminal's width, colours and encoding"
    STREAM = "UTF-8 that may go anywhere"
    FILE = "UTF-8 that is not for a terminal"


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How the pages look; `zone` is that of their times (None: the system's), only the text has width and colours.

    `encoding` is how the text will be encoded: it is drawn with characters that this has.
    """

    zone: tzinfo | None = None
    width: int = NARROW
    color: bool = False
    encoding: str = "utf-8"


class Renderer(Protocol):
    """Writes reports in one format: pure, and safe whatever a name from a file holds."""

    def __call__(self, reports: Sequence["Report"], options: RenderOptions, /) -> str:
        """Return the reports of one or several hosts as one text."""


def _usual_points(metrics: Iterable[str], length: timedelta, options: RenderOptions) -> int:
    return _TREND_POINTS


@dataclass(frozen=True, slots=True)
class Format:
    """One format: the `FORMAT` of a module in `formats/`, which is offered under that module's name.

    `audience` ends the sentence "this format is ...". `trend_points` tells into how many parts trends are cut, from the
    names of the metrics, the length of the range and the options. `rows_up_to` is up to which length a range is read
    from rows, None for the usual one. `complete` formats tell of the tables about sysmon itself unasked. `unsupported`
    names the options of `sysmon report` that it cannot show.
    """

    render: Renderer
    audience: str
    medium: Medium = Medium.STREAM
    trend_points: Callable[[Iterable[str], timedelta, RenderOptions], int] = _usual_points
    rows_up_to: timedelta | None = None
    complete: bool = False
    unsupported: frozenset[str] = frozenset()


class _Formats(Mapping[str, Format]):
    """The formats by name; listing them imports none, and asking for one imports that alone."""

    def __getitem__(self, name: str) -> Format:
        if name not in _names():
            raise KeyError(name)
        declared: Format = import_module(f"{__name__}.formats.{name}").FORMAT
        return declared

    def __iter__(self) -> Iterator[str]:
        return iter(_names())

    def __len__(self) -> int:
        return len(_names())


@cache
def _names() -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (Path(__file__).parent / "formats").glob("[!_]*.py")))


FORMATS: Mapping[str, Format] = _Formats()
