"""`sysmon silence`: mute alerts for a while."""

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import click

from sysmon.cli._options import config_option, data_option, duration, environment, example, rules_option
from sysmon.cli._silencing import check_reason, current_user, silence_store, why_option

LONGEST = timedelta(days=90)


@click.command(
    short_help="Mute alerts for a while.",
    epilog=example(
        "sysmon silence disk-full --match mountpoint=/mnt/x --for 2h --why migration",
        "sysmon silence 'cpu-*' --for 30m",
    ),
)
@click.argument("rule")
@click.option(
    "--match", "matches", multiple=True, metavar="LABEL=GLOB", help="Only alerts with this label (repeatable)."
)
@click.option("--for", "lasting", type=duration, required=True, metavar="TIME", help="How long, as in 2h.")
@why_option
@rules_option
@data_option
@config_option
def command(
    rule: str,
    matches: tuple[str, ...],
    lasting: timedelta,
    why: str,
    rules: Path | None,
    data_dir: Path | None,
    config_file: Path | None,
) -> None:
    """Mute the alerts of RULE (a name or a pattern) for a while; they are still logged and listed."""
    from sysmon.app.silence_store import new_silence
    from sysmon.sampling.clock import SystemClock
    from sysmon.text.instants import from_ms, to_ms

    if not timedelta(0) < lasting <= LONGEST:
        raise click.BadParameter("write a time of more than 0s and at most 90d", param_hint="--for")
    _check_rule(rule, config_file, rules)
    now = from_ms(to_ms(SystemClock().now()))
    silence = new_silence(
        rule, _labels(matches), since=now, until=now + lasting, why=check_reason(why), by=current_user()
    )
    silence_store(data_dir, config_file).add(silence)
    click.echo(f"{silence.id}  end it with: sysmon unsilence {silence.id}")


def _check_rule(rule: str, config_file: Path | None, rules: Path | None) -> None:
    """Refuse a pattern that fits no rule, while there is somebody to mend it."""
    from fnmatch import fnmatchcase

    from sysmon import config
    from sysmon.adapters.yaml_nodes import suggest
    from sysmon.alerts.rules.loader import load_rules
    from sysmon.app.catalog import intervals, tables

    settings = config.load(config=config_file, rules=rules, environ=environment())
    names = [loaded.id for loaded in load_rules(settings.rules, tables(), intervals(settings)).rules]
    if not any(fnmatchcase(name, rule) for name in names):
        raise click.BadParameter(
            f"{rule!r} fits no rule of {settings.rules}: {suggest(rule, names)}", param_hint="RULE"
        )


def _labels(matches: Sequence[str]) -> dict[str, str]:
    labels = {}
    for match in matches:
        label, sign, glob = match.partition("=")
        if not (label and sign and glob):
            raise click.BadParameter(f"{match!r}: write it as mountpoint=/mnt/x", param_hint="--match")
        labels[label] = glob
    return labels
