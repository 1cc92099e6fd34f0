"""`sysmon config`: what check says, and that show prints a file which means the same."""

import dataclasses
import json
import subprocess
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon import config
from sysmon.adapters import yaml_nodes
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.catalog import tables
from sysmon.cli import answer
from sysmon.cli.config import render_with_origins, render_yaml
from sysmon.config import locations
from tests.config.places import NO_MACHINE
from tests.config.test_broken_config import BROKEN
from tests.config.test_config import leaves
from tests.integration.processes import SYSMON, environment


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("SYSMON_CONFIG", "SYSMON_DATA_DIR", "LOG_LEVEL", "LOG_FILE", "LOG_FORMAT", "SYSMON_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)


def reloaded(loaded: config.Config, environ: Mapping[str, str], **more: Any) -> config.Config:
    """Print a configuration and load what was printed."""
    Path("shown.yaml").write_text(render_yaml(loaded), encoding="utf-8")
    return dataclasses.replace(config.load(config=Path("shown.yaml"), environ=environ, **more), file=loaded.file)


def fine(first: str) -> str:
    """Return what a check prints where all is well: about the configuration, and about the rules that it names."""
    path = locations.find_shipped(locations.RULES_NAME)
    count = len(load_rules(path, tables(), {}).rules)
    return f"{first}\n{path}: {count} rules, fine\n"


def test_check_says_which_file_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my.yaml").write_text("interval: 5s\n")

    code = answer(["config", "check", "--config", "my.yaml"])

    assert (code, capsys.readouterr()) == (0, (fine("my.yaml: fine"), ""))


def test_check_names_the_faults_of_the_rules_that_a_configuration_names(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my.yaml").write_text("rules: mine.yaml\n")
    Path("mine.yaml").write_text("version: 1\nrules: 5\n")

    code = answer(["config", "check", "--config", "my.yaml"])

    printed = capsys.readouterr()
    assert (code, printed.out, printed.err.count("mine.yaml:2:8: ")) == (2, "", 1)


def test_check_names_every_fault_of_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my.yaml").write_text("intervall: 5s\nrules: []\n")

    code = answer(["config", "check", "--config", "my.yaml"])

    assert (code, capsys.readouterr().err.splitlines()) == (
        2,
        [
            "sysmon: my.yaml:1:1: unknown key 'intervall' in the configuration: did you mean 'interval'?",
            "sysmon: my.yaml:2:8: rules is a list: write a single value",
        ],
    )


def test_check_without_a_file_says_that_the_defaults_hold(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)

    code = answer(["config", "check"])

    assert (code, capsys.readouterr()) == (0, (fine("no configuration file: fine, the defaults hold"), ""))


def test_check_passes_on_warnings(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    Path("my.yaml").touch()
    monkeypatch.setenv("COLLECTOR_CPUS_ENABLED", "false")

    answer(["config", "check", "--config", "my.yaml"])

    assert capsys.readouterr() == (
        fine("my.yaml: fine"),
        "sysmon: warning: COLLECTOR_CPUS_ENABLED: no such setting: did you mean 'COLLECTOR_CPU_ENABLED'?\n",
    )


def test_show_prints_every_setting_in_the_order_of_the_shipped_file(capsys: pytest.CaptureFixture[str]) -> None:
    Path("my.yaml").touch()

    answer(["config", "show", "--config", "my.yaml"])

    shown = yaml_nodes.load(capsys.readouterr().out.encode(), "shown")
    assert list(leaves(shown)) == [setting.name for setting in config.settings()]


@pytest.mark.parametrize(
    ("text", "environ"),
    [
        pytest.param("", {}, id="defaults"),
        pytest.param(
            """
interval: 50ms
data_dir: "a \\"b\\" \\\\ \\udcff \\U0001f600 é"
rules: '# no comment: this'
labels: {environment: "null", region: "[x", datacenter: "12", role: "é 'quoted'"}
storage: {formats: [csv], rotation: 1s, max_segment_bytes: 65537B, sync_interval: 0s}
collectors:
  cpu: {enabled: false, interval: 1m}
  disk_usage: {interval: 1h, include: ["*", "!x", "a, b"], exclude: [], exclude_fstypes: ["null"]}
  process: {top: 1, kernel_threads: false}
logging: {level: error, file: "/dev/null", format: json}
resource_limits: {cpu_percent: 0.00001, memory: 1GB}
""",
            {},
            id="everything unusual",
        ),
        pytest.param("", {"COLLECTOR_CPU_INTERVAL": "3s", "LOG_LEVEL": "debug"}, id="variables"),
    ],
)
def test_what_show_prints_means_the_same(text: str, environ: Mapping[str, str]) -> None:
    Path("my.yaml").write_text(text, encoding="utf-8")
    loaded = config.load(config=Path("my.yaml"), environ=environ)

    assert reloaded(loaded, {}) == loaded


MINE = """\
interval: 2s
storage:
  rotation: 15m
collectors:
  cpu: {interval: 4s}
  disk_usage: {interval: 60s}
"""


def origins(shown: str) -> dict[str, str]:
    """Return the names of settings that `show --origin` printed, and their origins."""
    loaded, name = {}, ""
    for line in shown.splitlines()[1:]:
        text, _, origin = line.partition("  # ")
        name = text.split(":")[0].strip() or name  # what needs the whole line has its origin below
        if origin:
            loaded[name] = origin
    return loaded


def test_origin_names_flag_variable_line_or_default(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("my.yaml").write_text(MINE)
    monkeypatch.setenv("LOG_FORMAT", "json")
    monkeypatch.setenv("LOG_LEVEL", "error")
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)

    answer(["config", "show", "--origin", "--config", "my.yaml", "--data", "d", "--log-level", "debug"])

    shown = capsys.readouterr().out
    loaded = origins(shown)
    names = ("data_dir", "rules", "rotation", "sync_interval", "level", "format", "top")
    assert [loaded[name] for name in names] == [
        "--data",
        "default",
        "my.yaml:3",
        "default",
        "--log-level",
        "LOG_FORMAT",
        "default",
    ]
    assert (shown.splitlines()[0], shown.splitlines()[1].split()) == (
        "# my.yaml",
        ["interval:", "2s", "#", "my.yaml:1"],
    )


@pytest.mark.parametrize(
    ("environ", "flags", "expected"),
    [
        pytest.param({}, {}, ["my.yaml:1", "my.yaml:5", "my.yaml:6", "my.yaml:1"], id="a file"),
        pytest.param(
            {"COLLECTOR_CPU_INTERVAL": "1s"},
            {},
            ["COLLECTOR_CPU_INTERVAL", "COLLECTOR_CPU_INTERVAL", "my.yaml:6", "my.yaml:1"],
            id="the smallest interval is the base, wherever it is from",
        ),
        pytest.param(
            {"COLLECTOR_CPU_INTERVAL": "14s"},
            {"interval": timedelta(seconds=7)},
            ["--interval", "COLLECTOR_CPU_INTERVAL", "my.yaml:6, rounded up", "--interval"],
            id="a flag sets the base, and a default gives way",
        ),
    ],
)
def test_intervals_have_the_origin_of_what_decided_them(
    environ: Mapping[str, str], flags: Mapping[str, Any], expected: list[str]
) -> None:
    Path("my.yaml").write_text(MINE)

    loaded = config.load(config=Path("my.yaml"), environ=environ, **flags).origins

    names = ("interval", "collectors.cpu.interval", "collectors.disk_usage.interval", "collectors.load.interval")
    assert [loaded[name] for name in names] == expected


def test_a_folder_that_systemd_gives_is_the_origin_of_the_data() -> None:
    Path("my.yaml").touch()

    loaded = config.load(config=Path("my.yaml"), environ={"STATE_DIRECTORY": "/var/lib/sysmon"})

    assert (loaded.data_dir, loaded.origins["data_dir"]) == (Path("/var/lib/sysmon"), "STATE_DIRECTORY")


def test_every_setting_has_an_origin() -> None:
    assert list(config.load(environ=NO_MACHINE).origins) == [setting.name for setting in config.settings()]


def test_origins_fit_into_80_columns_and_the_file_still_loads() -> None:
    folder = Path("a-long-folder" * 5)
    folder.mkdir()
    (folder / "my.yaml").write_text("collectors: {network: {exclude: ['a, b', lo, veth*, docker*, br-*, tap*]}}")
    environ = {"COLLECTOR_CONNECTIONS_INTERVAL": "10s", "SYSMON_DATA_DIR": "/" + "deep/" * 8}
    loaded = config.load(config=folder / "my.yaml", environ=environ)

    Path("shown.yaml").write_text(render_with_origins(loaded), encoding="utf-8")

    widest = max(map(len, render_with_origins(loaded).splitlines()[1:]))
    again = config.load(config=Path("shown.yaml"), environ=NO_MACHINE)
    assert (widest <= 80, dataclasses.replace(again, file=loaded.file)) == (True, loaded)


def test_schema_is_printed_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    code = answer(["config", "schema"])

    assert (code, json.loads(capsys.readouterr().out)) == (0, config.schema())


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=20).filter(str.strip))
def test_any_pattern_survives_being_shown(glob: str) -> None:
    default = config.load(environ=NO_MACHINE)
    network = default.collectors["network"]
    changed = dataclasses.replace(network, options=dataclasses.replace(network.options, exclude=(glob,)))
    loaded = dataclasses.replace(default, collectors={**default.collectors, "network": changed})

    assert reloaded(loaded, {}).collectors["network"].options.exclude == (glob,)


HANDFUL = [case for case in BROKEN if case.id in {"bad bytes", "a key twice", "two documents", "nested too deep", "on"}]


@pytest.mark.parametrize(("data", "line"), HANDFUL)
def test_the_program_ends_with_2_and_one_line(data: bytes, line: str) -> None:
    Path("sysmon.yaml").write_bytes(data)

    ended = subprocess.run(
        [*SYSMON, "config", "check", "--config", "sysmon.yaml"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    assert (ended.returncode, ended.stdout, ended.stderr) == (2, "", f"sysmon: {line}\n")


def test_a_broken_file_keeps_run_from_starting() -> None:
    Path("sysmon.yaml").write_text("interval: 10\n")

    ended = subprocess.run(
        [*SYSMON, "run", "--once", "--config", "sysmon.yaml", "--data", "data"],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )

    line = "sysmon: sysmon.yaml:1:11: interval: '10' is no duration: write 10s, 10m or 10h\n"
    assert (ended.returncode, ended.stderr, Path("data").exists()) == (2, line, False)
