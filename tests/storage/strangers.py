"""Programs that are no sysmon and hold locks."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """\
import fcntl, sys
file = open(sys.argv[1], "a")
fcntl.flock(file, getattr(fcntl, "LOCK_" + sys.argv[2]))
print(flush=True)
sys.stdin.read()
"""


@contextmanager
def locked(path: Path, kind: str) -> Iterator[str]:
    """Let another program hold the lock of a file, `SH` or `EX`; yield how it is named."""
    program = [sys.executable, "-c", _PROGRAM, str(path), kind]
    child = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert child.stdin is not None and child.stdout is not None  # noqa: PT018 - both are pipes
        child.stdout.readline()
        command = "\0".join(program).encode()[:80].decode().replace("\0", " ")
        yield f"process {child.pid} ({command})".replace("\n", "\\x0a")
    finally:
        child.kill()
        child.communicate()
