"""Who may import whom: the direction of the layers, the third parties of each, and who may ask for the time of day."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SIBLINGS = ("collectors", "sampling", "storage", "reading", "alerts", "console", "report", "view")
RANKS = {"formats": 1, "config": 3, "app": 4, "cli": 6, "__main__": 7} | dict.fromkeys(SIBLINGS, 2)  # the ground: 0
FAMILIES = {"agent": {"terminal"}, "live": {"terminal"}, "sql": {"export"}}
"""The families of `app/` that may import another one, and which; all may import the files that lie beside them."""

THIRD_PARTIES = {
    "psutil": {"collectors"},
    "yaml": {"adapters"},
    "msgspec": {"reading"},
    "click": {"cli"},
    "colorama": {"app", "text"},
    "duckdb": {"adapters"},
    "pytz": {"adapters"},
}
CLOCK = "sysmon.sampling.clock"
TIME_OF_DAY = {
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.datetime.today",
    "datetime.date.today",
    "time.time",
    "time.time_ns",
}


def part_of(module: str) -> str:
    """Return the part that a module belongs to: a folder, a single module, or `` for the package itself."""
    return [*module.split("."), ""][1]


def rank_of(module: str) -> int:
    """Return how high a module stands."""
    return RANKS.get(part_of(module), 0)


def family_of(module: str) -> str:
    """Return the family of `app/` that a module belongs to, `` for the files that all of them share."""
    parts = module.split(".")
    return parts[2] if part_of(module) == "app" and len(parts) > 2 and (ROOT / "sysmon/app" / parts[2]).is_dir() else ""


def may_know(module: str, target: str) -> bool:
    """Say whether a module of `app/` may import another one of it: families are blind to each other but for a few."""
    own, other = family_of(module), family_of(target)
    return part_of(module) != "app" or other in {"", own} or other in FAMILIES.get(own, ())


def imported(tree: ast.Module, modules: frozenset[str]) -> Iterator[tuple[int, str]]:
    """Yield line and full name of every module that is imported, inside functions too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = "." * node.level + (node.module or "")
            for alias in node.names:
                below = f"{above}.{alias.name}"
                yield node.lineno, below if below in modules else above


def mentioned(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Yield line and full name of everything that is reached through an imported name, whatever it was renamed to."""
    full_names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            full_names |= {alias.asname or alias.name: alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            full_names |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name | ast.Attribute):
            first, dot, rest = ast.unparse(node).partition(".")
            if first in full_names:
                yield node.lineno, full_names[first] + dot + rest


def faults(module: str, source: str, modules: frozenset[str]) -> list[str]:
    """Return what one module does against the rules."""
    tree = ast.parse(source)
    broken = []
    for line, target in imported(tree, modules):
        top = target.split(".")[0]
        if target.startswith("."):
            broken.append(f"{module}:{line}: relative import")
        elif top == "sysmon":
            upwards = part_of(target) != part_of(module) and rank_of(target) >= rank_of(module)
            within_the_ground = not (rank_of(target) or rank_of(module))
            if (upwards and not within_the_ground) or not may_know(module, target):
                broken.append(f"{module}:{line}: imports {target}")
        elif top not in sys.stdlib_module_names and part_of(module) not in THIRD_PARTIES.get(top, ()):
            broken.append(f"{module}:{line}: imports {top}")
    if module != CLOCK:
        broken += [f"{module}:{line}: asks {name}" for line, name in mentioned(tree) if name in TIME_OF_DAY]
    return broken


def sources() -> dict[str, str]:
    """Return the source of every module of the program."""
    texts = {}
    for path in sorted((ROOT / "sysmon").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        texts[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path.read_text("utf-8")
    return texts


def test_nobody_imports_upwards_or_sideways_and_third_parties_stay_where_they_belong() -> None:
    program = sources()

    broken = [fault for module, source in program.items() for fault in faults(module, source, frozenset(program))]

    assert broken == []


@pytest.mark.parametrize(
    ("module", "source", "broken"),
    [
        pytest.param("sysmon.text.units", "from sysmon import names", [], id="ground on ground"),
        pytest.param("sysmon.app.agent.run", "from sysmon.alerts import machine\nimport json", [], id="downwards"),
        pytest.param(
            "sysmon.alerts.rules.loader", "from sysmon.alerts.state_machine import step", [], id="within a folder"
        ),
        pytest.param("sysmon.config", "from sysmon.config import overlay", [], id="the configuration's own parts"),
        pytest.param(
            "sysmon.text.units",
            "from sysmon import formats",
            ["sysmon.text.units:1: imports sysmon.formats"],
            id="upwards",
        ),
        pytest.param(
            "sysmon.alerts.rules.loader",
            "import sysmon.storage",
            ["sysmon.alerts.rules.loader:1: imports sysmon.storage"],
            id="sideways",
        ),
        pytest.param(
            "sysmon.app.live.app",
            "from sysmon.app.reports import report",
            ["sysmon.app.live.app:1: imports sysmon.app.reports.report"],
            id="another family",
        ),
        pytest.param("sysmon.app.live.app", "from sysmon.app.terminal import size", [], id="a family that is shared"),
        pytest.param(
            "sysmon.app.selection",
            "from sysmon.app.live import app",
            ["sysmon.app.selection:1: imports sysmon.app.live.app"],
            id="a shared file knows no family",
        ),
        pytest.param(
            "sysmon.reading.rows",
            "def read():\n    from sysmon.config import load",
            ["sysmon.reading.rows:2: imports sysmon.config"],
            id="inside a function",
        ),
        pytest.param(
            "sysmon.report.render.text",
            "from . import spark",
            ["sysmon.report.render.text:1: relative import"],
            id="without naming the whole way",
        ),
        pytest.param(
            "sysmon.sampling.loop", "import psutil", ["sysmon.sampling.loop:1: imports psutil"], id="psutil elsewhere"
        ),
        pytest.param(
            "sysmon.config", "from yaml import safe_load", ["sysmon.config:1: imports yaml"], id="yaml elsewhere"
        ),
        pytest.param(
            "sysmon.formats.jsonl",
            "import msgspec",
            ["sysmon.formats.jsonl:1: imports msgspec"],
            id="msgspec elsewhere",
        ),
        pytest.param(
            "sysmon.app.agent.run",
            "from click import echo",
            ["sysmon.app.agent.run:1: imports click"],
            id="click elsewhere",
        ),
        pytest.param("sysmon.cli.run", "import requests", ["sysmon.cli.run:1: imports requests"], id="a stranger"),
        pytest.param(
            "sysmon.storage.writer",
            "import datetime as dt\nat = dt.datetime.now(dt.UTC)",
            ["sysmon.storage.writer:2: asks datetime.datetime.now"],
            id="the time under another name",
        ),
        pytest.param(
            "sysmon.alerts.evaluator",
            "from time import time as clock\ndef step(now=clock): ...",
            ["sysmon.alerts.evaluator:2: asks time.time"],
            id="the time as a default",
        ),
        pytest.param("sysmon.sampling.clock", "import time\nat = time.time()", [], id="the one that may ask"),
        pytest.param(
            "sysmon.storage.writer", "import time\nsince = time.monotonic()", [], id="seconds that never jump"
        ),
    ],
)
def test_the_rules_can_be_broken(module: str, source: str, broken: list[str]) -> None:
    assert faults(module, source, frozenset(sources())) == broken
