"""`sysmon status`: is sysmon well?"""

from pathlib import Path

import click

from sysmon.cli._options import config_option, data_option, environment, example
from sysmon.errors import SysmonError

UNWELL = 1


@click.command(
    short_help="Tell whether all is well with sysmon.",
    epilog=example("sysmon status", "sysmon status --format json", "sysmon status --nagios"),
)
@config_option
@data_option
@click.option("--host", metavar="HOST", help="The host, where the data directory holds several.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True, help="For whom."
)
@click.option("--nagios", is_flag=True, help="One line and the exit codes of monitoring plugins: 0, 1, 2, 3.")
def command(config_file: Path | None, data_dir: Path | None, host: str | None, form: str, nagios: bool) -> int:
    """Tell whether sysmon runs, how complete and how fresh its samples are, what it costs, how full its disk will be.

    Ends with 0 when all is well, and with 1 when something needs a look.
    """
    from sysmon import config as configuration
    from sysmon.app.admin import status, status_render
    from sysmon.sampling.clock import SystemClock
    from sysmon.text.nagios import PluginState, plugin_line

    if nagios and form != "text":
        raise click.UsageError("--nagios and --format exclude each other: give one of them")
    try:
        config = configuration.load(config=config_file, data=data_dir, environ=environment())
        found = status.status(config.data_dir, config.storage, host, now=SystemClock().now())
    except (SysmonError, OSError) as error:
        if not nagios:
            raise
        click.echo(plugin_line(PluginState.UNKNOWN, str(error)))
        return PluginState.UNKNOWN
    if nagios:
        line, code = status_render.as_nagios(found)
        click.echo(line)
        return code
    click.echo(status_render.as_json(found) if form == "json" else status_render.as_text(found))
    return UNWELL if found.faults else 0
