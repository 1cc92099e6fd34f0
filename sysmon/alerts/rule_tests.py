"""Rule tests: rules tried on series that somebody wrote down; what happens tick by tick, beside what should; pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.mute_times import MuteTime
from sysmon.alerts.notify_policy import Mutes
from sysmon.alerts.rule import Rule
from sysmon.errors import UsageError
from sysmon.model import AlertEvent, Level, Origin, Row, Sample, Table, Transition
from sysmon.text.units import format_duration

MOST_TICKS = 100_000
_WORD = re.compile(r"(-?(?:\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)|_|\.|gone)(?:x([1-9]\d{0,5}))?", re.ASCII)
_SIGNS = {"ok": ".", "pending": "p", "firing": "F", "clearing": "c"}
_ORIGIN = Origin("test")


@dataclass(frozen=True, slots=True)
class InputSeries:
    """The values of one metric with its labels, a word a tick: a number, `_` null, `gone` no row, `.` no sample."""

    metric: str
    labels: Mapping[str, str]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """One event that should come; None is whatever comes."""

    after: timedelta
    transition: Transition
    rule: str
    level: Level | None = None
    labels: Mapping[str, str] | None = None
    notified: bool | None = None

    def __str__(self) -> str:
        words = [format_duration(self.after), self.transition.value, self.rule]
        words += [self.level.value] if self.level else []
        words += [f"{name}={value}" for name, value in sorted((self.labels or {}).items())]
        return " ".join([*words, *([] if self.notified is None else ["told" if self.notified else "muted"])])

    def matches(self, event: AlertEvent, begin: datetime) -> bool:
        """Say whether an event is the one that was expected."""
        return (
            (event.at - begin, event.transition, event.rule) == (self.after, self.transition, self.rule)
            and self.level in {None, event.level}
            and all(event.labels.get(name) == value for name, value in (self.labels or {}).items())
            and self.notified in {None, event.notified}
        )


@dataclass(frozen=True, slots=True)
class Trial:
    """One test: series, and all the events that they should bring, in order."""

    name: str
    place: str
    interval: timedelta
    begin: datetime
    series: tuple[InputSeries, ...]
    expected: tuple[Expected, ...]


@dataclass(frozen=True, slots=True)
class TrialResult:
    """What came of a test; `states` has a line for each level of each instance, a character a tick."""

    trial: Trial
    events: tuple[AlertEvent, ...]
    states: tuple[tuple[str, str], ...]

    @property
    def passed(self) -> bool:
        """Say whether each event came as it should, and no other."""
        wanted, begin = self.trial.expected, self.trial.begin
        return len(wanted) == len(self.events) and all(
            expected.matches(event, begin) for expected, event in zip(wanted, self.events, strict=True)
        )

    def lines(self) -> Iterator[str]:
        """Yield what to show of a test that failed."""
        yield f"{self.trial.place}: {self.trial.name}"
        for series in self.trial.series:
            labels = ",".join(f"{name}={value}" for name, value in series.labels.items())
            yield f"    {series.metric}{{{labels}}}: {pack(series.words)}"
        width = max((len(name) for name, _ in self.states), default=0)
        for name, states in self.states:
            yield f"    {name:<{width}}  {states}"
        yield "    expected: " + ("; ".join(map(str, self.trial.expected)) or "nothing")
        yield "    found:    " + ("; ".join(_describe(event, self.trial.begin) for event in self.events) or "nothing")


def unpack(text: str) -> tuple[str, ...]:
    """Read `95x5 _x3 70`; raise UsageError for what is no such notation."""
    words: list[str] = []
    for part in text.split():
        word = _WORD.fullmatch(part)
        if word is None:
            raise UsageError(f"{part[:40]!r} is no value: write 95, 95x5, _ for none, gone for no row, . for no sample")
        words += [word[1]] * int(word[2] or 1)
        if len(words) > MOST_TICKS:
            raise UsageError(f"more than {MOST_TICKS} values: use a longer interval")
    if not words:
        raise UsageError("no values: write them as 95x5 _x3 70")
    return tuple(words)


def pack(words: Sequence[str]) -> str:
    """Return values in the short notation."""
    parts: list[tuple[str, int]] = []
    for word in words:
        if parts and parts[-1][0] == word:
            parts[-1] = (word, parts[-1][1] + 1)
        else:
            parts.append((word, 1))
    return " ".join(word if count == 1 else f"{word}x{count}" for word, count in parts)


def run_trial(
    trial: Trial, rules: Sequence[Rule], mute_times: Sequence[MuteTime], tables: Mapping[str, Table]
) -> TrialResult:
    """Play a test through the rules; only those whose metrics it has are tried."""
    evaluator = Evaluator(rules, tables, _ORIGIN, Mutes(mute_times))
    table_of = {metric.name: table for table in tables.values() for metric in table.metrics}
    events: list[AlertEvent] = []
    states: dict[tuple[str, ...], list[str]] = {}
    ticks = max(len(series.words) for series in trial.series)
    for tick in range(ticks):
        sample = _make_sample(trial, tick, table_of)
        if sample is not None:
            events += evaluator.evaluate(sample)
        for name, phase in evaluator.phases():
            states.setdefault(name, ["."] * tick).append(_SIGNS[phase])
        for line in states.values():
            line += ["."] * (tick + 1 - len(line))
    shown = tuple((" ".join(name), "".join(line)) for name, line in states.items())
    return TrialResult(trial, tuple(events), shown)


def _make_sample(trial: Trial, tick: int, table_of: Mapping[str, Table]) -> Sample | None:
    """Return what the series say of one tick: rows with equal labels are one row."""
    rows: dict[str, dict[tuple[str, ...], dict[str, float | None]]] = {}
    collectors: list[Row] = []
    for series in trial.series:
        word = series.words[tick] if tick < len(series.words) else "."
        if word == ".":
            continue
        table = table_of[series.metric]
        if table.name not in rows:
            collectors.append((table.name, 0.0, 1, 0))
        labels = tuple(series.labels.get(label, "-") for label in table.labels)
        here = rows.setdefault(table.name, {})
        if word != "gone":
            here.setdefault(labels, {})[series.metric] = None if word == "_" else float(word)
    if not collectors:
        return None
    sampled: dict[str, Sequence[Row]] = {"collector": collectors}
    for name, by_labels in rows.items():
        table = next(table for table in table_of.values() if table.name == name)
        sampled[name] = [
            (*labels, *(values.get(metric.name) for metric in table.metrics)) for labels, values in by_labels.items()
        ]
    return Sample(trial.begin + tick * trial.interval, sampled)


def _describe(event: AlertEvent, begin: datetime) -> str:
    own = {name: value for name, value in event.labels.items() if name != "hostname"}
    notified = None if event.notified else False
    return str(Expected(event.at - begin, event.transition, event.rule, event.level, own, notified))
