"""The lines for cron work as cron would run them: from `/`, with a bare environment, silent when all is well."""

import re
import shlex
import subprocess
from pathlib import Path

import pytest

from tests.config.places import NO_MACHINE
from tests.integration.processes import SYSMON, run, swapped

ROOT = Path(__file__).parents[2]
CRONTAB = (ROOT / "config" / "examples" / "crontab").read_text("utf-8")
LINES = [line for line in CRONTAB.splitlines() if line and not line.startswith("#")]


def commands(line: str) -> str:
    """Return what cron hands to the shell: everything up to a bare percent sign, with `\\%` as `%`."""
    command = line.split(None, 5)[5]
    return re.split(r"(?<!\\)%", command)[0].replace(r"\%", "%")


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("watched")
    assert run(folder, "--interval", "100ms", "--ticks", "5").returncode == 0
    return folder


def as_cron(line: str, watched: Path, results: Path) -> "subprocess.CompletedProcess[str]":
    real = {
        "/opt/sysmon/bin/sysmon": shlex.join(SYSMON),
        "/var/lib/sysmon": str(watched / "data"),
        "/srv/sysmon": str(results),
        "--since yesterday --until today": "--since 10m",
    }
    command = swapped(commands(line), real)
    bare = NO_MACHINE | {"PATH": "/usr/bin:/bin", "HOME": "/", "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd="/", env=bare, capture_output=True, text=True, check=False, timeout=300
    )


@pytest.mark.parametrize("line", LINES, ids=lambda line: str(line.split("/sysmon ")[1].split()[0]))
def test_a_line_does_its_work_without_a_word_twice_over(line: str, watched: Path, tmp_path: Path) -> None:
    (tmp_path / "csv").mkdir()
    (tmp_path / "reports").mkdir()

    ends = [as_cron(line, watched, tmp_path) for _ in range(2)]

    said = [(done.returncode, done.stdout, done.stderr) for done in ends]
    made = any(path.is_file() for path in tmp_path.rglob("*"))
    assert (said, made or "verify" in line) == ([(0, "", "")] * 2, True)


def test_a_damaged_line_is_told_by_mail(watched: Path, tmp_path: Path) -> None:
    (verify,) = (line for line in LINES if " verify " in line)
    broken = next((watched / "data").glob("*/load/*.jsonl"))
    whole = broken.read_text()
    broken.write_text(f"{whole}garbage\n")

    done = as_cron(verify, watched, tmp_path)

    broken.write_text(whole)
    assert (f"{broken}:6: no row" in done.stdout, done.stdout.count("\n")) == (True, 2)


def test_the_page_about_cron_shows_the_same_lines() -> None:
    page = (ROOT / "docs" / "howto" / "cron.md").read_text("utf-8")

    assert [line for line in LINES if line not in page.splitlines()] == []


def test_every_path_begins_at_the_root_and_no_percent_sign_is_bare() -> None:
    bare = [line for line in LINES if re.search(r"(?<!\\)%", line)]
    relative = [word for line in LINES for word in line.split() if "/" in word and not re.search(r"(^|\()/", word)]

    assert (bare, relative) == ([], [])
