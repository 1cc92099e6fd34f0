"""`sysmon doctor` as somebody types it."""

import json
from pathlib import Path

from tests.integration.processes import answer


def test_each_line_begins_with_a_verdict_and_fits_the_screen(tmp_path: Path) -> None:
    ended = answer("doctor", "--data", str(tmp_path / "data"))

    words = {line[:8].strip() for line in ended.stdout.splitlines()}
    assert (words <= {"OK", "note", "PROBLEM", ""}, {"OK", "note"} <= words, ended.stderr) == (True, True, "")
    assert [line for line in ended.stdout.splitlines() if len(line) > 79 and str(tmp_path) not in line] == []


def test_a_problem_ends_with_one_and_programs_get_the_same(tmp_path: Path) -> None:
    (tmp_path / "sysmon.yaml").write_text("intervall: 5s\n")

    ended = answer("doctor", "--config", str(tmp_path / "sysmon.yaml"), "--format", "json")

    page = json.loads(ended.stdout)
    (finding,) = page["findings"]
    assert (ended.returncode, page["schema"], page["healthy"], finding["verdict"], finding["subject"]) == (
        1,
        1,
        False,
        "problem",
        "configuration",
    )
