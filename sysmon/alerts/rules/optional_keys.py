"""Optional keys of a rule file: sliding windows (`reduce`), and mute times (`quiet`)."""

from collections.abc import Collection
from datetime import timedelta

from sysmon.adapters.yaml_nodes import (
    MappingNode,
    Node,
    Problems,
    SequenceNode,
    known_keys,
    read_list,
    read_scalar,
    suggest,
    words,
)
from sysmon.alerts.mute_times import LONGEST, MuteTime, parse_cron
from sysmon.alerts.rule import matches_any
from sysmon.alerts.rules.levels import is_misspelt, read_duration, read_number
from sysmon.alerts.window import FUNCTIONS, Reduce
from sysmon.errors import UsageError
from sysmon.model import Level
from sysmon.text.units import format_duration

_COVERAGE = 0.8
_MOST_SAMPLES = 10_000


def read_reduce(node: Node, interval: timedelta, problems: Problems, rule: str) -> Reduce | None:
    """Read `{fn: mean, over: 1m, min_coverage: 0.8}`."""
    subject = f"reduce of {rule}"
    entries = dict(known_keys(node, ("fn", "over", "min_coverage"), problems, subject))
    if not isinstance(node, MappingNode):
        return None
    for key, way in (("fn", "fn: mean"), ("over", "over: 1m")):
        if key not in entries and not is_misspelt(node, entries, [key]):
            problems.add(node.place, f"{subject} has no {key!r}: write {way}")
    function = read_scalar(entries["fn"], _read_function, problems, f"fn of {subject}") if "fn" in entries else None
    over = read_scalar(entries["over"], read_duration, problems, f"over of {subject}") if "over" in entries else None
    coverage: float | None = _COVERAGE
    if "min_coverage" in entries:
        coverage = read_scalar(entries["min_coverage"], _read_share, problems, f"min_coverage of {subject}")
    if over is not None and not interval <= over <= _MOST_SAMPLES * interval:
        problems.add(
            entries["over"].place,
            f"over of {subject} holds {over / interval:g} samples: write {format_duration(interval)} to"
            f" {format_duration(_MOST_SAMPLES * interval)}",
        )
        return None
    return None if function is None or over is None or coverage is None else Reduce(function, over, coverage)


def read_mute_times(node: Node, rules: Collection[str], problems: Problems) -> tuple[MuteTime, ...]:
    """Read the list of quiet times; a pattern that fits no rule of the file is a mistake."""
    if not isinstance(node, SequenceNode):
        problems.add(node.place, "quiet is no list: begin each quiet time with `- name:`")
        return ()
    read = [_read_mute_time(number, item, rules, problems) for number, item in enumerate(node.items, 1)]
    return tuple(mute_time for mute_time in read if mute_time is not None)


def _read_mute_time(number: int, node: Node, rules: Collection[str], problems: Problems) -> MuteTime | None:
    subject = f"quiet time {number}"
    entries = dict(known_keys(node, ("name", "cron", "for", "rules", "max_level"), problems, subject))
    if not isinstance(node, MappingNode):
        return None
    for key, way in (("name", "name: backup"), ("cron", 'cron: "0 2 * * *"'), ("for", "for: 45m")):
        if key not in entries and not is_misspelt(node, entries, [key]):
            problems.add(node.place, f"{subject} has no {key!r}: write {way}")
    name = read_scalar(entries["name"], words, problems, f"name of {subject}") if "name" in entries else None
    cron = read_scalar(entries["cron"], parse_cron, problems, f"cron of {subject}") if "cron" in entries else None
    span = read_scalar(entries["for"], _read_span, problems, f"for of {subject}") if "for" in entries else None
    globs: tuple[str, ...] | None = ("*",)
    if "rules" in entries:
        globs = read_list(entries["rules"], words, problems, f"rules of {subject}")
        for glob in globs or ():
            if rules and not any(matches_any((glob,), rule) for rule in rules):
                problems.add(
                    entries["rules"].place, f"rules of {subject}: {glob!r} fits no rule: {suggest(glob, rules)}"
                )
    level: Level | None = Level.CRITICAL
    if "max_level" in entries:
        level = read_scalar(entries["max_level"], _read_level, problems, f"max_level of {subject}")
    if name is None or cron is None or span is None or globs is None or level is None:
        return None
    return MuteTime(name, cron, span, globs, level)


def _read_function(text: str) -> str:
    if text not in FUNCTIONS:
        raise UsageError(f"{text!r} is not known: {suggest(text, FUNCTIONS)}")
    return text


def _read_share(text: str) -> float:
    share = read_number(text)
    if not 0 < share <= 1:
        raise UsageError(f"{text} is out of range: write more than 0 and at most 1, such as 0.8")
    return share


def _read_span(text: str) -> timedelta:
    span = read_duration(text)
    if not timedelta(minutes=1) <= span <= LONGEST:
        raise UsageError(f"{text} is out of range: write 1m to {format_duration(LONGEST)}")
    return span


def _read_level(text: str) -> Level:
    try:
        return Level(text)
    except ValueError:
        raise UsageError(f"{text!r} is no level: {suggest(text, [level.value for level in Level])}") from None
