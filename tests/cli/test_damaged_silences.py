"""A file of silences that cannot be read: each command that looks at it names it."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sysmon import cli
from sysmon.alerts.silences import Silence
from sysmon.app.silence_store import NAME, SilenceStore, read_silences
from sysmon.datadir.damage import Damage
from sysmon.sampling.clock import SystemClock
from sysmon.storage.lock import DataDirectory
from tests.integration.processes import run
from tests.reading.stored import LOAD, write_log, write_table

_NOBODY = 65534


def store(data: Path) -> None:
    """Store a row of a moment ago, and a silence of now."""
    now = SystemClock().now()
    write_table(data, LOAD, [(now - timedelta(minutes=1), [(1.0, 2.0)])])
    SilenceStore(data).add(Silence("s1", "cpu-*", {}, now, now + timedelta(hours=1), "moving", "ann"))


def put_nul(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"silence", b"sil\0nce"))


def put_binary(path: Path) -> None:
    path.write_bytes(bytes(range(255, 127, -1)) + b"\n")


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def put_out_of_reach(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


WAYS = pytest.mark.parametrize(
    ("spoil", "place"),
    [
        pytest.param(put_nul, f"{NAME}:1: no silence or acknowledgement", id="a NUL"),
        pytest.param(put_binary, f"{NAME}:1: no silence or acknowledgement", id="binary"),
        pytest.param(put_folder, f"{NAME}: cannot be read", id="a folder"),
        pytest.param(put_out_of_reach, f"{NAME}: cannot be read", id="a link to itself"),
    ],
)


@WAYS
@pytest.mark.parametrize(
    "command",
    [("silences",), ("silences", "--format", "json"), ("alerts",), ("report", "--since", "1h"), ("verify",)],
    ids=" ".join,
)
def test_it_is_named_and_the_exit_code_says_damage(
    tmp_path: Path,
    spoil: Callable[[Path], None],
    place: str,
    command: tuple[str, ...],
    capsys: pytest.CaptureFixture[str],
) -> None:
    store(tmp_path)
    spoil(tmp_path / NAME)

    code = cli.answer([*command, "--data", str(tmp_path)])

    said = capsys.readouterr()
    assert (code, said.err.count(place) + said.out.count(place), "no silences" in said.out) == (3, 1, False)


@WAYS
def test_whoever_ends_a_silence_hears_that_it_cannot_be_read(
    tmp_path: Path, spoil: Callable[[Path], None], place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path)
    spoil(tmp_path / NAME)

    code = cli.answer(["unsilence", "s1", "--data", str(tmp_path)])

    assert (code, place in capsys.readouterr().err) == (3, True)


def test_whoever_acknowledges_an_alert_hears_that_the_alert_log_cannot_be_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path)
    path = write_log(tmp_path, "alerts", [])
    path.write_bytes(b"\0\n")

    code = cli.answer(["ack", "aabbccdd", "--data", str(tmp_path)])

    assert (code, f"{path}:1: " in capsys.readouterr().err) == (3, True)


def test_a_monitoring_plugin_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path)
    put_nul(tmp_path / NAME)
    directory = DataDirectory(tmp_path)

    code = cli.answer(["alerts", "--nagios", "--data", str(tmp_path)])

    directory.close()
    line = "SYSMON WARNING - nothing fires, 1 lines or files cannot be read | alerts=0 critical=0 warning=0\n"
    assert (code, capsys.readouterr().out) == (1, line)


def test_strict_answers_nothing_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path)
    put_nul(tmp_path / NAME)

    code = cli.answer(["alerts", "--strict", "--data", str(tmp_path)])

    assert (code, capsys.readouterr().out) == (3, "")


def test_status_and_doctor_name_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path)
    put_nul(tmp_path / NAME)

    codes = [cli.answer([command, "--data", str(tmp_path)]) for command in ("status", "doctor")]

    text = f"1 silences or acknowledgements cannot be read, the first: {tmp_path / NAME}:1: "
    assert (codes, " ".join(capsys.readouterr().out.split()).count(text)) == ([1, 1], 2)


def test_a_sound_file_is_counted_by_verify_and_told_by_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store(tmp_path)

    codes = [cli.answer([command, "--data", str(tmp_path)]) for command in ("verify", "silences")]

    said = capsys.readouterr()
    assert (codes, said.err, said.out.splitlines()[0]) == ([0, 0], "", "2 files, 2 lines: all sound")


def test_a_repair_leaves_it_as_it_is_and_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    store(tmp_path)
    put_nul(tmp_path / NAME)
    before = (tmp_path / NAME).read_bytes()

    code = cli.answer(["verify", "--repair", "--data", str(tmp_path)])

    assert (code, (tmp_path / NAME).read_bytes()) == (3, before)
    assert f"{tmp_path / NAME}: left as it is" in capsys.readouterr().out


def test_a_run_warns_once_as_long_as_nothing_changes(tmp_path: Path) -> None:
    store(tmp_path / "data")
    put_folder(tmp_path / "data" / NAME)

    ended = run(tmp_path, "--interval", "500ms", "--ticks", "6")

    assert (ended.returncode, ended.stderr.count("silences or acknowledgements cannot be read")) == (0, 1)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can read as somebody else")
def test_one_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    store(tmp_path)
    (tmp_path / NAME).chmod(0o600)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o755)
    damage = Damage()

    os.seteuid(_NOBODY)
    try:
        state = read_silences(tmp_path, damage)
    finally:
        os.seteuid(0)

    assert (state, damage.lines) == (None, [f"{tmp_path / NAME}: cannot be read (Permission denied)"])
