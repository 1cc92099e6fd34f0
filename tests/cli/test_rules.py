"""What `sysmon rules check` says of a rule file."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from sysmon.cli.rules import command
from sysmon.errors import ConfigError

DEFAULT_RULES = Path(__file__).parents[2] / "config" / "rules.yaml"


def check(file: Path, *more: str) -> str:
    return CliRunner().invoke(command, ["check", str(file), *more], catch_exceptions=False).output


def test_the_default_rules_are_fine() -> None:
    assert check(DEFAULT_RULES) == f"{DEFAULT_RULES}: 12 rules, fine\n"


def test_warnings_are_listed_below_the_verdict(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("version: 1\nrules:\n- {id: hot, metric: cpu_usage_percent, warning: {above: 90, for: 1s}}\n")

    assert check(file) == (
        f"{file}: 1 rule, fine, with 1 warning:\n"
        f"{file}:3:61: for 1s of warning of rule 'hot' is shorter than the 10s between two samples:"
        " write 0s or at least 10s\n"
    )


def test_durations_are_measured_by_the_intervals_of_the_configuration(tmp_path: Path) -> None:
    file, config = tmp_path / "mine.yaml", tmp_path / "sysmon.yaml"
    file.write_text("version: 1\nrules:\n- {id: hot, metric: cpu_usage_percent, warning: {above: 90, for: 1s}}\n")
    config.write_text("interval: 500ms\n")

    assert check(file, "--config", str(config)) == f"{file}: 1 rule, fine\n"


def test_what_is_wrong_is_raised_for_the_command_line_to_show(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("version: 1\nrules:\n- {id: hot, metric: cpu_usage_percnt, warning: {above: 90%}}\n")

    with pytest.raises(ConfigError) as caught:
        check(file)

    assert str(caught.value).split("\n") == [
        f"{file}:3:21: unknown metric 'cpu_usage_percnt' in rule 'hot': did you mean 'cpu_usage_percent'?",
        f"{file}:3:56: above of warning of rule 'hot': '90%' is no plain number: write 90",
    ]


EXAMPLE = DEFAULT_RULES.parent / "examples" / "rules.test.yaml"


def test_the_tests_of_the_default_rules_pass() -> None:
    done = CliRunner().invoke(command, ["test", str(EXAMPLE)], catch_exceptions=False)

    assert (done.exit_code, done.output) == (0, "4 tests, 0 failed\n")


def test_a_failing_test_is_told_to_people_and_to_build_servers(tmp_path: Path) -> None:
    file, result = tmp_path / "tests.yaml", tmp_path / "result.xml"
    text = EXAMPLE.read_text().replace("at: 90s", "at: 80s").replace("../rules.yaml", str(DEFAULT_RULES))
    file.write_text(text)

    done = CliRunner().invoke(
        command, ["test", str(file), "--junit", str(result)], catch_exceptions=False, standalone_mode=False
    )

    found = result.read_text()
    assert (done.return_value, done.output.splitlines()[-1]) == (1, "4 tests, 1 failed")
    assert (found.count("<testcase "), found.count("<failure "), 'failures="1"' in found) == (4, 1, True)
