"""`sysmon report` and `sysmon export` from the outside: exit codes, streams, words."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sysmon.cli import answer
from sysmon.formats.records import rules_fields
from sysmon.model import Event, Origin
from sysmon.sampling.self_tables import COLLECTOR
from tests.programs import Program
from tests.reading.stored import CPU, LOAD, at, event_lines, stamp, started, stopped, write_log, write_table
from tests.report.reports import write_machine

HOUR = ["--since", stamp(0), "--until", stamp(3600)]


def ask(command: str, data: Path, *more: str) -> int:
    """Call a command for the hour of the small machine; return the exit code."""
    return answer([command, "--data", str(data), *HOUR, *more])


def test_a_report_goes_to_standard_output(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    code = ask("report", tmp_path, "--utc")

    out, err = capfd.readouterr()
    assert (code, err, out.splitlines()[1]) == (0, "", "2026-11-20 12:00:00 to 13:00:00 UTC, 1h")


def test_json_goes_to_a_file(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path / "data")

    code = ask("report", tmp_path / "data", "--format", "json", "-o", str(tmp_path / "report.json"))

    result = json.loads((tmp_path / "report.json").read_text())
    assert (code, capfd.readouterr().out, result["schema"], result["hosts"][0]["hostname"]) == (0, "", 1, "web-01")


def test_damage_is_told_on_standard_error_and_by_the_exit_code(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_machine(tmp_path)
    path = tmp_path / "web-01" / "load" / "load-20261120T120500Z-1h.jsonl"
    path.write_bytes(b"{broken\n" + path.read_bytes())

    code = ask("report", tmp_path)

    out, err = capfd.readouterr()
    assert (code, f"skipped {path}:1: no row" in err, "damaged: 1 lines" in out) == (3, True, True)


@pytest.mark.parametrize("table", ["cpu", "disk_io", "strangers", "events", "alerts"])
def test_a_folder_that_cannot_be_read_is_counted_and_the_others_are_told(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], table: str
) -> None:
    write_machine(tmp_path)
    folder = tmp_path / "web-01" / table
    shutil.rmtree(folder, ignore_errors=True)
    folder.symlink_to(folder)  # cannot be listed, by root neither

    code = ask("report", tmp_path)

    out, err = capfd.readouterr()
    reason = "cannot be read (Too many levels of symbolic links)"
    assert (code, err, "damaged: 1 lines" in out) == (3, f"sysmon: skipped {folder}: {reason}\n", True)


def test_an_unfinished_line_is_mentioned_and_no_damage(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)
    path = tmp_path / "web-01" / "load" / "load-20261120T120500Z-1h.jsonl"
    path.write_bytes(path.read_bytes() + b'{"time')

    code = ask("report", tmp_path)

    assert (code, capfd.readouterr().err.splitlines()) == (
        0,
        [f"sysmon: {path}: the last line is not finished and was left out"],
    )


@pytest.mark.parametrize("command", ["report", "export"])
def test_nothing_in_the_range_says_where_something_is(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], command: str
) -> None:
    write_machine(tmp_path)

    code = answer([command, "--data", str(tmp_path), "--since", "@0", "--until", "@9", "--table", "load"])

    out, err = capfd.readouterr()
    assert (code, out, err) == (
        1,
        "",
        "sysmon: web-01: no samples in load from 1970-01-01T00:00:00.000Z to 1970-01-01T00:00:09.000Z: "
        "there are some from 2026-11-20T12:05:00.000Z to 2026-11-20T12:59:00.000Z\n",
    )


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param(["--table", "cpuu"], "no table 'cpuu': did you mean 'cpu'?", id="table"),
        pytest.param(["--table", "events"], "'events' holds no rows", id="a log"),
        pytest.param(["--metric", "x*"], "no metric is named x*: look them up with `sysmon metrics`", id="metric"),
        pytest.param(["--metric", "cpu"], "no metric is named cpu: did you mean 'cpu*'?", id="the thing of a metric"),
        pytest.param(["--metric", "cpu_usge_percent"], "did you mean 'cpu_usage_percent'?", id="a misspelt metric"),
        pytest.param(["--bucket", "0"], "--bucket 0s does not divide a day: write 1m, ", id="bucket 0"),
        pytest.param(["--host", "web-02"], "no host 'web-02': known are web-01", id="host"),
        pytest.param(["--since", "5"], "invalid time '5'; examples: 90s", id="since"),
        pytest.param(["--since", "2027-01-01"], "write a --since that is before --until", id="backwards"),
        pytest.param(["-o", "/nowhere/at/all"], "/nowhere/at/all: cannot be written", id="output"),
    ],
)
def test_what_makes_no_sense_is_answered_in_a_line(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], more: list[str], said: str
) -> None:
    write_machine(tmp_path)

    code = ask("report", tmp_path, *more)

    out, err = capfd.readouterr()
    assert (code, out, err.count("\n"), said in err) == (2, "", 1, True)


def test_a_newer_format_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)
    (tmp_path / "format").write_text("2\n")

    code = ask("report", tmp_path)

    assert (code, "format 2 is newer" in capfd.readouterr().err) == (2, True)


def test_of_several_hosts_the_choice_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        write_table(tmp_path, LOAD, [(at(60), [(1, 2)])], origin=Origin(name))

    code = ask("report", tmp_path)

    assert (code, "was written last; name another with --host: " in capfd.readouterr().err) == (0, True)


def test_a_metric_that_is_named_is_shown_for_every_series(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    code = ask("report", tmp_path, "--metric", "cpu_usage*")

    lines = capfd.readouterr().out.splitlines()
    assert (code, [line.split("    ")[0] for line in lines if line.startswith("cpu  ")]) == (
        0,
        ["cpu  core=all", "cpu  core=0", "cpu  core=1"],
    )


def test_export_to_standard_output_needs_one_table(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    codes = ask("export", tmp_path), ask("export", tmp_path, "--table", "load", "-o", "-")

    out, err = capfd.readouterr()
    assert (codes, out.count("\n"), "-o DIR/" in err) == ((2, 0), 53, True)


def test_export_to_a_folder_is_silent(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path / "data")

    code = ask("export", tmp_path / "data", "-o", f"{tmp_path}/out/", "--format", "jsonl")

    assert (code, capfd.readouterr(), len(list((tmp_path / "out").iterdir()))) == (0, ("", ""), 5)


def sysmon(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[bytes]":
    """Run the program itself."""
    command = [sys.executable, "-m", "sysmon", *arguments]
    return subprocess.run(command, capture_output=True, check=False, timeout=300, env={"PATH": "", **environment})


def test_a_terminal_that_knows_only_ascii_gets_ascii(tmp_path: Path) -> None:
    write_machine(tmp_path)

    done = sysmon("report", "--data", str(tmp_path), *HOUR, PYTHONIOENCODING="ascii", TZ="UTC")

    assert (done.returncode, done.stdout.isascii(), b"cpu_usage_percent" in done.stdout) == (0, True, True)


def test_columns_makes_the_page_wide(tmp_path: Path) -> None:
    write_machine(tmp_path)

    done = sysmon("report", "--data", str(tmp_path), *HOUR, COLUMNS="120", PYTHONIOENCODING="utf-8")

    assert max(len(line) for line in done.stdout.decode().splitlines()) in range(110, 121)


def test_times_are_local_unless_asked_for_in_utc(tmp_path: Path) -> None:
    write_machine(tmp_path)

    done = sysmon("report", "--data", str(tmp_path), *HOUR, TZ="Asia/Tokyo", PYTHONIOENCODING="utf-8")

    assert done.stdout.decode().splitlines()[1] == "2026-11-20 21:00:00 to 22:00:00 UTC+09:00, 1h"


def test_a_reader_that_had_enough_is_no_error(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, [(at(n / 10), [("all", n, None)]) for n in range(30_000)])
    command = [sys.executable, "-m", "sysmon", "export", "--data", str(tmp_path), *HOUR, "--table", "cpu"]
    with Program[bytes](command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()

        assert (process.stderr.read(), process.wait(180)) == (b"", 0)


@pytest.mark.parametrize(
    ("named", "code", "shown", "notes"),
    [
        pytest.param(["a", "b"], 0, ["a", "b"], 0, id="two"),
        pytest.param(["b", "b"], 0, ["b"], 0, id="one twice"),
        pytest.param(["all"], 0, ["a", "b"], 1, id="all, of which one has nothing there"),
        pytest.param(["a", "old"], 1, ["a"], 1, id="one has nothing there"),
        pytest.param(["old"], 1, [], 1, id="the only one has nothing there"),
        pytest.param(["a", "c"], 2, [], 1, id="one is unknown"),
    ],
)
def test_several_hosts_are_told_one_after_the_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], named: list[str], code: int, shown: list[str], notes: int
) -> None:
    for name, second in (("a", 60), ("b", 60), ("old", -9999)):
        write_table(tmp_path, LOAD, [(at(second), [(1, 2)])], origin=Origin(name))

    result = ask("report", tmp_path, "--format", "json", *(word for name in named for word in ("--host", name)))

    out, err = capfd.readouterr()
    hosts = [host["hostname"] for host in json.loads(out)["hosts"]] if out else []
    assert (result, hosts, err.count("\n")) == (code, shown, notes)


def test_the_only_host_that_is_there_can_be_named_all(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    code = ask("report", tmp_path, "--host", "all", "--utc")

    assert (code, capfd.readouterr().out.splitlines()[0]) == (0, "web-01  environment=prod region=eu")


@pytest.mark.parametrize(
    ("more", "environment", "colored"),
    [
        pytest.param([], {}, False, id="in a pipe"),
        pytest.param(["--color", "always"], {}, True, id="wanted"),
        pytest.param([], {"FORCE_COLOR": "1"}, True, id="forced"),
        pytest.param(["--color", "never"], {"FORCE_COLOR": "1"}, False, id="not wanted"),
        pytest.param([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="forced and refused"),
    ],
)
def test_colour_is_for_terminals(tmp_path: Path, more: list[str], environment: dict[str, str], colored: bool) -> None:
    write_machine(tmp_path)

    done = sysmon("report", "--data", str(tmp_path), *HOUR, *more, **environment)

    assert (done.returncode, b"\x1b[" in done.stdout) == (0, colored)


def test_a_file_is_never_coloured_unasked(tmp_path: Path) -> None:
    write_machine(tmp_path)

    sysmon("report", "--data", str(tmp_path), *HOUR, "-o", str(tmp_path / "page.txt"), FORCE_COLOR="1")

    assert "\x1b" not in (tmp_path / "page.txt").read_text()


def test_a_collector_is_measured_by_the_interval_of_its_own_table(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    intervals = {"cpu": 60.0, "disk_usage": 300.0, "collector": 60.0}
    rows = {
        second: [("cpu", 0.001, 1, 0), *([("disk_usage", 0.002, 1, 0)] if second % 300 == 0 else [])]
        for second in range(0, 3600, 60)
    }
    write_table(tmp_path, COLLECTOR, [(at(second), ticks) for second, ticks in rows.items()])
    write_log(tmp_path, "events", event_lines([started(0, "5f1c", intervals), stopped(3600, "5f1c", 3599)]))

    ask("report", tmp_path, "--format", "json")

    (table,) = json.loads(capfd.readouterr().out)["hosts"][0]["tables"]
    assert [
        (entry["labels"]["collector"], entry["coverage"]["found"], entry["coverage"]["expected"])
        for entry in table["series"]
    ] == [
        ("cpu", 60, 60),
        ("disk_usage", 12, 12),
    ]


@pytest.mark.parametrize(
    ("compare", "code", "message"),
    [
        pytest.param(["--compare"], 0, "", id="the time before"),
        pytest.param(["--compare", "30m"], 0, "", id="a time named"),
        pytest.param(["--compare", "7d"], 1, "no samples from 2026-11-13T12:30:00.000Z", id="nothing stored"),
        pytest.param(["--compare", "0s"], 2, "is the same range", id="no time at all"),
        pytest.param(["--compare", "soon"], 2, "'soon' is no duration", id="no time"),
    ],
)
def test_a_range_is_compared_with_an_earlier_one(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], compare: list[str], code: int, message: str
) -> None:
    write_machine(tmp_path)

    result = ask("report", tmp_path, "--since", stamp(1800), *compare, "--utc")

    out, err = capfd.readouterr()
    assert (result, message in err, bool(err), "compared with 2026-11-20 12:00:00 to 12:30:00 UTC" in out) == (
        code,
        True,
        bool(message),
        not message,
    )


def test_limits_come_from_the_rules_that_are_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)
    (tmp_path / "my.yaml").write_text(
        "version: 1\nrules:\n  - {id: a, metric: load_average_1m, info: {above: 1}}\n", "utf-8"
    )

    code = ask("report", tmp_path, "--rules", str(tmp_path / "my.yaml"))

    assert (code, "\n  info > 1: 40m (76.9 %)\n" in capfd.readouterr().out) == (0, True)


@pytest.mark.parametrize(
    ("named", "code"),
    [pytest.param([], 0, id="those of the configuration"), pytest.param(["--rules", "bad.yaml"], 2, id="named")],
)
def test_rules_that_cannot_be_read_stop_a_report_only_when_they_were_named(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, named: list[str], code: int
) -> None:
    write_machine(tmp_path / "data")
    (tmp_path / "bad.yaml").write_text("version: 1\nrules: 5\n", "utf-8")
    (tmp_path / "sysmon.yaml").write_text("rules: bad.yaml\n", "utf-8")
    monkeypatch.chdir(tmp_path)

    result = ask("report", tmp_path / "data", "--config", "sysmon.yaml", *named)

    out, err = capfd.readouterr()
    assert (result, bool(out), err.count("\n"), "bad.yaml:2:8: rules is no list" in err) == (code, not code, 1, True)


def test_as_many_processes_are_named_as_asked_for(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    ask("report", tmp_path, "--top", "2", "--format", "json")

    (host,) = json.loads(capfd.readouterr().out)["hosts"]
    assert [len(ranking["groups"]) for ranking in host["top"]] == [2, 2, 2]


def test_a_time_table_has_a_line_for_each_part_of_the_range(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write_machine(tmp_path)

    code = ask("report", tmp_path, "--bucket", "10m", "--metric", "cpu_usage*", "--table", "cpu", "--utc")

    lines = [line for line in capfd.readouterr().out.splitlines() if line.startswith("12:")]
    assert (code, [line.split()[:2] for line in lines[:3]], len(lines)) == (
        0,
        [["12:00:00", "5"], ["12:10:00", "10"], ["12:20:00", "7"]],
        12,
    )


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param(["--bucket", "5m", "--compare"], "--compare and --bucket exclude each other", id="two ways"),
        pytest.param(
            ["--bucket", "5m", "--format", "html", "-o", "x"],
            "--bucket needs another --format: csv, ",
            id="html",
        ),
        pytest.param(["--bucket", "7m"], "7m does not divide a day", id="odd parts"),
        pytest.param(["--by", "core", "--bucket", "5m"], "--by and --bucket exclude each other", id="two other ways"),
        pytest.param(["--bucket", "5m", "--table", "process"], "processes come and go", id="processes hour by hour"),
        pytest.param(["--by", "rack"], "--by rack: no table here has such rows: write core, device", id="label"),
        pytest.param(["--by", "core", "--table", "load"], "--by core: no table here", id="a table without it"),
    ],
)
def test_what_no_page_can_show_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], more: list[str], message: str
) -> None:
    write_machine(tmp_path)

    code = ask("report", tmp_path, *more)

    out, err = capfd.readouterr()
    assert (code, out, err.count("\n"), message in err) == (2, "", 1, True)


def test_hosts_are_told_side_by_side_without_being_named(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        write_table(tmp_path, CPU, [(at(60), [("all", 5.0, 0.0)])], origin=Origin(name))

    code = ask("report", tmp_path, "--by", "host", "--utc")

    out, err = capfd.readouterr()
    assert (code, err, [line.split()[0] for line in out.splitlines()[3:]]) == (0, "", ["host", "a", "b"])


LIMIT = "version: 1\nrules: [{{id: hot, metric: cpu_usage_percent, match: {{core: all}}, warning: {{at_least: {}}}}}]\n"


@pytest.mark.parametrize(
    ("is_logged", "more", "limit", "origin"),
    [
        pytest.param(True, [], 31, "the rules of the run (hash {hash})", id="the run's"),
        pytest.param(False, [], 55, "rules of {file} (the event log has none for this range)", id="of older data"),
        pytest.param(True, ["--rules", "{file}"], 55, "rules of {file} (--rules)", id="a file of one's own"),
    ],
)
def test_limits_are_those_of_the_run_and_not_of_the_folder_one_stands_in(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    is_logged: bool,
    more: list[str],
    limit: int,
    origin: str,
) -> None:
    write_machine(tmp_path / "data")
    fields = rules_fields(LIMIT.format(31)) if is_logged else {}
    opening = Event(at(0), "running", {"run": "5f1c", "intervals": {"cpu": 60.0}, **fields})
    write_log(tmp_path / "data", "events", event_lines([opening]))
    (tmp_path / "rules.yaml").write_text(LIMIT.format(55))
    (tmp_path / "sysmon.yaml").write_text("rules: rules.yaml\n")
    names = {"file": str(tmp_path / "rules.yaml"), "hash": fields.get("rules_hash")}
    monkeypatch.setenv("SYSMON_CONFIG", str(tmp_path / "sysmon.yaml"))

    code = ask("report", tmp_path / "data", "--format", "json", *(text.format(**names) for text in more))
    page = json.loads(capfd.readouterr().out)["hosts"][0]
    texts = {}
    for name in ("text", "markdown", "html"):
        ask("report", tmp_path / "data", "--format", name, *(text.format(**names) for text in more))
        texts[name] = "".join(capfd.readouterr().out.split())

    (series,) = (
        series for table in page["tables"] for series in table["series"] if series["labels"] == {"core": "all"}
    )
    assert (code, page["limits_from"]) == (0, origin.format(**names))
    assert [beyond["limit"] for beyond in series["metrics"]["cpu_usage_percent"]["beyond"]] == [limit]
    shown = "".join(f"limits: {origin.format(**names)}".split())
    assert [shown in text.replace("\\", "") for text in texts.values()] == [True, True, True]
