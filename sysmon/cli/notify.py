"""`sysmon notify`: does the program that is run for alerts work?"""

from pathlib import Path

import click

from sysmon.cli._groups import Group
from sysmon.cli._options import config_option, environment, example


@click.group(cls=Group, short_help="Try how alerts leave this machine.", epilog=example("sysmon notify test"))
def command() -> None:
    """Try how alerts leave this machine."""


@command.command(epilog=example("sysmon notify test --config config/sysmon.yaml"))
@config_option
def test(config_file: Path | None) -> int:
    """Run the program of notify.command with a made-up event on its standard input; exit 1 when it fails."""
    from sysmon import config as configuration
    from sysmon.app.rules.trial_event import make_test_event
    from sysmon.console.command import run as run_command

    config = configuration.load(config=config_file, environ=environment())
    if not config.notify.command:
        raise click.UsageError("notify.command is not set: name a program in the configuration file")
    seconds = config.notify.timeout.total_seconds()
    trouble = run_command(config.notify.command, make_test_event(), environment(), seconds, quiet=False)
    name = config.notify.command[0]
    click.echo(f"{name}: {trouble}" if trouble else f"{name} took the event and ended with 0", err=trouble is not None)
    return 1 if trouble else 0
