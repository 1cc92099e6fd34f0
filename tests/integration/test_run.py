"""The real `sysmon run`: a process, its files, its signals, its output."""

import csv
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.integration.processes import SYSMON, arguments, environment, rows, run, start, until
from tests.programs import Program

TOUCHY = """\
version: 1
defaults: {for: 0s, clear_for: 0s}
rules:
  - id: exists
    metric: memory_total_bytes
    warning: {above: 1, clear_below: 1}
"""


def _events(folder: Path) -> list[str]:
    return [record["event"] for record in rows(folder, "events")]


def test_once_stores_one_sample_with_its_rates_in_every_table(tmp_path: Path) -> None:
    done = run(tmp_path, "--once")

    tables = {path.name for path in tmp_path.glob("data/*/*")}
    answered = {row["collector"] for row in rows(tmp_path, "collector") if row["collector_up"]}
    usage = [row["cpu_usage_percent"] for row in rows(tmp_path, "cpu") if row["core"] == "all"]
    assert (done.returncode, len(usage), usage[0] is not None) == (0, 1, True)
    assert tables == {"agent", "alerts", "collector", "events", *answered}


def test_run_imports_nothing_heavy(tmp_path: Path) -> None:
    heavy = {
        "msgspec",
        "colorama",
        "ctypes",
        "duckdb",
        "pandas",
        "numpy",
        "asyncio",
        "email",
        "http",
        "urllib.request",
        "ssl",
    }
    heavy |= {"hashlib", "_hashlib"}
    heavy |= {
        "sysmon.console.status_panel",
        "sysmon.console.overview",
        "sysmon.console.command",
        "sysmon.text.cells",
        "sysmon.text.spans",
    }  # nobody watches
    heavy |= {"sysmon.reading", "sysmon.report", "sysmon.cli.report", "sysmon.cli.export", "sysmon.cli.config"}
    code = (
        "import sys, sysmon.cli\n"
        "sysmon.cli.answer(sys.argv[1:])\n"
        f"print(sorted(set(sys.modules) & {heavy!r}), file=sys.stderr)\n"
    )
    flags = arguments(tmp_path, "--once")[len(SYSMON) :]

    done = subprocess.run(
        [sys.executable, "-c", code, *flags], env=environment(), capture_output=True, text=True, check=False
    )

    assert done.stderr.splitlines()[-1:] == ["[]"]


def test_both_formats_hold_the_same_values(tmp_path: Path) -> None:
    run(tmp_path, "--interval", "100ms", "--ticks", "5")

    for path in tmp_path.glob("data/*/*/*.csv"):
        lines = path.with_suffix(".jsonl").read_text().splitlines()
        from_json = [["" if cell is None else str(cell) for cell in json.loads(line).values()] for line in lines]
        with path.open(newline="") as file:
            header, *from_csv = csv.reader(file)
        assert (list(json.loads(lines[0])), from_json) == (header, from_csv), path.name


def test_ticks_are_on_multiples_and_all_of_them_are_stored(tmp_path: Path) -> None:
    run(tmp_path, "--interval", "100ms", "--ticks", "10")

    agent = rows(tmp_path, "agent")
    spread = {row["timestamp"][-4:-1] for row in agent} <= {f"{hundredth}00" for hundredth in range(10)}
    stored_and_missed = sum(1 + row["agent_samples_missed"] for row in agent)
    assert (spread, [row["agent_sequence"] for row in agent], stored_and_missed >= 10) == (
        True,
        list(range(1, 11)),
        True,
    )


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGTERM, 0, id="SIGTERM"),
        pytest.param(signal.SIGINT, 130, id="SIGINT"),
        pytest.param(signal.SIGQUIT, 131, id="Ctrl-Backslash"),
        pytest.param(signal.SIGALRM, 142, id="a timer"),
        pytest.param(signal.SIGVTALRM, 154, id="a timer of CPU time"),
        pytest.param(signal.SIGPROF, 155, id="a profiling timer"),
        pytest.param(signal.SIGXCPU, 152, id="a limit of CPU time"),
        pytest.param(signal.SIGPWR, 158, id="a power failure"),
    ],
)
def test_a_signal_ends_it_with_everything_written(tmp_path: Path, number: signal.Signals, code: int) -> None:
    with start(tmp_path, "--interval", "50ms", stdout=subprocess.PIPE) as process:
        until(lambda: rows(tmp_path, "agent"))
        process.send_signal(number)
        begin = time.monotonic()
        said, _ = process.communicate(timeout=180)

    ticks = next(record for record in rows(tmp_path, "events") if record["event"] == "stopped")
    assert (process.returncode, ticks["ticks"], ticks["reason"], time.monotonic() - begin < 30) == (
        code,
        len(rows(tmp_path, "agent")),
        number.name,
        True,
    )
    assert said.decode().splitlines()[-1].startswith(f"sysmon stopped ({number.name}): {ticks['ticks']} sample")


