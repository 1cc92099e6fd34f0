"""Is a rule file fine? What is wrong with it, line by line, before `run` meets it."""

from collections.abc import Iterable
from pathlib import Path

import click

from sysmon.alerts.rules import RuleSet, load_rules
from sysmon.app.catalogue import tables


@click.group()
def command() -> None:
    """Work with alert rules.

    \b
    Example:  sysmon rules check config/rules.yaml
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines


@command.command()
@click.argument("file", type=click.Path(path_type=Path))
def check(file: Path) -> None:
    """Say whether a rule FILE can be used, and all that is wrong with it.

    \b
    Example:  sysmon rules check config/rules.yaml
    """  # noqa: D301 - \b is click's mark for a paragraph that keeps its lines
    known = tables()
    click.echo("\n".join(_verdict(load_rules(file, known, _intervals(known)))))


def _intervals(names: Iterable[str]) -> dict[str, float]:
    """Return the seconds between two ticks of each table."""
    return {name: 60.0 if name == "disk_usage" else 10.0 for name in names}


def _verdict(found: RuleSet) -> list[str]:
    many = len(found.rules)
    line = f"{found.path}: {many} {'rule' if many == 1 else 'rules'}, fine"
    if not found.warnings:
        return [line]
    many = len(found.warnings)
    return [f"{line}, with {many} {'warning' if many == 1 else 'warnings'}:", *found.warnings]
