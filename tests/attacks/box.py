"""A box for one attack: a folder of its own, the real `sysmon` in it with limits on time and memory, and a verdict."""

import gzip
import json
import os
import resource
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.integration.processes import environment, until
from tests.programs import Program, kill

ROOT = Path(__file__).parents[2]
SYSMON = (sys.executable, "-P", "-m", "sysmon")
HANG = 124
"""The exit code of a command that had not ended after its time, as timeout(1) has it."""

PATIENCE = 60.0
"""Seconds for a command: none takes more than two where the machine has nothing else to do."""

RUN = ("--interval", "200ms", "--quiet")
CALM = "version: 1\nrules: []\n"


class UntriedError(Exception):
    """This machine lacks what the attack needs; the message names it."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended: its exit code (HANG where it had to be killed), what it printed, its memory in MB."""

    code: int
    out: str
    err: str
    memory: float

    @property
    def trouble(self) -> str:
        """Return what no command may end with; empty where it did not."""
        if self.code == HANG:
            return "it hangs"
        internal = "Traceback" in self.err or "internal error" in self.err
        return f"exit {self.code}: {self.err.strip()[-300:]}" if internal or self.code not in range(4) else ""


Attack = Callable[["Box"], Iterator[str]]
"""What is done to a box; yields what went wrong, a line each. Its docstring says what is right."""


class Box:
    """A folder with settings, rules and data for one attack, which goes with it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.configure()

    def configure(self, settings: str = "storage: {min_free: 0B}\n", rules: str = CALM) -> None:
        """Write the settings and the rules of all runs that follow."""
        (self.folder / "sysmon.yaml").write_text(settings)
        (self.folder / "rules.yaml").write_text(rules)

    def run_flags(self, *more: str) -> list[str]:
        """Return the command line of a run."""
        files = ["--config", str(self.folder / "sysmon.yaml"), "--rules", str(self.folder / "rules.yaml")]
        return ["run", "--data", str(self.data), *files, *RUN, *more]

    def seed(self, ticks: int = 3, *more: str) -> Done:
        """Sample a few ticks."""
        return self.call(*self.run_flags("--ticks", str(ticks), *more))

    def call(
        self,
        *arguments: str,
        before: Sequence[str] = (),
        seconds: float = PATIENCE,
        limits: Sequence[tuple[int, int]] = (),
        cwd: Path | None = None,
        **variables: str,
    ) -> Done:
        """Run a command of sysmon to its end, behind others on its command line; what hangs is killed."""
        with (self.folder / "out").open("wb") as out, (self.folder / "err").open("wb") as err:
            program = Program[bytes](
                [*before, *SYSMON, *arguments],
                env=environment(PYTHONPATH=str(ROOT), **variables),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                cwd=cwd or self.folder,
            )
            for limit, amount in limits:
                resource.prlimit(program.pid, limit, (amount, resource.prlimit(program.pid, limit)[1]))
            hung, memory = _wait(program, seconds)
        said, complained = ((self.folder / name).read_text("utf-8", "replace") for name in ("out", "err"))
        return Done(HANG if hung else program.returncode, said, complained, memory)

    @contextmanager
    def running(self, *more: str, before: Sequence[str] = (), **options: Any) -> Iterator[Program[bytes]]:
        """Have a run beside the block, which has stored a tick when it begins; kill what is left of it at its end."""
        stored = len(self.rows("agent"))
        with (self.folder / "log").open("wb") as log:
            program = Program[bytes](
                [*before, *SYSMON, *self.run_flags(*more)],
                **{
                    "env": environment(PYTHONPATH=str(ROOT)),
                    "stdin": subprocess.DEVNULL,
                    "stdout": log,
                    "stderr": log,
                    "cwd": self.folder,
                    **options,
                },
            )
            try:
                until(lambda: len(self.rows("agent")) > stored or program.poll() is not None)
                yield program
            finally:
                kill([program.pid])
                program.wait()

    @property
    def log(self) -> str:
        """Return what the run beside has printed."""
        return (self.folder / "log").read_text("utf-8", "replace")

    def rows(self, table: str) -> list[dict[str, Any]]:
        """Return the lines of a table or log that are whole and no damage, in the order of the files' names."""
        records = []
        for path in sorted(self.data.glob(f"*/{table}/*.jsonl*")):
            try:
                text = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
            except FileNotFoundError:  # it has just been packed
                return self.rows(table)
            for line in text[: text.rfind(b"\n") + 1].splitlines():
                try:
                    records.append(json.loads(line))
                except ValueError:
                    continue
        return records

    @property
    def host(self) -> Path:
        """Return the folder of the host that was sampled."""
        (host,) = (path.parent for path in self.data.glob("*/agent"))
        return host


def _wait(program: Program[bytes], seconds: float) -> tuple[bool, float]:
    """Wait for a program; return whether it had to be killed, and the most memory that it had, in MB."""
    hung = threading.Event()

    def end() -> None:
        hung.set()
        kill([program.pid])

    timer = threading.Timer(seconds, end)
    timer.start()
    try:
        _, status, usage = os.wait4(program.pid, 0)
    finally:
        timer.cancel()
    program.returncode = os.waitstatus_to_exitcode(status)
    return hung.is_set(), usage.ru_maxrss / 1024


def need_root() -> None:
    """Leave an attack out where it needs root."""
    if os.geteuid() != 0:
        raise UntriedError("it needs root")


def need_program(name: str) -> str:
    """Return the path of a program; leave the attack out where there is none."""
    path = shutil.which(name)
    if path is None:
        raise UntriedError(f"{name} is not installed")
    return path


@contextmanager
def small_disk(folder: Path, options: str) -> Iterator[None]:
    """Mount a file system in memory on a new folder; leave the attack out where that may not be."""
    need_root()
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", options, "sysmon", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        raise UntriedError("nothing can be mounted")
    try:
        yield
    finally:
        subprocess.run(["/bin/umount", "-l", str(folder)], check=True)