def test_a_hangup_does_not_end_a_run_without_a_terminal(tmp_path: Path) -> None:
    with start(tmp_path, "--interval", "50ms", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
        until(lambda: rows(tmp_path, "agent"))
        process.send_signal(signal.SIGHUP)
        seen = len(rows(tmp_path, "agent"))
        until(lambda: len(rows(tmp_path, "agent")) > seen + 1)
        process.terminate()
        process.wait(180)

    kinds = [kind for kind in _events(tmp_path) if kind != "interval_changed"]
    assert kinds == ["running", "started", "reloaded", "stopped"]


def test_signals_that_mean_nothing_here_end_nothing_and_are_not_ignored_in_children(tmp_path: Path) -> None:
    numbers = [signal.SIGUSR1, signal.SIGUSR2, signal.SIGIO, signal.SIGPIPE, signal.SIGXFSZ, 16, signal.SIGRTMIN + 3]
    command = ["/bin/sh", "-c", 'trap "" CHLD; exec "$@"', "sh", *arguments(tmp_path, "--interval", "50ms")]
    with Program[bytes](command, env=environment(), stdin=-3, stdout=-3) as process:
        until(lambda: rows(tmp_path, "agent"))
        for number in numbers:
            process.send_signal(number)
        seen = len(rows(tmp_path, "agent"))
        until(lambda: len(rows(tmp_path, "agent")) > seen + 1)
        ignored = int(_status(process.pid, "SigIgn"), 16)
        process.terminate()
        code = process.wait(30)

    kinds = [kind for kind in _events(tmp_path) if kind != "interval_changed"]
    assert (code, kinds) == (0, ["running", "started", "stopped"])
    assert {number for number in range(1, 65) if ignored >> (number - 1) & 1} <= {signal.SIGPIPE, signal.SIGXFSZ}


def _status(pid: int, name: str) -> str:
    """Return one field of /proc/PID/status."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{name}:"))


def test_a_second_run_on_the_same_data_is_refused_by_the_pid_of_the_first(tmp_path: Path) -> None:
    with start(tmp_path, "--interval", "50ms", stdout=subprocess.DEVNULL) as process:
        until(lambda: rows(tmp_path, "agent"))
        second = run(tmp_path, "--once")
        process.terminate()
        process.wait(180)

    said = f"sysmon: {tmp_path}/data is written by the sysmon with pid {process.pid}: "
    assert (second.returncode, second.stderr.count("\n"), second.stderr.startswith(said)) == (2, 1, True)


def test_in_a_pipe_there_is_a_start_line_the_alerts_and_a_stop_line(tmp_path: Path) -> None:
    done = run(tmp_path, "--interval", "50ms", "--ticks", "4", rules=TOUCHY)

    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[::2]] == ["sysmon", "sysmon"]
    assert (len(lines), lines[1].split()[1:3], done.stderr) == (3, ["WARNING", "exists:"], "")


def test_quiet_shows_alerts_and_nothing_else(tmp_path: Path) -> None:
    done = run(tmp_path, "--quiet", "--interval", "50ms", "--ticks", "4", rules=TOUCHY)

    assert [line.split()[1] for line in done.stdout.splitlines()] == ["WARNING"]


def test_an_alert_is_in_the_log_with_what_the_screen_said(tmp_path: Path) -> None:
    run(tmp_path, "--interval", "50ms", "--ticks", "4", rules=TOUCHY)

    log = [(record["event"], record.get("rule"), record.get("level")) for record in rows(tmp_path, "alerts")]
    assert log == [("active", None, None), ("fired", "exists", "warning")]


@pytest.mark.parametrize(
    ("flags", "variables", "coloured"),
    [
        pytest.param((), {}, False, id="a pipe"),
        pytest.param((), {"FORCE_COLOR": "1"}, True, id="FORCE_COLOR"),
        pytest.param((), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False, id="NO_COLOR wins"),
        pytest.param(("--color", "always"), {"NO_COLOR": "1"}, True, id="the flag wins"),
        pytest.param(("--color", "never"), {"FORCE_COLOR": "1"}, False, id="the flag wins the other way"),
    ],
)
def test_colour_follows_the_flag_then_the_environment(
    tmp_path: Path, flags: Sequence[str], variables: Mapping[str, str], coloured: bool
) -> None:
    done = run(tmp_path, "--interval", "50ms", "--ticks", "2", *flags, rules=TOUCHY, env=environment(**variables))

    assert ("\x1b[" in done.stdout) is coloured


@pytest.mark.parametrize(
    "redirection",
    [
        pytest.param('exec "$@" >&-', id="stdout closed"),
        pytest.param('exec "$@" >/dev/full', id="stdout full"),
        pytest.param('exec "$@" >&- 2>&- <&-', id="everything closed"),
        pytest.param('"$@" | head -n 1', id="a reader that leaves"),
    ],
)
def test_no_output_can_hurt_the_sampling(tmp_path: Path, redirection: str) -> None:
    command = arguments(tmp_path, "--interval", "50ms", "--ticks", "5", "--color", "always", rules=TOUCHY)
    done = subprocess.run(
        ["/bin/sh", "-c", redirection, "sh", *command], env=environment(), check=False, timeout=300, capture_output=True
    )

    damaged = [path for path in tmp_path.glob("data/*/*/*.jsonl") if not path.read_text().endswith("}\n")]
    assert (done.returncode, len(rows(tmp_path, "agent")), damaged) == (0, 5, [])


def test_a_reader_that_stops_reading_holds_up_no_tick(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with start(tmp_path, "--interval", "50ms", "--ticks", "20", rules=TOUCHY, stdout=writer, stderr=writer) as process:
        os.set_blocking(writer, False)
        _fill(writer)
        os.set_blocking(writer, True)
        process.wait(180)
    os.close(reader)
    os.close(writer)

    assert (process.returncode, len(rows(tmp_path, "agent"))) == (0, 20)


def _fill(writer: int) -> None:
    try:
        while True:
            os.write(writer, b"x" * 4096)
    except BlockingIOError:
        return


def test_on_a_terminal_there_is_a_line_a_tick_within_its_width(tmp_path: Path) -> None:
    master, slave = pty.openpty()
    with start(tmp_path, "--interval", "100ms", "--ticks", "3", stdin=slave, stdout=slave, stderr=slave) as process:
        os.close(slave)
        shown = _read_terminal(master)
        process.wait(180)
    os.close(master)

    lines = shown.replace("\r\n", "\n").splitlines()
    ticks = [line for line in lines if "\x1b[32mOK\x1b[0m" in line]
    assert (process.returncode, len(ticks), lines[0].startswith("sysmon ")) == (0, 3, True)


def _read_terminal(master: int) -> str:
    chunks: list[bytes] = []
    while True:
        try:
            chunk = os.read(master, 65_536)
        except OSError:
            chunk = b""
        if not chunk:
            return b"".join(chunks).decode()
        chunks.append(chunk)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        pytest.param(("--once", "--ticks", "3"), "--once, --ticks and --for exclude each other", id="two ends"),
        pytest.param(("--interval", "5"), "'5' is no duration: write 5s, 5m or 5h", id="an interval without a unit"),
        pytest.param(("--ticks", "0"), "0 is not in the range", id="no tick at all"),
        pytest.param(("--rules", "/nowhere/rules.yaml"), "/nowhere/rules.yaml", id="no such rules"),
        pytest.param(("--data", "/proc/nowhere"), "/proc/nowhere: cannot be written", id="a place that takes no files"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(tmp_path: Path, flags: Sequence[str], said: str) -> None:
    done = run(tmp_path, *flags)

    assert (done.returncode, said in done.stderr, done.stderr.count("\n"), done.stdout) == (2, True, 1, "")
