"""`sysmon export`: stored rows as files for other programs."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click

from sysmon.cli._options import duration, example, host_option, path
from sysmon.cli._query import binary_stdout, build_selection, print_chosen_host, print_damage, range_options

_ERASE_LAST_LINE = "\x1b[1A\x1b[2K"
_EVERYTHING = "@0"
_PROGRESS_STEPS = 1000
_FOR_EVER = "9999-12-31T00:00Z"  # also what a clock that ran ahead has stored


@click.command(
    short_help="Export stored rows to files.",
    epilog=example(
        "sysmon export --since 1d -o exports/",
        "sysmon export --resume nightly -o exports/",
        "sysmon export --since 7d --rate 5m --columns 'timestamp,core,cpu_*_percent' -o exports/",
    ),
)
@range_options("1d", host_option)
@click.option(
    "--format",
    "form",
    type=click.Choice(["csv", "jsonl", "parquet"]),
    default="csv",
    show_default=True,
    help="For a spreadsheet, as `run` stores it, or for data frames (with DuckDB).",
)
@click.option("--columns", metavar="LIST", help="Only these columns, as in timestamp,core,cpu_*_percent.")
@click.option("--rate", type=duration, metavar="TIME", help="Downsample to one row per series and 1m, 5m, 1h, ...")
@click.option(
    "--resume",
    metavar="NAME",
    help="Only rows that no export of this name has written; the first writes all, or those from --since on.",
)
@click.option("--raw", is_flag=True, help="Keep text in CSV that a spreadsheet would run as a formula as it is.")
@click.option(
    "-o",
    "--output",
    metavar="DIR|FILE|-",
    help="A folder (one file a table; write a new one with a slash at its end), a file, or - for standard output.",
)
@click.pass_context
def command(
    context: click.Context,
    since: str,
    until: str,
    data_dir: Path | None,
    config_file: Path | None,
    host: str | None,
    tables: tuple[str, ...],
    form: str,
    columns: str | None,
    rate: timedelta | None,
    resume: str | None,
    raw: bool,
    strict: bool,
    output: str | None,
) -> int:
    """Export stored rows to files: whole rows only, and silently unless something is wrong."""
    from sysmon.app import catalog
    from sysmon.app.export import columns as wanted
    from sysmon.app.export import downsample, rows
    from sysmon.app.export.export import Exporter
    from sysmon.app.export.incremental import IncrementalExporter

    if resume is not None:
        since = since if _is_given(context, "since") else _EVERYTHING
        until = until if _is_given(context, "until") else _FOR_EVER
    place = None if output in {None, "-"} else path(output or "")
    is_folder = place is not None and ((output or "").endswith("/") or place.is_dir())
    if resume is not None and place is not None and not is_folder:
        raise click.UsageError(f"--resume writes new files: name a folder, as in -o {place}/")
    if resume is not None and place is None and strict:
        raise click.UsageError("--strict holds rows back until --resume has noted them: name a folder with -o DIR/")
    selection = build_selection(
        since=since,
        until=until,
        data_dir=data_dir,
        config_file=config_file,
        host=host,
        tables=tables,
        strict=strict,
    )
    options = rows.ExportOptions(
        rows.ExportFormat(form),
        columns=() if columns is None else wanted.parse(columns),
        rate=None if rate is None else downsample.check_rate(rate),
        raw=raw,
    )
    declared = catalog.tables()
    exporter = (
        Exporter(selection, declared, options)
        if resume is None
        else IncrementalExporter(selection, declared, options, resume)
    )
    print_chosen_host(exporter.host)
    with _progress(place) as progress:
        if place is None:
            exporter.to_stream(binary_stdout(), progress)
        elif is_folder:
            exporter.to_folder(place, progress)
        elif isinstance(exporter, Exporter):
            exporter.to_file(place, progress)
    if resume is not None:
        exporter.damage.unfinished.clear()  # what is not finished now is exported when it is
    return print_damage(exporter.damage)


def _is_given(context: click.Context, option: str) -> bool:
    return context.get_parameter_source(option) is not click.core.ParameterSource.DEFAULT


@contextmanager
def _progress(place: Path | None) -> Iterator[Callable[[float], None]]:
    """Show a bar where a person watches and the rows themselves go elsewhere, and nothing otherwise."""
    if sys.stderr is None or not sys.stderr.isatty() or (place is None and sys.stdout.isatty()):
        yield lambda _part: None
        return
    try:
        with click.progressbar(length=_PROGRESS_STEPS, label="export", file=sys.stderr) as bar:
            yield lambda part: bar.update(round(part * _PROGRESS_STEPS) - bar.pos)
    finally:
        click.echo(_ERASE_LAST_LINE, err=True, nl=False)
