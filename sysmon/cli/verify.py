"""`sysmon verify`: integrity check of stored files."""

from pathlib import Path

import click

from sysmon.cli._options import config_option, data_option, environment, example, path
from sysmon.cli._query import DAMAGED
from sysmon.errors import UsageError


@click.command(
    short_help="Check every stored line for damage.", epilog=example("sysmon verify", "sysmon verify data --repair")
)
@config_option
@data_option
@click.option("--repair", is_flag=True, help="Move damaged files to quarantine/ and keep what can be read of them.")
@click.argument("directory", metavar="[DIR]", type=path, required=False)
def command(config_file: Path | None, data_dir: Path | None, repair: bool, directory: Path | None) -> int:
    """Check every line of every file in DIR (or the data directory): what is damaged, and what is lost.

    Nothing is ever deleted: a repair keeps each damaged file as it is in quarantine/, for its owner only.
    """
    from sysmon import config
    from sysmon.app.admin import verify

    if directory is not None and data_dir is not None and directory != data_dir:
        raise UsageError(f"both {directory} and {data_dir} are named: write one of them")
    verdict = verify.check(config.data_dir(directory or data_dir, config_file, environment()), repair=repair)
    for line in (*verdict.faults, *verdict.repaired):
        click.echo(line)
    for line in verdict.remarks:
        click.echo(f"(no damage) {line}")
    faults = f"{len(verdict.faults)} faults" if len(verdict.faults) != 1 else "1 fault"
    click.echo(f"{verdict.files} files, {verdict.lines} lines: {faults if verdict.faults else 'all sound'}")
    return DAMAGED if verdict.faults else 0
