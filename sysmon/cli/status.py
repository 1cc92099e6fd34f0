"""`sysmon status`: health of the recorder."""

from pathlib import Path

import click

from sysmon.cli._options import (
    config_option,
    data_option,
    environment,
    example,
    form_option,
    host_option,
    nagios_option,
)
from sysmon.errors import SysmonError

UNWELL = 1


@click.command(
    short_help="Show the recorder's health.",
    epilog=example("sysmon status", "sysmon status --format json", "sysmon status --nagios"),
)
@config_option
@data_option
@host_option
@form_option
@nagios_option
def command(config_file: Path | None, data_dir: Path | None, host: str | None, form: str, nagios: bool) -> int:
    """Show whether a recorder runs, how complete and fresh its samples are, what it costs, and when the disk is full.

    Exits with 0 if all is well and with 1 if something needs attention.
    """
    from sysmon import config as configuration
    from sysmon.app.admin import status, status_render
    from sysmon.sampling.clock import SystemClock
    from sysmon.text.nagios import PluginState, plugin_line

    if nagios and form != "text":
        raise click.UsageError("--nagios and --format exclude each other: give one of them")
    try:
        config = configuration.load(config=config_file, data=data_dir, environ=environment())
        health = status.assess_health(config.data_dir, config.storage, host, now=SystemClock().now())
    except (SysmonError, OSError) as error:
        if not nagios:
            raise
        click.echo(plugin_line(PluginState.UNKNOWN, str(error)))
        return PluginState.UNKNOWN
    if nagios:
        line, code = status_render.as_nagios(health)
        click.echo(line)
        return code
    click.echo(status_render.as_json(health) if form == "json" else status_render.as_text(health))
    return UNWELL if health.faults else 0
