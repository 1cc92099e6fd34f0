"""`sysmon metrics`: catalogue of tables and metrics, with names and units."""

import click

from sysmon.cli._options import example, table_option

_JSON = """\
--format json prints one object:

\b
  schema    1; grows when a key below changes its meaning or goes
  tables    a list of objects:
    table     its name: that of the folder of its files
    help      a sentence
    labels    the names that tell its rows apart within a sample
    metrics   a list of objects:
      metric    its name: a column of the files, and what a rule names
      kind      gauge, rate (per second), ratio (percent), count (since the
                sample before)
      unit      such as bytes, bytes/s, percent, ms, /s; "" for a plain number
      help      a sentence
"""


@click.command(
    short_help="List every table and metric.",
    help=f"List every table with its labels and every metric with its kind and unit.\n\n{_JSON}",
    epilog=example(
        "sysmon metrics --table memory",
        "sysmon metrics --format json | jq -r '.tables[].metrics[].metric'",
    ),
)
@table_option
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json", "markdown"]),
    default="text",
    show_default=True,
    help="For people, for programs, or as the page in docs.",
)
def command(tables: tuple[str, ...], form: str) -> None:
    """Print the catalogue."""
    from sysmon.app import catalog
    from sysmon.app.admin import metrics

    render: metrics.Render = {"text": metrics.to_text, "json": metrics.to_json, "markdown": metrics.to_markdown}[form]
    click.echo(render(metrics.choose(tables, catalog.tables())), nl=False)
