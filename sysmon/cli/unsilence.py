"""`sysmon unsilence`: early end of a silence."""

from pathlib import Path

import click

from sysmon.cli._options import config_option, data_option, example
from sysmon.cli._silencing import check_reason, current_user, silence_store, why_option


@click.command(short_help="End a silence early.", epilog=example("sysmon unsilence 3f9a1c"))
@click.argument("silence_id", metavar="ID")
@why_option
@data_option
@config_option
def command(silence_id: str, why: str, data_dir: Path | None, config_file: Path | None) -> None:
    """End the silence ID now; alerts that it muted and that are still active are notified."""
    from sysmon.alerts.silences import Unsilence
    from sysmon.errors import DamagedError, NothingFoundError
    from sysmon.sampling.clock import SystemClock

    now = SystemClock().now()
    file = silence_store(data_dir, config_file)
    if silence_id not in [silence.id for silence in file.read().active(now)]:
        if file.damage.count:
            raise DamagedError("\n".join([f"no silence {silence_id!r} can be read", *file.damage.messages()]))
        raise NothingFoundError(f"no silence {silence_id!r} holds: look them up with `sysmon silences`")
    file.add(Unsilence(silence_id, now, check_reason(why), current_user()))
