"""`sysmon ack`: acknowledge an alert."""

from pathlib import Path

import click

from sysmon.cli._options import config_option, data_option, example, host_option
from sysmon.cli._query import build_selection
from sysmon.cli._silencing import check_reason, current_user, silence_store, why_option


@click.command(
    short_help="Acknowledge an alert: no more reminders.",
    epilog=example("sysmon ack 236cb7c7 --why 'restarting the database'"),
)
@click.argument("alert_id", metavar="ID")
@why_option
@host_option
@data_option
@config_option
def command(alert_id: str, why: str, host: str | None, data_dir: Path | None, config_file: Path | None) -> None:
    """Acknowledge the alert ID: no more reminders, but a notification when it escalates or resolves."""
    from sysmon.alerts.silences import Ack
    from sysmon.app.reports import alerts
    from sysmon.errors import DamagedError, NothingFoundError
    from sysmon.model import Level

    selection = build_selection(
        since="1h", until="now", data_dir=data_dir, config_file=config_file, host=host, tables=()
    )
    active = alerts.list_alerts(selection, active=True, level=Level.INFO)
    if alert_id not in [alert.id for alert in active.alerts]:
        if active.damage.count:
            raise DamagedError("\n".join([f"no alert {alert_id!r} can be read", *active.damage.messages()]))
        raise NothingFoundError(f"no alert {alert_id!r} fires: look them up with `sysmon alerts --active`")
    silence_store(data_dir, config_file).add(Ack(alert_id, active.at, check_reason(why), current_user()))
