"""The page on writing collectors: its example, put into a copy of the program, works everywhere at once."""

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.processes import SYSMON, environment, rows, run

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "collectors.md"
RULES = """\
version: 1
rules:
- {id: many-timers, metric: softirqs_per_second, match: {kind: TIMER}, critical: {at_least: 0, for: 0s}}
"""

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the example reads /proc/softirqs")


def example(page: Path = PAGE) -> str:
    _, _, after = page.read_text().partition("```python\n")
    return after.partition("```")[0]


def in_csv(folder: Path) -> list[Any]:
    texts = [path.read_text() for path in folder.glob("data/*/softirq/*.csv")]
    rows = [row for text in texts for row in csv.DictReader(text.splitlines())]
    return [(row["kind"], float(row["softirqs_per_second"])) for row in rows]


@pytest.fixture
def program(tmp_path: Path) -> Path:
    """Return a folder with a copy of the program and the collector of the page in it."""
    folder = tmp_path / "program"
    shutil.copytree(ROOT / "sysmon", folder / "sysmon", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "sysmon/collectors/softirq.py").write_text(example())
    return folder


def alerts(folder: Path) -> list[Any]:
    return [(row["rule"], row["labels"]["kind"]) for row in rows(folder, "alerts") if row.get("event") == "fired"]


def test_the_example_is_in_files_and_rules_at_once(tmp_path: Path, program: Path) -> None:
    config = tmp_path / "mine.yaml"
    config.write_text("collectors: {softirq: {exclude: ['*'], include: [TIMER, RCU]}}\n")

    done = run(tmp_path, "--once", "--config", str(config), rules=RULES, cwd=program)

    stored = [(row["kind"], row["softirqs_per_second"]) for row in rows(tmp_path, "softirq")]
    assert (done.returncode, [kind for kind, _ in stored], alerts(tmp_path)) == (
        0,
        ["TIMER", "RCU"],
        [("many-timers", "TIMER")],
    )
    assert in_csv(tmp_path) == stored


def test_the_example_is_in_the_catalogue_at_once(program: Path) -> None:
    command = [*SYSMON, "metrics", "--table", "softirq", "--format", "json"]

    done = subprocess.run(command, cwd=program, env=environment(), capture_output=True, check=True, timeout=300)

    answer = json.loads(done.stdout)

    assert [metric["metric"] for table in answer["tables"] for metric in table["metrics"]] == ["softirqs_per_second"]


def test_the_thirty_lines_of_the_contributing_page_are_a_collector(tmp_path: Path, program: Path) -> None:
    (program / "sysmon/collectors/users.py").write_text(example(ROOT / "CONTRIBUTING.md"))
    (tmp_path / "run/systemd/sessions").mkdir(parents=True)
    for name in ("1", "1.ref", "c2"):
        (tmp_path / "run/systemd/sessions" / name).touch()
    count = (
        "from sysmon.collectors import Source, discover; from pathlib import Path; "
        f"one = discover()['users'](Source(proc=Path({str(tmp_path / 'proc')!r})), None); "
        "print(one.rows(None, one.read(), 1.0))"
    )

    done = subprocess.run(
        [sys.executable, "-c", count], cwd=program, env=environment(), capture_output=True, text=True, check=False
    )

    assert (done.stderr, done.stdout) == ("", "[(2,)]\n")
