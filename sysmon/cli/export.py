"""`sysmon export`: copy stored rows into files for other programs."""

import sys
from pathlib import Path

import click

from sysmon.cli._options import example, path
from sysmon.cli._reading import binary_stdout, one_host, question, range_options, tell_damage, tell_host


@click.command(
    short_help="Copy stored rows into files.",
    epilog=example("sysmon export --since 1d -o exports/", "sysmon export --since 1h --table cpu -o -"),
)
@range_options("1d", one_host)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl"]),
    default="csv",
    show_default=True,
    help="For a spreadsheet, or as `run` stores it.",
)
@click.option("--raw", is_flag=True, help="Keep text in CSV that a spreadsheet would run as a formula as it is.")
@click.option(
    "-o",
    "--output",
    metavar="DIR|FILE|-",
    help="A folder (one file a table; write a new one with a slash at its end), a file, or - for standard output.",
)
def command(
    since: str,
    until: str,
    data_dir: Path | None,
    config_file: Path | None,
    host: str | None,
    tables: tuple[str, ...],
    form: str,
    raw: bool,
    strict: bool,
    output: str | None,
) -> int:
    """Copy stored rows into files: whole ones only, and without a word when all is well."""
    from sysmon.app import catalogue
    from sysmon.app.export import Exporter
    from sysmon.segments import Form

    asked = question(
        since=since,
        until=until,
        data_dir=data_dir,
        config_file=config_file,
        host=host,
        tables=tables,
        strict=strict,
    )
    exporter = Exporter(asked, catalogue.tables(), Form(form), raw=raw)
    tell_host(exporter.host)
    if output in {None, "-"}:
        exporter.to_stream(binary_stdout(), _progress)
    elif output is not None and (output.endswith("/") or Path(output).is_dir()):
        exporter.to_folder(path(output), _progress)
    else:
        exporter.to_file(path(output or ""), _progress)
    if _watched():
        click.echo("\r\033[K", err=True, nl=False)
    return tell_damage(exporter.damage)


def _progress(table: str, rows: int) -> None:
    if _watched() and rows:
        click.echo(f"\r{table}: {rows} rows", err=True, nl=False)


def _watched() -> bool:
    return sys.stderr is not None and sys.stderr.isatty()
