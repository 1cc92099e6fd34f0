"""YAML nodes with source positions: every value keeps its file:line:column, and nothing is guessed from its looks.

Plain YAML would turn `on` into true, `10:30` into 630 and `017` into 15, keep the last of two equal keys and expand
aliases. Here a scalar stays the text that was typed; what reads it decides what it must be.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml

from sysmon.errors import ConfigError, UsageError
from sysmon.text.names import printable
from sysmon.text.spelling import closest

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 20
_LONGEST = 300
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands: the file's name as the user gave it, line and column from 1.

    Line 0 is no line: a variable or a flag, shown by its name alone.
    """

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class ScalarNode:
    """A single value as typed. `plain` is false in quotes; a plain empty text, `~` and `null` are null."""

    place: Place
    text: str
    plain: bool = True

    @property
    def is_null(self) -> bool:
        """Say whether nothing was given."""
        return self.plain and self.text in {"", "~", "null"}


@dataclass(frozen=True, slots=True)
class MappingNode:
    """Keys and values in the order of the file; keys are unique."""

    place: Place
    entries: dict[str, "Node"]
    keys: dict[str, Place]


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """Items in the order of the file."""

    place: Place
    items: tuple["Node", ...]


Node = ScalarNode | MappingNode | SequenceNode


