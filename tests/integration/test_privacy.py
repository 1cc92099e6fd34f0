"""Names that are masked are nowhere: not in a file, not on a screen, not in an alert, a report or an export."""

import gzip
import os
import pty
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.catalog import tables
from sysmon.collectors import Source
from sysmon.collectors.disk_usage import DiskUsageCollector, DiskUsageOptions
from sysmon.model import Event, Origin
from sysmon.sampling.masking import Mask, Masking
from sysmon.sampling.sampler import Sampler
from sysmon.sampling.sanitize import LabelSanitizer
from sysmon.storage.host_writer import HostWriter, host_folder
from sysmon.storage.layout import StorageLayout
from sysmon.storage.mask_key import mask_key
from sysmon.storage.writer import Writer
from tests.integration.processes import answer, arguments, environment, rows
from tests.programs import Program

PROCESSES = ("hush-alpha", "hush-beta", "acme gamma", "acme delta", "hush-epsilon-of")
MOUNTS = ("/mnt/hush-zeta", "/mnt/acme eta", "/srv/hush theta", "/hush-iota", "/mnt/acme-kappa")
CONFIG = """\
mask:
  processes: ["hush-[ab]*", "acme*", hush-epsilon-of-long-name]
  users: ["*"]
  mountpoints: ["*"]
storage: {formats: [jsonl, csv]}
collectors:
  process: {top: 100}
  disk_usage: {interval: 200ms, include_fstypes: ["*"]}
"""
RULES = """\
version: 1
defaults: {for: 0s, clear_for: 0s}
rules:
  - {id: memory-is-there, metric: memory_total_bytes, warning: {above: 1, clear_below: 1}}
  - {id: disk-is-there, metric: disk_total_bytes, warning: {above: 1, clear_below: 1}}
"""
NAMED = (
    "import sys; open('/proc/self/comm', 'w').write(sys.argv[1]); kept = bytearray(2**25); print(flush=True); input()"
)
READINGS: list[tuple[str, ...]] = [("report", "--format", form) for form in ("text", "json", "csv", "markdown")]
READINGS += [("export", "--format", form, "-o", "exported/") for form in ("csv", "jsonl")]


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@contextmanager
def _process(name: str) -> Iterator[None]:
    """Keep a process of this name, with memory enough to be listed, while the context lasts."""
    command = [sys.executable, "-S", "-c", NAMED, name]
    with Program[bytes](command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            yield
        finally:
            process.kill()


def _on_terminal(command: list[str]) -> str:
    """Run a command on a terminal and return what it showed."""
    master, slave = pty.openpty()
    shown = b""
    with Program[bytes](command, stdin=slave, stdout=slave, stderr=slave, env=environment()) as process:
        os.close(slave)
        try:
            while chunk := os.read(master, 65_536):
                shown += chunk
        except OSError:  # the terminal's other end is closed
            pass
        process.wait(180)
    os.close(master)
    return shown.decode()


def _everything(folder: Path, *shown: str) -> str:
    """Return all that is below a data directory, names of files too, what was shown, and what every command says."""
    answers = [answer(*reading, "--data", str(folder)) for reading in READINGS]
    assert [(done.returncode, done.stderr) for done in answers] == [(0, "")] * len(READINGS)
    paths = [path for top in (folder, Path("exported")) for path in top.rglob("*") if path.is_file()]
    bytes_of = {path: path.read_bytes() for path in paths}
    stored = [(gzip.decompress(data) if path.suffix == ".gz" else data).decode() for path, data in bytes_of.items()]
    return "\n".join([*map(str, paths), *stored, *shown, *[done.stdout for done in answers]])


def _found(names: tuple[str, ...], text: str) -> list[str]:
    """Return the names that are in a text, of a path also those whose last part alone is."""
    return [name for name in names if name in text or name.split("/")[-1] in text]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="a process cannot name itself")
def test_a_real_run_stores_and_shows_no_masked_name(tmp_path: Path) -> None:
    ends = ("--interval", "200ms", "--ticks", "5")
    with ExitStack() as alive:
        for name in PROCESSES:
            alive.enter_context(_process(name))
        command = arguments(tmp_path, *ends, rules=RULES)
        (tmp_path / "sysmon.yaml").write_text(CONFIG)
        shown = _on_terminal(command)
        piped = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)

    text = _everything(tmp_path / "data", shown, piped.stdout, piped.stderr)
    masking = Masking(Mask(processes=("*",)), mask_key(tmp_path / "data"))
    pseudonyms = {shown for (shown,) in masking.labels(("name",), [(name,) for name in PROCESSES])}
    listed = rows(tmp_path, "process")
    assert (_found(PROCESSES, text), pseudonyms <= {row["name"] for row in listed}) == ([], True)
    assert {row["username"][:5] for row in listed} <= {"user-", "-"}
    assert {row["mountpoint"][:6] for row in rows(tmp_path, "disk_usage")} == {"mount-"}
    assert "disk-is-there" in piped.stdout


def _escaped(name: str) -> str:
    return name.replace(" ", "\\040")


def test_no_masked_mount_point_is_stored_told_or_blamed(tmp_path: Path) -> None:
    at, data = datetime.now(UTC).replace(microsecond=0) - timedelta(seconds=5), tmp_path / "data"
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/mountinfo").write_text(
        "".join(
            f"{30 + index} 1 254:{index} / {_escaped(name)} rw - ext4 /dev/mapper/{_escaped(name.split('/')[-1])} rw\n"
            for index, name in enumerate(MOUNTS)
        )
    )
    (tmp_path / "rules.yaml").write_text(RULES)
    data.mkdir()
    host = Origin("web-01")
    failing: list[str] = []

    def statvfs(name: str) -> SimpleNamespace:
        if failing:
            raise RuntimeError(f"cannot ask {name}")
        return SimpleNamespace(f_frsize=1, f_blocks=100, f_bfree=5, f_bavail=5, f_files=10, f_ffree=5)

    collector = DiskUsageCollector(Source(proc=tmp_path / "proc"), DiskUsageOptions(), statvfs=statvfs)
    masking = Masking(Mask(mountpoints=("/mnt/*", "*hush*")), mask_key(data))
    sampler = Sampler({"disk_usage": collector}, lambda: 0.0, stored=LabelSanitizer(masking))
    evaluator = Evaluator(load_rules(tmp_path / "rules.yaml", tables(), {}).rules, tables(), host)
    lines: list[str] = []
    files = HostWriter(
        host_folder(data, host.hostname),
        host,
        tables().values(),
        layout=StorageLayout(),
        opening=lambda at: Event(at, "running", {"intervals": {"disk_usage": 1}}),
        tell=lines.append,
    )
    writer = Writer(files, sync_seconds=1.0, tell=lines.append)

    writer.start()
    for second in range(3):
        sample, events = sampler.take(at + timedelta(seconds=second), {"disk_usage"})
        alerts = evaluator.evaluate(sample)
        writer.put(sample, events=events, alerts=alerts, active=evaluator.active())
    failing.append("from now on")
    sample, events = sampler.take(at + timedelta(seconds=3), {"disk_usage"})
    writer.put(sample, events=events, active=evaluator.active())
    writer.close(10)

    text = _everything(data)
    assert (_found(MOUNTS, text), lines, text.count("collector_failed"), len(set(_mounts(tmp_path)))) == ([], [], 1, 5)


def _mounts(folder: Path) -> list[str]:
    return [row["mountpoint"] for row in rows(folder, "disk_usage")]
