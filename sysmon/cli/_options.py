"""Shared options: options that mean the same everywhere, types of values, and examples in --help."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

import click

from sysmon.cli import _completion
from sysmon.errors import UsageError
from sysmon.text import units

F = TypeVar("F", bound=Callable[..., Any])


def example(*lines: str) -> str:
    """Return an epilog whose lines can be pasted into a shell; every command has one."""
    return "\b\nExample:\n" + "\n".join(f"  {line}" for line in lines)


def duration(text: str) -> timedelta:
    """Read a value such as `10s`, `1h30m` or `10min`; a zero needs no unit."""
    if text == "0":
        return timedelta()
    if (spoken := units.read_spoken_duration(text)) is not None:
        return spoken
    try:
        return units.parse_duration(text)
    except UsageError as error:
        raise click.BadParameter(str(error)) from error


def path(text: str) -> Path:
    """Read the name of a file or folder."""
    if not text:
        raise click.BadParameter("it is empty: write the name of a file or folder")
    return Path(text)


def config_option(command: F) -> F:
    """Add `--config FILE`."""
    about = "Read the configuration from this file."
    return click.option("--config", "config_file", type=path, metavar="FILE", help=about)(command)


def data_option(command: F) -> F:
    """Add `--data DIR`."""
    about = "The data directory."
    return click.option("--data", "data_dir", type=path, metavar="DIR", help=about)(command)


def host_option(command: F) -> F:
    """Add `--host HOST`."""
    about = "The host, where the data directory holds several."
    return click.option("--host", metavar="HOST", help=about, shell_complete=_completion.complete_hosts)(command)


def hosts_option(command: F) -> F:
    """Add `--host HOST`, which may be repeated, as `hosts`."""
    about = "The host, where the data directory holds several (may be repeated; all: every host)."
    complete = _completion.complete_hosts
    return click.option("--host", "hosts", multiple=True, metavar="HOST", help=about, shell_complete=complete)(command)


def table_option(command: F) -> F:
    """Add `--table TABLE`, which may be repeated, as `tables`."""
    about = "Only this table (may be repeated)."
    complete = _completion.complete_tables
    return click.option("--table", "tables", multiple=True, metavar="TABLE", help=about, shell_complete=complete)(
        command
    )


def since_option(default: str) -> Callable[[F], F]:
    """Return what adds `--since TIME`."""
    about = "Start: 90s, 10m, 1h30m, 2d (ago), today, yesterday, 02:30, an ISO 8601 time or @epoch."
    return click.option("--since", default=default, show_default=True, metavar="TIME", help=about)


def until_option(command: F) -> F:
    """Add `--until TIME`."""
    return click.option("--until", default="now", metavar="TIME", help="End of the range; now if not given.")(command)


def nagios_option(command: F) -> F:
    """Add `--nagios`."""
    about = "One line and the exit codes of monitoring plugins: 0, 1, 2, 3."
    return click.option("--nagios", is_flag=True, help=about)(command)


def utc_option(command: F) -> F:
    """Add `--utc`."""
    about = "Show times in UTC rather than in local time."
    return click.option("--utc", is_flag=True, help=about)(command)


def form_option(command: F) -> F:
    """Add `--format text|json` as `form`."""
    choices = click.Choice(["text", "json"])
    about = "Output format: for people or for programs."
    return click.option("--format", "form", type=choices, default="text", show_default=True, help=about)(command)


def color_option(command: F) -> F:
    """Add `--color auto|always|never`."""
    about = "Colour: on a terminal, always or never; NO_COLOR and FORCE_COLOR are respected."
    choices = click.Choice(["auto", "always", "never"])
    return click.option("--color", type=choices, default="auto", show_default=True, help=about)(command)


def rules_option(command: F) -> F:
    """Add `--rules FILE`."""
    about = "Read the alert rules from this file."
    return click.option("--rules", type=path, metavar="FILE", help=about)(command)


def interval_option(command: F) -> F:
    """Add `--interval TIME`."""
    about = "Sampling interval, such as 1s or 10s."
    return click.option("--interval", type=duration, metavar="TIME", help=about)(command)


def log_level_option(command: F) -> F:
    """Add `--log-level LEVEL`."""
    levels = click.Choice(["debug", "info", "warning", "error"], case_sensitive=False)
    about = "Log level of messages on standard error."
    return click.option("--log-level", type=levels, help=about)(command)


def environment() -> dict[str, str]:
    """Return the environment as it is now."""
    return dict(os.environ)
