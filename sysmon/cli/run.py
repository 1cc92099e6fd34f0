"""`sysmon run`: the recorder, until it is stopped."""

from datetime import timedelta
from functools import partial
from pathlib import Path

import click

from sysmon.cli._options import (
    color_option,
    config_option,
    data_option,
    duration,
    environment,
    example,
    interval_option,
    log_level_option,
    path,
    rules_option,
)


@click.command(
    short_help="Record samples of this machine.",
    epilog=example("sysmon run --interval 1s --for 10m", "sysmon run --once --data /tmp/look"),
)
@config_option
@data_option
@rules_option
@interval_option
@click.option("--once", is_flag=True, help="Take one sample over one second, store it, and exit.")
@click.option("--ticks", type=click.IntRange(min=1), metavar="N", help="Stop after this many samples.")
@click.option("--for", "lasting", type=duration, metavar="TIME", help="Stop after as many samples as fit in this time.")
@click.option("--procfs", type=path, metavar="DIR", help="Where the machine's /proc is, in a container.")
@click.option("--rootfs", type=path, metavar="DIR", help="Where the machine's file systems are, in a container.")
@log_level_option
@click.option("--quiet", is_flag=True, help="Show alerts only.")
@click.option("--lines", is_flag=True, help="On a terminal, show a line a sample instead of a status area.")
@color_option
def command(
    config_file: Path | None,
    data_dir: Path | None,
    rules: Path | None,
    interval: timedelta | None,
    once: bool,
    ticks: int | None,
    lasting: timedelta | None,
    procfs: Path | None,
    rootfs: Path | None,
    log_level: str | None,
    quiet: bool,
    lines: bool,
    color: str,
) -> int:
    """Record this machine: take samples, store them, evaluate alert rules and show alerts.

    With --once, --ticks or --for it exits with 1 if a sample could not be stored.
    """
    if (once, ticks is not None, lasting is not None).count(True) > 1:
        raise click.UsageError("--once, --ticks and --for exclude each other: give one of them")
    from sysmon import config as configuration
    from sysmon.app.agent import run
    from sysmon.config import trust

    environ = environment()
    load = partial(
        configuration.load,
        config=config_file,
        data=data_dir,
        rules=rules,
        interval=interval,
        log_level=log_level,
        procfs=procfs,
        rootfs=rootfs,
        environ=environ,
    )

    def load_trusted() -> configuration.Config:
        config = load()
        trust.require_trusted(config, environ)
        return config

    config = load_trusted()
    limit = run.ticks_in(lasting, config.interval) if lasting is not None else ticks
    options = run.RunOptions(ticks=limit, once=once, quiet=quiet, color=color, lines=lines)
    return run.run(config, options, environ=environ, load=load_trusted)
