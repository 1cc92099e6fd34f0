"""`sysmon service`: systemd units."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sysmon.cli._groups import Group
from sysmon.cli._options import config_option, data_option, environment, example, path
from sysmon.text.names import printable

F = TypeVar("F", bound=Callable[..., Any])
LEFT = 1
"""The exit code where something was left that somebody has edited, or where there was nothing to remove."""


@click.group(
    cls=Group,
    short_help="Install sysmon as a systemd service.",
    epilog=example("sysmon service install --print", "sysmon service install", "sysmon service uninstall"),
)
def command() -> None:
    """Have systemd start sysmon with the machine, look after its files, and export them day by day."""


def _user_option(command: F) -> F:
    return click.option("--user", is_flag=True, help="A user service, without root, instead of a system service.")(
        command
    )


def _root_option(command: F) -> F:
    about = "Another system's folder, as when an image or a package is built."
    return click.option("--root", type=path, default="/", metavar="DIR", help=about)(command)


@command.command(
    short_help="Write the unit files.",
    epilog=example("sysmon service install --print", "sysmon service install --user"),
)
@_user_option
@click.option("--print", "only_print", is_flag=True, help="Show the files and write nothing.")
@click.option("--overwrite", is_flag=True, help="Replace files that somebody has edited, too.")
@config_option
@data_option
@_root_option
def install(
    user: bool, only_print: bool, overwrite: bool, config_file: Path | None, data_dir: Path | None, root: Path
) -> None:
    """Write the unit files of a service; start nothing, and say how to.

    The files say where this sysmon, its configuration and its data are. The same call gives the same files; one that
    somebody has edited is not replaced.
    """
    from sysmon.app.admin import service

    options = service.ServiceOptions(user, config_file, data_dir, root)
    if only_print:
        _, files = service.files_of(options, environment())
        for index, (place, text) in enumerate(files.items()):
            click.echo(f"{chr(10) if index else ''}==> {printable(str(place))} <==\n{text}", nl=False)
        return
    done = service.install(options, environment(), overwrite=overwrite)
    for place in done.written:
        click.echo(f"wrote      {printable(str(place))}")
    for place in done.same:
        click.echo(f"unchanged  {printable(str(place))}")
    click.echo("\nNothing was started. Next:")
    for step in service.next_steps(options, done.setup):
        click.echo(f"  {printable(step)}")
    if not user:
        click.echo("\nWho is to read the samples must be in the group sysmon: usermod -aG sysmon NAME")


@command.command(
    short_help="Remove the unit files.", epilog=example("sysmon service uninstall", "sysmon service uninstall --user")
)
@_user_option
@_root_option
def uninstall(user: bool, root: Path) -> int:
    """Remove the unit files that `install` wrote; leave what was edited, the configuration and the data."""
    from sysmon.app.admin import service

    done = service.uninstall(service.ServiceOptions(user=user, root=root), environment())
    for place in done.gone:
        click.echo(f"removed  {printable(str(place))}")
    for place in done.edited:
        click.echo(f"sysmon: {printable(str(place))}: left, since somebody edited it: delete it by hand", err=True)
    if not done.gone and not done.edited:
        click.echo("sysmon: no service is installed: nothing to remove", err=True)
    if done.gone:
        manager = "systemctl --user" if user else "systemctl"
        click.echo(f"\nThe configuration and the data stay. Next:\n  {manager} daemon-reload")
    return 0 if done.gone and not done.edited else LEFT
