"""Collector contract: what sysmon relies on, as checks that the test of any collector can run.

assert violations(SoftirqCollector, SoftirqCollector.Options(), Source()) == []
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from sysmon.collectors import register
from sysmon.collectors.api import Kind, Metric, Row, Source, Table, Unavailable, Unit
from sysmon.errors import CollectorError
from sysmon.protocols import Closing

_NAME = re.compile(r"[a-z][a-z0-9_]*")
_ENDINGS = {
    Unit.BYTES: "_bytes",
    Unit.BYTES_PER_SECOND: "_bytes_per_second",
    Unit.PER_SECOND: "_per_second",
    Unit.PERCENT: "_percent",
    Unit.SECONDS: "_seconds",
    Unit.MILLISECONDS: "_ms",
}
_UNITS = {
    Kind.RATE: (Unit.PER_SECOND, Unit.BYTES_PER_SECOND),
    Kind.RATIO: (Unit.PERCENT,),
    Kind.COUNT: (Unit.NONE,),
    Kind.GAUGE: (Unit.NONE, Unit.BYTES, Unit.SECONDS, Unit.MILLISECONDS, Unit.YES_OR_NO),
}


def violations(collector: Any, options: Any, source: Source) -> list[str]:
    """Return what a collector class breaks of the contract, a sentence each, by its declarations and two readings.

    A machine that has no such source is fine: then only the declarations are looked at.
    """
    return declaration_violations(collector) + reading_violations(collector, options, source)


def declaration_violations(collector: Any) -> list[str]:
    """Return what is wrong with what a collector class declares."""
    try:
        register([collector])
    except CollectorError as error:
        return [str(error)]
    table: Table = collector.table
    return [*_class_violations(collector), *_table_violations(table)]


def reading_violations(collector: Any, options: Any, source: Source) -> list[str]:
    """Return what is wrong with the rows of two readings of a machine, and of the first one alone."""
    made = collector(source, options)
    try:
        before, after = made.read(), made.read()
        first = made.rows(None, before, 1.0)
        second, again = made.rows(before, after, 0.5), made.rows(before, after, 0.5)
    except Unavailable:
        return []
    finally:
        if isinstance(made, Closing):
            made.close()
    faults = row_violations(collector.table, first) + row_violations(collector.table, second)
    return faults if again == second else [*faults, "rows() gives other rows for the same two readings"]


def row_violations(table: Table, rows: Sequence[Row]) -> list[str]:
    """Return what is wrong with the form of the rows of one tick."""
    width = len(table.labels)
    if wrong := [f"{row} is not {len(table.columns)} wide" for row in rows if len(row) != len(table.columns)]:
        return wrong
    counts = Counter(row[:width] for row in rows)
    return [
        *(f"{labels} comes {times} times" for labels, times in counts.items() if times > 1),
        *(f"{row} has a label that is no text" for row in rows if not all(map(_is_label, row[:width]))),
        *(f"{row} has a value that is no number" for row in rows if not all(map(_is_number, row[width:]))),
    ]


def _class_violations(collector: Any) -> Iterator[str]:
    if not collector.__name__.endswith("Collector"):
        yield f"{collector.__name__} does not end in Collector, so nobody finds it"
    interval = getattr(collector, "default_interval", 0)
    if interval is not None and not interval > 0:
        yield "default_interval is neither None nor a number of seconds above 0"
    options = getattr(collector, "Options", None)
    if options is None or not is_dataclass(options):
        yield "Options is no dataclass: write Options = NoOptions where there is nothing to set"
        return
    for setting in fields(options):
        if "help" not in setting.metadata:
            yield f"the setting {setting.name} has no help: declare it by option()"


def _table_violations(table: Table) -> Iterator[str]:
    names = [table.name, *table.columns]
    yield from (f"{name!r} is not made of small letters, digits and _" for name in names if not _NAME.fullmatch(name))
    yield from (f"the column {name} comes twice" for name, times in Counter(table.columns).items() if times > 1)
    if not table.help.endswith("."):
        yield f"the help of table {table.name} is no sentence"
    for metric in table.metrics:
        yield from _metric_violations(metric)
    for total in table.totals:
        yield from (f"total {total.metric.name}: no metric {part}" for part in total.parts if part not in table.columns)
    if table.resource_label is not None and table.resource_label not in table.labels:
        yield f"resource_label {table.resource_label} is no label of the table"


def _metric_violations(metric: Metric) -> Iterator[str]:
    if metric.unit not in _UNITS[metric.kind]:
        ways = " or ".join(f"Unit.{unit.name}" for unit in _UNITS[metric.kind])
        yield f"{metric.name} is a {metric.kind} in Unit.{metric.unit.name}: write {ways}"
    if not metric.name.endswith(_ENDINGS.get(metric.unit, "")):
        yield f"{metric.name} does not end in {_ENDINGS[metric.unit]}, as its unit asks for"
    if not metric.help.endswith("."):
        yield f"the help of {metric.name} is no sentence"


def _is_label(cell: object) -> bool:
    return isinstance(cell, str) and cell != ""


def _is_number(cell: object) -> bool:
    return cell is None or (isinstance(cell, int | float) and math.isfinite(cell))
