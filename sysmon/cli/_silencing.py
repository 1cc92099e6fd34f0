"""Shared parts of commands that write silences and acknowledgements: file, reason and author."""

import getpass
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sysmon.app.silence_store import SilenceStore
from sysmon.cli._options import environment

F = TypeVar("F", bound=Callable[..., Any])
_LONGEST = 200


def why_option(command: F) -> F:
    """Add `--why TEXT`."""
    return click.option("--why", default="", metavar="TEXT", help="Why, for those who read it later.")(command)


def silence_store(data_dir: Path | None, config_file: Path | None) -> SilenceStore:
    """Return the store of silences and acknowledgements."""
    from sysmon import config

    return SilenceStore(config.data_dir(data_dir, config_file, environment()))


def check_reason(text: str) -> str:
    """Return a reason that fits into a line."""
    if len(text) > _LONGEST:
        raise click.BadParameter(f"the reason has {len(text)} characters: write at most {_LONGEST}")
    return text


def current_user() -> str:
    """Return who is asking."""
    try:
        return environment().get("SUDO_USER") or getpass.getuser()
    except (OSError, KeyError):  # a user id without a name
        return "-"
