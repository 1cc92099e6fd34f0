"""`sysmon rules`: is a rule file right, and what is wrong with it, line by line, before `run` meets it?"""

from collections.abc import Iterable
from pathlib import Path

import click

from sysmon.alerts.rules import RuleSet, load_rules
from sysmon.app.catalogue import tables
from sysmon.cli._options import example, path
from sysmon.names import printable


@click.group(epilog=example("sysmon rules check config/rules.yaml"))
def command() -> None:
    """Work with alert rules."""


@command.command(epilog=example("sysmon rules check config/rules.yaml"))
@click.argument("file", type=path)
def check(file: Path) -> None:
    """Say whether a rule FILE can be used, and all that is wrong with it."""
    known = tables()
    click.echo("\n".join(_verdict(load_rules(file, known, _intervals(known)))))


def _intervals(names: Iterable[str]) -> dict[str, float]:
    """Return the seconds between two ticks of each table."""
    return {name: 60.0 if name == "disk_usage" else 10.0 for name in names}


def _verdict(found: RuleSet) -> list[str]:
    line = f"{printable(str(found.path))}: {_counted(len(found.rules), 'rule')}, fine"
    if not found.warnings:
        return [line]
    return [f"{line}, with {_counted(len(found.warnings), 'warning')}:", *found.warnings]


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
