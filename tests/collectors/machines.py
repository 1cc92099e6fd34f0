"""Recorded machines, and the means to make one up."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sysmon.collectors import Source
from sysmon.model import Row
from sysmon.protocols import Collector

_TREES = Path(__file__).parent / "trees"
_MACHINES = Path(__file__).parent.parent / "data/machines"


def recorded(name: str, *, psutil: Any = None) -> Source:
    """Return a machine of the folder of trees; all share one `/sys`."""
    return Source(_TREES / name / "proc", _TREES / "server/sys", "linux", psutil)


def replayed(root: Path, name: str, part: str = "") -> Source:
    """Copy a machine of `tests/data/machines` into a folder, over what is there, and return it.

    `part` is the folder of one reading, where there are several (`a`, then `b`); what is beside these holds for all.
    """
    tree = _MACHINES / name
    shutil.copytree(tree / part, root, dirs_exist_ok=True)
    if part and (tree / "sys").exists():
        shutil.copytree(tree / "sys", root / "sys", dirs_exist_ok=True)
    view = "1" if (root / "proc/1/mountinfo").exists() else "self"
    return Source(root / "proc", root / "sys", "linux", root=root, view=view)


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
