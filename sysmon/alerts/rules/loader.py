"""Reads a rule file, and says of everything that is wrong with it where it stands and what to write instead."""

import re
from collections.abc import Callable
from collections.abc import Mapping as Map
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from sysmon.adapters.yaml_nodes import (
    Mapping,
    Node,
    Place,
    Problems,
    Scalar,
    Sequence,
    known_keys,
    load_file,
    read_list,
    read_scalar,
    suggest,
    words,
)
from sysmon.alerts import templates
from sysmon.alerts.mute_times import Quiet
from sysmon.alerts.rule import Condition, Match, Rule
from sysmon.alerts.rules.levels import SETTINGS, Settings, level_warnings, misspelt, read_level, read_settings
from sysmon.alerts.rules.optional_keys import read_quiet, read_reduce
from sysmon.alerts.templates import Template
from sysmon.errors import ConfigError, UsageError
from sysmon.formats import CONFIGURED_LABELS
from sysmon.model import Level, Table
from sysmon.text.spelling import closest
from sysmon.text.units import format_duration

MAX_RULES = 1000
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_LEVELS = {level.value: level for level in Level}
_KEYS = ("id", "metric", "match", "each", "reduce", "message", *SETTINGS, *_LEVELS)


Unmet = Callable[[Table, Match], str | None]
"""Says what is known of a match that no stored row fits, None where one does or where there are no rows."""


@dataclass(frozen=True, slots=True)
class RuleSet:
    """The rules of one file, in its order, and what may stand there but hardly does what was meant."""

    path: Path
    rules: tuple[Rule, ...]
    warnings: tuple[str, ...] = ()
    quiet: tuple[Quiet, ...] = ()


def load_rules(
    path: Path, tables: Map[str, Table], intervals: Map[str, float], *, unmet: Unmet | None = None
) -> RuleSet:
    """Read a rule file; raise ConfigError with one line for each thing that is wrong.

    `intervals` are the seconds between two ticks of a table; a table that it lacks has the shortest of them. `unmet`
    looks matches up in what was stored, to warn of those that fit nothing.
    """
    top = load_file(path)
    problems = Problems()
    if not top.entries:
        raise ConfigError(f"{top.place}: the file is empty: write version: 1 and a list under rules:")
    entries = dict(known_keys(top, ("version", "defaults", "rules", "quiet"), problems, "the rule file"))
    _check_version(entries, top, problems)
    base = Settings()
    if "defaults" in entries:
        pairs = known_keys(entries["defaults"], SETTINGS, problems, "defaults")
        base = read_settings(pairs, base, problems, "defaults")
    reader = _Reader(tables, intervals, problems, unmet)
    rules = reader.read(entries, top, base)
    quiet = read_quiet(entries["quiet"], [rule.id for rule in rules], problems) if "quiet" in entries else ()
    problems.raise_if_any()
    return RuleSet(path, tuple(rules), tuple(reader.warnings), quiet)


def _check_version(entries: Map[str, Node], top: Mapping, problems: Problems) -> None:
    node = entries.get("version")
    if node is None:
        if not misspelt(top, entries, ["version"]):
            problems.add(top.place, "version is missing: write version: 1")
    elif not isinstance(node, Scalar) or node.text != "1":
        found = repr(node.text) if isinstance(node, Scalar) else "no single value"
        problems.add(node.place, f"version is {found}, and this sysmon reads version 1: write version: 1")


