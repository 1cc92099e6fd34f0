"""Attacks on a run: children that misbehave, resources that run out, signals, and a screen that cannot be written."""

import resource
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.attacks.box import HANG, ROOT, SYSMON, Box, small_disk
from tests.integration.processes import environment, until
from tests.programs import Program, kill

_FIRES = "version: 1\nrules:\n- {id: at-2, metric: agent_sequence, warning: {at_least: 2, for: 0s, clear_for: 1h}}\n"
_LEAVES_ITS_GROUP = """\
#!/usr/bin/env python3
import os, time
os.setpgid(0, os.getpgid(os.getppid()))
time.sleep(100)
"""
_FORKS_TWICE = """\
#!/usr/bin/env python3
import os, sys, time
if not os.fork():
    os.setsid()
    if not os.fork():
        os.setsid()
        open(sys.argv[0] + ".pids", "a").write(f"{os.getpid()}\\n")
        time.sleep(100)
    os._exit(0)
time.sleep(100)
"""


def _with_program(box: Box, text: str) -> Path:
    program = box.folder / "notify"
    program.write_text(text)
    program.chmod(0o700)
    box.configure(f"notify: {{command: [{program}], timeout: 1s}}\nstorage: {{min_free: 0B}}\n", _FIRES)
    return program


def notify_leaves_its_group(box: Box) -> Iterator[str]:
    """A notify.command that changes its process group and is too slow costs a warning; the run goes on to its end."""
    _with_program(box, _LEAVES_ITS_GROUP)
    done = box.seed(50)
    if done.code != 0:
        yield f"the run ended with {done.code}: {done.err.strip()[-200:]}"
    if "took too long" not in done.err:
        yield "nothing was said of it"


def notify_leaves_a_daemon(box: Box) -> Iterator[str]:
    """What a notify.command that was too slow has started ends with it, in whatever session it is."""
    mark = Path(f"{_with_program(box, _FORKS_TWICE)}.pids")
    done = box.seed(50)
    if done.code != 0:
        yield f"the run ended with {done.code}: {done.err.strip()[-200:]}"
    started = [int(line) for line in mark.read_text().split()] if mark.exists() else []
    if not started:
        yield "the program did not come so far"
    end = time.monotonic() + 10
    while (left := [pid for pid in started if Path(f"/proc/{pid}").exists()]) and time.monotonic() < end:
        time.sleep(0.1)
    if left:
        kill(left)
        yield f"{len(left)} of {len(started)} grandchildren go on"


