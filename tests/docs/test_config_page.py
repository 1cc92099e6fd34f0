"""`docs/config.md` is complete, and its examples are true."""

import re
from pathlib import Path

import pytest

from sysmon import config
from sysmon.cli._settings_page import markdown

PAGE = (Path(__file__).parents[2] / "docs" / "config.md").read_text("utf-8")


def test_the_page_lists_every_setting_as_it_is_declared() -> None:
    written = PAGE.partition("write what follows again. -->\n")[2]

    assert written == markdown(config.settings()), "write the tables again: sysmon config schema --format markdown"


def test_every_variable_is_on_the_page() -> None:
    assert [name for name in (*config.variables(), "SYSMON_CONFIG") if f"`{name}" not in PAGE] == []


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL))
def test_every_example_loads(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sysmon.yaml"
    file.write_text(text)

    assert config.load(config=file, environ={}).file == file
