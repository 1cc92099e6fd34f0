"""What can be measured: each module of this folder is one collector and declares its own table.

A new collector is a new file: a class whose name ends in `Collector`, made as sysmon.protocols.Collector says.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sysmon.collectors._source import Source
from sysmon.text.names import RESERVED_TABLES

__all__ = ["Source", "discover"]


@cache
def discover() -> Mapping[str, Any]:
    """Return every collector class by the name of its table, in the order of the names.

    Each is called as `Class(source, options)`, with `options` an instance of its `Options`. Raise ValueError for a
    name of a table or a metric that is taken: rules, reports and files could not tell the two apart.
    """
    found: dict[str, Any] = {}
    taken = set(RESERVED_TABLES)
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        module = importlib.import_module(f"{__name__}.{path.stem}")
        for name, value in vars(module).items():
            if name.endswith("Collector") and getattr(value, "__module__", None) == module.__name__:
                names = {value.table.name, *(metric.name for metric in value.table.metrics)}
                if again := names & taken:
                    raise ValueError(f"collector {name}: {', '.join(sorted(again))} is taken: choose another name")
                taken |= names
                found[value.table.name] = value
    return dict(sorted(found.items()))