class Problems:
    """Collects what is wrong with a file, so that all of it is told at once."""

    def __init__(self) -> None:
        self._lines: dict[str, tuple[int, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._lines)

    def add(self, place: Place, message: str) -> None:
        """Note one problem: what was found and what to write instead."""
        if len(message) > _LONGEST:
            message = f"{message[: _LONGEST // 2]}...{message[-_LONGEST // 2 :]}"
        self._lines.setdefault(printable(f"{place}: {message}"), (place.line, place.column))

    def raise_if_any(self) -> None:
        """Raise ConfigError with a line for each problem, in the order of the file."""
        if self._lines:
            raise ConfigError("\n".join(sorted(self._lines, key=self._lines.__getitem__)))


def load_file(path: Path | str) -> MappingNode:
    """Read a YAML file whose top level is a mapping; raise ConfigError naming file, line and column."""
    return load(read_file(path), printable(str(path)))


def read_file(path: Path | str) -> bytes:
    """Return what is in a file, as far as `load` takes it; raise ConfigError where it cannot be read."""
    try:
        return _read(path)
    except OSError as error:
        shown = printable(str(path))
        raise ConfigError(f"{shown}: cannot be read ({error.strerror}): name another file or mend it") from error


def load(data: bytes, file: str) -> MappingNode:
    """Read YAML text whose top level is a mapping; an empty document is an empty mapping."""
    start = Place(file, 1, 1)
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{start}: more than {MAX_BYTES // 1024} KiB: split the file")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        column = error.start - data.rfind(b"\n", 0, error.start)
        raise ConfigError(
            f"{Place(file, line, column)}: byte 0x{data[error.start]:02x} is not UTF-8: save the file as UTF-8"
        ) from error
    problems = Problems()
    try:
        top = _Builder(file, problems).build(yaml.parse(text, Loader=yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{_at(file, error.problem_mark or error.context_mark)}: {_said(error)}") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        place = Place(file, before.count("\n") + 1, error.position - before.rfind("\n"))
        raise ConfigError(
            f"{place}: character U+{_code(error.character):04X} may not stand in YAML: remove it"
        ) from error
    except (ValueError, OverflowError) as error:  # PyYAML takes numbers in escapes and directives at their word
        said = "not YAML (a number in it is out of range): look for a wrong escape or directive"
        raise ConfigError(f"{start}: {said}") from error
    if top is None or (isinstance(top, ScalarNode) and top.is_null):
        top = MappingNode(start, {}, {})
    if not isinstance(top, MappingNode):
        problems.add(top.place, f"a {_kind(top)} at the top: write `key: value` lines")
    problems.raise_if_any()
    assert isinstance(top, MappingNode)  # noqa: S101 - anything else has just been raised
    return top


def known_keys(node: Node, allowed: Iterable[str], problems: Problems, subject: str) -> Iterator[tuple[str, Node]]:
    """Yield the allowed keys of a mapping with their values; note every other key, with what was perhaps meant."""
    if not isinstance(node, MappingNode):
        if not (isinstance(node, ScalarNode) and node.is_null):
            problems.add(node.place, f"{subject} is a {_kind(node)}: write `key: value` lines")
        return
    names = list(allowed)
    for key, value in node.entries.items():
        if key in names:
            yield key, value
        else:
            problems.add(node.keys[key], f"unknown key {key!r} in {subject}: {suggest(key, names)}")


def suggest(word: str, names: Iterable[str]) -> str:
    """Return the way out for a word that is not among `names`."""
    ordered = sorted(names)
    close = closest(word, ordered)
    return f"did you mean {close!r}?" if close else f"known are {', '.join(ordered)}"


def read_scalar(node: Node, read: Callable[[str], T], problems: Problems, subject: str) -> T | None:
    """Read a scalar with `read`, which raises UsageError; None and a noted problem where it cannot be read."""
    if not isinstance(node, ScalarNode):
        problems.add(node.place, f"{subject} is a {_kind(node)}: write a single value")
        return None
    try:
        return read(node.text)
    except UsageError as error:
        problems.add(node.place, f"{subject}: {error}")
        return None


def read_list(node: Node, read: Callable[[str], T], problems: Problems, subject: str) -> tuple[T, ...] | None:
    """Read a sequence of scalars, or one scalar as a list of one."""
    items = node.items if isinstance(node, SequenceNode) else (node,)
    values = [read_scalar(item, read, problems, subject) for item in items]
    return None if any(value is None for value in values) else tuple(value for value in values if value is not None)


def boolean(text: str) -> bool:
    """Read `true` or `false`; raise UsageError for the other words that YAML would take."""
    if text in {"true", "True"}:
        return True
    if text in {"false", "False"}:
        return False
    raise UsageError(f"{text!r} is neither true nor false: write true or false")


def words(text: str) -> str:
    """Read any text that is not empty."""
    if not text.strip():
        raise UsageError("nothing is given: write a word")
    return text


def _read(path: Path | str) -> bytes:
    # A named pipe that nobody writes to must not hang the start: it opens at once and is empty. One that is being
    # written (`<(command)`) is read to its end.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        if hasattr(os, "O_NONBLOCK"):
            os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(MAX_BYTES + 1)
    finally:
        os.close(descriptor)


class _Builder:
    """Builds nodes from parser events: no recursion beyond MAX_DEPTH, no aliases, tags or second documents."""

    def __init__(self, file: str, problems: Problems) -> None:
        self._file = file
        self._problems = problems

    def build(self, events: Iterator[yaml.Event]) -> Node | None:
        top: Node | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._problems.add(_at(self._file, event.start_mark), "a second document: write one file each")
                    break
            elif isinstance(event, yaml.NodeEvent):
                top = self._node(event, events, 1)
        return top

    def _node(self, event: Any, events: Iterator[yaml.Event], depth: int) -> Node:
        place = _at(self._file, event.start_mark)
        if depth > MAX_DEPTH:
            raise ConfigError(f"{place}: nested more than {MAX_DEPTH} deep: flatten it")
        if isinstance(event, yaml.AliasEvent):
            self._problems.add(
                place, f"alias *{event.anchor}: write the values out, or quote a pattern: '*{event.anchor}'"
            )
            return ScalarNode(place, "")
        if getattr(event, "anchor", None):
            self._problems.add(place, f"anchor &{event.anchor}: remove it, aliases are not taken")
        if getattr(event, "tag", None):
            self._problems.add(place, f"tag {event.tag}: remove it, values are read by what they stand for")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(place, events, depth)
        if isinstance(event, yaml.SequenceStartEvent):
            items = []
            while not isinstance(item := next(events), yaml.SequenceEndEvent):
                items.append(self._node(item, events, depth + 1))
            return SequenceNode(place, tuple(items))
        assert isinstance(event, yaml.ScalarEvent)  # noqa: S101 - the parser has no other node events
        return ScalarNode(place, event.value, plain=event.style is None)

    def _mapping(self, place: Place, events: Iterator[yaml.Event], depth: int) -> MappingNode:
        entries: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        while not isinstance(event := next(events), yaml.MappingEndEvent):
            key = self._node(event, events, depth + 1)
            value = self._node(next(events), events, depth + 1)
            if not isinstance(key, ScalarNode):
                self._problems.add(key.place, f"a {_kind(key)} as a key: write a word")
            elif key.text in entries:
                self._problems.add(key.place, f"key {key.text!r} again (first in line {keys[key.text].line}): keep one")
            else:
                entries[key.text] = value
                keys[key.text] = key.place
        return MappingNode(place, entries, keys)


def _at(file: str, mark: Any) -> Place:
    return Place(file, 1, 1) if mark is None else Place(file, mark.line + 1, mark.column + 1)


def _kind(node: Node) -> str:
    if isinstance(node, MappingNode):
        return "mapping"
    return "list" if isinstance(node, SequenceNode) else "single value"


def _said(error: yaml.MarkedYAMLError) -> str:
    problem = (error.problem or "not YAML").replace("\n", " ")
    if error.context and "an alias" in error.context:
        return "an unquoted * starts an alias: quote a pattern, as in '*'"
    if "'\\t'" in problem:
        return "a tab indents this line: use spaces"
    return f"not YAML ({problem}): look for a missing quote, colon or indentation"


def _code(character: str | int) -> int:
    return character if isinstance(character, int) else ord(character[0])
