"""`sysmon report`: tell what happened in a range of time."""

import shutil
import sys
from collections.abc import Iterable
from datetime import UTC
from pathlib import Path

import click

from sysmon.cli._options import example, path
from sysmon.cli._reading import binary_stdout, question, range_options, tell_damage, tell_host

JSON_TREND = 60
"""In how many parts a trend is cut for programs."""


@click.command(epilog=example("sysmon report --since 1h", "sysmon report --since yesterday --until today --table cpu"))
@range_options("1h")
@click.option("--metric", "metrics", multiple=True, metavar="GLOB", help="Only metrics like this (may be repeated).")
@click.option("--utc", is_flag=True, help="Show times in UTC rather than in local time.")
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("-o", "--output", type=path, metavar="FILE", help="Write here instead of to standard output.")
def command(
    since: str,
    until: str,
    data_dir: Path | None,
    config_file: Path | None,
    host: str | None,
    tables: tuple[str, ...],
    metrics: tuple[str, ...],
    utc: bool,
    form: str,
    output: Path | None,
) -> int:
    """Tell what happened: how much of what, when it peaked, who used it, which alerts there were."""
    from sysmon.app import catalogue, report
    from sysmon.report import canvas, spark, text

    asked = question(
        since=since,
        until=until,
        data_dir=data_dir,
        config_file=config_file,
        host=host,
        tables=tables,
        metrics=metrics,
    )
    if output == Path("-"):
        output = None
    encoding = (sys.stdout.encoding if output is None and sys.stdout else None) or "utf-8"
    bars = spark.BLOCKS if _can_carry(spark.BLOCKS, encoding) else spark.ASCII
    width = shutil.get_terminal_size((canvas.NARROW, 24)).columns

    def trend_width(names: Iterable[str]) -> int:
        return canvas.trend_width(names, width) if form == "text" else JSON_TREND

    found = report.answer(asked, catalogue.tables(), trend_width)
    tell_host(found.host)
    if form == "json":
        from sysmon.report import json

        page = json.render(found.report).encode()
    else:
        style = canvas.Style(width=width, zone=UTC if utc else None, bars=bars)
        page = text.render([found.report], style).encode(encoding, "backslashreplace")
    _write(page, output)
    return tell_damage(found.damage)


def _write(page: bytes, output: Path | None) -> None:
    if output is None:
        stream = binary_stdout()
        stream.write(page)
        stream.flush()
        return
    from sysmon.app.outfile import replacing

    with replacing(output) as file:
        file.write(page)


def _can_carry(text: str, encoding: str) -> bool:
    try:
        text.encode(encoding)
    except (UnicodeEncodeError, LookupError):
        return False
    return True
