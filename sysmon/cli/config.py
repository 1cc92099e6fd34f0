"""`sysmon config`: check the configuration, show what is in effect and where each value is from."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import click

from sysmon import config as configuration
from sysmon.cli._groups import Group
from sysmon.cli._options import (
    config_option,
    data_option,
    environment,
    example,
    interval_option,
    log_level_option,
    rules_option,
)
from sysmon.cli._settings_page import markdown
from sysmon.config import Config, Setting
from sysmon.text.names import printable

_WIDTH = 80
_VALUES = 46
"""The columns that values have beside their origins, of which the longest usual one has 30."""


@click.group(cls=Group, short_help="Check, show or describe the configuration.", epilog=example("sysmon config check"))
def command() -> None:
    """Check the configuration, show every setting in effect, or print its schema."""


@command.command(
    short_help="Check the configuration.", epilog=example("sysmon config check --config config/sysmon.yaml")
)
@config_option
def check(config_file: Path | None) -> None:
    """Check the configuration and the rules it names; each error is one line with its place and the fix."""
    from sysmon.alerts.rules.loader import load_rules
    from sysmon.app.agent.agent import collected_intervals
    from sysmon.app.catalog import tables
    from sysmon.cli.rules import describe_rule_set

    config = _load(config=config_file)
    rule_set = load_rules(config.rules, tables(), collected_intervals(config))
    click.echo(printable(f"{config.file}: fine") if config.file else "no configuration file: fine, the defaults hold")
    click.echo("\n".join(describe_rule_set(rule_set)))


@command.command(
    short_help="Print every setting in effect.",
    epilog=example("sysmon config show --origin", "sysmon config show > my-sysmon.yaml"),
)
@config_option
@data_option
@rules_option
@interval_option
@log_level_option
@click.option("--origin", is_flag=True, help="Show where each value is from: a flag, a variable, file:line or default.")
def show(
    config_file: Path | None,
    data_dir: Path | None,
    rules: Path | None,
    interval: timedelta | None,
    log_level: str | None,
    origin: bool,
) -> None:
    """Print every setting in effect, as a file that --config takes."""
    config = _load(config=config_file, data=data_dir, rules=rules, interval=interval, log_level=log_level)
    click.echo(render_with_origins(config) if origin else render_yaml(config), nl=False)


@command.command(
    short_help="Print the schema of the configuration.", epilog=example("sysmon config schema > sysmon.schema.json")
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "markdown"]),
    default="json",
    show_default=True,
    help="A JSON Schema for editors, or every setting in tables for people.",
)
def schema(form: str) -> None:
    """Print a JSON Schema, with which editors complete and check the configuration, or tables for people."""
    if form == "markdown":
        click.echo(markdown(configuration.settings()), nl=False)
    else:
        click.echo(json.dumps(configuration.schema(), indent=2, ensure_ascii=False))


def render_yaml(config: Config) -> str:
    """Return a configuration as YAML that loads to the same."""
    return "".join(f"{line}\n" for lines, _ in _lines(config) for line in lines)


def render_with_origins(config: Config) -> str:
    """Return the same with the origin of each value in a comment, at most 80 columns wide where names allow."""
    file = None if config.file is None else printable(str(config.file))
    shown = [f"# {file or 'no configuration file'}"]
    for (first, *more), setting in _lines(config):
        if setting is None:
            shown.append(first)
            continue
        origin = f"# {_origin(config, setting)}"
        if len(first) <= _VALUES:
            shown += [f"{first:<{_VALUES}}  {origin}", *more]
        else:
            shown += [first, *more, f"{'':{_VALUES}}  {origin}"]
    return "".join(f"{line}\n" for line in shown)


def _origin(config: Config, setting: Setting) -> str:
    """Return where a value is from; the file's folder is written once, above all values."""
    origin = config.origins[setting.name]
    return origin if config.file is None else origin.removeprefix(printable(f"{config.file.parent}/"))


def _load(**flags: Any) -> Config:
    config = configuration.load(**flags, environ=environment())
    for warning in config.warnings:
        click.echo(printable(f"sysmon: warning: {warning}"), err=True)
    return config


def _lines(config: Config) -> Iterator[tuple[list[str], Setting | None]]:
    """Yield what the file holds: the headings of sections without a setting, values each with its own."""
    above: list[str] = []
    for setting in configuration.settings():
        *sections, name = setting.name.split(".")
        same = sum(1 for depth in range(len(sections)) if sections[: depth + 1] == above[: depth + 1])
        for depth in range(same, len(sections)):
            yield [f"{'  ' * depth}{sections[depth]}:"], None
        above = sections
        value = configuration.value_of(config, setting.name)
        yield _value_lines(f"{'  ' * len(sections)}{name}: ", setting, value), setting


def _value_lines(key: str, setting: Setting, value: Any) -> list[str]:
    """Return one value as YAML; a setting that is not set is left empty, a long list takes several lines."""
    if value is None:
        return [key.rstrip()]
    if not setting.many:
        return [key + setting.reader.write(value)]
    lines = [f"{key}["]
    for index, item in enumerate(value):
        text = setting.reader.write(item) + ("," if index + 1 < len(value) else "")
        if index and len(f"{lines[-1]} {text}]") > (_WIDTH if len(lines) > 1 else _VALUES):
            lines.append(" " * (len(key) + 1) + text)
        else:
            lines[-1] += f" {text}" if index else text
    return [*lines[:-1], f"{lines[-1]}]"]