def out_of_descriptors(box: Box) -> Iterator[str]:
    """A run that may open no more files goes on over rotations, and stores again once it may; it stops in order."""
    box.configure("storage: {rotation: 2s, compress_after: 0s, min_free: 0B}\n")
    with box.running() as run:
        most = resource.prlimit(run.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(run.pid, resource.RLIMIT_NOFILE, (3, most[1]))
        end = time.monotonic() + 10
        while time.monotonic() < end and run.poll() is None:
            time.sleep(0.1)
        if run.poll() is not None:
            yield f"it ended with {run.returncode}: {box.log.strip()[-200:]}"
            return
        resource.prlimit(run.pid, resource.RLIMIT_NOFILE, most)
        before = time.time()
        until(lambda: any(path.stat().st_mtime > before for path in box.host.glob("agent/*.jsonl")) or run.poll())
        run.terminate()
        code = run.wait(60)
    if code != 0 or not any(event["event"] == "stopped" for event in box.rows("events")):
        yield f"it ended with {code}, or without `stopped`"


def file_size_limit(box: Box) -> Iterator[str]:
    """A limit on the size of files (SIGXFSZ, EFBIG) ends no run; only where rows were lost is the exit code 1."""
    done = box.call(*box.run_flags("--ticks", "10"), limits=[(resource.RLIMIT_FSIZE, 8192)])  # its messages fit in
    stored = len(box.rows("agent"))
    if done.code != (stored < 10):
        yield f"exit {done.code}, and {stored} of 10 samples are stored: {done.err.strip()[-200:]}"
    again = box.seed(3)
    if again.code != 0 or box.call("verify", str(box.data)).code != 0:
        yield f"the next run ended with {again.code}, or verify finds damage"


def no_more_inodes(box: Box) -> Iterator[str]:
    """A file system without inodes is told as such, not as one without space."""
    with small_disk(box.data, "size=32m,nr_inodes=24"):
        done = box.seed(8)
    if done.trouble:
        yield done.trouble
    if "inode" not in done.err:
        yield f"inodes are not named: {done.err.strip()[-200:]}"


def every_signal(box: Box) -> Iterator[str]:
    """Each signal that can be handled ends a run with a `stopped` event, or does not end it."""
    for number in ("USR1", "USR2", "ALRM", "QUIT", "XCPU", "VTALRM", "PROF", "IO", "PWR", "HUP", "TERM", "INT", "PIPE"):
        before = sum(event["event"] == "stopped" for event in box.rows("events"))
        with box.running() as run:
            ticks = len(box.rows("agent"))
            run.send_signal(getattr(signal, f"SIG{number}"))
            until(lambda ticks=ticks, run=run: run.poll() is not None or len(box.rows("agent")) > ticks + 2)  # type: ignore[misc]
            ended = run.poll()
            run.terminate()
            run.wait(60)
        if ended is not None and sum(event["event"] == "stopped" for event in box.rows("events")) == before:
            yield f"SIG{number}: it ended with {ended}, without `stopped`"


def _has_rows(box: Box, count: int) -> bool:
    return len(box.rows("agent")) > count


def killed_again_and_again(box: Box) -> Iterator[str]:
    """kill -9 loses at most the sample in progress: what was stored stays, in order, and the next run starts."""
    kept: list[tuple[str, int]] = []
    for _ in range(5):
        with box.running("--interval", "50ms") as run:
            until(partial(_has_rows, box, len(kept) + 3))
            kept = [(row["run"], row["agent_sequence"]) for row in box.rows("agent")]
            run.kill()
            run.wait(60)
        stored = [(row["run"], row["agent_sequence"]) for row in box.rows("agent")]
        if stored[: len(kept)] != kept:
            yield f"{len(kept)} rows were stored, and of these {len(set(kept) & set(stored))} are left"
        if len(stored) != len(set(stored)):
            yield "a row is there twice"
        kept = stored
    done = box.call("verify", str(box.data))
    if done.code != 0:
        yield f"verify ends with {done.code}: {done.out.strip()[-200:]}"


def data_vanishes(box: Box) -> Iterator[str]:
    """A run whose table is moved away goes on in a new file, and tells of it."""
    with box.running() as run:
        before = box.host
        before.rename(box.folder / "away")
        until(lambda: run.poll() is not None or len(list(before.glob("agent/*.jsonl"))) > 0, 30)
        if run.poll() is not None:
            yield f"it ended with {run.returncode}"
            return
        run.terminate()
        if run.wait(60) != 0:
            yield f"it ended with {run.returncode}: {box.log.strip()[-200:]}"


def screen_that_cannot_be_written(box: Box) -> Iterator[str]:
    """A screen that is full, closed or gone ends no run, and no reader with a traceback."""
    line = ["/bin/sh", "-c"]
    for name, way in (
        ("full", '"$@" >/dev/full'),
        ("closed", '"$@" >&-'),
        ("both closed", '"$@" >&- 2>&- <&-'),
        ("a reader that leaves", '"$@" | head -n 1'),
    ):
        stored = len(box.rows("agent"))
        flags = [flag for flag in box.run_flags("--ticks", "4") if flag != "--quiet"]
        done = box.call(*flags, before=[*line, way, "sh"])
        if done.trouble or len(box.rows("agent")) < stored + 4:
            yield f"{name}: {len(box.rows('agent')) - stored} of 4 ticks stored; {done.trouble}"
        for command in (["report"], ["export", "--table", "agent"], ["show"], ["alerts"], ["status"]):
            done = box.call(*command, "--data", str(box.data), before=[*line, way, "sh"])
            if "Traceback" in done.err or done.code == HANG:
                yield f"{name}: {command[0]} ends with {done.code}: {done.err.strip()[-200:]}"


def second_run(box: Box) -> Iterator[str]:
    """A second run in the same data directory is refused with exit code 2 and the process that is there."""
    with box.running() as run:
        done = box.seed(1)
        if done.code != 2 or str(run.pid) not in done.err:
            yield f"exit {done.code}: {done.err.strip()}"


def lock_of_a_stranger(box: Box) -> Iterator[str]:
    """Who holds a lock and is no sysmon is named by `status` and `doctor`; lock files are their owner's alone."""
    box.seed()
    lock = box.data / "maintain.lock"
    lock.touch()
    code = (
        "import fcntl, sys, time\n"
        "file = open(sys.argv[1]); fcntl.flock(file, fcntl.LOCK_SH); print(1, flush=True); time.sleep(100)"
    )
    with Program[bytes]([*SYSMON[:1], "-c", code, str(lock)], stdout=subprocess.PIPE, env=environment()) as holder:
        assert holder.stdout is not None
        holder.stdout.read(1)
        done = box.call("doctor", "--data", str(box.data), "--config", str(box.folder / "sysmon.yaml"))
        if str(holder.pid) not in done.out + done.err:
            yield f"doctor does not name the holder: {(done.out + done.err).strip()[-200:]}"
        holder.kill()
    for path in box.data.glob("*lock"):
        if path.stat().st_mode & 0o077 and path != lock:
            yield f"{path.name} is open to others"


def unreadable_configuration(box: Box) -> Iterator[str]:
    """Every kind of bad YAML ends in exit code 2 with file, line and column, and never with a traceback."""
    kinds = {
        "tab": b"rules:\n\t- id: a\n",
        "quote": b"a: 'b\n",
        "bracket": b"a: [1, 2\n",
        "alias": b"a: *b\n",
        "laughs": b"a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n",
        "object": b"a: !!python/object/apply:os.system ['touch pwned']\n",
        "date": b"rules: 2024-13-45\n",
        "digits": b"rules: " + b"9" * 5000 + b"\n",
        "deep": b"rules: " + b"[" * 50_000,
        "keys": b"version: 1\nversion: 1\nrules: []\n",
        "escape": b"version: 1 \x1b[2J\n",
        "nul": b"version: 1\0\n",
        "latin": b"version: 1 # caf\xe9\n",
        "list": b"- 1\n",
        "documents": b"version: 1\n---\nrules: []\n",
        "large": b"# " + b"x" * 2**20 + b"\n",
        "empty": b"",
    }
    file = box.folder / "bad.yaml"
    for name, text in kinds.items():
        file.write_bytes(text)
        done = box.call("rules", "check", str(file))
        lines = done.err.splitlines()
        if done.code != 2 or not lines or "bad.yaml:" not in lines[0] or "Traceback" in done.err or "\x1b" in done.err:
            yield f"{name}: exit {done.code}: {done.err.strip()[:200]}"
    if (box.folder / "pwned").exists() or (ROOT / "pwned").exists():
        yield "a command was run"
