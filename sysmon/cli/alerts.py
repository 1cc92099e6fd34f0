"""`sysmon alerts`: active and past alerts."""

import shutil
import sys
import textwrap
from collections.abc import Iterable, Iterator
from datetime import UTC
from pathlib import Path

import click

from sysmon.cli._options import (
    config_option,
    data_option,
    example,
    form_option,
    host_option,
    nagios_option,
    since_option,
    utc_option,
)
from sysmon.cli._query import build_selection, print_chosen_host, print_damage, strict_option

FIRING = 1
"""The exit code of `--active` when something fires."""


@click.command(
    short_help="List active and past alerts.",
    epilog=example("sysmon alerts --since 1d", "sysmon alerts --active --level critical"),
)
@since_option("1d")
@click.option("--active", is_flag=True, help="Only active alerts; exit with 1 if there are any.")
@click.option(
    "--level",
    type=click.Choice(["info", "warning", "critical"]),
    default="info",
    show_default=True,
    help="Lowest level to list.",
)
@form_option
@nagios_option
@utc_option
@strict_option
@host_option
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
    """List alerts: active ones with duration and top process, resolved ones with duration and peak."""
    from sysmon.app.reports import alerts
    from sysmon.errors import SysmonError
    from sysmon.model import Level
    from sysmon.text.nagios import PluginState, plugin_line

    try:
        selection = build_selection(
            since=since,
            until="now",
            data_dir=data_dir,
            config_file=config_file,
            host=host,
            tables=(),
            strict=strict,
        )
        listing = alerts.list_alerts(selection, active=active or nagios, level=Level(level))
    except SysmonError as error:
        if not nagios:
            raise
        click.echo(plugin_line(PluginState.UNKNOWN, str(error)))
        return PluginState.UNKNOWN
    if nagios:
        line, code = alerts.render_plugin_line(listing)
        click.echo(line)
        return code
    print_chosen_host(listing.host)
    zone = UTC if utc else None
    if form == "json":
        click.echo(alerts.render_json(listing))
    else:
        for line in _wrap(alerts.render_text(listing, zone)):
            click.echo(line)
        if not listing.alerts:
            click.echo("no active alerts" if active else f"no alerts since {since}")
        for line in alerts.render_silences(listing.silences.active(listing.at), listing.at, zone):
            click.echo(f"silenced {line}")
    if active and not listing.watched:
        state = "these alerts were" if listing.alerts else "no such alert was"
        click.echo(f"sysmon: no recorder running: {state} active when it stopped", err=True)
    return print_damage(listing.damage) or (FIRING if active and listing.alerts else 0)


def _wrap(lines: Iterable[str]) -> Iterator[str]:
    """Yield lines broken to the width of a terminal; for a pipe as they are, so that grep finds whole ones."""
    width = shutil.get_terminal_size((80, 24)).columns if sys.stdout.isatty() else sys.maxsize
    for line in lines:
        yield from textwrap.wrap(line, width, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False)
