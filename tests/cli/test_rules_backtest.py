"""What would have fired: live and replay agree event for event, whoever wrote the files."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.integration.processes import answer, rows, start, until

MIB = 2**20
SHARED = Path("/dev/shm")
FLAGS = ("--interval", "50ms")
RULES = """\
version: 1
defaults: {{for: 100ms, clear_for: 100ms, max_gap: 30s}}
rules:
  - id: shared-memory
    metric: memory_shared_bytes
    warning: {{at_least: {warning}, clear_below: {clear}}}
    critical: {{at_least: {critical}, clear_below: {warning}}}
  - id: averaged
    metric: memory_shared_bytes
    reduce: {{fn: mean, over: 500ms, min_coverage: 0.5}}
    warning: {{at_least: {warning}, clear_below: {clear}}}
  - {{id: exists, metric: memory_total_bytes, repeat: 300ms, warning: {{above: 1, for: {{bad: 2, of: 3}}}}}}
"""
CSV = """\
timestamp,hostname,core,cpu_usage_percent
{lines}
"""


def _events(folder: Path) -> list[dict[str, Any]]:
    events = [record for record in rows(folder, "alerts") if record["event"] != "active"]
    return sorted(events, key=lambda record: str(record["timestamp"]))


def _kinds(folder: Path, rule: str) -> list[str]:
    return [record["event"] for record in _events(folder) if record["rule"] == rule]


def _backtest(data: Path, rules: Path, *more: str) -> "subprocess.CompletedProcess[str]":
    return answer("rules", "backtest", "--data", str(data), "--rules", str(rules), *more)


@pytest.mark.usefixtures("shared_memory")
@pytest.mark.skipif(not SHARED.is_dir(), reason="there is no /dev/shm")
@pytest.mark.parametrize("killed", [False, True], ids=["one run", "a run that is killed and another"])
def test_a_run_and_its_replay_agree_event_for_event(tmp_path: Path, killed: bool) -> None:
    now = psutil.virtual_memory().shared
    rules = RULES.format(clear=now + 20 * MIB, warning=now + 40 * MIB, critical=now + 120 * MIB)
    block = SHARED / f"sysmon-replay-{os.getpid()}"
    run = start(tmp_path, *FLAGS, rules=rules, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        until(lambda: rows(tmp_path, "agent"))
        block.write_bytes(bytes(80 * MIB))
        until(lambda: "fired" in _kinds(tmp_path, "averaged"))
        if killed:
            ticks = len(rows(tmp_path, "agent"))
            until(lambda: len(rows(tmp_path, "agent")) > ticks)  # an alert is stored before the row that it is about
            run.send_signal(signal.SIGKILL)
            run.wait(180)
            run = start(tmp_path, *FLAGS, rules=rules, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        block.write_bytes(bytes(160 * MIB))
        until(lambda: "escalated" in _kinds(tmp_path, "shared-memory"))
        block.unlink()
        until(lambda: "resolved" in _kinds(tmp_path, "averaged"))
    finally:
        block.unlink(missing_ok=True)
        run.terminate()
        run.wait(180)

    replayed = _backtest(tmp_path / "data", tmp_path / "rules.yaml", "--events", "--since", "10m")

    # The run also asks the machine who is alive, and what is shared: whom it names may differ.
    forgotten = {"top", "unaccounted", "peak_top", "peak_unaccounted", "peak_at", "ended_pids"}
    forgotten |= {"trend", "top_at", "peak"} if killed else set()
    logged = [event for event in _events(tmp_path) if event["event"] != "culprit_changed"]
    live = [{key: value for key, value in event.items() if key not in forgotten} for event in logged]
    events = [json.loads(line) for line in replayed.stdout.splitlines()]
    again = [event for event in events if event["event"] != "culprit_changed"]
    assert [{key: value for key, value in event.items() if key not in forgotten} for event in again] == live != []


def _foreign(folder: Path) -> Path:
    """Write an hour of one metric as another program would: one long file, a column, a hole of four minutes."""
    table = folder / "data" / "web-01" / "cpu"
    table.mkdir(parents=True)
    lines = []
    for tick in range(360):
        if not 180 <= tick < 204:
            value = 97 if 60 <= tick < 240 else 20
            lines.append(f"2026-11-20T12:{tick // 6:02d}:{tick % 6}0Z,web-01,all,{value}")
    (table / "cpu-20261120T120000Z.csv").write_text(CSV.format(lines="\n".join(lines)))
    rules = folder / "rules.yaml"
    rules.write_text(
        "version: 1\nrules:\n- id: hot\n  metric: cpu_usage_percent\n  match: {core: all}\n"
        "  warning: {at_least: 95, clear_below: 90, for: 1m, clear_for: 1m}\n"
    )
    return rules


RANGE = ("--since", "2026-11-20T12:00Z", "--until", "2026-11-20T13:00Z")


def test_files_of_other_programs_can_be_tried_too(tmp_path: Path) -> None:
    rules = _foreign(tmp_path)

    done = _backtest(tmp_path / "data", rules, "--events", *RANGE)

    events = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(event["event"], event["timestamp"][11:19]) for event in events] == [
        ("fired", "12:11:00"),
        ("no_data", "12:34:00"),
        ("data_back", "12:34:00"),
        ("resolved", "12:41:00"),
    ]


def test_a_table_sums_up_each_rule_and_compares_two_files(tmp_path: Path) -> None:
    rules = _foreign(tmp_path)
    old = tmp_path / "old.yaml"
    old.write_text(rules.read_text().replace("95", "99").replace("hot", "hotter"))

    alone = _backtest(tmp_path / "data", rules, *RANGE)
    two = _backtest(tmp_path / "data", rules, "--compare", str(old), *RANGE)

    assert alone.stdout.splitlines()[1].split()[:5] == ["hot", "1", "30m", "30m", "0"]
    assert [line.split()[:4] for line in two.stdout.splitlines()[1:]] == [
        ["hot", "-", "->", "1"],
        ["hotter", "0", "->", "-"],
    ]
    assert max(map(len, [*alone.stdout.splitlines(), *two.stdout.splitlines()])) <= 80


def test_limits_from_history_make_a_rule_file_that_can_be_used(tmp_path: Path) -> None:
    rules, made = _foreign(tmp_path), tmp_path / "made.yaml"

    done = answer("rules", "suggest", "--data", str(tmp_path / "data"), "--rules", str(rules), *RANGE)
    made.write_text(done.stdout)
    again = _backtest(tmp_path / "data", made, *RANGE)

    assert (done.returncode, answer("rules", "check", str(made)).returncode) == (0, 0)
    assert done.stdout.splitlines()[1:] == [
        "version: 1",
        "rules:",
        "  # It would have fired 0 times; p99 is 97, the maximum 97.",
        "  - id: hot",
        "    metric: cpu_usage_percent",
        '    match: {core: ["all"]}',
        "    each: [core]",
        "    on_missing: hold",
        "    warning: {at_least: 100, clear_below: 95, for: 1m, clear_for: 1m}",
    ]
    assert again.stdout.splitlines()[1].split()[:2] == ["hot", "0"]


def test_a_rule_that_history_says_nothing_about_is_left_out_with_the_reason(tmp_path: Path) -> None:
    rules = _foreign(tmp_path)
    rules.write_text(
        "version: 1\nrules:\n- {id: low, metric: cpu_usage_percent, warning: {below: 5}}\n"
        "- {id: none, metric: cpu_iowait_percent, warning: {above: 5}}\n"
    )

    done = answer("rules", "suggest", "--data", str(tmp_path / "data"), "--rules", str(rules), *RANGE)

    assert done.stdout.splitlines()[1:] == [
        "version: 1",
        "rules: []",
        "  # low: only rules about values that rise can be suggested",
        "  # none: no values in this range",
    ]
