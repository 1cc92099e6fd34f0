"""`sysmon rules`: is a rule file right, and what is wrong with it, line by line, before `run` meets it?"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sysmon import config as configuration
from sysmon.alerts.rules.loader import RuleSet, load_rules
from sysmon.app.catalog import intervals, tables
from sysmon.cli._groups import Group
from sysmon.cli._options import config_option, data_option, environment, example, path, rules_option
from sysmon.cli._query import one_host
from sysmon.text.names import printable
from sysmon.text.units import format_age

if TYPE_CHECKING:
    from sysmon.app.rules.backtest import RuleTally


@click.group(
    cls=Group, short_help="Check, test and try alert rules.", epilog=example("sysmon rules check config/rules.yaml")
)
def command() -> None:
    """Work with alert rules."""


@command.command(epilog=example("sysmon rules check config/rules.yaml"))
@click.argument("file", type=path)
@data_option
@config_option
def check(file: Path, data_dir: Path | None, config_file: Path | None) -> None:
    """Say whether a rule FILE can be used, with the intervals of the configuration, and all that is wrong with it.

    A match that fits none of the rows that were stored of late is warned of, where there are any.
    """
    from sysmon.app.rules.match_check import RecentLabels
    from sysmon.sampling.clock import SystemClock

    config = configuration.load(config=config_file, environ=environment())
    recent = RecentLabels(data_dir or config.data_dir, SystemClock().now())
    found = load_rules(file, tables(), intervals(config), unmatched=recent.unmatched)
    if recent.trouble:
        click.echo(f"sysmon: matches were not looked up: {recent.trouble}", err=True)
    click.echo("\n".join(_verdict(found)))


@command.command(epilog=example("sysmon rules schema > rules.schema.json"))
def schema() -> None:
    """Print a JSON Schema of rule files, for editors that complete and check them."""
    import json

    from sysmon.alerts.rules.json_schema import build_schema

    click.echo(json.dumps(build_schema(tables()), indent=1))


@command.command("test", epilog=example("sysmon rules test tests.yaml --junit result.xml"))
@click.argument("files", type=path, nargs=-1, required=True)
@click.option("--junit", type=path, metavar="FILE", help="Write the outcome as JUnit XML, too.")
@config_option
def try_(files: tuple[Path, ...], junit: Path | None, config_file: Path | None) -> int:
    """Run the tests of rules in FILES: do these series bring these events? Exit 1 when one fails."""
    from sysmon.app.rules import run_tests

    known = intervals(configuration.load(config=config_file, environ=environment()))
    tried = [run_tests.run_file(file, known) for file in files]
    results = [result for file in tried for result in file.results]
    failed = [result for result in results if not result.passed]
    for result in failed:
        for line in result.lines():
            click.echo(printable(line))
    if junit is not None:
        junit.write_text(run_tests.render_junit(tried), "utf-8")
    click.echo(f"{_counted(len(results), 'test')}, {len(failed)} failed")
    return 1 if failed else 0


@command.command(
    epilog=example("sysmon rules backtest --since 30d", "sysmon rules backtest --rules new.yaml --compare old.yaml")
)
@click.option("--since", default="30d", show_default=True, metavar="TIME", help="From when on, as in 1h, 7d or today.")
@click.option("--until", default="now", metavar="TIME", help="Up to when; now if not given.")
@rules_option
@click.option("--compare", type=path, metavar="FILE", help="Try these rules, too, and show what they did first.")
@click.option("--events", is_flag=True, help="Print each event as one JSON object a line, as in the alert log.")
@one_host
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
    """Say what would have fired over the stored rows."""
    from sysmon.app.rules import backtest as past
    from sysmon.cli._query import build_selection, tell_damage, tell_host
    from sysmon.formats import jsonl, records

    asked = build_selection(since=since, until=until, data_dir=data_dir, config_file=config_file, host=host, tables=())
    found = past.open_replay(asked)
    tell_host(found.host)
    file = rules or configuration.load(config=config_file, environ=environment()).rules
    new = found.rules(file)
    if events:
        for event in found.events(new, culprits=True):
            click.echo(jsonl.encode_record(records.alert_record(event)), nl=False)
        return tell_damage(found.damage)
    after = past.tally_rules(found, new)
    before = None
    if compare is not None:
        before = past.tally_rules(found, found.rules(compare))
    for line in _tallies(after, before):
        click.echo(line)
    return tell_damage(found.damage)


@command.command(epilog=example("sysmon rules suggest --since 14d > my-rules.yaml"))
@click.option("--since", default="14d", show_default=True, metavar="TIME", help="From when on, as in 1d, 14d or today.")
@click.option("--until", default="now", metavar="TIME", help="Up to when; now if not given.")
@rules_option
@one_host
@data_option
@config_option
def suggest(
    since: str, until: str, rules: Path | None, host: str | None, data_dir: Path | None, config_file: Path | None
) -> int:
    """Print the rules with limits from this machine's own history, and how often each would have fired."""
    from sysmon.app.rules import backtest as past
    from sysmon.app.rules.suggest import suggest_rules
    from sysmon.cli._query import build_selection, tell_damage, tell_host

    asked = build_selection(since=since, until=until, data_dir=data_dir, config_file=config_file, host=host, tables=())
    found = past.open_replay(asked)
    tell_host(found.host)
    file = rules or configuration.load(config=config_file, environ=environment()).rules
    for line in suggest_rules(found, found.rules(file)):
        click.echo(line)
    return tell_damage(found.damage)


def _tallies(after: "dict[str, RuleTally]", before: "dict[str, RuleTally] | None") -> Iterator[str]:
    names = list(after) + [name for name in before or {} if name not in after]
    rows = [["rule", "fired", "in all", "longest", "flaps", "first", "last"]]
    for name in names:
        new, old = after.get(name), (before or {}).get(name)
        cells = [
            _cell(new, old, compared=before is not None, show=show)
            for show in (
                lambda one: str(one.fired),
                lambda one: format_age(one.seconds),
                lambda one: format_age(one.longest),
                lambda one: str(one.flaps),
            )
        ]
        known = new or old
        ends = [f"{at.astimezone():%m-%d %H:%M}" if at else "-" for at in (known.first, known.last)] if known else []
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


def _verdict(found: RuleSet) -> list[str]:
    line = f"{printable(str(found.path))}: {_counted(len(found.rules), 'rule')}, fine"
    if not found.warnings:
        return [line]
    return [f"{line}, with {_counted(len(found.warnings), 'warning')}:", *found.warnings]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
