"""Settings by their dotted names, wherever each was given: file, environment or flag; and how one value is read."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from enum import StrEnum
from typing import TypeVar

from sysmon import units, yamlnodes
from sysmon.errors import UsageError
from sysmon.segments import divides_a_day
from sysmon.yamlnodes import Node, Place, Problems, Scalar

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)
Tree = Mapping[str, "Tree | None"]
"""The names that a configuration file may hold: each with what may stand below it, None for a value."""

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")


def names(tree: Tree, above: str = "") -> Iterator[str]:
    """Yield the dotted name of every value in a tree, in its order."""
    for key, below in tree.items():
        if below is None:
            yield above + key
        else:
            yield from names(below, f"{above}{key}.")


class Settings:
    """The values that were given, each with its place. What is given later wins."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self._given: dict[str, Node] = {}

    def give_file(self, node: Node, tree: Tree, above: str = "") -> None:
        """Take the values of a configuration file; null is no value."""
        for key, value in yamlnodes.known_keys(node, tree, self.problems, above or "the configuration"):
            dotted = f"{above}.{key}" if above else key
            below = tree[key]
            if below is not None:
                self.give_file(value, below, dotted)
            elif not (isinstance(value, Scalar) and value.is_null):
                self._given[dotted] = value

    def give(self, name: str, source: str, text: str) -> None:
        """Take one value from a variable or a flag."""
        self._given[name] = Scalar(Place(source, 0, 0), text, plain=False)

    def place(self, name: str) -> Place | None:
        """Return where a setting was given; None where it was not."""
        node = self._given.get(name)
        return None if node is None else node.place

    def read(self, name: str, read: Callable[[str], T]) -> T | None:
        """Return a setting that is one value; None where it was not given or cannot be read (which is noted)."""
        node = self._given.get(name)
        return None if node is None else yamlnodes.read_scalar(node, read, self.problems, name)

    def read_list(self, name: str, read: Callable[[str], T]) -> tuple[T, ...] | None:
        """Return a setting that is a list; None where it was not given or cannot be read (which is noted)."""
        node = self._given.get(name)
        return None if node is None else yamlnodes.read_list(node, read, self.problems, name)


def duration(at_least: timedelta, at_most: timedelta) -> Callable[[str], timedelta]:
    """Return a reader of durations within bounds."""

    def read(text: str) -> timedelta:
        span = units.parse_duration(text)
        if not at_least <= span <= at_most:
            bounds = f"{units.format_duration(at_least)} to {units.format_duration(at_most)}"
            raise UsageError(f"{text} is too {'short' if span < at_least else 'long'}: write {bounds}")
        return span

    return read


def rotation(text: str) -> timedelta:
    """Read a duration that divides a day."""
    span = units.parse_duration(text)
    if not divides_a_day(span):
        raise UsageError(f"{text} does not divide a day into equal parts: write 15m, 1h, 6h or 1d")
    return span


def size(at_least: int) -> Callable[[str], int]:
    """Return a reader of sizes in bytes with a lower bound."""

    def read(text: str) -> int:
        given = units.parse_size(text)
        if given < at_least:
            raise UsageError(f"{text} is too small: write {units.format_size(at_least)} or more")
        return given

    return read


def whole(at_least: int | None, at_most: int | None) -> Callable[[str], int]:
    """Return a reader of whole numbers within bounds."""

    def read(text: str) -> int:
        if not _WHOLE.fullmatch(text):
            example = 10 if at_least is None else at_least
            raise UsageError(f"{text!r} is no whole number: write digits only, such as {example}")
        given = int(text)
        if at_least is not None and given < at_least:
            raise UsageError(f"{text} is too small: write {at_least} or more")
        if at_most is not None and given > at_most:
            raise UsageError(f"{text} is too large: write {at_most} or less")
        return given

    return read


def percent(text: str) -> float:
    """Read a percentage above 0 and up to 100, without its sign."""
    if not _NUMBER.fullmatch(text):
        raise UsageError(f"{text!r} is no number: write a percentage without its sign, such as 5 or 12.5")
    if not 0 < float(text) <= 100:
        raise UsageError(f"{text} is out of range: write more than 0 and at most 100")
    return float(text)


def choice(kind: type[E]) -> Callable[[str], E]:
    """Return a reader of one word of an enumeration, in any case."""

    def read(text: str) -> E:
        try:
            return kind(text.lower())
        except ValueError as error:
            raise UsageError(
                f"{text!r} is not known: {yamlnodes.suggest(text.lower(), [one.value for one in kind])}"
            ) from error

    return read


def label(text: str) -> str:
    """Read the text of a label: it stands in every row, so it is one short, printable line."""
    if not text.strip() or len(text) > 64 or not text.isprintable():
        raise UsageError(f"{text[:70]!r} cannot be a label: write 1 to 64 printable characters")
    return text


def path_text(text: str) -> str:
    """Read the text of a path."""
    if not text.strip() or "\0" in text:
        raise UsageError(f"{text!r} is no path: write the name of a file or folder")
    return text
