"""Reads a file of rule tests: which rules, which series, which events; every mistake with its place."""

from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sysmon.adapters.yaml_nodes import (
    Mapping,
    Node,
    Problems,
    Sequence,
    boolean,
    known_keys,
    load_file,
    read_scalar,
    suggest,
    words,
)
from sysmon.alerts.rule_tests import Expected, Series, Trial, unpacked
from sysmon.alerts.rules.levels import duration, misspelt
from sysmon.errors import ConfigError, UsageError
from sysmon.model import Level, Table, Transition
from sysmon.text.instants import parse_instant

T = TypeVar("T")
_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_INTERVAL = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class TrialFile:
    """The tests of one file and the rule file that they are about."""

    path: Path
    rules: Path
    trials: tuple[Trial, ...]


def load_trials(path: Path, tables: Map[str, Table]) -> TrialFile:
    """Read a file of tests; raise ConfigError with one line for each thing that is wrong."""
    top = load_file(path)
    if _is_rule_file(top):
        raise ConfigError(f"{top.place}: these are rules, not tests of rules: try `sysmon rules check {path}`")
    problems = Problems()
    entries = dict(known_keys(top, ("rules", "interval", "tests"), problems, "the test file"))
    rules = read_scalar(entries["rules"], words, problems, "rules") if "rules" in entries else None
    if "rules" not in entries:
        problems.add(top.place, "no rules: name the file that is tested, as in rules: rules.yaml")
    interval = read_scalar(entries["interval"], _interval, problems, "interval") if "interval" in entries else _INTERVAL
    node = entries.get("tests")
    if not isinstance(node, Sequence):
        problems.add(top.place if node is None else node.place, "no list of tests: begin each with `- name:`")
        node = Sequence(top.place, ())
    metrics = {metric.name: table for table in tables.values() for metric in table.metrics if table.series}
    reader = _Reader(metrics, problems)
    found = [reader.trial(number, one, interval or _INTERVAL) for number, one in enumerate(node.items, 1)]
    problems.raise_if_any()
    return TrialFile(path, path.parent / (rules or ""), tuple(trial for trial in found if trial is not None))


def _is_rule_file(top: Node) -> bool:
    """Say whether somebody named the rules themselves: in a file of tests `rules` is a name."""
    return isinstance(top, Mapping) and isinstance(top.entries.get("rules"), Sequence)


class _Reader:
    """Reads tests one by one."""

    def __init__(self, metrics: Map[str, Table], problems: Problems) -> None:
        self._metrics = metrics
        self._problems = problems

    def trial(self, number: int, node: Node, interval: timedelta) -> Trial | None:
        what = f"test {number}"
        entries = dict(known_keys(node, ("name", "interval", "begin", "series", "events"), self._problems, what))
        if not isinstance(node, Mapping):
            return None
        place = str(node.place)
        for key in ("name", "series", "events"):
            if key not in entries and not misspelt(node, entries, [key]):
                self._problems.add(node.place, f"{what} has no {key}: write them, as docs/rules.md shows")
        name = read_scalar(entries["name"], words, self._problems, f"name of {what}") if "name" in entries else ""
        own, begin = interval, _BEGIN
        if "interval" in entries:
            own = read_scalar(entries["interval"], _interval, self._problems, f"interval of {what}") or interval
        if "begin" in entries:
            begin = read_scalar(entries["begin"], _begin, self._problems, f"begin of {what}") or _BEGIN
        series = self._items(entries.get("series"), f"series of {what}", self._series)
        events = self._items(entries.get("events"), f"events of {what}", self._event)
        node = entries.get("series", node)
        if isinstance(node, Sequence) and not node.items:
            self._problems.add(node.place, f"{what} has no series: write at least one")
        return Trial(name or "", place, own, begin, tuple(series), tuple(events))

    def _items(self, node: Node | None, what: str, read: Callable[[Node, str], T | None]) -> list[T]:
        if node is None:
            return []
        if not isinstance(node, Sequence):
            self._problems.add(node.place, f"{what} is no list: begin each item with `- `")
            return []
        found = [read(item, f"item {number} of {what}") for number, item in enumerate(node.items, 1)]
        return [one for one in found if one is not None]

    def _series(self, node: Node, what: str) -> Series | None:
        entries = dict(known_keys(node, ("metric", "labels", "values"), self._problems, what))
        if not self._complete(node, entries, ("metric", "values"), what):
            return None
        metric = read_scalar(entries["metric"], words, self._problems, f"metric of {what}")
        values = read_scalar(entries["values"], unpacked, self._problems, f"values of {what}")
        table = self._metrics.get(metric or "")
        if metric is not None and table is None:
            way = suggest(metric, self._metrics)
            self._problems.add(entries["metric"].place, f"unknown metric {metric!r} in {what}: {way}")
        labels = self._labels(entries.get("labels"), None if table is None else table.labels, f"labels of {what}")
        return None if metric is None or values is None else Series(metric, labels, values)

    def _event(self, node: Node, what: str) -> Expected | None:
        entries = dict(known_keys(node, ("at", "event", "rule", "level", "labels", "told"), self._problems, what))
        if not self._complete(node, entries, ("at", "event", "rule"), what):
            return None
        after = read_scalar(entries["at"], duration, self._problems, f"at of {what}")
        transition = read_scalar(entries["event"], _transition, self._problems, f"event of {what}")
        rule = read_scalar(entries["rule"], words, self._problems, f"rule of {what}")
        level = (
            read_scalar(entries["level"], _level, self._problems, f"level of {what}") if "level" in entries else None
        )
        notified = (
            read_scalar(entries["told"], boolean, self._problems, f"told of {what}") if "told" in entries else None
        )
        labels = self._labels(entries.get("labels"), None, f"labels of {what}")
        if after is None or transition is None or rule is None:
            return None
        return Expected(after, transition, rule, level, labels or None, notified)

    def _complete(self, node: Node, entries: Map[str, Node], keys: tuple[str, ...], what: str) -> bool:
        missing = [key for key in keys if key not in entries]
        for key in missing:
            if isinstance(node, Mapping) and not misspelt(node, entries, [key]):
                self._problems.add(node.place, f"{what} has no {key}: write it")
        return not missing

    def _labels(self, node: Node | None, known: tuple[str, ...] | None, what: str) -> dict[str, str]:
        if node is None:
            return {}
        names = node.entries if known is None and isinstance(node, Mapping) else known or ()
        found = {}
        for label, value in known_keys(node, names, self._problems, what):
            text = read_scalar(value, words, self._problems, f"{label} in {what}")
            if text is not None:
                found[label] = text
        return found


def _interval(text: str) -> timedelta:
    span = duration(text)
    if not span:
        raise UsageError("0s is no interval: write one such as 10s")
    return span


def _begin(text: str) -> datetime:
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no instant: write it as 2026-11-20T12:00:00Z") from None


def _transition(text: str) -> Transition:
    try:
        return Transition(text)
    except ValueError:
        raise UsageError(f"{text!r} is no event: {suggest(text, [one.value for one in Transition])}") from None


def _level(text: str) -> Level:
    try:
        return Level(text)
    except ValueError:
        raise UsageError(f"{text!r} is no level: {suggest(text, [one.value for one in Level])}") from None