class _Reader:
    """Reads rules one by one, gathering problems and warnings."""

    def __init__(
        self, tables: Map[str, Table], intervals: Map[str, float], problems: Problems, unmet: Unmet | None
    ) -> None:
        self.warnings: list[str] = []
        self._tables = {metric.name: table for table in tables.values() for metric in table.metrics}
        self._intervals = intervals
        self._shortest = min(intervals.values(), default=10.0)
        self._problems = problems
        self._unmet = unmet
        self._ids: dict[str, Place] = {}

    def read(self, entries: Map[str, Node], top: Mapping, base: Settings) -> list[Rule]:
        node = entries.get("rules")
        if node is None:
            if not misspelt(top, entries, ["rules"]):
                self._problems.add(top.place, "no rules: write them as a list under rules:")
            return []
        if not isinstance(node, Sequence):
            self._problems.add(node.place, "rules is no list: begin each rule with `- id:`")
            return []
        if len(node.items) > MAX_RULES:
            self._problems.add(
                node.items[MAX_RULES].place, f"{len(node.items)} rules: keep at most {MAX_RULES} in a file"
            )
            return []
        read = [self._rule(number, item, base) for number, item in enumerate(node.items, 1)]
        return [rule for rule in read if rule is not None]

    def _rule(self, number: int, node: Node, base: Settings) -> Rule | None:
        what = f"rule {number}"
        if not isinstance(node, Mapping):
            self._problems.add(node.place, f"{what} is no mapping: begin it with `- id:` and `metric:` below")
            return None
        rule_id = self._id(node, what)
        what = f"rule {rule_id!r}" if rule_id else what
        entries = dict(known_keys(node, _KEYS, self._problems, what))
        settings = read_settings(entries.items(), base, self._problems, what)
        conditions = self._conditions(node, entries, settings, what)
        metric, table = self._metric(node, entries.get("metric"), what)
        if table is None:
            return None
        match = self._match(entries.get("match"), table, what)
        each = self._each(entries.get("each"), table, what)
        interval = timedelta(seconds=self._intervals.get(table.name, self._shortest))
        max_gap = self._max_gap(entries.get("max_gap"), settings, table, interval, what)
        self._warn(entries, conditions, interval, what)
        if match:
            self._warn_unmet(entries["match"], match, table, what)
        absent = bool(conditions) and conditions[0].absent is not None
        gone_after = settings.gone_after or (None if absent else max_gap)
        if settings.gone_after == timedelta(0):
            gone_after = settings.gone_after
        return Rule(
            id=rule_id or "",
            metric=metric,
            table=table.name,
            conditions=tuple(_from_last_value(one, interval) for one in conditions),
            interval=interval,
            max_gap=max_gap,
            gone_after=gone_after,
            on_missing=settings.on_missing,
            match=match,
            each=each,
            absent=absent,
            reduce=read_reduce(entries["reduce"], interval, self._problems, what) if "reduce" in entries else None,
            repeat=settings.repeat,
            cooldown=settings.cooldown,
            flap=settings.flap,
            attach=settings.attach,
            message=self._message(entries.get("message"), table, what),
        )

    def _message(self, node: Node | None, table: Table, what: str) -> Template | None:
        labels = ("hostname", *CONFIGURED_LABELS, *table.labels)
        if node is None:
            return None
        return read_scalar(node, lambda text: templates.parse(text, labels), self._problems, f"message of {what}")

    def _id(self, node: Mapping, what: str) -> str | None:
        if "id" not in node.entries:
            if not misspelt(node, _KEYS, ["id"]):
                self._problems.add(node.place, f"{what} has no id: write a short name that stays, such as id: cpu-hot")
            return None
        found = read_scalar(node.entries["id"], _rule_id, self._problems, f"id of {what}")
        if found is None:
            return None
        place = node.entries["id"].place
        if found in self._ids:
            first = self._ids[found].line
            self._problems.add(place, f"rule id {found!r} again (first in line {first}): choose another")
        self._ids.setdefault(found, place)
        return found

    def _metric(self, rule: Mapping, node: Node | None, what: str) -> tuple[str, Table | None]:
        if node is None:
            if not misspelt(rule, _KEYS, ["metric"]):
                self._problems.add(rule.place, f"{what} has no metric: write one such as metric: cpu_usage_percent")
            return "", None
        metric = read_scalar(node, words, self._problems, f"metric of {what}")
        if metric is None:
            return "", None
        table = self._tables.get(metric)
        if table is None:
            close = closest(metric, sorted(self._tables))
            way = f"did you mean {close!r}?" if close else "write a column of the data files, units and all"
            self._problems.add(node.place, f"unknown metric {metric!r} in {what}: {way}")
        elif not table.series:
            self._problems.add(
                node.place,
                f"metric {metric!r} in {what} is of table {table.name!r}, which lists only the busiest rows,"
                " so nothing can be told from an absent one: watch a metric of another table",
            )
            return metric, None
        return metric, table

    def _conditions(
        self, rule: Mapping, entries: Map[str, Node], settings: Settings, what: str
    ) -> tuple[Condition, ...]:
        named = [level for level in Level if level in entries]
        if not named and not misspelt(rule, _KEYS, _LEVELS):
            self._problems.add(rule.place, f"{what} has no level: write one such as warning: {{at_least: 90}}")
        read = [read_level(level, entries[level], settings, self._problems, what) for level in named]
        conditions = tuple(condition for condition in read if condition is not None)
        for condition in conditions[1:]:
            first = conditions[0]
            if (condition.absent is None) is not (first.absent is None):
                self._problems.add(
                    entries[condition.level].place,
                    f"{what}: {first.level} is {first.words} and {condition.level} is {condition.words}:"
                    " silence and values are two rules",
                )
                continue
            if condition.trigger.operator.direction is not first.trigger.operator.direction:
                self._problems.add(
                    entries[condition.level].place,
                    f"{what}: {first.level} is {first.trigger} and {condition.level} is {condition.trigger},"
                    " which look in different directions: write two rules",
                )
        return conditions

    def _match(self, node: Node | None, table: Table, what: str) -> Match:
        if node is None:
            return ()
        if not isinstance(node, Mapping):
            self._problems.add(node.place, f"match of {what} is no mapping: write it as {{label: value}}")
            return ()
        found = []
        for label, globs in node.entries.items():
            name = f"match {label} of {what}"
            if not self._known_label(label, node.keys[label], table, f"match of {what}"):
                continue
            values = read_list(globs, words, self._problems, name)
            if values == ():
                self._problems.add(
                    globs.place, f"{name} is an empty list, which fits nothing: write a value or remove it"
                )
            found.append((label, values or ()))
        return tuple(found)

    def _each(self, node: Node | None, table: Table, what: str) -> tuple[str, ...]:
        if node is None:
            return table.labels
        labels = read_list(node, words, self._problems, f"each of {what}") or ()
        places = [item.place for item in node.items] if isinstance(node, Sequence) else [node.place]
        known = [
            self._known_label(label, place, table, f"each of {what}")
            for label, place in zip(labels, places, strict=False)
        ]
        return tuple(dict.fromkeys(labels)) if all(known) else ()

    def _known_label(self, label: str, place: Place, table: Table, what: str) -> bool:
        if label in table.labels:
            return True
        way = suggest(label, table.labels) if table.labels else f"table {table.name!r} has none: remove it"
        self._problems.add(place, f"unknown label {label!r} in {what}: {way}")
        return False

    def _max_gap(
        self, node: Node | None, settings: Settings, table: Table, interval: timedelta, what: str
    ) -> timedelta:
        """Return the gap to use: a rule's own must be 3 intervals long, one from the defaults is raised to that.

        The defaults serve tables of different intervals, and intervals may be changed by a flag.
        """
        least = 3 * interval
        if node is not None and settings.max_gap < least:
            self._problems.add(
                node.place,
                f"max_gap {format_duration(settings.max_gap)} of {what} is under 3 intervals of table {table.name!r}:"
                f" write {format_duration(least)} or more",
            )
        return max(settings.max_gap, least)

    def _warn(self, entries: Map[str, Node], conditions: tuple[Condition, ...], interval: timedelta, what: str) -> None:
        for condition in conditions:
            self.warnings += level_warnings(
                entries[condition.level], condition, interval, f"{condition.level} of {what}"
            )

    def _warn_unmet(self, node: Node, match: Match, table: Table, what: str) -> None:
        why = self._unmet(table, match) if self._unmet is not None else None
        if why is not None:
            self.warnings.append(f"{node.place}: match of {what} fits no {why}")


def _from_last_value(condition: Condition, interval: timedelta) -> Condition:
    """Let silence be counted from the last value, which came an interval before the first that is missing."""
    if condition.absent is None:
        return condition
    return replace(condition, hold=max(timedelta(0), condition.absent - interval))


def _rule_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise UsageError(f"{text!r}: write at most 64 of a-z, 0-9, - and _, with a letter or digit first")
    return text
