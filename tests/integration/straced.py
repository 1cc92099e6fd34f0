"""Runs a program under strace, which kills it or fails its N-th call of one kind."""

import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STRACE = shutil.which("strace")
FATES = {"killed": "signal=KILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
_CHANGING = ("write", "fsync", "rename", "unlink", "mkdir", "fchmod", "ftruncate")


@dataclass(frozen=True, slots=True)
class Point:
    """The N-th call of one kind."""

    call: str
    number: int


def points(command: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path) -> list[Point]:
    """Run a program to its end; return its calls that changed something below a folder."""
    _run(command, environ, "-o", str(log))
    counts: Counter[str] = Counter()
    calls = []
    for line in log.read_text("utf-8", "replace").splitlines():
        call = line.partition("(")[0]
        if call in _CHANGING:
            counts[call] += 1
            if str(folder) in line:
                calls.append(Point(call, counts[call]))
    return calls


def befall(command: Sequence[str], environ: Mapping[str, str], point: Point, fate: str) -> int:
    """Run a program to which something happens at a point; return its exit code, negative for a signal."""
    return _run(command, environ, "-o", "/dev/null", "-e", f"inject={point.call}:{FATES[fate]}:when={point.number}")


def _run(command: Sequence[str], environ: Mapping[str, str], *options: str) -> int:
    assert STRACE is not None
    traced = [STRACE, "-y", "-e", f"trace={','.join(_CHANGING)}", *options, *command]
    done = subprocess.run(traced, env=dict(environ), capture_output=True, check=False, timeout=300)
    return done.returncode
