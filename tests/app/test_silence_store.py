"""The file of what people said: appended to whatever state it is in, read whatever it holds."""

import os
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sysmon.alerts.silences import Ack, Silence
from sysmon.app.silence_store import MOST, NAME, SilenceStore
from sysmon.errors import NothingFoundError
from tests.datadir.test_lines import LITTLE, peak_of

AT = datetime(2026, 11, 20, 12, tzinfo=UTC)
SILENCE = Silence("s1", "disk-*", {"mountpoint": "/mnt/x"}, AT, AT + timedelta(hours=2), "migration", "ann")


def test_what_one_process_says_another_hears(tmp_path: Path) -> None:
    hearing = SilenceStore(tmp_path)
    before = hearing.read()

    SilenceStore(tmp_path).add(SILENCE)

    assert (dict(before.silences), dict(hearing.read().silences)) == ({}, {"s1": SILENCE})


def test_a_torn_line_is_skipped_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    (tmp_path / NAME).write_bytes(b'{"timestamp":"2026')
    file = SilenceStore(tmp_path)

    file.add(Ack("00c0ffee", AT))

    assert (list(file.read().acknowledged), file.damage.count) == (["00c0ffee"], 1)


@pytest.mark.parametrize(
    "line", [b"{}", b"null", b'{"timestamp":"2026-11-20T12:00:00Z","event":"shout","id":"x"}', b"\xff"]
)
def test_lines_that_are_no_replies_are_counted(tmp_path: Path, line: bytes) -> None:
    (tmp_path / NAME).write_bytes(line + b"\n")
    file = SilenceStore(tmp_path)

    assert (file.read().silences, file.damage.count) == ({}, 1)
    assert file.damage.lines[0].startswith(f"{tmp_path / NAME}:1: no silence or acknowledgement (")


def test_a_file_that_goes_away_says_nothing_any_more(tmp_path: Path) -> None:
    file = SilenceStore(tmp_path)
    file.add(SILENCE)
    file.read()
    (tmp_path / NAME).unlink()

    assert file.read().silences == {}


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        SilenceStore(tmp_path / "none").add(SILENCE)


def test_what_held_goes_on_to_hold_while_the_file_cannot_be_opened(tmp_path: Path) -> None:
    file = SilenceStore(tmp_path)
    file.add(SILENCE)
    file.read()
    (tmp_path / NAME).rename(tmp_path / "kept")
    (tmp_path / NAME).mkdir()

    hidden = dict(file.read().silences)
    reasons = file.damage.lines
    (tmp_path / NAME).rmdir()
    (tmp_path / "kept").rename(tmp_path / NAME)

    assert (hidden, reasons) == ({"s1": SILENCE}, [f"{tmp_path / NAME}: cannot be read (not a regular file)"])
    assert (dict(file.read().silences), file.damage.count) == ({"s1": SILENCE}, 0)


def test_a_file_of_four_gibibytes_is_read_in_little_memory(tmp_path: Path) -> None:
    file = SilenceStore(tmp_path)
    file.add(SILENCE)
    os.truncate(tmp_path / NAME, 4 * 1024**3)

    assert peak_of(file.read) < LITTLE
    assert (list(file.read().silences), len(file.damage.lines)) == (["s1"], 1)
    (tmp_path / NAME).unlink()


def test_of_very_many_silences_the_last_ones_hold(tmp_path: Path) -> None:
    file = SilenceStore(tmp_path)
    file.add(SILENCE)
    with (tmp_path / NAME).open("ab") as old:
        old.writelines(b'"' + b"x" * 1024 * 1000 + b'"\n' for _ in range(MOST // 1_000_000 + 1))
    file.add(replace(SILENCE, id="s2"))

    assert list(file.read().silences) == ["s2"]
    assert file.damage.lines[0] == f"{tmp_path / NAME}: more than 8 MiB: only what was said last is read"
