"""A reload takes all of what was written, or nothing of it."""

import resource
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sysmon import config
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.agent.reload import Fresh, Reloader
from sysmon.app.catalog import intervals, tables
from sysmon.errors import SysmonError
from tests.config.test_broken_config import BROKEN

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SETTINGS = "rules: rules.yaml\nlabels: {role: web}\n"
RULES = "version: 1\nrules:\n  - {id: hot, metric: cpu_usage_percent, warning: {at_least: 90, clear_below: 80}}\n"


@dataclass
class Running:
    """The files of a run, and what looks at them."""

    settings: Path = field(default_factory=lambda: Path("sysmon.yaml"))
    rules: Path = field(default_factory=lambda: Path("rules.yaml"))

    def __post_init__(self) -> None:
        self.settings.write_text(SETTINGS)
        self.rules.write_text(RULES)
        now = self.load()
        self.reloader = Reloader(self.load, now, intervals(now))

    def load(self) -> config.Config:
        return config.load(config=self.settings, environ={"HOME": "/nowhere"})

    def look(self) -> Fresh | SysmonError | OSError | None:
        return self.reloader.look(NOON, forced=True)


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Running:
    monkeypatch.chdir(tmp_path)
    return Running()


def summarize(looks: Sequence[Fresh | SysmonError | OSError | None]) -> list[object]:
    """Return for each look what it gave: rules, labels and what needs a restart, or that it was refused."""
    return [
        (loaded.rules.rules, dict(loaded.config.labels), loaded.restart) if isinstance(loaded, Fresh) else "refused"
        for loaded in looks
    ]


@pytest.mark.parametrize(("data", "line"), BROKEN)
def test_a_broken_configuration_changes_nothing_and_the_mended_one_is_as_before(
    running: Running, data: bytes, line: str
) -> None:
    before = running.look()
    running.settings.write_bytes(data)
    refused = running.look()
    running.settings.write_text(SETTINGS)

    looks = summarize([before, refused, running.look()])

    assert (looks[1:], str(refused)) == (["refused", looks[0]], line)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("version: 1\nrules: [\n", id="half of it"),
        pytest.param(RULES.replace("90", "hot"), id="no number"),
        pytest.param(RULES.replace("cpu_usage", "cpu_usge"), id="no such metric"),
        pytest.param(RULES.replace("clear_below: 80", "clear_below: 95"), id="a band the wrong way round"),
        pytest.param(RULES + RULES.splitlines()[2] + "\n", id="a name twice"),
        pytest.param(RULES.replace("version: 1", "version: 9"), id="of a newer sysmon"),
    ],
)
def test_a_broken_rule_among_good_ones_changes_nothing(running: Running, text: str) -> None:
    running.settings.write_text(SETTINGS.replace("web", "database"))
    running.rules.write_text(text)
    refused = running.look()
    running.rules.write_text(RULES)

    looks = summarize([refused, running.look()])

    rules = load_rules(running.rules, tables(), intervals(running.load())).rules
    assert looks == ["refused", (rules, {"role": "database"}, ("labels",))]


def test_what_lacks_descriptors_is_told_once_and_read_when_there_are_some(running: Running) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        refused = running.look()
        silent = running.reloader.look(NOON + timedelta(seconds=2), forced=False)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    looks = [running.reloader.look(NOON + timedelta(seconds=seconds), forced=False) for seconds in (4, 6)]

    assert (isinstance(refused, SysmonError), silent) == (True, None)
    assert [type(loaded) for loaded in looks] == [Fresh, type(None)]
