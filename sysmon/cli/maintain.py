"""`sysmon maintain`: retention, roll-ups and compression."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sysmon.cli._options import config_option, data_option, environment, example
from sysmon.model import Unit
from sysmon.text.names import printable
from sysmon.text.units import human

if TYPE_CHECKING:
    from sysmon.app.admin.maintain import MaintenanceResult

PROBLEM = 1


@click.command(
    short_help="Expire, roll up and compress stored files.",
    epilog=example("sysmon maintain", "sysmon maintain --rebuild --data data"),
)
@config_option
@data_option
@click.option("--rebuild", is_flag=True, help="Rebuild every roll-up whose samples are still there.")
@click.option("--trust-clock", is_flag=True, help="Delete by age though the clock may have jumped: it is right.")
@click.option("--low-priority", is_flag=True, help="Lower the priority to that of an idle task after deleting.")
def command(
    config_file: Path | None, data_dir: Path | None, rebuild: bool, trust_clock: bool, low_priority: bool
) -> int:
    """Expire, roll up and compress stored files. `sysmon run` does this by itself; it may be run beside it at any time.

    Prints what it did on a terminal only, and errors always. Exits with 75 where a program that is no sysmon holds its
    lock, and nothing was done.
    """
    from sysmon import config as configuration
    from sysmon.app.admin import maintain
    from sysmon.app.admin.clock_trust import describe_hold
    from sysmon.sampling.clock import SystemClock

    config = configuration.load(config=config_file, data=data_dir, environ=environment())
    done = maintain.maintain(
        config.data_dir,
        config.storage,
        now=SystemClock().now(),
        rebuild=rebuild,
        trust_clock=trust_clock,
        room_made=maintain.lower_priority if low_priority else lambda: None,
    )
    for problem in done.problems:
        click.echo(f"sysmon: {problem}", err=True)
    if done.busy:
        click.echo("sysmon: another `sysmon maintain` or `verify --repair` is at work: nothing was done", err=True)
    elif sys.stdout is not None and sys.stdout.isatty():
        click.echo(_summarise(done))
        for hold in done.holds:
            click.echo(f"{printable(hold.host)}: {describe_hold(hold)}")
    return PROBLEM if done.problems else 0


def _summarise(done: "MaintenanceResult") -> str:
    freed = f" ({human(done.deleted_bytes, Unit.BYTES)})" if done.deleted else ""
    return f"deleted {done.deleted}{freed}, rolled up {done.rolled_up}, compressed {done.compressed}"
