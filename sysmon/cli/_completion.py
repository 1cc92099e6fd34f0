"""Shell completion: the names that are offered after `--host`, `--table` and `--metric`."""

import os
from collections.abc import Iterable
from itertools import chain

import click

from sysmon.errors import SysmonError


def complete_tables(context: click.Context, parameter: click.Parameter, prefix: str) -> list[str]:
    """Complete the name of a table."""
    from sysmon.app import catalog

    return _with_prefix(prefix, catalog.tables())


def complete_metrics(context: click.Context, parameter: click.Parameter, prefix: str) -> list[str]:
    """Complete the name of a metric."""
    from sysmon.app import catalog

    declared = chain.from_iterable(table.metrics for table in catalog.tables().values())
    return _with_prefix(prefix, (metric.name for metric in declared))


def complete_hosts(context: click.Context, parameter: click.Parameter, prefix: str) -> list[str]:
    """Complete the name of a host of the data directory that is meant."""
    from sysmon import config
    from sysmon.reading import catalog

    try:
        data = config.data_dir(context.params.get("data_dir"), context.params.get("config_file"), dict(os.environ))
        return _with_prefix(prefix, catalog.hosts(data))
    except (SysmonError, OSError):  # nobody wants an error at a press of Tab
        return []


def _with_prefix(prefix: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(prefix))
