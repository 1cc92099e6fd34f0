"""Starting the real `sysmon` on a folder of its own, and looking at what it left."""

import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from sysmon.datadir import segments
from tests.config.places import NO_MACHINE
from tests.programs import Program

SYSMON = [sys.executable, "-m", "sysmon"]
CALM = "version: 1\nrules: []\n"


def environment(**more: str) -> dict[str, str]:
    """Return an environment in which nothing of this machine's configuration is seen."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "PYTHONPATH"}}
    return kept | NO_MACHINE | {"TZ": "UTC", **more}


def arguments(folder: Path, *more: str, rules: str = CALM, settings: str = "") -> list[str]:
    """Return the command line of a run that keeps everything below a folder."""
    (folder / "rules.yaml").write_text(rules)
    (folder / "sysmon.yaml").write_text(settings)
    where = ["--config", str(folder / "sysmon.yaml"), "--rules", str(folder / "rules.yaml")]
    return [*SYSMON, "run", "--data", str(folder / "data"), *where, *more]


def run(folder: Path, *more: str, rules: str = CALM, **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run to the end."""
    settings = {"env": environment(), "capture_output": True, "text": True, "timeout": 300, **options}
    return subprocess.run(arguments(folder, *more, rules=rules), check=False, **settings)


def start(folder: Path, *more: str, rules: str = CALM, settings: str = "", **options: Any) -> Program[bytes]:
    """Start a run that goes on beside the test."""
    command = arguments(folder, *more, rules=rules, settings=settings)
    return Program[bytes](command, **{"env": environment(), **options})


def swapped(text: str, real: Mapping[str, str]) -> str:
    """Return a command of the documentation with what it names replaced by what is there, each place once."""
    return re.sub("|".join(map(re.escape, real)), lambda match: real[match[0]], text)


def answer(*command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """Run another command to its end."""
    return subprocess.run(
        [*SYSMON, *command], env=environment(**variables), capture_output=True, text=True, check=False, timeout=300
    )


def until(condition: Callable[[], Any], seconds: float = 180.0) -> None:
    """Look again and again until something has come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        select.select([], [], [], 0.01)


def rows(folder: Path, table: str) -> list[dict[str, Any]]:
    """Return every whole line of one table that is not packed, in order."""
    files = {path: segments.parse(path.name) for path in folder.glob(f"data/*/{table}/*.jsonl")}
    ours = {path: file.segment for path, file in files.items() if file is not None}
    paths = sorted(ours, key=lambda path: (ours[path].start, ours[path].number))
    texts = [path.read_text() for path in paths]
    return [json.loads(line) for text in texts for line in text[: text.rfind("\n") + 1].splitlines()]
