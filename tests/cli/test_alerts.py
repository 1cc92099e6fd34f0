"""`sysmon alerts`, `silence`, `silences`, `unsilence` and `ack` beside a real run."""

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.processes import SYSMON, answer, rows, start, until
from tests.integration.terminals import Terminal

RULES = """\
version: 1
defaults: {for: 0s, clear_for: 0s, repeat: 200ms}
rules:
  - {id: exists, metric: memory_total_bytes, warning: {above: 1}}
  - {id: never, metric: memory_total_bytes, critical: {below: 1}}
"""
FLAGS = ("--interval", "50ms")


def ask(folder: Path, *command: str) -> "subprocess.CompletedProcess[str]":
    """Ask about the data that a run of the same folder writes."""
    where = ["--data", str(folder / "data"), "--config", str(folder / "sysmon.yaml")]
    return answer(*command, *where)


def events(folder: Path) -> list[dict[str, Any]]:
    return [record for record in rows(folder, "alerts") if record["event"] != "active"]


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Path]:
    """Have a run on which one alert fires and is repeated every 200 ms."""
    with start(tmp_path, *FLAGS, rules=RULES, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        until(lambda: events(tmp_path))
        yield tmp_path
        run.terminate()


def test_what_fires_is_listed_and_told_by_the_exit_code(watched: Path) -> None:
    (first, *_) = events(watched)

    ended = ask(watched, "alerts", "--active")

    lines = ended.stdout.splitlines()
    assert (ended.returncode, lines[0], ended.stderr) == (1, f"WARNING  exists  {first['id']}", "")
    assert re.fullmatch(r" +memory_total_bytes > 1, since .* for .*, peak .* GiB, firing", lines[1])


def test_long_lines_are_broken_between_words_on_a_terminal(watched: Path) -> None:
    environ = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with Terminal(50, 24) as terminal:
        command = [*SYSMON, "alerts", "--data", str(watched / "data"), "--config", str(watched / "sysmon.yaml")]
        shell = terminal.start(["/bin/sh", "-c", f"{shlex.join(command)}; echo end; read line"], environ)
        terminal.until(lambda: "end" in terminal.lines)
        first, *more, _ = terminal.lines
        terminal.type("\n")
        shell.wait(180)

    assert first.startswith("WARNING  exists  ")
    assert [line for line in more if not line.startswith(" " * 9)] == []
    assert len(more) >= 2


def test_a_level_leaves_out_what_is_milder(watched: Path) -> None:
    ended = ask(watched, "alerts", "--active", "--level", "critical")

    assert (ended.returncode, ended.stdout) == (0, "no active alerts\n")


def test_programs_get_an_object(watched: Path) -> None:
    page = json.loads(ask(watched, "alerts", "--format", "json").stdout)

    assert (page["watched"], [(alert["rule"], alert["state"], alert["acknowledged"]) for alert in page["alerts"]]) == (
        True,
        [("exists", "firing", None)],
    )


def test_a_monitoring_plugin_gets_one_line_and_its_code(watched: Path) -> None:
    ended = ask(watched, "alerts", "--nagios")

    assert ended.returncode == 1
    assert re.fullmatch(r"SYSMON WARNING - exists warning for \S+ \| alerts=1 critical=0 warning=1\n", ended.stdout)


def test_without_a_run_nothing_is_known_of_now(tmp_path: Path) -> None:
    with start(tmp_path, *FLAGS, rules=RULES, stdout=subprocess.DEVNULL) as run:
        until(lambda: events(tmp_path))
        run.terminate()

    plugin, person = ask(tmp_path, "alerts", "--nagios"), ask(tmp_path, "alerts", "--active")
    nothing = ask(tmp_path / "nowhere", "alerts", "--nagios")

    assert (plugin.returncode, plugin.stdout.split(" | ")[0]) == (3, "SYSMON UNKNOWN - sysmon is not running")
    assert (person.returncode, person.stderr) == (
        1,
        "sysmon: no recorder running: these alerts were active when it stopped\n",
    )
    assert (nothing.returncode, nothing.stdout.split(" - ")[0]) == (3, "SYSMON UNKNOWN")


def test_without_a_run_and_without_alerts_it_names_none_that_was_active(tmp_path: Path) -> None:
    take_sample = ("run", "--once", "--data", str(tmp_path / "data"), "--rules", str(tmp_path / "rules.yaml"))
    (tmp_path / "rules.yaml").write_text("version: 1\nrules: []\n")
    assert answer(*take_sample).returncode == 0

    listed = answer("alerts", "--active", "--data", str(tmp_path / "data"))

    assert (listed.returncode, listed.stdout, listed.stderr) == (
        0,
        "no active alerts\n",
        "sysmon: no recorder running: no such alert was active when it stopped\n",
    )


def test_a_silence_mutes_within_a_tick_is_listed_and_can_be_ended(watched: Path) -> None:
    made = ask(watched, "silence", "exi*", "--for", "1h", "--why", "moving", "--rules", str(watched / "rules.yaml"))
    silence = made.stdout.split()[0]
    until(lambda: events(watched)[-1]["told"] == f"silence {silence}")
    listed = ask(watched, "silences")
    shown = ask(watched, "alerts", "--active")
    ended = ask(watched, "unsilence", silence)
    until(lambda: events(watched)[-1]["told"] is True)

    after = ask(watched, "silences")

    assert (made.returncode, ended.returncode, after.stdout) == (0, 0, "no silences\n")
    assert re.fullmatch(rf"{silence}  exi\*  until .* left\)  \S+: moving\n", listed.stdout)
    assert re.fullmatch(rf"silenced {silence}  exi\*  until .* left\)  \S+: moving", shown.stdout.splitlines()[-1])


def test_an_acknowledged_alert_is_repeated_to_nobody(watched: Path) -> None:
    first = events(watched)[0]["id"]

    done = ask(watched, "ack", first, "--why", "on it")
    until(lambda: events(watched)[-1]["told"] == "acknowledged")

    shown = ask(watched, "alerts", "--active").stdout.splitlines()
    assert (done.returncode, shown[-1].endswith(": on it")) == (0, True)


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        pytest.param(["ack", "00000000"], 1, "no alert '00000000' fires", id="an alert that there is not"),
        pytest.param(["unsilence", "000000"], 1, "no silence '000000' holds", id="a silence that there is not"),
        pytest.param(["silence", "exists"], 2, "Missing option '--for'", id="for how long"),
        pytest.param(["silence", "exists", "--for", "5"], 2, "'5' is no duration", id="a time without a unit"),
        pytest.param(["silence", "exists", "--for", "99d"], 2, "at most 90d", id="for ever"),
        pytest.param(
            ["silence", "exists", "--for", "1h", "--match", "x"], 2, "write it as mountpoint=/mnt/x", id="half a label"
        ),
    ],
)
def test_what_makes_no_sense_is_refused_in_a_line(watched: Path, command: list[str], code: int, said: str) -> None:
    ended = ask(watched, *command, *(["--rules", str(watched / "rules.yaml")] if command[0] == "silence" else []))

    assert (ended.returncode, ended.stderr.count("\n"), said in ended.stderr) == (code, 1, True)


def test_a_rule_that_there_is_not_cannot_be_silenced(watched: Path) -> None:
    ended = ask(watched, "silence", "exist", "--for", "1h", "--rules", str(watched / "rules.yaml"))

    assert (ended.returncode, "'exist' fits no rule" in ended.stderr, "did you mean 'exists'?" in ended.stderr) == (
        2,
        True,
        True,
    )
