"""Recorded machines, and the means to make one up."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sysmon.collectors import Source
from sysmon.model import Row
from sysmon.protocols import Collector

_TREES = Path(__file__).parent / "trees"


def recorded(name: str, *, psutil: Any = None) -> Source:
    """Return a machine of the folder of trees; all share one `/sys`."""
    return Source(_TREES / name / "proc", _TREES / "server/sys", "linux", psutil)


def made_of(root: Path, files: Mapping[str, bytes | str], *, psutil: Any = None) -> Source:
    """Write files below `proc` and `sys` of a folder, over those that are there, and return the machine."""
    (root / "proc").mkdir(exist_ok=True)
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return Source(root / "proc", root / "sys", "linux", psutil)


def elsewhere(platform: str, psutil: Any) -> Source:
    """Return a machine of another system, as psutil shows it; it has neither `/proc` nor `/sys`."""
    return Source(Path("/nowhere/proc"), Path("/nowhere/sys"), platform, psutil)


def as_dicts(collector: Collector, rows: list[Row]) -> dict[str, dict[str, Any]]:
    """Return rows by their first label (`""` without labels), each as its metrics by name."""
    width = len(collector.table.labels)
    names = collector.table.columns[width:]
    return {str(row[0]) if width else "": dict(zip(names, row[width:], strict=True)) for row in rows}
