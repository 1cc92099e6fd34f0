"""Alerts of the real `sysmon run` over kills, restarts, hang-ups and files that change."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from sysmon.console.lines import format_alert
from sysmon.datadir import segments
from sysmon.formats import records
from sysmon.text.instants import EPOCH
from tests.integration.processes import answer, rows, start, until

KILLS = 100
MIB = 2**20
SHARED = Path("/dev/shm")
FLAGS = ("--interval", "50ms")
RULES = """\
version: 1
defaults: {{for: 100ms, clear_for: 100ms, max_gap: 30s, flap: {{start: 1000}}}}
rules:
  - id: shared-memory
    metric: memory_shared_bytes
    warning: {{at_least: {limit}, clear_below: {clear}}}
"""
EXISTS = "version: 1\nrules:\n- {id: exists, metric: memory_total_bytes, warning: {above: 1, for: 0s}}\n"
_CLOCK = 8  # columns of the time, which is local
needs_shared = pytest.mark.skipif(not SHARED.is_dir(), reason="there is no /dev/shm")


def _events(folder: Path, table: str = "alerts") -> list[dict[str, Any]]:
    """Return the records of a log in the order of its segments, without those that open one."""
    records = []
    for path in folder.glob(f"data/*/{table}"):
        for file in segments.select((entry.name for entry in path.iterdir()), EPOCH, datetime.max.replace(tzinfo=UTC)):
            text = (path / file.name).read_text()
            records += [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]
    return [record for record in records if record["event"] not in {"active", "running"}]


def _kinds(folder: Path) -> list[str]:
    return [record["event"] for record in _events(folder)]


@pytest.mark.usefixtures("shared_memory")
@needs_shared
@pytest.mark.parametrize("seed", [20261121])
def test_killed_around_transitions_each_of_them_is_logged_and_told_once(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - the same moments each time
    now = psutil.virtual_memory().shared
    rules = RULES.format(clear=now + 20 * MIB, limit=now + 40 * MIB)
    block = SHARED / f"sysmon-kills-{os.getpid()}"
    said = tmp_path / "said"
    try:
        for number in range(KILLS):
            with (
                said.open("ab") as out,
                start(tmp_path, *FLAGS, rules=rules, stdout=out, stderr=subprocess.DEVNULL) as run,
            ):
                ticks = len(rows(tmp_path, "agent"))
                until(lambda ticks=ticks: len(rows(tmp_path, "agent")) > ticks)  # type: ignore[misc]
                if number % 2:
                    block.unlink(missing_ok=True)
                else:
                    block.write_bytes(bytes(80 * MIB))
                threading.Event().wait(chance.uniform(0, 0.4))
                run.send_signal(signal.SIGKILL)
                run.wait(180)
        with start(tmp_path, *FLAGS, rules=rules, stdout=subprocess.DEVNULL) as run:
            block.unlink(missing_ok=True)
            until(lambda: _kinds(tmp_path)[-1:] in ([], ["resolved"]))
            run.terminate()
    finally:
        block.unlink(missing_ok=True)

    events = _events(tmp_path)
    kinds = [event["event"] for event in events]
    assert kinds == ["fired", "resolved"] * (len(kinds) // 2) != []
    assert [event["timestamp"] for event in events] == sorted({event["timestamp"] for event in events})
    logged = [format_alert(records.read_alert(event), color=False) for event in events]
    lines = [line for line in said.read_text().splitlines() if "shared-memory: memory" in line]
    assert Counter(line[_CLOCK:] for line in lines) <= Counter(line[_CLOCK:] for line in logged)
    assert lines


def test_a_hang_up_reads_the_rules_again_and_a_rule_that_is_gone_resolves(tmp_path: Path) -> None:
    with start(tmp_path, *FLAGS, rules=EXISTS, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL) as run:
        until(lambda: _kinds(tmp_path) == ["fired"])
        (tmp_path / "rules.yaml").write_text("version: 1\nrules: []\n")
        run.send_signal(signal.SIGHUP)
        until(lambda: "reloaded" in _events_kinds(tmp_path))
        run.terminate()

    news = next(event for event in _events(tmp_path, "events") if event["event"] == "reloaded")
    assert [(event["event"], event["reason"]) for event in _events(tmp_path)] == [
        ("fired", "breach"),
        ("resolved", "rule removed"),
    ]
    texts = [(event["event"], event["rules_text"]) for event in rows(tmp_path, "events") if "rules_text" in event]
    assert texts == [("running", EXISTS), ("reloaded", "version: 1\nrules: []\n")]
    assert {key: news[key] for key in ("rules", "added", "changed", "removed")} == {
        "rules": 0,
        "added": 0,
        "changed": 0,
        "removed": 1,
    }


def test_a_bad_rule_file_changes_nothing_and_is_told_once(tmp_path: Path) -> None:
    with start(tmp_path, *FLAGS, rules=EXISTS, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as run:
        until(lambda: _kinds(tmp_path) == ["fired"])
        (tmp_path / "rules.yaml").write_text("version: 1\nrules: [\n")
        until(lambda: "reload_failed" in _events_kinds(tmp_path))
        ticks = len(rows(tmp_path, "agent"))
        until(lambda: len(rows(tmp_path, "agent")) > ticks + 30)
        (tmp_path / "rules.yaml").write_text(EXISTS.replace("exists", "is-there"))
        until(lambda: "reloaded" in _events_kinds(tmp_path))
        run.terminate()
        _, said = run.communicate(timeout=180)

    assert [kind for kind in _events_kinds(tmp_path) if "load" in kind] == ["reload_failed", "reloaded"]
    assert [(event["event"], event["rule"]) for event in _events(tmp_path)] == [
        ("fired", "exists"),
        ("resolved", "exists"),
        ("fired", "is-there"),
    ]
    assert said.decode().count("rules.yaml:3:1: not YAML") == 1


def test_a_setting_that_needs_a_restart_is_named(tmp_path: Path) -> None:
    with start(tmp_path, *FLAGS, stdout=subprocess.DEVNULL) as run:
        until(lambda: rows(tmp_path, "agent"))
        (tmp_path / "sysmon.yaml").write_text("labels: {role: database}\n")
        until(lambda: "reloaded" in _events_kinds(tmp_path))
        run.terminate()

    news = next(event for event in _events(tmp_path, "events") if event["event"] == "reloaded")
    assert news["needs_restart"] == ["labels"]


def _events_kinds(folder: Path) -> list[str]:
    return [record["event"] for record in _events(folder, "events")]


def test_the_start_line_says_what_is_firing(tmp_path: Path) -> None:
    for number in (1, 2):
        with start(tmp_path, *FLAGS, rules=EXISTS, stdout=subprocess.PIPE) as run:
            until(lambda number=number: _events_kinds(tmp_path).count("started") == number)  # type: ignore[misc]
            until(lambda: _kinds(tmp_path) == ["fired"])
            run.terminate()
            said, _ = run.communicate(timeout=180)

    since = _events(tmp_path)[0]["since"]
    assert f"1 alert active: exists warning since {since}" in said.decode().splitlines()[0]
    assert json.dumps(_kinds(tmp_path)) == '["fired"]'


def test_the_program_of_the_configuration_gets_what_people_are_told(tmp_path: Path) -> None:
    got = tmp_path / "got"
    code = f"import sys; open({str(got)!r}, 'ab').write(sys.stdin.buffer.read())"
    with start(tmp_path, *FLAGS, stdout=subprocess.DEVNULL) as run:
        until(lambda: rows(tmp_path, "agent"))
        (tmp_path / "sysmon.yaml").write_text(f"notify: {{command: [{sys.executable}, -c, {json.dumps(code)}]}}\n")
        (tmp_path / "rules.yaml").write_text(EXISTS)
        until(lambda: got.exists() and got.read_bytes().endswith(b"\n"))
        run.terminate()

    assert json.loads(got.read_text()) == _events(tmp_path)[0]


def test_a_made_up_event_tries_the_program(tmp_path: Path) -> None:
    config = tmp_path / "sysmon.yaml"
    config.write_text("notify: {command: [cat]}\n")
    works = answer("notify", "test", "--config", str(config))
    config.write_text("notify: {command: ['false']}\n")
    fails = answer("notify", "test", "--config", str(config))
    config.write_text("")
    nothing = answer("notify", "test", "--config", str(config))

    event, said = works.stdout.splitlines()
    assert (json.loads(event)["reason"], said) == ("a test of notify.command", "cat took the event and ended with 0")
    assert (fails.returncode, fails.stderr) == (1, "false: it ended with 1\n")
    assert (nothing.returncode, "notify.command is not set" in nothing.stderr) == (2, True)
