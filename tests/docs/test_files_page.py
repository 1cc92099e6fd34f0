"""The page about the files is true: its examples run on real files, and its tables name what is in them."""

import gzip
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.integration.processes import environment, run

PAGE = (Path(__file__).parents[2] / "docs" / "files.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```(sh|python)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TICKS = 6
UNFINISHED = "the last line is not finished and was left out"
ALARM = """
version: 1
rules:
  - {id: awake, metric: processes_total, warning: {above: 0, for: 0s}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store a few samples; pack one file beside itself, and leave another unfinished."""
    folder = tmp_path_factory.mktemp("watched")
    assert run(folder, "--interval", "100ms", "--ticks", str(TICKS), rules=ALARM).returncode == 0
    (fresh,) = folder.glob("data/*/memory/*.jsonl")
    Path(f"{fresh}.gz").write_bytes(gzip.compress(fresh.read_bytes()))
    fresh.unlink()
    (torn,) = folder.glob("data/*/cpu/*.jsonl")
    torn.write_bytes(torn.read_bytes() + b'{"timestamp":"2026-11-')
    (folder / "sysmon").write_text(f'#!/bin/sh\nexec {sys.executable} -m sysmon "$@"\n')
    (folder / "sysmon").chmod(0o755)
    return folder


def example(language: str, holding: str) -> str:
    """Return the one example that holds some text."""
    (block,) = [text for kind, text in EXAMPLES if kind == language and holding in text]
    return str(block)


def outcome(folder: Path, language: str, text: str) -> tuple[int, str, list[str]]:
    """Run an example; return its exit code, what it complained about, and its lines."""
    command = ["/bin/sh", "-c", text] if language == "sh" else [sys.executable, "-c", text]
    path = f"{folder}:{environment()['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=environment(PATH=path), capture_output=True, text=True, check=False, timeout=300
    )
    return done.returncode, done.stderr, done.stdout.splitlines()


def fields(chapter: str) -> set[str]:
    """Return the names in the first column of a chapter's table."""
    (text,) = re.findall(rf"^## {chapter}\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL)
    return {name for cell in re.findall(r"^\| (`.*?) \|", text, re.MULTILINE) for name in re.findall(r"`(\w+)`", cell)}


@pytest.mark.skipif(shutil.which("jq") is None, reason="jq is not installed (on Debian: apt install jq)")
@pytest.mark.parametrize(
    ("holding", "lines", "like"),
    [
        pytest.param(".core", TICKS, r"\S+Z\t[\d.]+", id="a metric over time"),
        pytest.param("fired", 1, r"\S+Z\twarning\tawake\t\d+", id="alerts"),
        pytest.param("stopped", 2, r'\{"timestamp":"\S+Z","event":"(started|stopped)","reason":.*\}', id="events"),
        pytest.param("max_by", 4, r'[{}]|  "\w+": .*', id="packed files"),
    ],
)
def test_the_jq_examples_find_what_they_say(folder: Path, holding: str, lines: int, like: str) -> None:
    code, complaint, output = outcome(folder, "sh", example("sh", holding))

    assert (code, complaint, len(output), [line for line in output if not re.fullmatch(like, line)]) == (
        0,
        "",
        lines,
        [],
    )


def test_the_python_example_reads_whole_rows_only(folder: Path) -> None:
    (host,) = (path.name for path in (folder / "data").iterdir() if path.is_dir())

    code, complaint, output = outcome(folder, "python", example("python", "def rows"))

    assert (code, complaint, [line.split()[:2] for line in output]) == (0, "", [[host, str(TICKS)]])


def test_the_python_example_takes_one_file_of_a_stem_in_order(tmp_path: Path) -> None:
    lines = {number: json.dumps({"core": "all", "cpu_usage_percent": number}) + "\n" for number in range(1, 12)}
    for number in range(1, 12):
        stem = "cpu-20261120T120000Z-1h" + (f"-{number}" if number > 1 else "")
        (tmp_path / f"{stem}.jsonl").write_text(lines[number])
        (tmp_path / f"{stem}.jsonl.gz").write_bytes(gzip.compress(lines[number].encode()))
    code = example("python", "def rows").split("\n\n\nfor host")[0]

    _, _, output = outcome(tmp_path, "python", f"{code}\nprint([row['cpu_usage_percent'] for row in rows('.')])")

    assert output == [str(list(range(1, 12)))]


def test_the_pandas_example_works_on_what_export_gives(folder: Path) -> None:
    pytest.importorskip("pandas")
    code, complaint, _ = outcome(folder, "sh", example("sh", "cpu.csv"))

    done = outcome(folder, "python", example("python", "pandas"))

    assert (code, complaint.count(UNFINISHED), done[0], done[1], "mean" in "\n".join(done[2])) == (0, 1, 0, "", True)


def test_the_duckdb_example_counts_every_sample(folder: Path) -> None:
    pytest.importorskip("duckdb")

    code, complaint, output = outcome(folder, "python", example("python", "duckdb"))

    counts = [re.split(r"\W+", line)[2] for line in output if re.match(r"│ (all|\d+)\s", line)]
    assert (code, complaint, set(counts)) == (0, "", {str(TICKS)})


def test_the_spreadsheet_example_writes_a_file_for_each_table(folder: Path) -> None:
    stored = {path.parent.name for path in folder.glob("data/*/*/*.csv")}

    code, complaint, _ = outcome(folder, "sh", example("sh", "spreadsheet/"))

    written = {path.name.partition("-")[0] for path in (folder / "spreadsheet").iterdir()}
    assert (code, complaint.count(UNFINISHED), written) == (0, 1, stored)


def test_every_field_of_an_alert_is_on_the_page(folder: Path) -> None:
    (path,) = folder.glob("data/*/alerts/*.jsonl")
    fired = next(record for record in map(json.loads, path.read_text().splitlines()) if record["event"] == "fired")

    assert set(fired) == fields("alerts")


def test_every_event_and_its_fields_are_on_the_page(folder: Path) -> None:
    (path,) = folder.glob("data/*/events/*.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]

    said = {name for record in records for name in record}
    assert (
        {record["event"] for record in records} <= fields("events"),
        [name for name in sorted(said) if f"`{name}`" not in PAGE],
    ) == (True, [])


def test_every_kind_of_event_in_the_code_is_on_the_page() -> None:
    sources = (Path(__file__).parents[2] / "sysmon").rglob("*.py")
    kinds = {kind for path in sources for kind in re.findall(r'Event\(\s*[\w.()]+,\s*"(\w+)"', path.read_text("utf-8"))}

    assert kinds - fields("events") == set()
