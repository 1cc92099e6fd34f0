"""`sysmon show` and `sysmon top` in a pipe: pages, exit codes, words."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sysmon.cli import answer
from sysmon.datadir.segments import Form
from tests.integration.processes import SYSMON, environment, run
from tests.reading.stored import CPU, at, event_lines, stamp, started, stopped, write_log, write_table
from tests.report.reports import INTERVALS, write_machine

GOLDEN = Path(__file__).parents[1] / "golden" / "show.txt"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


def show(data: Path, at_second: float, *more: str) -> int:
    """Show the small machine at some second of its hour; return the exit code."""
    return answer(["show", "--data", str(data), "--at", stamp(at_second), "--utc", *more])


def test_a_page_tells_the_whole_machine(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    code = show(tmp_path, 2400)

    out, err = capfd.readouterr()
    if os.environ.get("SYSMON_GOLDEN") == "write":
        GOLDEN.write_text(out, "utf-8")
    lines = [line.split(" ago")[-1] if " ago" in line else line for line in out.splitlines()]
    kept = [line.split(" ago")[-1] if " ago" in line else line for line in GOLDEN.read_text("utf-8").splitlines()]
    assert (code, err, lines) == (0, "", kept)


def test_json_is_for_programs(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    code = show(tmp_path, 2430, "--format", "json", "--table", "load")

    page = json.loads(capfd.readouterr().out)
    assert (code, page["asked"], page["timestamp"], page["note"], list(page["tables"])) == (
        0,
        stamp(2430),
        stamp(2400),
        None,
        ["load"],
    )


@pytest.mark.parametrize(
    ("second", "note"),
    [
        pytest.param(1630, "12:27:10 UTC: no sample was stored; this sample is 3m10s older", id="in a gap"),
        pytest.param(7200, "14:00:00 UTC: sysmon was not running; this sample is 1h1m older", id="after the last"),
        pytest.param(0, "12:00:00 UTC: the samples begin later; this sample is 5m newer", id="before the first"),
    ],
)
def test_where_there_is_no_sample_another_is_shown_and_the_exit_code_tells(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], second: float, note: str
) -> None:
    write_machine(tmp_path)
    write_log(tmp_path, "events", event_lines([started(295, "5f1c", INTERVALS, 300), stopped(3550, "5f1c", 3540)]))

    code = show(tmp_path, second)

    assert (code, capfd.readouterr().out.splitlines()[1]) == (1, f"2026-11-20 {note}")


def test_a_time_to_come_shows_the_newest_sample_and_says_so(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    code = answer(["show", "--data", str(tmp_path), "--at", "2999-01-01T00:00Z", "--utc"])

    note = "2999-01-01 00:00:00 UTC: still to come; this is the newest sample"
    assert (code, capfd.readouterr().out.splitlines()[1]) == (1, note)


def test_the_newest_sample_is_shown_where_no_instant_is_named_however_old_it_is(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_machine(tmp_path)

    code = answer(["show", "--data", str(tmp_path), "--utc"])

    assert (code, capfd.readouterr().out.splitlines()[0].startswith("web-01  2026-11-20 12:59:00 UTC")) == (0, True)


def test_damage_nearby_is_told_on_standard_error_and_by_the_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_machine(tmp_path)
    path = tmp_path / "web-01" / "load" / "load-20261120T120500Z-1h.jsonl"
    path.write_bytes(b"{broken\n" + path.read_bytes())

    code = show(tmp_path, 360)

    out, err = capfd.readouterr()
    assert (code, f"skipped {path}:1: no row" in err, "1 lines or parts of files" in out) == (3, True, True)


def test_strict_answers_nothing_beside_damage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)
    path = tmp_path / "web-01" / "load" / "load-20261120T120500Z-1h.jsonl"
    path.write_bytes(b"{broken\n" + path.read_bytes())

    code = show(tmp_path, 360, "--strict")

    out, err = capfd.readouterr()
    assert (code, out, f"{path}:1: no row" in err) == (3, "", True)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["--at", "25:99"], "invalid time '25:99'", id="no time"),
        pytest.param(["--table", "nosuch"], "no table 'nosuch': known are", id="no table"),
        pytest.param(["--host", "db-07"], "no host 'db-07': known are web-01", id="no host"),
    ],
)
def test_what_makes_no_sense_is_said_in_a_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    write_machine(tmp_path)

    code = answer(["show", "--data", str(tmp_path), *words])

    out, err = capfd.readouterr()
    assert (code, out, message in err, err.count("\n")) == (2, "", True, 1)


def test_a_folder_without_samples_says_what_to_do(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = answer(["show", "--data", str(tmp_path / "none")])

    assert (code, "start `sysmon run`" in capfd.readouterr().err) == (1, True)


@pytest.mark.parametrize("time", ["30m", "-30m"])
def test_a_duration_is_that_long_ago_with_or_without_a_minus(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], time: str
) -> None:
    write_table(tmp_path, CPU, [(at(0), [("all", 1.0, 0.0)])])

    answer(["show", "--data", str(tmp_path), "--at", time, "--format", "json"])

    assert json.loads(capfd.readouterr().out)["timestamp"] == stamp(0)


def test_packed_files_and_csv_show_the_same(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    pages = set()
    for form, packed in ((Form.JSONL, False), (Form.JSONL, True), (Form.CSV, False), (Form.CSV, True)):
        data = tmp_path / f"{form}-{packed}"
        write_machine(data, form=form, packed=packed)
        show(data, 2400, "--format", "json")
        pages.add(capfd.readouterr().out)

    assert len(pages) == 1


def test_top_in_a_pipe_is_one_page_that_was_sampled_here(tmp_path: Path) -> None:
    (tmp_path / "sysmon.yaml").write_text("")
    command = [*SYSMON, "top", "--data", str(tmp_path / "data"), "--config", str(tmp_path / "sysmon.yaml"), "--utc"]

    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)

    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr, lines[1]) == (
        0,
        "",
        "no recorder running; live sampling, not recorded",
    )
    assert (lines[0].split()[-3:], (tmp_path / "data").exists()) == (["LIVE,", "every", "1s"], False)


def test_a_rule_file_that_cannot_be_read_hides_nothing_but_the_alerts(tmp_path: Path) -> None:
    (tmp_path / "rules.yaml").write_text("version: 99\n")
    (tmp_path / "sysmon.yaml").write_text("rules: rules.yaml\n")
    command = [*SYSMON, "top", "--data", str(tmp_path / "data"), "--config", str(tmp_path / "sysmon.yaml")]

    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=False, timeout=300)

    assert (done.returncode, "no alerts: " in done.stdout, "process, by CPU" in done.stdout) == (0, True, True)


def test_an_interval_that_is_out_of_range_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    code = answer(["top", "--data", str(tmp_path), "--interval", "0s"])

    assert (code, capfd.readouterr()) == (2, ("", "sysmon: --interval: 0s is out of range: write 10ms to 1d\n"))


def test_top_of_another_host_that_nobody_samples_points_to_show(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_machine(tmp_path)

    code = answer(["top", "--data", str(tmp_path), "--host", "web-01"])

    assert (code, "show stored samples with `sysmon show --host web-01`" in capfd.readouterr().err) == (1, True)


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    assert run(tmp_path, "--interval", "100ms", "--ticks", "3").returncode == 0
    head = shutil.which("head") or "head"
    command = " ".join([*SYSMON, "show", "--data", str(tmp_path / "data")])

    done = subprocess.run(
        ["/bin/sh", "-c", f"{command} | {head} -1"], env=environment(), capture_output=True, check=False, timeout=300
    )

    assert (done.returncode, done.stderr, done.stdout.count(b"\n")) == (0, b"", 1)
