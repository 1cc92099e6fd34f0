"""`sysmon status`: is sysmon well?"""

from pathlib import Path

import click

from sysmon.cli._options import config_option, data_option, environment, example

UNWELL = 1


@click.command(short_help="Tell whether all is well with sysmon.", epilog=example("sysmon status"))
@config_option
@data_option
@click.option("--host", metavar="HOST", help="The host, where the data directory holds several.")
def command(config_file: Path | None, data_dir: Path | None, host: str | None) -> int:
    """Tell whether sysmon runs, how complete and how fresh its samples are, and how full its disk will be.

    Ends with 0 when all is well, and with 1 when something needs a look.
    """
    from sysmon import config as configuration
    from sysmon.app import status
    from sysmon.sampling.clock import SystemClock

    config = configuration.load(config=config_file, data=data_dir, environ=environment())
    parts = status.status(config.data_dir, config.storage, host, now=SystemClock().now())
    faults = [fault for part in parts for fault in part.faults]
    click.echo("\n".join(f"WARNING  {fault}" for fault in faults) if faults else "OK")
    for part in parts:
        click.echo(f"\n{part.title}")
        for line in part.lines:
            click.echo(f"  {line}")
    return UNWELL if faults else 0
