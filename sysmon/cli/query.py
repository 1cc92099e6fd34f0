"""`sysmon query`: SQL over stored rows."""

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sysmon.cli._options import config_option, data_option, example, hosts_option, since_option, until_option
from sysmon.cli._query import binary_stdout, build_selection, print_chosen_host, print_damage, strict_option

if TYPE_CHECKING:
    from sysmon.app.sql.query import SqlSession

EMPTY = 1
"""The exit code of a result without rows."""


@click.command(
    short_help="Query stored rows with SQL.",
    epilog=example(
        "sysmon query 'select core, max(cpu_usage_percent) from cpu group by core order by core'",
        "sysmon query --since 7d --format csv 'from alerts select timestamp, level, rule, value'",
        "sysmon query 'show tables'",
    ),
)
@click.argument("sql", metavar="SQL|-")
@since_option("1d")
@until_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "csv", "json", "jsonl", "markdown"]),
    default="table",
    show_default=True,
    help="For people, for a spreadsheet, for programs, for a wiki or an issue.",
)
@hosts_option
@strict_option
@data_option
@config_option
def command(
    sql: str,
    since: str,
    until: str,
    form: str,
    hosts: tuple[str, ...],
    strict: bool,
    data_dir: Path | None,
    config_file: Path | None,
) -> int:
    """Run one SELECT over the stored tables, alerts and events; - reads it from standard input.

    Read-only, and no other file can be reached. Every table has typed columns: `describe cpu` lists them.
    """
    from sysmon.app import catalog
    from sysmon.app.sql.confinement import confine
    from sysmon.app.sql.query import SqlSession

    selection = build_selection(
        since=since, until=until, data_dir=data_dir, config_file=config_file, tables=(), strict=strict
    )
    statement = _statement(sql)
    session = SqlSession(selection, hosts, catalog.tables())
    for host in session.hosts:
        print_chosen_host(host)
    with confine() as confinement:
        if confinement.exit_code is not None:
            return confinement.exit_code
        return _answer(session, statement, form, confinement.spill)


def _answer(session: "SqlSession", statement: str, form: str, spill: Path) -> int:
    from sysmon.app.sql import render

    encoding = (sys.stdout.encoding if form == "table" and sys.stdout else None) or "utf-8"
    stream = binary_stdout()
    with session.execute(statement, spill) as result:
        for name in result.silent:
            click.echo(f"sysmon: {name}: no rows in this range (name another with --since and --until)", err=True)
        for line in render.render(result.columns, result.rows, render.OutputFormat(form), _width()):
            stream.write(f"{line}\n".encode(encoding, "backslashreplace"))
        stream.flush()
    return print_damage(session.damage) or (0 if result.rows.count else EMPTY)


def _width() -> int | None:
    """Return how wide a terminal is, None where the answer goes elsewhere."""
    return shutil.get_terminal_size((80, 24)).columns if sys.stdout is not None and sys.stdout.isatty() else None


def _statement(sql: str) -> str:
    if sql != "-":
        return sql
    if sys.stdin is None:
        raise click.UsageError("standard input is closed: write the query as an argument")
    return sys.stdin.read()
