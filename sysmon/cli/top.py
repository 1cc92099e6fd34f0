"""`sysmon top`: the whole machine, live."""

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sysmon.cli._live import build_instant_selection, page_width, print_page, sight
from sysmon.cli._options import (
    color_option,
    config_option,
    data_option,
    environment,
    example,
    interval_option,
    utc_option,
)
from sysmon.cli._query import one_host, tell_damage, tell_host
from sysmon.errors import NothingFoundError
from sysmon.text.names import printable

if TYPE_CHECKING:
    from sysmon.app.live.context import Sight
    from sysmon.app.live.sources import Record
    from sysmon.app.selection import Selection

OFTEN = timedelta(seconds=1)
"""How often samples are taken here where no other interval is asked for."""


@click.command(
    short_help="Watch the whole machine live, and look back.",
    epilog=example("sysmon top", "sysmon top --interval 2s", "sysmon top | head -20"),
)
@interval_option
@utc_option
@one_host
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

    The samples are those that `sysmon run` stores. Where none is at work, or with --interval, they are taken here,
    every second if not told otherwise, and not stored. In a pipe it prints one page.
    """
    from sysmon.app.live import app
    from sysmon.storage.lock import is_recording

    selection, _ = build_instant_selection("now", data_dir=data_dir, config_file=config_file, host=host)
    shown = sight(color=color, utc=utc)
    interactive = app.is_interactive(environment())
    if interval is None and is_recording(selection.data):
        return _follow(selection, shown, interactive=interactive)
    return _sample(selection, shown, config_file, OFTEN if interval is None else interval, interactive=interactive)


def _follow(selection: "Selection", shown: "Sight", *, interactive: bool) -> int:
    """Show what a run at work stores."""
    from sysmon.app.live import app, context
    from sysmon.app.live.sources import FileRecord

    files = context.open_files(selection)
    tell_host(files.host)
    record = FileRecord(files, selection.data)
    if not interactive:
        return _print(record, shown) or tell_damage(files.damage)
    return app.step_through(record, shown, host=files.host.name, at=None) or tell_damage(files.damage)


def _sample(
    selection: "Selection", shown: "Sight", config_file: Path | None, interval: timedelta, *, interactive: bool
) -> int:
    """Show what is sampled here."""
    from sysmon import config as configuration
    from sysmon.app.collectors import hostname
    from sysmon.app.live import app
    from sysmon.app.live.sampling import OwnSampling
    from sysmon.sampling.clock import SystemClock

    if selection.host is not None and selection.host != hostname():
        raise NothingFoundError(
            f"{printable(selection.host)} is not this machine, and nobody samples it into {selection.data}: "
            f"look back with `sysmon show --host {printable(selection.host)}`"
        )
    config = configuration.load(config=config_file, data=selection.data, interval=interval, environ=environment())
    sampling = OwnSampling(config, clock=SystemClock())
    if interactive:
        return app.watch(sampling, shown)
    sampling.once()
    return _print(sampling.record, shown)


def _print(record: "Record", shown: "Sight") -> int:
    from sysmon.app.live import context
    from sysmon.sampling.clock import SystemClock
    from sysmon.view import plain_page

    found = record.find(None)
    if found is None:
        raise NothingFoundError("no sample yet: wait until the first was taken")
    situation = context.present(record, found, now=SystemClock().now(), zone=shown.zone)
    print_page(plain_page.render(found.moment, situation, tables=(), width=page_width(), look=shown.look))
    return 0
