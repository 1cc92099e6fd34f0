"""Readers of single settings: parsing, bounds and the JSON Schema of each kind of value.

The schema knows the form of a value, and of plain numbers the bounds; whether a duration or a size is within its
bounds is left to `sysmon config check`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Generic, TypeVar

from sysmon.adapters import yaml_nodes
from sysmon.datadir.segments import divides_a_day
from sysmon.errors import UsageError
from sysmon.text import units
from sysmon.text.names import is_visible

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)

_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_NUMBER = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15})?")
_ANY_SCALAR = ["string", "number", "boolean"]
"""The types that an editor sees in unquoted text: `12` and `true` are as good a name as any."""


@dataclass(frozen=True, slots=True)
class Reader(Generic[T]):
    """How one value is read from its text, what JSON Schema says of it, and what may be written, in words.

    The schema never refuses what `read` takes; it is made when it is asked for. `write` gives the text back, as YAML.
    """

    read: Callable[[str], T]
    schema: Callable[[], Mapping[str, Any]]
    words: str
    write: Callable[[T], str]


def duration(at_least: timedelta, at_most: timedelta) -> Reader[timedelta]:
    """Return a reader of durations within bounds."""
    bounds = f"{units.format_duration(at_least)} to {units.format_duration(at_most)}"

    def read(text: str) -> timedelta:
        span = units.parse_duration(text)
        if not at_least <= span <= at_most:
            raise UsageError(f"{text} is too {'short' if span < at_least else 'long'}: write {bounds}")
        return span

    return Reader(read, lambda: _text(units.DURATION), f"a duration, {bounds}", units.format_duration)


def part_of_a_day() -> Reader[timedelta]:
    """Return a reader of durations that divide a day."""

    def read(text: str) -> timedelta:
        span = units.parse_duration(text)
        if not divides_a_day(span):
            raise UsageError(f"{text} does not divide a day into equal parts: write 15m, 1h, 6h or 1d")
        return span

    return Reader(read, lambda: _text(units.DURATION), "a duration that divides a day", units.format_duration)


def size(at_least: int) -> Reader[int]:
    """Return a reader of sizes in bytes with a lower bound."""
    bound = f"{units.format_size(at_least)} or more"

    def read(text: str) -> int:
        given = units.parse_size(text)
        if given < at_least:
            raise UsageError(f"{text} is too small: write {bound}")
        return given

    return Reader(read, lambda: _text(units.SIZE), f"a size, {bound}", units.format_size)


def whole(at_least: int | None, at_most: int | None) -> Reader[int]:
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

    bounds = {"minimum": at_least, "maximum": at_most}
    number = {"type": "integer"} | {key: bound for key, bound in bounds.items() if bound is not None}
    low, high = at_least is not None, at_most is not None
    words = " to ".join(str(bound) for bound in (at_least, at_most) if bound is not None)
    words += " or more" if low and not high else " or less" if high and not low else ""
    schema = {"anyOf": [number, _text(_WHOLE.pattern)]}
    return Reader(read, lambda: schema, f"a whole number{', ' if words else ''}{words}", str)


def percent() -> Reader[float]:
    """Return a reader of percentages above 0 and up to 100, without their sign."""

    def read(text: str) -> float:
        if not _NUMBER.fullmatch(text):
            raise UsageError(f"{text!r} is no number: write a percentage without its sign, such as 5 or 12.5")
        if not 0 < float(text) <= 100:
            raise UsageError(f"{text} is out of range: write more than 0 and at most 100")
        return float(text)

    number = {"type": "number", "exclusiveMinimum": 0, "maximum": 100}
    schema = {"anyOf": [number, _text(r"[0-9]+(?:\.[0-9]+)?")]}
    return Reader(read, lambda: schema, "a percentage without its sign", _without_exponent)


def choice(kind: type[E]) -> Reader[E]:
    """Return a reader of one word of an enumeration, in any case."""
    words = [word.value for word in kind]

    def read(text: str) -> E:
        try:
            return kind(text.lower())
        except ValueError as error:
            raise UsageError(f"{text!r} is not known: {yaml_nodes.suggest(text.lower(), words)}") from error

    in_any_case = _text("|".join(map(_in_any_case, words)))
    ways = " or ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
    return Reader(read, lambda: {"anyOf": [{"enum": words}, in_any_case]}, ways, lambda value: value.value)


def boolean() -> Reader[bool]:
    """Return a reader of true and false."""
    quoted = _text("[Tt]rue|[Ff]alse")
    schema = {"anyOf": [{"type": "boolean"}, quoted]}
    return Reader(yaml_nodes.boolean, lambda: schema, "true or false", lambda value: str(value).lower())


def glob() -> Reader[str]:
    """Return a reader of patterns of names."""
    return Reader(yaml_nodes.words, lambda: {"type": _ANY_SCALAR, "pattern": r"\S"}, "patterns of names", _quoted)


def argument() -> Reader[str]:
    """Return a reader of one word of a command line."""

    def read(text: str) -> str:
        if not text or "\0" in text:
            raise UsageError(f"{text!r} cannot be given to a program: write a word")
        return text

    return Reader(read, lambda: {"type": _ANY_SCALAR, "pattern": r"^[^\u0000]+$"}, "words of a command line", _quoted)


def label() -> Reader[str]:
    """Return a reader of the text of a label: it stands in every row, so it is one short, printable line."""

    def read(text: str) -> str:
        if not text.strip() or len(text) > 64 or not is_visible(text):
            raise UsageError(f"{text[:70]!r} cannot be a label: write 1 to 64 printable characters")
        return text

    pattern = r"^(?=.*\S)[^\u0000-\u001f\u007f-\u009f\u2028\u2029]*$"
    schema = {"type": _ANY_SCALAR, "pattern": pattern, "maxLength": 64}
    return Reader(read, lambda: schema, "1 to 64 printable characters", _quoted)


def path() -> Reader[Any]:
    """Return a reader of the text of a path."""

    def read(text: str) -> str:
        if not text.strip() or _CONTROL.search(text):
            raise UsageError(f"{text!r} is no path: write the name of a file or folder, without control characters")
        return text

    pattern = r"^(?=.*\S)[^\u0000-\u001f\u007f-\u009f]*$"
    return Reader(read, lambda: {"type": _ANY_SCALAR, "pattern": pattern}, "a path", _quoted)


def _without_exponent(value: float) -> str:
    from decimal import Decimal  # half a megabyte that only `config show` needs

    return f"{Decimal(repr(value)):f}"


def _quoted(text: object) -> str:
    safe = (ch if ch.isprintable() and ch not in '"\\' else f"\\U{ord(ch):08x}" for ch in str(text))
    return f'"{"".join(safe)}"'


def _text(pattern: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^(?:{pattern})$"}


def _in_any_case(word: str) -> str:
    return "".join(f"[{ch.upper()}{ch}]" if ch.isalpha() else ch for ch in word)
