"""A FIFO or a link where a file of the data directory is looked for: every command answers, and names it."""

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sysmon import cli
from tests.hanging import must_end
from tests.integration.processes import run

RULES = "version: 1\nrules: [{id: always, metric: agent_sequence, for: 0s, warning: {at_least: 1}}]\n"

SEGMENT, PACKED, ROLLUP = "*/cpu/cpu-NOW-1h.jsonl", "*/cpu/cpu-NOW-1h-2.jsonl.gz", "*/rollup/1h/cpu-HOUR.jsonl.gz"
ALERTS, EVENTS = "*/alerts/alerts-NOW-1d.jsonl", "*/events/events-NOW-1d.jsonl"
REPLIES, FORMAT, LOCK, MAINTENANCE_LOCK = "replies.jsonl", "format", "lock", "maintain.lock"
CURSOR, CURSOR_LOCK = "export-r.json", "export-r.lock"
PLACES = (SEGMENT, ALERTS, EVENTS, PACKED, ROLLUP, REPLIES, FORMAT, LOCK, MAINTENANCE_LOCK, CURSOR, CURSOR_LOCK)


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which a run has stored a few samples."""
    folder = tmp_path_factory.mktemp("stored")
    run(folder, "--interval", "50ms", "--ticks", "4", "--quiet", rules=RULES)
    return folder


@pytest.fixture
def folder(stored: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    copy = tmp_path / "copy"
    shutil.copytree(stored, copy)
    return copy


def put_fifo(data: Path, place: str) -> Path:
    """Make a FIFO in place of a file; return where it is."""
    now = datetime.now(UTC)
    name = place.replace("NOW", f"{now:%Y%m%dT%H%M%SZ}").replace("HOUR", f"{now:%Y%m%dT%H}")
    (host,) = (path.name for path in data.iterdir() if path.is_dir())
    path = data / name.replace("*", host)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    os.mkfifo(path)
    return path


def commands(folder: Path) -> Iterator[list[str]]:
    """Yield every command that reads or writes a data directory, but for `run`."""
    data = str(folder / "data")
    yield from ([name, "--data", data] for name in ("report", "alerts", "status", "silences", "maintain", "doctor"))
    yield ["verify", data]
    yield ["silence", "*", "--for", "1h", "--data", data]
    yield ["ack", "deadbeef", "--data", data]
    yield ["export", "--since", "1h", "--data", data, "-o", str(folder / "out")]
    yield ["export", "--resume", "r", "--data", data, "-o", str(folder / "resumed")]


@pytest.mark.parametrize("place", PLACES)
def test_every_command_answers_where_a_fifo_is_in_place_of_a_file(
    folder: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put_fifo(folder / "data", place)

    codes = set()
    for command in commands(folder):
        with must_end():
            codes.add(cli.answer(command))

    assert (codes <= {0, 1, 2, 3}, "internal error" in capsys.readouterr().err, path.is_fifo()) == (True, False, True)


@pytest.mark.parametrize("place", PLACES)
def test_a_run_begins_or_refuses_where_a_fifo_is_in_place_of_a_file(folder: Path, place: str) -> None:
    path = put_fifo(folder / "data", place)

    ended = run(folder, "--interval", "50ms", "--ticks", "2", "--quiet", rules=RULES, timeout=300)

    named = str(path) in ended.stderr
    assert (ended.returncode, named) == (2 if place in {FORMAT, LOCK} else 0, place in {FORMAT, LOCK, ALERTS, REPLIES})


@pytest.mark.parametrize("place", [SEGMENT, ALERTS, EVENTS, PACKED, ROLLUP])
def test_verify_counts_a_fifo_as_damage_and_a_repair_moves_away_what_it_can(
    folder: Path, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = put_fifo(folder / "data", place)

    with must_end():
        codes = [cli.answer(["verify", str(folder / "data"), *more]) for more in ([], ["--repair"])]

    assert (min(codes) > 0, f"{path}: cannot be" in capsys.readouterr().out) == (True, True)


@pytest.mark.parametrize("kind", ["symbolic", "hard"])
def test_a_silence_is_not_written_to_what_a_link_leads_to(
    folder: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    victim, replies = folder / "victim", folder / "data" / REPLIES
    victim.write_text("precious\n")
    if kind == "symbolic":
        replies.symlink_to(victim)
    else:
        replies.hardlink_to(victim)

    code = cli.answer(["silence", "*", "--for", "1h", "--data", str(folder / "data")])

    line = capsys.readouterr().err.splitlines()[-1]
    assert (code, victim.read_text(), str(replies) in line, "link" in line) == (2, "precious\n", True, True)


@pytest.mark.parametrize("level", ["host", "table"])
def test_nothing_is_written_through_a_folder_that_is_a_link(folder: Path, level: str) -> None:
    (table,) = (folder / "data").glob("*/cpu")
    linked = table if level == "table" else table.parent
    elsewhere = folder / "elsewhere"
    linked.rename(elsewhere)
    linked.symlink_to(elsewhere)
    before = sorted(elsewhere.rglob("*"))

    ended = run(folder, "--interval", "50ms", "--ticks", "2", "--quiet", rules=RULES)

    assert (sorted(elsewhere.rglob("*")), f"{linked.name} is a symbolic link" in ended.stderr) == (before, True)
