"""Catalogue of metrics, for people, for programs and as a page of the documentation."""

import json
import textwrap
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from sysmon.errors import UsageError
from sysmon.model import Kind, Metric, Table
from sysmon.text.spelling import closest

SCHEMA = 1
"""Grows when a key changes its meaning or goes; new keys may come without."""

Render = Callable[[Iterable[Table]], str]
WIDTH = 80
_KINDS = {
    Kind.GAUGE: "as it is at this moment, or its mean since the sample before",
    Kind.RATE: "growth per second since the sample before",
    Kind.RATIO: "a share of something, in percent",
    Kind.COUNT: "how often since the sample before",
}


def choose(names: Sequence[str], declared: Mapping[str, Table]) -> list[Table]:
    """Return the tables of these names in the order of the catalogue, all for none; raise UsageError for others."""
    for name in names:
        if name not in declared:
            close = closest(name, declared)
            way = f"did you mean {close!r}?" if close else f"known are {', '.join(declared)}"
            raise UsageError(f"no table {name!r}: {way}")
    return [table for name, table in declared.items() if not names or name in names]


def to_text(tables: Iterable[Table]) -> str:
    """Return the catalogue for a terminal of 80 columns."""
    return "\n\n".join("\n".join(_paragraph(table)) for table in tables) + "\n"


def to_json(tables: Iterable[Table]) -> str:
    """Return the catalogue as one JSON object."""
    page = {
        "schema": SCHEMA,
        "tables": [
            {
                "table": table.name,
                "help": table.help,
                "labels": list(table.labels),
                "metrics": [
                    {"metric": metric.name, "kind": metric.kind.value, "unit": metric.unit, "help": metric.help}
                    for metric in table.metrics
                ],
            }
            for table in tables
        ],
    }
    return json.dumps(page, ensure_ascii=False, indent=1) + "\n"


def to_markdown(tables: Iterable[Table]) -> str:
    """Return the catalogue as a page of Markdown."""
    head = [
        "# Metrics",
        "",
        "<!-- Written by `sysmon metrics --format markdown`: change the declarations, then write the page again. -->",
        "",
        "Every table and every number in it, under the names that files, rules and reports use. A row begins with",
        "`timestamp`, `hostname` and the labels that the configuration gives the host; the table's own labels and its",
        "metrics follow, in the order below. What a machine cannot tell is null, an empty cell in CSV.",
        "",
        "| kind | the number is |",
        "|---|---|",
        *(f"| {kind.value} | {meaning} |" for kind, meaning in _KINDS.items()),
    ]
    return "\n".join([*head, *(line for table in tables for line in _section(table))]) + "\n"


def _paragraph(table: Table) -> Iterator[str]:
    yield from textwrap.wrap(f"{table.name}: {table.help}", WIDTH, subsequent_indent="  ")
    yield from textwrap.wrap(_labels(table), WIDTH, initial_indent="  ", subsequent_indent="  ")
    for metric in table.metrics:
        yield ""
        yield f"  {metric.name:<48}{_kind(metric)}".rstrip()
        yield from textwrap.wrap(metric.help, WIDTH, initial_indent="      ", subsequent_indent="      ")


def _section(table: Table) -> Iterator[str]:
    yield from ("", f"## {table.name}", "", table.help, "")
    yield from (f"{_labels(table, quote='`')}.", "", "| metric | kind | unit | what it is |", "|---|---|---|---|")
    for metric in table.metrics:
        yield f"| `{metric.name}` | {metric.kind.value} | {metric.unit} | {metric.help.replace('|', chr(92) + '|')} |"


def _labels(table: Table, *, quote: str = "") -> str:
    """Say what tells the rows of a sample apart."""
    if not table.labels:
        return "No labels: one row in a sample"
    return f"Labels: {', '.join(f'{quote}{label}{quote}' for label in table.labels)}"


def _kind(metric: Metric) -> str:
    return f"{metric.kind.value}, {metric.unit}" if metric.unit else metric.kind.value
