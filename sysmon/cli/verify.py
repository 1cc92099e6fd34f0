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
    report = verify.verify_files(config.data_dir(directory or data_dir, config_file, environment()), repair=repair)
    for line in (*report.faults, *report.repaired):
        click.echo(line)
    for line in report.remarks:
        click.echo(f"(no damage) {line}")
    faults = f"{len(report.faults)} faults" if len(report.faults) != 1 else "1 fault"
    click.echo(f"{report.files} files, {report.lines} lines: {faults if report.faults else 'all sound'}")
    return DAMAGED if report.faults else 0
