"""Registry of collectors: each module of this folder is one, and declares its own table.

A new collector is a new file: a class whose name ends in `Collector`, made of what sysmon.collectors.api holds.
"""

import importlib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sysmon.collectors._source import Source
from sysmon.datadir.names import RESERVED_TABLES
from sysmon.errors import CollectorError
from sysmon.model import Metric, Unit

_NOT_COLLECTORS = ("api", "contract")
__all__ = ["Source", "discover", "register"]


@cache
def discover() -> Mapping[str, Any]:
    """Return every collector class of this folder by the name of its table, in the order of the names.

    Each is called as `Class(source, options)`, with `options` an instance of its `Options`.
    """
    return register(_classes())


def register(collectors: Iterable[Any]) -> Mapping[str, Any]:
    """Return collector classes by the name of their table, in the order of the names.

    Raise CollectorError for a unit that there is not, and for a name of a table or a metric that is taken: rules,
    reports and files could not tell the two apart.
    """
    by_table: dict[str, Any] = {}
    taken = set(RESERVED_TABLES)
    for collector in collectors:
        table = collector.table
        for metric in table.metrics:
            _check_unit(collector.__name__, metric)
        names = {table.name, *(metric.name for metric in table.metrics)}
        if again := names & taken:
            raise CollectorError(f"{collector.__name__}: {', '.join(sorted(again))} is taken: choose another name")
        taken |= names
        by_table[table.name] = collector
    return dict(sorted(by_table.items()))


def _classes() -> Iterator[Any]:
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        if path.stem in _NOT_COLLECTORS:
            continue
        module = importlib.import_module(f"{__name__}.{path.stem}")
        for name, value in vars(module).items():
            if name.endswith("Collector") and getattr(value, "__module__", None) == module.__name__:
                yield value


def _check_unit(collector: str, metric: Metric) -> None:
    unit: object = metric.unit
    if not isinstance(unit, Unit):
        ways = ", ".join(f"Unit.{unit.name}" for unit in Unit)
        raise CollectorError(f"{collector}: metric {metric.name} has the unknown unit {unit!r}: write one of {ways}")
