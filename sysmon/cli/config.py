"""`sysmon config`: is the configuration right, and what holds in the end?"""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import timedelta
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import click

from sysmon import config as configuration
from sysmon import units
from sysmon.cli._options import config_option, environment, example
from sysmon.config import Config
from sysmon.formats import CONFIGURED_LABELS
from sysmon.names import printable


@click.group(epilog=example("sysmon config check"))
def command() -> None:
    """Check the configuration, or show all that holds."""


@command.command(epilog=example("sysmon config check --config config/sysmon.yaml"))
@config_option
def check(config_file: Path | None) -> None:
    """Say whether the configuration can be used; every error is one line with its place and the way out."""
    found = _load(config_file)
    click.echo(printable(f"{found.file}: fine") if found.file else "no configuration file: fine, the defaults hold")


@command.command(epilog=example("sysmon config show > my-sysmon.yaml"))
@config_option
def show(config_file: Path | None) -> None:
    """Print every setting as it holds now, as a file that --config takes."""
    click.echo(written(_load(config_file)), nl=False)


def written(config: Config) -> str:
    """Return a configuration as YAML that loads to the same."""
    return "".join(f"{line}\n" for line in _lines(_document(config)))


def _load(config_file: Path | None) -> Config:
    found = configuration.load(config=config_file, environ=environment())
    for warning in found.warnings:
        click.echo(printable(f"sysmon: warning: {warning}"), err=True)
    return found


def _document(config: Config) -> dict[str, Any]:
    """Return all settings in the order of the file: mappings within mappings, with values at the ends."""
    storage = _fields(config.storage) | {"retention": _fields(config.storage.retention)}
    storage |= {name: _Size(storage[name]) for name in ("max_segment_bytes", "max_bytes", "min_free")}
    limits = _fields(config.resource_limits)
    if config.resource_limits.memory is not None:
        limits["memory"] = _Size(config.resource_limits.memory)
    return {
        "interval": config.interval,
        "data_dir": config.data_dir,
        "rules": config.rules,
        "labels": {name: config.labels.get(name) for name in CONFIGURED_LABELS},
        "storage": storage,
        "collectors": {
            name: {
                "enabled": collector.enabled,
                "interval": timedelta(seconds=collector.interval),
                **_fields(collector.options),
            }
            for name, collector in config.collectors.items()
        },
        "logging": _fields(config.logging),
        "resource_limits": limits,
    }


class _Size(int):
    """A number of bytes."""


def _fields(settings: Any) -> dict[str, Any]:
    return {one.name: getattr(settings, one.name) for one in dataclasses.fields(settings)}


def _lines(document: Mapping[str, Any], indent: str = "") -> Iterator[str]:
    for key, value in document.items():
        if isinstance(value, Mapping):
            yield f"{indent}{key}:"
            yield from _lines(value, indent + "  ")
        else:
            yield f"{indent}{key}: {_text(value)}".rstrip()


def _text(value: Any) -> str:
    """Return one value as YAML; a setting that is not set is left empty."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, timedelta):
        return units.format_duration(value)
    if isinstance(value, _Size):
        return units.format_size(value)
    if isinstance(value, tuple):
        return f"[{', '.join(_text(item) for item in value)}]"
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    return str(value) if isinstance(value, int) else _quoted(str(value))


def _quoted(text: str) -> str:
    return '"' + "".join(ch if ch.isprintable() and ch not in '"\\' else f"\\U{ord(ch):08x}" for ch in text) + '"'
