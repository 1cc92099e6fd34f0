"""Files of other programs: what can be read counts, and what cannot is named with file and line, never only counted."""

import json
import shutil
from pathlib import Path

import pytest

from sysmon import cli

MACHINES = Path(__file__).parents[1] / "data/machines"
UNREADABLE = MACHINES / "files-unreadable-not-named"
RANGE = ("--since", "2026-03-28T00:00Z", "--until", "2026-03-29T00:00Z")

unreadable = pytest.mark.parametrize(
    ("case", "place"),
    [
        pytest.param("space", ".csv:2: no row ('2026-03-28 00:00:00' has no UTC offset)", id="no offset"),
        pytest.param("semicolon", ".csv:1: no header with a timestamp column", id="semicolons and a BOM"),
        pytest.param("strings", ".jsonl:1: no row (Expected `int | float | null`, got `str`", id="quoted numbers"),
    ],
)


def ask(data: Path, *command: str) -> int:
    return cli.answer([*command, *RANGE, "--data", str(data)])


@unreadable
@pytest.mark.parametrize(
    "command", [("report",), ("report", "--host", "all"), ("export", "--table", "cpu")], ids=" ".join
)
def test_a_file_of_which_nothing_can_be_read_is_named(
    case: str, place: str, command: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code = ask(UNREADABLE / case, *command)

    said = capsys.readouterr()
    assert (code, said.out) == (3, "")
    assert f"{UNREADABLE / case}/web1/cpu/cpu-20260328T000000Z-1d{place}" in said.err


@unreadable
def test_show_names_it_too(case: str, place: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = cli.answer(["show", "--at", "2026-03-28T00:05Z", "--data", str(UNREADABLE / case)])

    assert (code, place in capsys.readouterr().err) == (3, True)


@pytest.mark.parametrize("name", ["cpu-20260328T000000Z-1d.jsonl.gz", "cpu-20260328T000000Z-1d.csv"])
def test_the_only_file_of_a_range_is_named_where_it_is_empty_or_a_folder(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "web1/cpu"
    folder.mkdir(parents=True)
    if name.endswith(".gz"):
        (folder / name).touch()
    else:
        (folder / name).mkdir()

    codes = [
        ask(tmp_path, "report"),
        ask(tmp_path, "export", "--table", "cpu"),
        ask(tmp_path, "export", "--resume", "x"),
    ]

    assert (codes, capsys.readouterr().err.count(f"{folder / name}:")) == ([3, 3, 3], 3)


def test_a_host_of_which_nothing_can_be_read_does_not_hide_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(UNREADABLE / "strings/web1", tmp_path / "web1")
    shutil.copytree(MACHINES / "files-nan/csv/web1", tmp_path / "web2")

    code = ask(tmp_path, "report", "--host", "all", "--format", "json")

    said = capsys.readouterr()
    assert (code, f"{tmp_path}/web1/cpu/cpu-20260328T000000Z-1d.jsonl:1:" in said.err, '"cpu"' in said.out) == (
        3,
        True,
        True,
    )


def test_a_decimal_comma_is_named_with_its_column(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(MACHINES / "files-nan/csv/web1", tmp_path / "web1")
    path = tmp_path / "web1/cpu/cpu-20260328T000000Z-1d.csv"
    path.write_bytes(path.read_bytes().replace(b"NaN", b'"12,5"'))

    code = ask(tmp_path, "export", "--table", "cpu")

    assert (code, f"{path}:2: no row (cpu_usage_percent: '12,5' is no number)" in capsys.readouterr().err) == (3, True)


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_not_a_number_costs_one_value(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    code = ask(MACHINES / "files-nan" / form, "export", "--table", "cpu", "--format", "jsonl")

    said = capsys.readouterr()
    rows = [json.loads(line) for line in said.out.splitlines()]
    values = [
        [row[name] for row in rows if row[name] is not None] for name in ("cpu_usage_percent", "cpu_user_percent")
    ]
    assert (code, said.err, len(rows), [len(present) for present in values]) == (0, "", 60, [54, 60])
