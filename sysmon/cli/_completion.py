"""What could come next? The names that a shell offers at a press of Tab after `--host`, `--table` and `--metric`."""

from collections.abc import Iterable
from itertools import chain

import click

from sysmon.cli._options import environment
from sysmon.errors import SysmonError


def tables(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Return the tables whose names begin so."""
    from sysmon.app import catalog

    return _beginning(begun, catalog.tables())


def metrics(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Return the metrics whose names begin so."""
    from sysmon.app import catalog

    found = chain.from_iterable(table.metrics for table in catalog.tables().values())
    return _beginning(begun, (metric.name for metric in found))


def hosts(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Return the hosts of the data directory that is meant whose names begin so."""
    from sysmon import config
    from sysmon.reading import catalog

    try:
        data = config.data_dir(context.params.get("data_dir"), context.params.get("config_file"), environment())
        return _beginning(begun, catalog.hosts(data))
    except (SysmonError, OSError):  # nobody wants an error at a press of Tab
        return []


def _beginning(begun: str, names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.startswith(begun))
