"""`sysmon export` as a shell calls it: a bar for who watches, and not a word where nobody does."""

from pathlib import Path

import pytest

from tests.integration.processes import SYSMON, answer, environment
from tests.integration.terminals import Terminal
from tests.reading.stored import LOAD, at, write_table


@pytest.fixture
def export(tmp_path: Path) -> list[str]:
    """Return the arguments that copy a little table into a folder."""
    write_table(tmp_path / "data", LOAD, [(at(1000 * n), [(n, 0.25)]) for n in range(7)])
    return ["export", "--data", str(tmp_path / "data"), "--since", "@0", "-o", f"{tmp_path}/out/"]


def test_a_terminal_is_shown_how_far_it_is(export: list[str]) -> None:
    with Terminal(80, 24) as terminal:
        process = terminal.start([*SYSMON, *export], environment(TERM="xterm"))
        terminal.until(lambda: b"100%" in terminal.raw)

        assert (process.wait(180), terminal.lines[-1].split()[0]) == (0, "export")


def test_where_nobody_watches_not_a_word_is_said(export: list[str]) -> None:
    ended = answer(*export)

    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "", "")
