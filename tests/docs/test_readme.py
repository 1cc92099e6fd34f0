"""What the README says to type does what the README says."""

import gzip
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sysmon.cli import cli
from tests.integration.processes import SYSMON, environment, run, swapped

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def _block(language: str, holding: str) -> str:
    (block,) = [str(text) for kind, text in BLOCKS if kind == language and holding in text]
    return block.strip()


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store five samples in files that are compressed by now, and five more in plain ones."""
    folder = tmp_path_factory.mktemp("watched")
    for is_old in (True, False):
        assert run(folder, "--interval", "100ms", "--ticks", "5").returncode == 0
        for path in folder.glob("data/*/*/*[lv]") if is_old else ():
            Path(f"{path}.gz").write_bytes(gzip.compress(path.read_bytes()))
            path.unlink()
    return folder


def _shell(command: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = command.replace("python3 ", f"{shlex.quote(sys.executable)} ")
    return subprocess.run(
        ["/bin/sh", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True, check=False
    )


def test_the_jq_line_lists_the_processor_over_time(watched: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")

    done = _shell(_block("sh", "| jq -r"), watched)

    assert (done.returncode, len(re.findall(r"^\S+Z\t[\d.]+$", done.stdout, re.MULTILINE))) == (0, 10)


def test_the_pandas_line_describes_memory(watched: Path) -> None:
    pytest.importorskip("pandas")

    done = _shell(_block("sh", "pandas"), watched)

    assert (done.returncode, re.findall(r"^count +(\d+)\.0+$", done.stdout, re.MULTILINE)) == (0, ["10"])


def test_the_duckdb_line_has_a_row_for_each_core(watched: Path) -> None:
    pytest.importorskip("duckdb")

    done = _shell(_block("sh", "duckdb"), watched)

    assert (done.returncode, re.findall(r"^│ (0|all) +│ +(\d+) │", done.stdout, re.MULTILINE)) == (
        0,
        [("0", "10"), ("all", "10")],
    )


def test_the_cron_line_works_from_anywhere_and_is_silent(watched: Path, tmp_path: Path) -> None:
    *_, command = _block("cron", "export").split(None, 5)
    real = {
        "/opt/sysmon/bin/sysmon": shlex.join(SYSMON),
        "/var/lib/sysmon": str(watched / "data"),
        "/srv/sysmon/": f"{tmp_path}/out/",
        "--since yesterday --until today": "--since 10m",
    }

    done = subprocess.run(
        ["/bin/sh", "-c", swapped(command, real)],
        cwd="/",
        env=environment(PYTHONPATH=str(ROOT)),
        capture_output=True,
        check=False,
    )

    exported = {path.name.split("-")[0] for path in (tmp_path / "out").iterdir()}
    assert (done.returncode, done.stdout + done.stderr, {"cpu", "memory"} <= exported) == (0, b"", True)


def test_the_cron_line_needs_no_escaping() -> None:
    line = _block("cron", "export")

    assert ("%" in line, all(word.startswith("/") for word in line.split() if "/" in word)) == (False, True)


def test_every_command_is_in_the_table_of_commands() -> None:
    pages = (ROOT / "docs" / "README.md").read_text("utf-8")
    cells = re.findall(r"^\| (`sysmon [^|]+) \|", pages, re.MULTILINE)
    named = {word for cell in cells for word in re.findall(r"`(?:sysmon )?(\w+)`", cell)}

    assert named == set(cli.list_commands(click.Context(cli)))


def test_the_pictures_come_before_the_commands_and_are_small() -> None:
    above, _, _ = README.partition("## Two commands")
    pictures = [ROOT / path for path in re.findall(r"!\[[^]]+\]\(([^)]+)\)", above)]

    assert (len(pictures), [path.name for path in pictures if path.stat().st_size > 300_000]) == (2, [])


def test_no_link_leads_nowhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)

    assert [link for link in links if not (ROOT / link).exists()] == []
