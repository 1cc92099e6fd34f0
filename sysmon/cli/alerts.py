"""`sysmon alerts`: what fires now and who did it, and what has fired."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path

import click

from sysmon.cli._options import config_option, data_option, example, form_option, utc_option
from sysmon.cli._query import build_selection, one_host, strict_option, tell_damage, tell_host

FIRING = 1
"""The exit code of `--active` when something fires."""


@click.command(
    short_help="List what is firing, and what was.",
    epilog=example("sysmon alerts --since 1d", "sysmon alerts --active --level critical"),
)
@click.option(
    "--since", default="1d", show_default=True, metavar="TIME", help="From when on, as in 1h, today or 02:30."
)
@click.option("--active", is_flag=True, help="Only what fires now; the exit code is 1 when something does.")
@click.option(
    "--level",
    type=click.Choice(["info", "warning", "critical"]),
    default="info",
    show_default=True,
    help="This bad or worse.",
)
@form_option
@click.option("--nagios", is_flag=True, help="One line and the exit code 0, 1, 2 or 3 of a monitoring plugin.")
@utc_option
@strict_option
@one_host
@data_option
@config_option
def command(
    since: str,
    active: bool,
    level: str,
    form: str,
    nagios: bool,
    utc: bool,
    strict: bool,
    host: str | None,
    data_dir: Path | None,
    config_file: Path | None,
) -> int:
    """List alerts: what is on, for how long and who did it; and those that are over, with duration and peak."""
    from sysmon.app.reports import alerts
    from sysmon.errors import SysmonError
    from sysmon.model import Level
    from sysmon.text.nagios import PluginState, plugin_line

    try:
        asked = build_selection(
            since=since,
            until="now",
            data_dir=data_dir,
            config_file=config_file,
            host=host,
            tables=(),
            strict=strict,
        )
        found = alerts.list_alerts(asked, active=active or nagios, level=Level(level))
    except SysmonError as error:
        if not nagios:
            raise
        click.echo(plugin_line(PluginState.UNKNOWN, str(error)))
        return PluginState.UNKNOWN
    if nagios:
        line, code = alerts.render_plugin_line(found)
        click.echo(line)
        return code
    tell_host(found.host)
    zone = UTC if utc else None
    if form == "json":
        click.echo(alerts.render_json(found))
    else:
        for line in _fitted(alerts.render_text(found, zone)):
            click.echo(line)
        if not found.alerts:
            click.echo("nothing fires" if active else f"no alerts since {since}")
        for line in alerts.render_silences(found.silences.active(found.at), found.at, zone):
            click.echo(f"silenced {line}")
    if active and not found.watched:
        click.echo("sysmon: sysmon is not running: this is what fired when it ended", err=True)
    return tell_damage(found.damage) or (FIRING if active and found.alerts else 0)


def _fitted(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines broken to the width of a terminal; for a pipe as they are, so that grep finds whole ones."""
    width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else sys.maxsize
    for line in lines:
        yield from textwrap.wrap(line, width, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False)
