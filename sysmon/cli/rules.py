"""`sysmon rules`: is a rule file right, and what is wrong with it, line by line, before `run` meets it?"""

from pathlib import Path

import click

from sysmon import config as configuration
from sysmon.alerts.rules import RuleSet, load_rules
from sysmon.app.catalogue import intervals, tables
from sysmon.cli._options import config_option, environment, example, path
from sysmon.names import printable


@click.group(epilog=example("sysmon rules check config/rules.yaml"))
def command() -> None:
    """Work with alert rules."""


@command.command(epilog=example("sysmon rules check config/rules.yaml"))
@click.argument("file", type=path)
@config_option
def check(file: Path, config_file: Path | None) -> None:
    """Say whether a rule FILE can be used, with the intervals of the configuration, and all that is wrong with it."""
    config = configuration.load(config=config_file, environ=environment())
    click.echo("\n".join(_verdict(load_rules(file, tables(), intervals(config)))))


@command.command("test", epilog=example("sysmon rules test tests.yaml --junit result.xml"))
@click.argument("files", type=path, nargs=-1, required=True)
@click.option("--junit", type=path, metavar="FILE", help="Write the outcome as JUnit XML, too.")
@config_option
def try_(files: tuple[Path, ...], junit: Path | None, config_file: Path | None) -> int:
    """Run the tests of rules in FILES: do these series bring these events? Exit 1 when one fails."""
    from sysmon.app import trials

    known = intervals(configuration.load(config=config_file, environ=environment()))
    tried = [trials.try_file(file, known) for file in files]
    outcomes = [outcome for file in tried for outcome in file.outcomes]
    failed = [outcome for outcome in outcomes if not outcome.passed]
    for outcome in failed:
        for line in outcome.lines():
            click.echo(printable(line))
    if junit is not None:
        junit.write_text(trials.junit(tried), "utf-8")
    click.echo(f"{_counted(len(outcomes), 'test')}, {len(failed)} failed")
    return 1 if failed else 0


def _verdict(found: RuleSet) -> list[str]:
    line = f"{printable(str(found.path))}: {_counted(len(found.rules), 'rule')}, fine"
    if not found.warnings:
        return [line]
    return [f"{line}, with {_counted(len(found.warnings), 'warning')}:", *found.warnings]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
