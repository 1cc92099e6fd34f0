"""Loader of rule files: YAML becomes rules, and every mistake is named with its place and what to write instead."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sysmon.adapters.yaml_nodes import (
    MappingNode,
    Node,
    Place,
    Problems,
    ScalarNode,
    SequenceNode,
    known_keys,
    load,
    read_file,
    read_list,
    read_scalar,
    suggest,
    words,
)
from sysmon.alerts import templates
from sysmon.alerts.mute_times import MuteTime
from sysmon.alerts.rule import Condition, Match, Rule
from sysmon.alerts.rules.levels import SETTINGS, LevelSettings, check_level, is_misspelt, read_level, read_settings
from sysmon.alerts.rules.optional_keys import read_mute_times, read_reduce
from sysmon.alerts.templates import Template
from sysmon.errors import ConfigError, UsageError
from sysmon.formats import CONFIGURED_LABELS
from sysmon.model import Level, Table
from sysmon.text.names import printable
from sysmon.text.spelling import closest
from sysmon.text.units import format_duration

MAX_RULES = 1000
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LEVELS = {level.value: level for level in Level}
_KEYS = ("id", "metric", "match", "each", "reduce", "message", *SETTINGS, *_LEVELS)


FindUnmatched = Callable[[Table, Match], str | None]
"""Says which labels there are in place of a match that no stored row fits; None where one does, or without rows."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one file, in its order, and what may stand there but hardly does what was meant.

    `text` is what the file held.
    """

    path: Path
    rules: tuple[Rule, ...]
    warnings: tuple[str, ...] = ()
    mute_times: tuple[MuteTime, ...] = ()
    text: str = ""


def load_rules(
    path: Path, tables: Mapping[str, Table], intervals: Mapping[str, float], *, unmatched: FindUnmatched | None = None
) -> RuleSet:
    """Read a rule file; raise ConfigError with one line for each thing that is wrong.

    `intervals` are the seconds between two ticks of a table; a table that it lacks has the shortest of them.
    `unmatched` looks matches up in the stored rows, to warn of those that fit none.
    """
    return read_rules(read_file(path), path, tables, intervals, unmatched=unmatched)


def read_rules(
    data: bytes,
    path: Path,
    tables: Mapping[str, Table],
    intervals: Mapping[str, float],
    *,
    unmatched: FindUnmatched | None = None,
) -> RuleSet:
    """Read what a rule file holds; `path` is what messages call it."""
    top = load(data, printable(str(path)))
    problems = Problems()
    if not top.entries:
        raise ConfigError(f"{top.place}: the file is empty: write version: 1 and a list under rules:")
    entries = dict(known_keys(top, ("version", "defaults", "rules", "quiet"), problems, "the rule file"))
    _check_version(entries, top, problems)
    base = LevelSettings()
    if "defaults" in entries:
        pairs = known_keys(entries["defaults"], SETTINGS, problems, "defaults")
        base = read_settings(pairs, base, problems, "defaults")
    reader = _Reader(tables, intervals, problems, unmatched)
    rules = reader.read(entries, top, base)
    mute_times = read_mute_times(entries["quiet"], [rule.id for rule in rules], problems) if "quiet" in entries else ()
    problems.raise_if_any()
    return RuleSet(path, tuple(rules), tuple(reader.warnings), mute_times, data.decode("utf-8-sig"))


def _check_version(entries: Mapping[str, Node], top: MappingNode, problems: Problems) -> None:
    node = entries.get("version")
    if node is None:
        if not is_misspelt(top, entries, ["version"]):
            problems.add(top.place, "version is missing: write version: 1")
    elif not isinstance(node, ScalarNode) or node.text != "1":
        version = repr(node.text) if isinstance(node, ScalarNode) else "no single value"
        problems.add(node.place, f"version is {version}, and this sysmon reads version 1: write version: 1")


class _Reader:
    """Reads rules one by one, gathering problems and warnings."""

    def __init__(
        self,
        tables: Mapping[str, Table],
        intervals: Mapping[str, float],
        problems: Problems,
        unmatched: FindUnmatched | None,
    ) -> None:
        self.warnings: list[str] = []
        self._tables = {metric.name: table for table in tables.values() for metric in table.metrics}
        self._intervals = intervals
        self._shortest = min(intervals.values(), default=10.0)
        self._problems = problems
        self._unmatched = unmatched
        self._ids: dict[str, Place] = {}

    def read(self, entries: Mapping[str, Node], top: MappingNode, base: LevelSettings) -> list[Rule]:
        node = entries.get("rules")
        if node is None:
            if not is_misspelt(top, entries, ["rules"]):
                self._problems.add(top.place, "no rules: write them as a list under rules:")
            return []
        if not isinstance(node, SequenceNode):
            self._problems.add(node.place, "rules is no list: begin each rule with `- id:`")
            return []
        if len(node.items) > MAX_RULES:
            self._problems.add(
                node.items[MAX_RULES].place, f"{len(node.items)} rules: keep at most {MAX_RULES} in a file"
            )
            return []
        read = [self._read_rule(number, item, base) for number, item in enumerate(node.items, 1)]
        return [rule for rule in read if rule is not None]

    def _read_rule(self, number: int, node: Node, base: LevelSettings) -> Rule | None:
        subject = f"rule {number}"
        if not isinstance(node, MappingNode):
            self._problems.add(node.place, f"{subject} is no mapping: begin it with `- id:` and `metric:` below")
            return None
        rule_id = self._read_id(node, subject)
        subject = f"rule {rule_id!r}" if rule_id else subject
        entries = dict(known_keys(node, _KEYS, self._problems, subject))
        settings = read_settings(entries.items(), base, self._problems, subject)
        conditions = self._read_conditions(node, entries, settings, subject)
        metric, table = self._read_metric(node, entries.get("metric"), subject)
        if table is None:
            return None
        match = self._read_match(entries.get("match"), table, subject)
        each = self._read_each(entries.get("each"), table, subject)
        interval = timedelta(seconds=self._intervals.get(table.name, self._shortest))
        max_gap = self._read_max_gap(entries.get("max_gap"), settings, table, interval, subject)
        self._warn(entries, conditions, interval, subject)
        if match:
            self._warn_unmatched(entries["match"], match, table, subject)
        absent = bool(conditions) and conditions[0].absent is not None
        gone_after = settings.gone_after or (None if absent else max_gap)
        if settings.gone_after == timedelta(0):
            gone_after = settings.gone_after
        return Rule(
            id=rule_id or "",
            metric=metric,
            table=table.name,
            conditions=tuple(_count_from_last_value(condition, interval) for condition in conditions),
            interval=interval,
            max_gap=max_gap,
            gone_after=gone_after,
            on_missing=settings.on_missing,
            match=match,
            each=each,
            absent=absent,
            reduce=read_reduce(entries["reduce"], interval, self._problems, subject) if "reduce" in entries else None,
            repeat=settings.repeat,
            cooldown=settings.cooldown,
            flap=settings.flap,
            attach=settings.attach,
            message=self._read_message(entries.get("message"), table, subject),
        )

    def _read_message(self, node: Node | None, table: Table, subject: str) -> Template | None:
        labels = ("hostname", *CONFIGURED_LABELS, *table.labels)
        if node is None:
            return None
        return read_scalar(node, lambda text: templates.parse(text, labels), self._problems, f"message of {subject}")

    def _read_id(self, node: MappingNode, subject: str) -> str | None:
        if "id" not in node.entries:
            if not is_misspelt(node, _KEYS, ["id"]):
                self._problems.add(
                    node.place, f"{subject} has no id: write a short name that stays, such as id: cpu-hot"
                )
            return None
        rule_id = read_scalar(node.entries["id"], _read_rule_id, self._problems, f"id of {subject}")
        if rule_id is None:
            return None
        place = node.entries["id"].place
        if rule_id in self._ids:
            first = self._ids[rule_id].line
            self._problems.add(place, f"rule id {rule_id!r} again (first in line {first}): choose another")
        self._ids.setdefault(rule_id, place)
        return rule_id

    def _read_metric(self, rule: MappingNode, node: Node | None, subject: str) -> tuple[str, Table | None]:
        if node is None:
            if not is_misspelt(rule, _KEYS, ["metric"]):
                self._problems.add(rule.place, f"{subject} has no metric: write one such as metric: cpu_usage_percent")
            return "", None
        metric = read_scalar(node, words, self._problems, f"metric of {subject}")
        if metric is None:
            return "", None
        table = self._tables.get(metric)
        if table is None:
            close = closest(metric, sorted(self._tables))
            way = f"did you mean {close!r}?" if close else "write a column of the data files, units and all"
            self._problems.add(node.place, f"unknown metric {metric!r} in {subject}: {way}")
        elif not table.series:
            self._problems.add(
                node.place,
                f"metric {metric!r} in {subject} is of table {table.name!r}, which lists only the busiest rows,"
                " so nothing can be told from an absent one: watch a metric of another table",
            )
            return metric, None
        return metric, table

    def _read_conditions(
        self, rule: MappingNode, entries: Mapping[str, Node], settings: LevelSettings, subject: str
    ) -> tuple[Condition, ...]:
        named = [level for level in Level if level in entries]
        if not named and not is_misspelt(rule, _KEYS, _LEVELS):
            self._problems.add(rule.place, f"{subject} has no level: write one such as warning: {{at_least: 90}}")
        read = [read_level(level, entries[level], settings, self._problems, subject) for level in named]
        conditions = tuple(condition for condition in read if condition is not None)
        for condition in conditions[1:]:
            first = conditions[0]
            if (condition.absent is None) is not (first.absent is None):
                self._problems.add(
                    entries[condition.level].place,
                    f"{subject}: {first.level} is {first.words} and {condition.level} is {condition.words}:"
                    " silence and values are two rules",
                )
                continue
            if condition.trigger.operator.direction is not first.trigger.operator.direction:
                self._problems.add(
                    entries[condition.level].place,
                    f"{subject}: {first.level} is {first.trigger} and {condition.level} is {condition.trigger},"
                    " which look in different directions: write two rules",
                )
        return conditions

    def _read_match(self, node: Node | None, table: Table, subject: str) -> Match:
        if node is None:
            return ()
        if not isinstance(node, MappingNode):
            self._problems.add(node.place, f"match of {subject} is no mapping: write it as {{label: value}}")
            return ()
        match = []
        for label, globs in node.entries.items():
            name = f"match {label} of {subject}"
            if not self._check_label(label, node.keys[label], table, f"match of {subject}"):
                continue
            values = read_list(globs, words, self._problems, name)
            if values == ():
                self._problems.add(
                    globs.place, f"{name} is an empty list, which fits nothing: write a value or remove it"
                )
            match.append((label, values or ()))
        return tuple(match)

    def _read_each(self, node: Node | None, table: Table, subject: str) -> tuple[str, ...]:
        if node is None:
            return table.labels
        labels = read_list(node, words, self._problems, f"each of {subject}") or ()
        places = [item.place for item in node.items] if isinstance(node, SequenceNode) else [node.place]
        allowed = [
            self._check_label(label, place, table, f"each of {subject}")
            for label, place in zip(labels, places, strict=False)
        ]
        return tuple(dict.fromkeys(labels)) if all(allowed) else ()

    def _check_label(self, label: str, place: Place, table: Table, subject: str) -> bool:
        if label in table.labels:
            return True
        way = suggest(label, table.labels) if table.labels else f"table {table.name!r} has none: remove it"
        self._problems.add(place, f"unknown label {label!r} in {subject}: {way}")
        return False

    def _read_max_gap(
        self, node: Node | None, settings: LevelSettings, table: Table, interval: timedelta, subject: str
    ) -> timedelta:
        """Return the gap to use: a rule's own must be 3 intervals long, one from the defaults is raised to that.

        The defaults serve tables of different intervals, and intervals may be changed by a flag.
        """
        least = 3 * interval
        if node is not None and settings.max_gap < least:
            self._problems.add(
                node.place,
                f"max_gap {format_duration(settings.max_gap)} of {subject} is under 3 intervals of table"
                f" {table.name!r}: write {format_duration(least)} or more",
            )
        return max(settings.max_gap, least)

    def _warn(
        self, entries: Mapping[str, Node], conditions: tuple[Condition, ...], interval: timedelta, subject: str
    ) -> None:
        for condition in conditions:
            self.warnings += check_level(
                entries[condition.level], condition, interval, f"{condition.level} of {subject}"
            )

    def _warn_unmatched(self, node: Node, match: Match, table: Table, subject: str) -> None:
        why = self._unmatched(table, match) if self._unmatched is not None else None
        if why is not None:
            self.warnings.append(f"{node.place}: match of {subject} fits no {why}")


def _count_from_last_value(condition: Condition, interval: timedelta) -> Condition:
    """Let silence be counted from the last value, which came an interval before the first that is missing."""
    if condition.absent is None:
        return condition
    return replace(condition, hold=max(timedelta(0), condition.absent - interval))


def _read_rule_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise UsageError(f"{text!r}: write at most 64 of a-z, 0-9, - and _, with a letter or digit first")
    return text
