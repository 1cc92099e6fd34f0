"""`sysmon show`: a snapshot of the whole machine at one instant."""

from pathlib import Path

import click

from sysmon.cli._live import build_display_options, build_instant_selection, page_width, print_page
from sysmon.cli._options import (
    color_option,
    config_option,
    data_option,
    environment,
    example,
    form_option,
    host_option,
    table_option,
    utc_option,
)
from sysmon.cli._query import print_chosen_host, print_damage, strict_option

NOW = "now"
OTHER_INSTANT = 1
"""The exit code where there is no sample of the instant that was asked for, and another one is shown."""


@click.command(
    short_help="Show the whole machine at one instant.",
    epilog=example("sysmon show --at 03:10", "sysmon show --at 2h", "sysmon show --at 2h --table process --plain"),
)
@click.option(
    "--at",
    default=NOW,
    metavar="TIME",
    help="When: 03:10, 2h (ago), yesterday, an ISO 8601 time or @epoch; the newest sample if not given.",
)
@table_option
@form_option
@click.option("--plain", is_flag=True, help="Print one page, also on a terminal, instead of the interactive view.")
@utc_option
@strict_option
@host_option
@data_option
@config_option
@color_option
def command(
    at: str,
    tables: tuple[str, ...],
    form: str,
    plain: bool,
    utc: bool,
    strict: bool,
    host: str | None,
    data_dir: Path | None,
    config_file: Path | None,
    color: str,
) -> int:
    """Show a snapshot of the machine: every table, the top processes, and the alerts active at that instant.

    On a terminal, keys step through time (? lists them); in a pipe it is a page.
    """
    from sysmon.app.live import context
    from sysmon.view import json, plain_page

    selection, requested = build_instant_selection(
        at, data_dir=data_dir, config_file=config_file, host=host, tables=tables, strict=strict
    )
    files = context.open_files(selection)
    print_chosen_host(files.host)
    display = build_display_options(color=color, utc=utc)
    if form == "text" and not plain and not strict and not tables:
        from sysmon.app.live import app
        from sysmon.app.live.sources import FileSource

        if app.is_interactive(environment()):
            source = FileSource(files, selection.data)
            first = files.find_newest().snapshot.at if at == NOW else requested
            return app.step_through(source, display, host=files.host.name, at=first) or print_damage(files.damage)
    lookup = files.find(requested) if at != NOW else files.find_newest()
    situation = context.describe_past(
        lookup, requested, now=selection.now, zone=display.zone, skipped=files.damage.count
    )
    if form == "json":
        print_page([json.render(lookup.snapshot, situation, requested=requested, tables=tables)], encoded="utf-8")
    else:
        print_page(plain_page.render(lookup.snapshot, situation, tables=tables, width=page_width(), look=display.look))
    return print_damage(files.damage) or (OTHER_INSTANT if lookup.mismatch else 0)
