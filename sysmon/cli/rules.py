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


def _verdict(found: RuleSet) -> list[str]:
    line = f"{printable(str(found.path))}: {_counted(len(found.rules), 'rule')}, fine"
    if not found.warnings:
        return [line]
    return [f"{line}, with {_counted(len(found.warnings), 'warning')}:", *found.warnings]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
