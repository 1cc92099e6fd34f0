"""`sysmon notify`: test of the program that is run for alerts."""

from pathlib import Path

import click

from sysmon.cli._groups import Group
from sysmon.cli._options import config_option, environment, example


@click.group(cls=Group, short_help="Test how notifications are sent.", epilog=example("sysmon notify test"))
def command() -> None:
    """Test how notifications are sent."""


@command.command(
    short_help="Send a test event to notify.command.", epilog=example("sysmon notify test --config config/sysmon.yaml")
)
@config_option
def test(config_file: Path | None) -> int:
    """Run the program of notify.command with a test event on its standard input; exit with 1 if it fails."""
    from sysmon import config as configuration
    from sysmon.app.rules.trial_event import make_test_event
    from sysmon.config import trust
    from sysmon.console.command import run as run_command

    config = configuration.load(config=config_file, environ=environment())
    if not config.notify.command:
        raise click.UsageError("notify.command is not set: name a program in the configuration file")
    trust.require_trusted(config, environment())
    seconds = config.notify.timeout.total_seconds()
    trouble = run_command(config.notify.command, make_test_event(), environment(), seconds, quiet=False)
    name = config.notify.command[0]
    click.echo(f"{name}: {trouble}" if trouble else f"{name} took the event and ended with 0", err=trouble is not None)
    return 1 if trouble else 0
