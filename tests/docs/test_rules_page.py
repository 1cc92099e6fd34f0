"""`docs/rules.md` and `docs/alerts.md`: their rules load, their settings load, and every command is described."""

import re
from pathlib import Path

import pytest

from sysmon import config
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.catalog import intervals, tables
from tests.config.places import NO_MACHINE

DOCS = Path(__file__).parents[2] / "docs"
RULES, ALERTS = ((DOCS / name).read_text("utf-8") for name in ("rules.md", "alerts.md"))


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", RULES, re.DOTALL))
def test_every_rule_that_is_shown_can_be_used(tmp_path: Path, text: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(text)

    assert load_rules(file, tables(), intervals(config.load(environ=NO_MACHINE))).warnings == ()


@pytest.mark.parametrize("text", re.findall(r"```yaml\n(.*?)```", ALERTS, re.DOTALL))
def test_every_setting_that_is_shown_can_be_used(tmp_path: Path, text: str) -> None:
    file = tmp_path / "sysmon.yaml"
    file.write_text(text)

    assert config.load(config=file, environ={}).notify.command


@pytest.mark.parametrize("command", ["alerts", "silence", "silences", "unsilence", "ack", "notify test"])
def test_every_command_about_alerts_is_described(command: str) -> None:
    assert f"sysmon {command}" in ALERTS


@pytest.mark.parametrize("command", ["check", "test", "backtest", "suggest", "schema"])
def test_every_command_about_rules_is_described(command: str) -> None:
    assert f"## sysmon rules {command}\n" in RULES
