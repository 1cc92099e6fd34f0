"""Loader of rule tests: which rules, which series, which events; every mistake is named with its place."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

from sysmon.adapters.yaml_nodes import (
    MappingNode,
    Node,
    Problems,
    SequenceNode,
    boolean,
    known_keys,
    load_file,
    read_scalar,
    suggest,
    words,
)
from sysmon.alerts.rule_tests import Expected, InputSeries, Trial, unpack
from sysmon.alerts.rules.levels import is_misspelt, read_duration
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


def load_trials(path: Path, tables: Mapping[str, Table]) -> TrialFile:
    """Read a file of tests; raise ConfigError with one line for each thing that is wrong."""
    top = load_file(path)
    if _is_rule_file(top):
        raise ConfigError(f"{top.place}: these are rules, not tests of rules: try `sysmon rules check {path}`")
    problems = Problems()
    entries = dict(known_keys(top, ("rules", "interval", "tests"), problems, "the test file"))
    rules = read_scalar(entries["rules"], words, problems, "rules") if "rules" in entries else None
    if "rules" not in entries:
        problems.add(top.place, "no rules: name the file that is tested, as in rules: rules.yaml")
    interval = (
        read_scalar(entries["interval"], _read_interval, problems, "interval") if "interval" in entries else _INTERVAL
    )
    node = entries.get("tests")
    if not isinstance(node, SequenceNode):
        problems.add(top.place if node is None else node.place, "no list of tests: begin each with `- name:`")
        node = SequenceNode(top.place, ())
    metrics = {metric.name: table for table in tables.values() for metric in table.metrics if table.series}
    reader = _Reader(metrics, problems)
    trials = [reader.read_trial(number, item, interval or _INTERVAL) for number, item in enumerate(node.items, 1)]
    problems.raise_if_any()
    return TrialFile(path, path.parent / (rules or ""), tuple(trial for trial in trials if trial is not None))


def _is_rule_file(top: Node) -> bool:
    """Say whether somebody named the rules themselves: in a file of tests `rules` is a name."""
    return isinstance(top, MappingNode) and isinstance(top.entries.get("rules"), SequenceNode)


class _Reader:
    """Reads tests one by one."""

    def __init__(self, metrics: Mapping[str, Table], problems: Problems) -> None:
        self._metrics = metrics
        self._problems = problems

    def read_trial(self, number: int, node: Node, interval: timedelta) -> Trial | None:
        subject = f"test {number}"
        entries = dict(known_keys(node, ("name", "interval", "begin", "series", "events"), self._problems, subject))
        if not isinstance(node, MappingNode):
            return None
        place = str(node.place)
        for key in ("name", "series", "events"):
            if key not in entries and not is_misspelt(node, entries, [key]):
                self._problems.add(node.place, f"{subject} has no {key}: write them, as docs/rules.md shows")
        name = read_scalar(entries["name"], words, self._problems, f"name of {subject}") if "name" in entries else ""
        own, begin = interval, _BEGIN
        if "interval" in entries:
            own = read_scalar(entries["interval"], _read_interval, self._problems, f"interval of {subject}") or interval
        if "begin" in entries:
            begin = read_scalar(entries["begin"], _read_begin, self._problems, f"begin of {subject}") or _BEGIN
        series = self._read_items(entries.get("series"), f"series of {subject}", self._read_series)
        events = self._read_items(entries.get("events"), f"events of {subject}", self._read_event)
        node = entries.get("series", node)
        if isinstance(node, SequenceNode) and not node.items:
            self._problems.add(node.place, f"{subject} has no series: write at least one")
        return Trial(name or "", place, own, begin, tuple(series), tuple(events))

    def _read_items(self, node: Node | None, subject: str, read: Callable[[Node, str], T | None]) -> list[T]:
        if node is None:
            return []
        if not isinstance(node, SequenceNode):
            self._problems.add(node.place, f"{subject} is no list: begin each item with `- `")
            return []
        items = [read(item, f"item {number} of {subject}") for number, item in enumerate(node.items, 1)]
        return [item for item in items if item is not None]

    def _read_series(self, node: Node, subject: str) -> InputSeries | None:
        entries = dict(known_keys(node, ("metric", "labels", "values"), self._problems, subject))
        if not self._is_complete(node, entries, ("metric", "values"), subject):
            return None
        metric = read_scalar(entries["metric"], words, self._problems, f"metric of {subject}")
        values = read_scalar(entries["values"], unpack, self._problems, f"values of {subject}")
        table = self._metrics.get(metric or "")
        if metric is not None and table is None:
            way = suggest(metric, self._metrics)
            self._problems.add(entries["metric"].place, f"unknown metric {metric!r} in {subject}: {way}")
        labels = self._read_labels(
            entries.get("labels"), None if table is None else table.labels, f"labels of {subject}"
        )
        return None if metric is None or values is None else InputSeries(metric, labels, values)

    def _read_event(self, node: Node, subject: str) -> Expected | None:
        entries = dict(known_keys(node, ("at", "event", "rule", "level", "labels", "told"), self._problems, subject))
        if not self._is_complete(node, entries, ("at", "event", "rule"), subject):
            return None
        after = read_scalar(entries["at"], read_duration, self._problems, f"at of {subject}")
        transition = read_scalar(entries["event"], _read_transition, self._problems, f"event of {subject}")
        rule = read_scalar(entries["rule"], words, self._problems, f"rule of {subject}")
        level = (
            read_scalar(entries["level"], _read_level, self._problems, f"level of {subject}")
            if "level" in entries
            else None
        )
        notified = (
            read_scalar(entries["told"], boolean, self._problems, f"told of {subject}") if "told" in entries else None
        )
        labels = self._read_labels(entries.get("labels"), None, f"labels of {subject}")
        if after is None or transition is None or rule is None:
            return None
        return Expected(after, transition, rule, level, labels or None, notified)

    def _is_complete(self, node: Node, entries: Mapping[str, Node], keys: tuple[str, ...], subject: str) -> bool:
        missing = [key for key in keys if key not in entries]
        for key in missing:
            if isinstance(node, MappingNode) and not is_misspelt(node, entries, [key]):
                self._problems.add(node.place, f"{subject} has no {key}: write it")
        return not missing

    def _read_labels(self, node: Node | None, allowed: tuple[str, ...] | None, subject: str) -> dict[str, str]:
        if node is None:
            return {}
        names = node.entries if allowed is None and isinstance(node, MappingNode) else allowed or ()
        labels = {}
        for label, value in known_keys(node, names, self._problems, subject):
            text = read_scalar(value, words, self._problems, f"{label} in {subject}")
            if text is not None:
                labels[label] = text
        return labels


def _read_interval(text: str) -> timedelta:
    span = read_duration(text)
    if not span:
        raise UsageError("0s is no interval: write one such as 10s")
    return span


def _read_begin(text: str) -> datetime:
    try:
        return parse_instant(text)
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no instant: write it as 2026-11-20T12:00:00Z") from None


def _read_transition(text: str) -> Transition:
    try:
        return Transition(text)
    except ValueError:
        raise UsageError(
            f"{text!r} is no event: {suggest(text, [transition.value for transition in Transition])}"
        ) from None


def _read_level(text: str) -> Level:
    try:
        return Level(text)
    except ValueError:
        raise UsageError(f"{text!r} is no level: {suggest(text, [level.value for level in Level])}") from None
