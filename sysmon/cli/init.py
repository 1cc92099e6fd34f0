"""`sysmon init`: first configuration and rules for this machine."""

from pathlib import Path

import click

from sysmon.cli._options import environment, example, path
from sysmon.text.names import printable

NOTHING_NEW = 1
"""The exit code where both files were there."""


@click.command(
    short_help="Write a first configuration and rules.",
    epilog=example("sysmon init", "sysmon init -o ~/sysmon"),
)
@click.option(
    "-o", "--output", type=path, metavar="DIR", help="The folder; by default the one in which `run` will find them."
)
def command(output: Path | None) -> int:
    """Write a commented configuration and alert rules for this machine: its cores, mounts, disks and interfaces.

    A file that is there stays as it is. Everything is at its default, so nothing has to be edited.
    """
    from sysmon.app.admin.init import init
    from sysmon.config import locations

    usual = locations.usual_config_folder(environment())
    folder = output or usual
    done = init(folder)
    for file in done.kept:
        click.echo(f"sysmon: {printable(str(file))} is there already and stays as it is", err=True)
    for file in done.new:
        click.echo(f"wrote {printable(str(file))}")
    if not done.new:
        return NOTHING_NEW
    config = folder / locations.CONFIG_NAME
    named = "" if folder == usual else f" --config {printable(str(config))}"
    click.echo(f"review them, then: sysmon config check{named} && sysmon run{named}")
    return 0
