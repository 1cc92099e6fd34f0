"""`sysmon config`: is the configuration right, what holds in the end, and where is each value from?"""

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
    """Check the configuration, show all that holds, or describe it to an editor."""


@command.command(epilog=example("sysmon config check --config config/sysmon.yaml"))
@config_option
def check(config_file: Path | None) -> None:
    """Say whether the configuration can be used; every error is one line with its place and the way out."""
    found = _load(config=config_file)
    click.echo(printable(f"{found.file}: fine") if found.file else "no configuration file: fine, the defaults hold")


@command.command(epilog=example("sysmon config show --origin", "sysmon config show > my-sysmon.yaml"))
@config_option
@data_option
@rules_option
@interval_option
@log_level_option
@click.option("--origin", is_flag=True, help="Say where each value is from: a flag, a variable, file:line or default.")
def show(
    config_file: Path | None,
    data_dir: Path | None,
    rules: Path | None,
    interval: timedelta | None,
    log_level: str | None,
    origin: bool,
) -> None:
    """Print every setting as it holds now, as a file that --config takes."""
    found = _load(config=config_file, data=data_dir, rules=rules, interval=interval, log_level=log_level)
    click.echo(with_origins(found) if origin else written(found), nl=False)


@command.command(epilog=example("sysmon config schema > sysmon.schema.json"))
@click.option(
    "--format",
    "form",
    type=click.Choice(["json", "markdown"]),
    default="json",
    show_default=True,
    help="A JSON Schema for editors, or every setting in tables for people.",
)
def schema(form: str) -> None:
    """Describe the configuration: to editors, which complete and check it while it is written, or to people."""
    if form == "markdown":
        click.echo(markdown(configuration.settings()), nl=False)
    else:
        click.echo(json.dumps(configuration.schema(), indent=2, ensure_ascii=False))


def written(config: Config) -> str:
    """Return a configuration as YAML that loads to the same."""
    return "".join(f"{line}\n" for lines, _ in _lines(config) for line in lines)


def with_origins(config: Config) -> str:
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
    """Return where a value is from; the file's folder is told once, above all values."""
    found = config.origins[setting.name]
    return found if config.file is None else found.removeprefix(printable(f"{config.file.parent}/"))


def _load(**flags: Any) -> Config:
    found = configuration.load(**flags, environ=environment())
    for warning in found.warnings:
        click.echo(printable(f"sysmon: warning: {warning}"), err=True)
    return found


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
