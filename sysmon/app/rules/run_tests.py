"""Runner of rule tests: runs their files, and writes the results for people and for build servers (JUnit)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from sysmon.alerts.rule_tests import TrialResult, run_trial
from sysmon.alerts.rules.loader import load_rules
from sysmon.alerts.rules.trial_file import load_trials
from sysmon.app.catalog import tables
from sysmon.text.names import printable


@dataclass(frozen=True, slots=True)
class FileResult:
    """A file of tests and the result of each."""

    path: Path
    results: tuple[TrialResult, ...]


def run_file(path: Path, intervals: Mapping[str, float]) -> FileResult:
    """Run the tests of one file; each has intervals of its own for the tables whose metrics it writes down."""
    all_tables = tables()
    table_of = {metric.name: table.name for table in all_tables.values() for metric in table.metrics}
    file = load_trials(path, all_tables)
    results = []
    for trial in file.trials:
        own = {table_of[series.metric]: trial.interval.total_seconds() for series in trial.series}
        rules = load_rules(file.rules, all_tables, {**intervals, **own})
        results.append(run_trial(trial, rules.rules, rules.mute_times, all_tables))
    return FileResult(path, tuple(results))


def render_junit(files: Iterable[FileResult]) -> str:
    """Return the results as JUnit XML."""
    suites = []
    for file in files:
        cases = "".join(map(_render_case, file.results))
        failed = sum(not result.passed for result in file.results)
        name = quoteattr(printable(str(file.path)))
        suites.append(f'<testsuite name={name} tests="{len(file.results)}" failures="{failed}">\n{cases}</testsuite>\n')
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites>\n{"".join(suites)}</testsuites>\n'


def _render_case(result: TrialResult) -> str:
    name = quoteattr(printable(result.trial.name))
    if result.passed:
        return f"<testcase name={name}/>\n"
    failure = escape("\n".join(map(printable, result.lines())))
    return f'<testcase name={name}><failure message="other events">{failure}</failure></testcase>\n'
