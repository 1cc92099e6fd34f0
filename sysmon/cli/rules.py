"""`sysmon rules`: checks, unit tests and backtests of alert rules."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sysmon import config as configuration
from sysmon.alerts.rules.loader import RuleSet, load_rules
from sysmon.app.catalog import intervals, tables
from sysmon.cli._groups import Group
from sysmon.cli._options import (
    config_option,
    data_option,
    environment,
    example,
    host_option,
    path,
    rules_option,
    since_option,
    until_option,
)
from sysmon.text.names import printable
from sysmon.text.units import format_age

if TYPE_CHECKING:
    from sysmon.app.rules.backtest import RuleTally


@click.group(
    cls=Group,
    short_help="Check, test and backtest alert rules.",
    epilog=example("sysmon rules check config/rules.yaml"),
)
def command() -> None:
    """Check, test and backtest alert rules."""


@command.command(short_help="Check a rule file.", epilog=example("sysmon rules check config/rules.yaml"))
@click.argument("file", type=path)
@data_option
@config_option
def check(file: Path, data_dir: Path | None, config_file: Path | None) -> None:
    """Check a rule FILE against the intervals of the configuration, and list every error.

    Warns of a match that fits no recently stored series.
    """
    from sysmon.app.rules.match_check import RecentLabels
    from sysmon.sampling.clock import SystemClock

    config = configuration.load(config=config_file, environ=environment())
    recent = RecentLabels(data_dir or config.data_dir, SystemClock().now())
    rule_set = load_rules(file, tables(), intervals(config), unmatched=recent.unmatched)
    if recent.trouble:
        click.echo(f"sysmon: matches were not checked: {recent.trouble}", err=True)
    click.echo("\n".join(describe_rule_set(rule_set)))


@command.command(
    short_help="Print the JSON Schema of rule files.", epilog=example("sysmon rules schema > rules.schema.json")
)
def schema() -> None:
    """Print a JSON Schema of rule files, for editors that complete and check them."""
    import json

    from sysmon.alerts.rules.json_schema import build_schema

    click.echo(json.dumps(build_schema(tables()), indent=1))


@command.command(
    "test", short_help="Run unit tests of rules.", epilog=example("sysmon rules test tests.yaml --junit result.xml")
)
@click.argument("files", type=path, nargs=-1, required=True)
@click.option("--junit", type=path, metavar="FILE", help="Write the result as JUnit XML, too.")
@config_option
def try_(files: tuple[Path, ...], junit: Path | None, config_file: Path | None) -> int:
    """Run the rule unit tests in FILES: do these series give these events? Exit with 1 if one fails."""
    from sysmon.app.export.output_file import replace_output
    from sysmon.app.rules import run_tests

    base = intervals(configuration.load(config=config_file, environ=environment()))
    tried = [run_tests.run_file(file, base) for file in files]
    results = [result for file in tried for result in file.results]
    failed = [result for result in results if not result.passed]
    for result in failed:
        for line in result.lines():
            click.echo(printable(line))
    if junit is not None:
        with replace_output(junit) as file:
            file.write(run_tests.render_junit(tried).encode())
    click.echo(f"{_count(len(results), 'test')}, {len(failed)} failed")
    return 1 if failed else 0


@command.command(
    short_help="Show what would have fired.",
    epilog=example("sysmon rules backtest --since 30d", "sysmon rules backtest --rules new.yaml --compare old.yaml"),
)
@since_option("30d")
@until_option
@rules_option
@click.option("--compare", type=path, metavar="FILE", help="Compare with these rules; their numbers come first.")
@click.option("--events", is_flag=True, help="Print each event as one JSON object a line, as in the alert log.")
@host_option
@data_option
@config_option
def backtest(
    since: str,
    until: str,
    rules: Path | None,
    compare: Path | None,
    events: bool,
    host: str | None,
    data_dir: Path | None,
    config_file: Path | None,
) -> int:
    """Backtest rules: show what would have fired on the stored rows."""
    from sysmon.app.rules import backtest as past
    from sysmon.cli._query import build_selection, print_chosen_host, print_damage
    from sysmon.formats import jsonl, records

    selection = build_selection(
        since=since, until=until, data_dir=data_dir, config_file=config_file, host=host, tables=()
    )
    replay = past.open_replay(selection)
    print_chosen_host(replay.host)
    file = rules or configuration.load(config=config_file, environ=environment()).rules
    new = replay.rules(file)
    if events:
        for event in replay.events(new, culprits=True):
            click.echo(jsonl.encode_record(records.alert_record(event)), nl=False)
        return print_damage(replay.damage)
    after = past.tally_rules(replay, new)
    before = None
    if compare is not None:
        before = past.tally_rules(replay, replay.rules(compare))
    for line in _tallies(after, before):
        click.echo(line)
    return print_damage(replay.damage)


@command.command(
    short_help="Suggest limits from stored history.", epilog=example("sysmon rules suggest --since 14d > my-rules.yaml")
)
@since_option("14d")
@until_option
@rules_option
@host_option
@data_option
@config_option
def suggest(
    since: str, until: str, rules: Path | None, host: str | None, data_dir: Path | None, config_file: Path | None
) -> int:
    """Print the rules with limits from this machine's own history, and how often each would have fired."""
    from sysmon.app.rules import backtest as past
    from sysmon.app.rules.suggest import suggest_rules
    from sysmon.cli._query import build_selection, print_chosen_host, print_damage

    selection = build_selection(
        since=since, until=until, data_dir=data_dir, config_file=config_file, host=host, tables=()
    )
    replay = past.open_replay(selection)
    print_chosen_host(replay.host)
    file = rules or configuration.load(config=config_file, environ=environment()).rules
    for line in suggest_rules(replay, replay.rules(file)):
        click.echo(line)
    return print_damage(replay.damage)


def _tallies(after: "dict[str, RuleTally]", before: "dict[str, RuleTally] | None") -> Iterator[str]:
    names = list(after) + [name for name in before or {} if name not in after]
    rows = [["rule", "fired", "in all", "longest", "flaps", "first", "last"]]
    for name in names:
        new, old = after.get(name), (before or {}).get(name)
        cells = [
            _cell(new, old, compared=before is not None, show=show)
            for show in (
                lambda tally: str(tally.fired),
                lambda tally: format_age(tally.seconds),
                lambda tally: format_age(tally.longest),
                lambda tally: str(tally.flaps),
            )
        ]
        either = new or old
        ends = [f"{at.astimezone():%m-%d %H:%M}" if at else "-" for at in (either.first, either.last)] if either else []
        rows.append([name, *cells, *ends])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for name, *numbers, first, last in rows:
        cells = [f"{cell:>{width}}" for cell, width in zip(numbers, widths[1:-2], strict=True)]
        yield "  ".join([f"{name:<{widths[0]}}", *cells, f"{first:<{widths[-2]}}", last])


def _cell(
    new: "RuleTally | None", old: "RuleTally | None", *, compared: bool, show: "Callable[[RuleTally], str]"
) -> str:
    after = "-" if new is None else show(new)
    return f"{'-' if old is None else show(old)} -> {after}" if compared else after


def describe_rule_set(rule_set: RuleSet) -> list[str]:
    """Return a line that says that a file of rules is fine, and its warnings."""
    line = f"{printable(str(rule_set.path))}: {_count(len(rule_set.rules), 'rule')}, fine"
    if not rule_set.warnings:
        return [line]
    return [f"{line}, with {_count(len(rule_set.warnings), 'warning')}:", *rule_set.warnings]


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
