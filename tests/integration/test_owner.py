"""Files of a data directory belong to its owner, whoever made them: root's `maintain` must not lock out the service."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sysmon import cli
from sysmon.datadir.names import DataEntry
from tests.integration.processes import environment
from tests.reading.stored import LOAD, START, write_table

NOBODY = 65534
pytestmark = [
    pytest.mark.needs_root,
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to others, or become another user"),
]
PYTHONS = (sys.executable, "/usr/bin/python3")
AS_NOBODY = ("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups")
CALM = (
    "storage: {compress_after: 0s, min_free: 0B, retention: {rows: 3650d, csv: 3650d, rollups: 3650d, events: 3650d}}\n"
)


@pytest.fixture
def data() -> Iterator[Path]:
    """Yield a data directory of nobody's with some hours of samples, one of them damaged; others may go there."""
    with tempfile.TemporaryDirectory() as name:  # pytest's own folders are for their owner only
        folder = Path(name)
        folder.chmod(0o755)
        yield _fill(folder / "data")


def _fill(data: Path) -> Path:
    samples = [(START + timedelta(minutes=10 * number), [(float(number), 1.0)]) for number in range(24)]
    paths = write_table(data, LOAD, samples)
    paths[0].write_bytes(paths[0].read_bytes() + b"garbage\n")
    for path in (data, *data.rglob("*")):
        os.chown(path, NOBODY, NOBODY)
    (data.parent / "sysmon.yaml").write_text(CALM)
    return data


def of_others(data: Path) -> list[str]:
    """Return what in a data directory is not its owner's and its group's."""
    statuses = {path: path.lstat() for path in (data, *data.rglob("*"))}
    return [
        f"{path}: {status.st_uid}:{status.st_gid}"
        for path, status in statuses.items()
        if (status.st_uid, status.st_gid) != (NOBODY, NOBODY)
    ]


def test_what_root_makes_in_somebodys_data_directory_is_theirs(data: Path) -> None:
    where = ["--data", str(data), "--config", str(data.parent / "sysmon.yaml")]
    out = f"{data.parent}/out/"
    commands = [
        ["verify", "--repair", str(data)],
        ["maintain", *where],
        ["silence", "*", "--for", "1h", *where],
        ["export", "--since", "@0", "--resume", "r", "-o", out, *where],
    ]

    codes = [cli.answer(command) for command in commands]

    names = {path.name for path in data.rglob("*")}
    made = {DataEntry.QUARANTINE, DataEntry.MAINTENANCE_LOCK, DataEntry.REPLIES, "export-r.json", "export-r.lock"}
    assert (codes, of_others(data), made - names) == ([3, 0, 0, 0], [], set())
    assert [name for name in names if name.endswith(".jsonl.gz") and name.startswith("load-20261120T12.")] != []


def test_what_a_run_of_root_stores_in_somebodys_data_directory_is_theirs(data: Path) -> None:
    command = ["run", "--data", str(data), "--interval", "50ms", "--ticks", "2", "--quiet"]

    ended = subprocess.run(
        [sys.executable, "-m", "sysmon", *command], env=environment(), capture_output=True, timeout=60, check=False
    )

    assert (ended.returncode, of_others(data), (data / DataEntry.FORMAT).is_file()) == (0, [], True)


def test_a_lock_that_root_left_behind_is_given_back_by_the_next_maintenance(data: Path) -> None:
    (data / DataEntry.MAINTENANCE_LOCK).touch(0o640)

    cli.answer(["maintain", "--data", str(data), "--config", str(data.parent / "sysmon.yaml")])

    assert of_others(data) == []


def test_their_user_reads_what_root_left_and_goes_on(data: Path) -> None:
    python = _python_of_nobody()
    for folder in (data.parent, *data.parent.parents):
        if folder.stat().st_uid == os.geteuid() and folder.is_relative_to("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
    where = ["--data", str(data), "--config", str(data.parent / "sysmon.yaml")]
    cli.answer(["maintain", *where])
    cli.answer(["silence", "*", "--for", "1h", "--why", "test", *where])

    ended = {
        name: subprocess.run(
            [*AS_NOBODY, python, "-P", "-m", "sysmon", name, *more, *where],
            env=_environment_of_nobody(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        for name, more in {"silences": [], "export": ["--since", "@0", "-o", "-"], "maintain": []}.items()
    }

    assert (ended["maintain"].returncode, ended["maintain"].stderr) == (0, "")
    assert (ended["silences"].returncode, ended["export"].returncode) == (0, 3)  # the damaged line is told
    assert ("test" in ended["silences"].stdout, len(ended["export"].stdout.splitlines())) == (True, 25)


def _environment_of_nobody() -> dict[str, str]:
    return environment(PYTHONPATH=os.pathsep.join(filter(None, sys.path)), PYTHONDONTWRITEBYTECODE="1", HOME="/")


def _python_of_nobody() -> str:
    """Return a Python that nobody may run with all that sysmon needs; skip where there is none."""
    imports = "import sysmon.cli, click, msgspec, yaml, psutil"
    for python in PYTHONS:
        command = [*AS_NOBODY, python, "-P", "-c", imports]
        try:
            tried = subprocess.run(
                command, env=_environment_of_nobody(), capture_output=True, timeout=60, check=False, cwd="/"
            )
        except FileNotFoundError:
            pytest.skip("there is no setpriv here")
        if tried.returncode == 0:
            return python
    pytest.skip("no Python that another user may run with sysmon's packages")
