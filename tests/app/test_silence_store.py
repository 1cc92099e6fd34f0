"""The file of what people said: appended to whatever state it is in, read whatever it holds."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sysmon.alerts.silences import Ack, Silence
from sysmon.app.silence_store import NAME, SilenceStore
from sysmon.errors import NothingFoundError

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

    assert (list(file.read().acknowledged), file.skipped) == (["00c0ffee"], 1)


@pytest.mark.parametrize(
    "line", [b"{}", b"null", b'{"timestamp":"2026-11-20T12:00:00Z","event":"shout","id":"x"}', b"\xff"]
)
def test_lines_that_are_no_replies_are_counted(tmp_path: Path, line: bytes) -> None:
    (tmp_path / NAME).write_bytes(line + b"\n")
    file = SilenceStore(tmp_path)

    assert (file.read().silences, file.skipped) == ({}, 1)


def test_a_file_that_goes_away_says_nothing_any_more(tmp_path: Path) -> None:
    file = SilenceStore(tmp_path)
    file.add(SILENCE)
    file.read()
    (tmp_path / NAME).unlink()

    assert file.read().silences == {}


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        SilenceStore(tmp_path / "none").add(SILENCE)
