"""What can be measured: each module of this folder is one collector and declares its own table.

A new collector is a new file: a class whose name ends in `Collector`, made as sysmon.protocols.Collector says.
"""

import importlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sysmon.collectors._source import Source

__all__ = ["Source", "discover"]


@cache
def discover() -> Mapping[str, Any]:
    """Return every collector class by the name of its table, in the order of the names.

    Each is called as `Class(source, options)`, with `options` an instance of its `Options`.
    """
    found = {}
    for path in sorted(Path(__file__).parent.glob("[!_]*.py")):
        module = importlib.import_module(f"{__name__}.{path.stem}")
        for name, value in vars(module).items():
            if name.endswith("Collector") and getattr(value, "__module__", None) == module.__name__:
                found[value.table.name] = value
    return dict(sorted(found.items()))
