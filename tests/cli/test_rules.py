"""What `sysmon rules check` says of a rule file."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from sysmon.cli.rules import command
from sysmon.errors import ConfigError
from sysmon.text.instants import format_instant

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

    output = result.read_text()
    assert (done.return_value, done.output.splitlines()[-1]) == (1, "4 tests, 1 failed")
    assert (output.count("<testcase "), output.count("<failure "), 'failures="1"' in output) == (4, 1, True)


THIS_HOUR = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)


def _stored(data: Path, mountpoints: list[str], *, hours_ago: int) -> Path:
    """Write a row of each file system, as sysmon would."""
    at = THIS_HOUR - timedelta(hours=hours_ago)
    folder = data / "web-01" / "disk_usage"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [f"{format_instant(at)},web-01,{name},/dev/sda1,ext4,50\n" for name in mountpoints]
    head = "timestamp,hostname,mountpoint,device,fstype,disk_usage_percent\n"
    (folder / f"disk_usage-{at:%Y%m%dT%H0000Z}-1h.csv").write_text(head + "".join(lines))
    return data


def _matching(folder: Path, match: str) -> Path:
    file = folder / "mine.yaml"
    rule = f"{{id: full, metric: disk_usage_percent, match: {match}, warning: {{above: 90}}}}"
    file.write_text(f"version: 1\nrules:\n- {rule}\n")
    return file


@pytest.mark.parametrize(
    ("match", "instead"),
    [
        pytest.param("{mountpoint: /mnt/*}", "mountpoint is / or /srv there", id="a label that nothing has"),
        pytest.param("{fstype: [xfs, zfs]}", "fstype is ext4 there", id="none of several"),
        pytest.param("{mountpoint: /, device: /dev/sdb*}", "device is /dev/sda1 there", id="one label of two"),
    ],
)
def test_a_match_that_fits_no_row_of_late_is_warned_of(tmp_path: Path, match: str, instead: str) -> None:
    data = _stored(tmp_path / "data", ["/", "/srv"], hours_ago=2)

    output = check(_matching(tmp_path, match), "--data", str(data)).splitlines()

    since = format_instant(THIS_HOUR - timedelta(hours=2))
    assert output[1:] == [
        f"{tmp_path / 'mine.yaml'}:3:49: match of rule 'full' fits no row of disk_usage since {since}: {instead}"
    ]


@pytest.mark.parametrize(
    "match",
    [
        pytest.param("{mountpoint: /srv}", id="in the newest file"),
        pytest.param("{mountpoint: /old}", id="in an older one"),
        pytest.param("{fstype: [xfs, ext4]}", id="one of several"),
    ],
)
def test_a_match_that_fits_some_row_of_late_is_fine(tmp_path: Path, match: str) -> None:
    _stored(tmp_path / "data", ["/old"], hours_ago=100)
    data = _stored(tmp_path / "data", ["/", "/srv"], hours_ago=2)

    assert check(_matching(tmp_path, match), "--data", str(data)).endswith(": 1 rule, fine\n")


@pytest.mark.parametrize("hours_ago", [pytest.param(None, id="no rows"), pytest.param(200, id="only older ones")])
def test_without_rows_of_late_no_match_is_doubted(tmp_path: Path, hours_ago: int | None) -> None:
    data = tmp_path / "data"
    if hours_ago is not None:
        _stored(data, ["/"], hours_ago=hours_ago)

    assert check(_matching(tmp_path, "{mountpoint: /mnt}"), "--data", str(data)).endswith(": 1 rule, fine\n")
