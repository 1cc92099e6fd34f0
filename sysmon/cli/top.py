"""`sysmon top`: live view of the whole machine."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sysmon.cli._live import build_display_options, build_instant_selection, page_width, print_page
from sysmon.cli._options import (
    color_option,
    config_option,
    data_option,
    environment,
    example,
    host_option,
    interval_option,
    utc_option,
)
from sysmon.cli._query import print_chosen_host, print_damage
from sysmon.errors import NothingFoundError
from sysmon.text.names import printable

if TYPE_CHECKING:
    from sysmon.app.live.context import DisplayOptions
    from sysmon.app.live.sources import SnapshotSource
    from sysmon.app.selection import Selection

OFTEN = timedelta(seconds=1)
"""How often samples are taken here by default."""


@click.command(
    short_help="Watch the whole machine live, and go back.",
    epilog=example("sysmon top", "sysmon top --interval 2s", "sysmon top | head -20"),
)
@interval_option
@utc_option
@host_option
@data_option
@config_option
@color_option
def command(
    interval: timedelta | None,
    utc: bool,
    host: str | None,
    data_dir: Path | None,
    config_file: Path | None,
    color: str,
) -> int:
    """Watch the whole machine live: processor, memory, disks, network, processes, alerts; keys go back in time.

    Shows the samples of the running recorder. If none is running, or with --interval, it samples by itself, every
    second by default, and stores nothing. In a pipe it prints one page.
    """
    from sysmon.app.live import app
    from sysmon.storage.lock import is_recording

    selection, _ = build_instant_selection("now", data_dir=data_dir, config_file=config_file, host=host)
    display = build_display_options(color=color, utc=utc)
    interactive = app.is_interactive(environment())
    if interval is None and is_recording(selection.data):
        return _follow(selection, display, interactive=interactive)
    return _sample(selection, display, config_file, OFTEN if interval is None else interval, interactive=interactive)


def _follow(selection: "Selection", display: "DisplayOptions", *, interactive: bool) -> int:
    """Show what a run at work stores."""
    from sysmon.app.live import app, context
    from sysmon.app.live.sources import FileSource

    files = context.open_files(selection)
    print_chosen_host(files.host)
    source = FileSource(files, selection.data)
    if not interactive:
        return _print(source, display) or print_damage(files.damage)
    return app.step_through(source, display, host=files.host.name, at=None) or print_damage(files.damage)


def _sample(
    selection: "Selection",
    display: "DisplayOptions",
    config_file: Path | None,
    interval: timedelta,
    *,
    interactive: bool,
) -> int:
    """Show what is sampled here."""
    from sysmon import config as configuration
    from sysmon.app.collectors import hostname
    from sysmon.app.live import app
    from sysmon.app.live.sampling import LiveSampling
    from sysmon.sampling.clock import SystemClock

    if selection.host is not None and selection.host != hostname():
        raise NothingFoundError(
            f"{printable(selection.host)} is not this machine, and no recorder stores it in {selection.data}: "
            f"show stored samples with `sysmon show --host {printable(selection.host)}`"
        )
    config = configuration.load(config=config_file, data=selection.data, interval=interval, environ=environment())
    sampling = LiveSampling(config, clock=SystemClock())
    if interactive:
        return app.watch(sampling, display)
    sampling.take_one()
    return _print(sampling.source, display)


def _print(source: "SnapshotSource", display: "DisplayOptions") -> int:
    from sysmon.app.live import context
    from sysmon.sampling.clock import SystemClock
    from sysmon.view import plain_page

    newest = source.find(None)
    if newest is None:
        raise NothingFoundError("no sample yet: wait until the first was taken")
    situation = context.describe_present(source, newest, now=SystemClock().now(), zone=display.zone)
    print_page(plain_page.render(newest.snapshot, situation, tables=(), width=page_width(), look=display.look))
    return 0
