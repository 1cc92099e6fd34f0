"""`--strict`: no answer at all beside damage, and the same answer as ever without."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from sysmon.cli import answer
from tests.integration.terminals import Terminal
from tests.reading.stored import stamp
from tests.report.reports import write_machine

RANGE = ("--since", stamp(0), "--until", stamp(3600))
READERS = [
    pytest.param(("report", *RANGE), id="report"),
    pytest.param(("report", *RANGE, "--host", "all"), id="report of all hosts"),
    pytest.param(("export", *RANGE, "--table", "load"), id="export"),
    pytest.param(("alerts", "--since", stamp(0)), id="alerts"),
]


def broken(data: Path) -> tuple[Path, Path]:
    """Write the small machine and break a line of two of its files, far behind the first rows; return the files."""
    write_machine(data)
    (load,) = (data / "web-01" / "load").glob("load-*.jsonl")
    (alerts,) = (data / "web-01" / "alerts").glob("alerts-*.jsonl")
    for path in (load, alerts):
        path.write_bytes(path.read_bytes() + b"{broken\n")
    return load, alerts


@pytest.mark.parametrize("command", READERS)
def test_damage_leaves_standard_output_empty_and_is_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    load, alerts = broken(tmp_path)
    damaged = alerts if command[0] == "alerts" else load

    code = answer([*command, "--strict", "--data", str(tmp_path)])

    out, err = capfd.readouterr()
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert re.fullmatch(rf"sysmon: {re.escape(str(damaged))}:\d+: no r.*: --strict answers nothing .*\n", err)


@pytest.mark.parametrize("command", READERS)
def test_without_damage_it_changes_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    write_machine(tmp_path)
    usual = answer([*command, "--data", str(tmp_path)]), capfd.readouterr().out

    strict = answer([*command, "--strict", "--data", str(tmp_path)]), capfd.readouterr().out

    assert (strict, usual[0], len(usual[1]) > 100) == (usual, 0, True)


def test_an_unfinished_line_is_no_damage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)
    (path,) = (tmp_path / "web-01" / "load").glob("load-*.jsonl")
    path.write_bytes(path.read_bytes() + b'{"time')

    code = answer(["report", *RANGE, "--strict", "--data", str(tmp_path)])

    assert (code, "web-01" in capfd.readouterr().out) == (0, True)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(("report", "-o", "page"), id="a page"),
        pytest.param(("export", "--table", "load", "-o", "page"), id="one table"),
        pytest.param(("export", "-o", "pages/"), id="a folder"),
    ],
)
def test_no_file_is_made_or_replaced_beside_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: tuple[str, ...]
) -> None:
    broken(tmp_path / "data")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "page").write_text("of yesterday")

    code = answer([*command, *RANGE, "--strict", "--data", "data"])

    left = [path.name for path in (tmp_path / "pages").glob("*")]
    assert (code, (tmp_path / "page").read_text(), left) == (3, "of yesterday", [])


def test_a_monitoring_plugin_knows_nothing_of_damaged_logs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    _, alerts = broken(tmp_path)

    code = answer(["alerts", "--nagios", "--strict", "--data", str(tmp_path)])

    assert (code, capfd.readouterr().out.startswith(f"SYSMON UNKNOWN - {alerts}:")) == (3, True)


def test_more_than_fits_into_memory_comes_through_whole(tmp_path: Path) -> None:
    write_machine(tmp_path)
    (path,) = (tmp_path / "web-01" / "load").glob("load-*.jsonl")
    path.write_bytes(path.read_bytes() * 200)
    command = [sys.executable, "-m", "sysmon", "export", *RANGE, "--table", "load", "--data", str(tmp_path)]

    usual, strict = (
        subprocess.run([*command, *more], capture_output=True, check=True, timeout=300).stdout
        for more in ([], ["--strict"])
    )

    assert (strict == usual, len(usual) > 2**19) == (True, True)


def test_on_a_terminal_it_is_as_colourful_as_ever(tmp_path: Path) -> None:
    write_machine(tmp_path)
    with Terminal(80, 24) as terminal:
        command = [sys.executable, "-m", "sysmon", "report", *RANGE, "--strict", "--data", str(tmp_path)]
        process = terminal.start(command, {"PATH": "", "TERM": "xterm"})

        terminal.until(lambda: b"\x1b[1m" in terminal.raw)
        terminal.until(lambda: "Alerts" in "\n".join(terminal.lines))
        assert process.wait(180) == 0
