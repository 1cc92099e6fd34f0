"""`sysmon report`: summary of a time range."""

import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, timedelta, tzinfo
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sysmon.cli import _completion
from sysmon.cli._options import (
    color_option,
    duration,
    environment,
    example,
    hosts_option,
    path,
    rules_option,
    utc_option,
)
from sysmon.cli._query import DAMAGED, binary_stdout, build_selection, print_chosen_host, print_damage, range_options
from sysmon.report.render import FORMATS, NARROW, Format, Medium, RenderOptions

if TYPE_CHECKING:
    from sysmon.app.reports.report import HostReports
    from sysmon.app.reports.rule_limits import RuleLimits
    from sysmon.app.selection import Selection

BEFORE = "before"
"""What `--compare` without a value is compared with: the range of equal length just before."""

INCOMPLETE = 1
"""The exit code where a host that was named has nothing to tell."""


class _FormatOption(click.Option):
    """`--format`; only its help needs to import the formats."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """Return the option and whom each of its values is for."""
        self.help = "; ".join(f"{name}: {form.audience}" for name, form in FORMATS.items()) + "."
        return super().get_help_record(ctx)


@click.command(
    short_help="Summarise a time range.",
    epilog=example(
        "sysmon report --since 1h",
        "sysmon report --since yesterday --until today --table cpu",
        "sysmon report --since 1h --compare 7d",
        "sysmon report --since 1d --by device",
        "sysmon report --since today --bucket 1h --metric 'cpu_usage*'",
        "sysmon report --since 1d --format html -o day.html",
        "sysmon report --since 1d --host all --format markdown -o report.md",
    ),
)
@range_options("1h", hosts_option)
@click.option(
    "--metric",
    "metrics",
    multiple=True,
    metavar="GLOB",
    help="Only metrics like this (may be repeated).",
    shell_complete=_completion.complete_metrics,
)
@utc_option
@click.option(
    "--format",
    "format_name",
    cls=_FormatOption,
    type=click.Choice(tuple(FORMATS)),
    default="text",
    show_default=True,
    help="The format of the report.",
)
@click.option(
    "--compare",
    is_flag=False,
    flag_value=BEFORE,
    metavar="[TIME]",
    help="Show what changed since the range just before, or since the same range 7d earlier.",
)
@click.option(
    "--by",
    default="",
    metavar="LABEL",
    help="Compare side by side: a line for each host, device, mountpoint, core, interface, unit, ...",
)
@click.option("--bucket", type=duration, metavar="TIME", help="Show a line for each 5m, 1h or 1d of the range.")
@click.option(
    "--top",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    metavar="N",
    help="Number of top processes.",
)
@rules_option
@click.option("--exact", is_flag=True, help="Read every row of a long range, and no roll-up.")
@color_option
@click.option("-o", "--output", type=path, metavar="FILE", help="Write here instead of to standard output.")
def command(
    since: str,
    until: str,
    data_dir: Path | None,
    config_file: Path | None,
    hosts: tuple[str, ...],
    tables: tuple[str, ...],
    metrics: tuple[str, ...],
    utc: bool,
    format_name: str,
    compare: str | None,
    by: str,
    bucket: timedelta | None,
    top: int,
    rules: Path | None,
    exact: bool,
    strict: bool,
    color: str,
    output: Path | None,
) -> int:
    """Summarise a time range: usage, peaks, top processes and alerts."""
    from sysmon.app import catalog
    from sysmon.app.reports import report
    from sysmon.app.reports.rule_limits import RuleLimits
    from sysmon.app.selection import ALL
    from sysmon.errors import UsageError
    from sysmon.report.buckets import split_range
    from sysmon.report.side_by_side import HOST

    selection = build_selection(
        since=since,
        until=until,
        data_dir=data_dir,
        config_file=config_file,
        tables=tables,
        metrics=metrics,
        strict=strict,
    )
    selection = replace(selection, exact=exact)
    if output == Path("-"):
        output = None
    form = FORMATS[format_name]
    _refuse_mixtures(form, compare=compare is not None, by=bool(by), bucket=bucket is not None)
    if form.medium is Medium.FILE and output is None and sys.stdout is not None and sys.stdout.isatty():
        raise UsageError(f"--format {format_name} is not for a terminal: write it to a file, as in -o FILE")
    if form.rows_up_to is not None:
        selection = replace(selection, short=form.rows_up_to)
    zone = UTC if utc else None
    options = _options(form, zone, color=color, output=output)

    def trend_points(metrics: Iterable[str]) -> int:
        return form.trend_points(metrics, selection.until - selection.since, options)

    detail = report.Detail(
        limits=RuleLimits() if rules is None else _load_limits(rules, config_file),
        configured=None if rules is not None else cache(lambda: _load_limits(None, config_file)),
        top=top,
        compare=None if compare is None else _shift(compare, selection),
        by=by,
        complete=form.complete,
        edges=() if bucket is None else split_range(selection.since, selection.until, bucket, zone),
    )
    if by == HOST:
        hosts = hosts or (ALL,)
    host_reports = report.build_reports(selection, hosts, catalog.tables(), trend_points, detail)
    for host_report in host_reports.reports:
        print_chosen_host(host_report.host)
    page = form.render([host_report.report for host_report in host_reports.reports], options)
    _write(page.encode(options.encoding, "backslashreplace"), output)
    return _exit_code(host_reports, hosts)


def _refuse_mixtures(form: Format, **ways: bool) -> None:
    """Refuse combinations that no format has: each of these is a view of its own."""
    from sysmon.errors import UsageError

    chosen = [f"--{way}" for way, is_chosen in ways.items() if is_chosen]
    if len(chosen) > 1:
        raise UsageError(f"{' and '.join(chosen)} exclude each other: run the report twice")
    for way in ways:
        if ways[way] and way in form.unsupported:
            able = [name for name, other in FORMATS.items() if way not in other.unsupported]
            raise UsageError(f"--{way} needs another --format: {', '.join(able)}")


def _shift(compare: str, selection: "Selection") -> timedelta:
    """Return how far back the range lies that this one is compared with."""
    from sysmon.errors import UsageError
    from sysmon.text.units import parse_duration

    shift = selection.until - selection.since if compare == BEFORE else parse_duration(compare)
    if not shift:
        raise UsageError("--compare 0s is the same range: write how much earlier, as in 1d or 7d")
    return shift


def _load_limits(rules: Path | None, config_file: Path | None) -> "RuleLimits":
    """Return the limits of the rules; a report without them is better than none, unless they were asked for."""
    from sysmon.app.reports import rule_limits
    from sysmon.errors import ConfigError

    try:
        return rule_limits.load(rules=rules, config_file=config_file, environ=environment())
    except ConfigError as error:
        if rules is not None:
            raise
        first = str(error).split("\n")[0]
        click.echo(f"sysmon: time beyond limits is not shown: {first}", err=True)
        return rule_limits.RuleLimits()


def _options(form: Format, zone: tzinfo | None, *, color: str, output: Path | None) -> RenderOptions:
    """Return how the pages look: those for people as the terminal is, all others the same everywhere."""
    if form.medium is not Medium.TERMINAL:
        return RenderOptions(zone)
    from sysmon.app.terminal.color import wants_color

    width = shutil.get_terminal_size((NARROW, 24)).columns
    colored = wants_color(color, environment()) if output is None else color == "always"
    encoding = (sys.stdout.encoding if output is None and sys.stdout else None) or "utf-8"
    return RenderOptions(zone, width, colored, encoding)


def _exit_code(host_reports: "HostReports", hosts: Sequence[str]) -> int:
    """Say what is missing, and return what tells the worst of it; a host that nobody named may be silent."""
    from sysmon.app.selection import ALL
    from sysmon.text.instants import format_instant
    from sysmon.text.names import printable

    for line in "\n".join((*host_reports.silent, *host_reports.unreadable)).splitlines():
        click.echo(f"sysmon: {line}", err=True)
    pairs = [(host_report.report, host_report.report.compared) for host_report in host_reports.reports]
    alone = [(lone, compared) for lone, compared in pairs if compared is not None and not compared.coverage]
    for lone, compared in alone:
        begin, end = format_instant(compared.since), format_instant(compared.until)
        click.echo(
            f"sysmon: {printable(lone.origin.hostname)}: no samples from {begin} to {end} to compare with", err=True
        )
    damaged = max(print_damage(host_report.damage) for host_report in host_reports.reports)
    if host_reports.unreadable:
        damaged = DAMAGED
    return damaged or (INCOMPLETE if alone or (host_reports.silent and ALL not in hosts) else 0)


def _write(page: bytes, output: Path | None) -> None:
    if output is None:
        stream = binary_stdout()
        stream.write(page)
        stream.flush()
        return
    from sysmon.app.export.output_file import replace_output

    with replace_output(output) as file:
        file.write(page)
