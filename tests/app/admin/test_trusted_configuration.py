"""What commands do with a configuration that others may change."""

from pathlib import Path

import pytest

from sysmon.cli import answer
from sysmon.config import trust

LINE = "{file}: everybody may change it, and root would run what it says: chmod o-w {file}"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a configuration with a command, which everybody may write."""
    path = tmp_path / "sysmon.yaml"
    path.write_text(f"notify: {{command: [/usr/bin/touch, {tmp_path}/ran]}}\ndata_dir: {tmp_path}/data\n")
    path.chmod(0o666)
    return path


@pytest.mark.skipif(not trust.is_machine_root(), reason="only root refuses it")
@pytest.mark.parametrize(
    "words", [pytest.param(("notify", "test"), id="notify test"), pytest.param(("run", "--once"), id="run")]
)
def test_root_runs_nothing_that_everybody_may_change(
    file: Path, words: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    code = answer([*words, "--config", str(file)])

    assert (code, capsys.readouterr().err, sorted(path.name for path in file.parent.iterdir())) == (
        2,
        f"sysmon: {LINE.format(file=file)}\n",
        ["sysmon.yaml"],
    )


@pytest.mark.skipif(not trust.is_machine_root(), reason="for others it is a note")
def test_doctor_tells_root_of_it(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = answer(["doctor", "--config", str(file)])

    text = " ".join(capsys.readouterr().out.split())
    line = LINE.format(file=file).replace("says: chmod", "says do: chmod")
    assert (code, f"PROBLEM configuration {line}" in text) == (1, True)
