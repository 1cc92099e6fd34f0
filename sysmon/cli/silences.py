"""`sysmon silences`: active silences, until when and why."""

import json
from datetime import UTC
from pathlib import Path

import click

from sysmon.cli._options import config_option, data_option, example, form_option, utc_option
from sysmon.cli._silencing import silence_store


@click.command(short_help="List active silences.", epilog=example("sysmon silences"))
@form_option
@utc_option
@data_option
@config_option
def command(form: str, utc: bool, data_dir: Path | None, config_file: Path | None) -> int:
    """List active silences."""
    from sysmon.app.reports import alerts
    from sysmon.cli._query import print_damage
    from sysmon.sampling.clock import SystemClock

    now = SystemClock().now()
    store = silence_store(data_dir, config_file)
    held = store.read().active(now)
    if form == "json":
        click.echo(json.dumps([alerts.encode_silence(silence) for silence in held], ensure_ascii=False, indent=1))
    else:
        for line in alerts.render_silences(held, now, UTC if utc else None):
            click.echo(line)
        if not (held or store.damage.count):
            click.echo("no silences")
    return print_damage(store.damage)
