"""Runs files of rule tests, and writes what came of them for people and for build servers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from sysmon.alerts.rule_tests import Outcome, attempt
from sysmon.alerts.rules.loader import load_rules
from sysmon.alerts.rules.trial_file import load_trials
from sysmon.app.catalog import tables
from sysmon.text.names import printable


@dataclass(frozen=True, slots=True)
class Tried:
    """A file of tests and what came of each."""

    path: Path
    outcomes: tuple[Outcome, ...]


def try_file(path: Path, intervals: Mapping[str, float]) -> Tried:
    """Run the tests of one file; each has intervals of its own for the tables whose metrics it writes down."""
    known = tables()
    table_of = {metric.name: table.name for table in known.values() for metric in table.metrics}
    file = load_trials(path, known)
    outcomes = []
    for trial in file.trials:
        own = {table_of[series.metric]: trial.interval.total_seconds() for series in trial.series}
        found = load_rules(file.rules, known, {**intervals, **own})
        outcomes.append(attempt(trial, found.rules, found.quiet, known))
    return Tried(path, tuple(outcomes))


def junit(files: Iterable[Tried]) -> str:
    """Return the outcomes as JUnit XML."""
    suites = []
    for file in files:
        cases = "".join(map(_case, file.outcomes))
        failed = sum(not outcome.passed for outcome in file.outcomes)
        name = quoteattr(printable(str(file.path)))
        suites.append(
            f'<testsuite name={name} tests="{len(file.outcomes)}" failures="{failed}">\n{cases}</testsuite>\n'
        )
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{"".join(suites)}</testsuites>\n'


def _case(outcome: Outcome) -> str:
    name = quoteattr(printable(outcome.trial.name))
    if outcome.passed:
        return f"<testcase name={name}/>\n"
    told = escape("\n".join(map(printable, outcome.lines())))
    return f'<testcase name={name}><failure message="other events">{told}</failure></testcase>\n'
