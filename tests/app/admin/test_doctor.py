"""Checks of a machine, and that they find what is wrong with a real one."""

import os
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest

from sysmon import config
from sysmon.adapters.installation import Programs
from sysmon.app.admin import checks, doctor
from sysmon.app.admin.checks import Check, CheckStatus
from sysmon.app.catalog import tables
from sysmon.model import Event
from tests.app.admin.test_status import agent_rows
from tests.reading.stored import at, event_lines, started, write_log, write_table

AGENT = tables()["agent"]
GIB = 2**30


def statuses(results: list[Check]) -> list[tuple[str, str]]:
    """Return each verdict with its subject."""
    return [(check.status.value, check.subject) for check in results]


@pytest.mark.parametrize(
    ("check", "status"),
    [
        pytest.param(
            checks.check_permissions("/d", 0o40750, "sysmon", [0o40755]), CheckStatus.OK, id="a closed folder"
        ),
        pytest.param(checks.check_permissions("/d", 0o40755, "sysmon", [0o40750]), CheckStatus.OK, id="closed hosts"),
        pytest.param(
            checks.check_permissions("/d", 0o40755, "sysmon", [0o40750, 0o40755]),
            CheckStatus.PROBLEM,
            id="an open host",
        ),
        pytest.param(
            checks.check_permissions("/d", 0o41777, "sysmon", []), CheckStatus.PROBLEM, id="everybody writes there"
        ),
        pytest.param(checks.check_file_system("/d", "ext4", "/"), CheckStatus.OK, id="a disk"),
        pytest.param(
            checks.check_file_system("/d", "fuseblk", "/mnt"), CheckStatus.PROBLEM, id="a program's file system"
        ),
        pytest.param(checks.check_file_system("/d", "nfs4", "/mnt"), CheckStatus.PROBLEM, id="another machine's"),
        pytest.param(checks.check_file_system("/d", "tmpfs", "/tmp"), CheckStatus.PROBLEM, id="memory"),
        pytest.param(checks.check_file_system("/d", "overlay", "/"), CheckStatus.NOTE, id="a container's"),
        pytest.param(checks.check_space(GIB, 500, 10**6), CheckStatus.OK, id="room"),
        pytest.param(checks.check_space(GIB, 2 * GIB, 10**6), CheckStatus.PROBLEM, id="less than the floor"),
        pytest.param(checks.check_space(GIB, 0, 12), CheckStatus.PROBLEM, id="no inodes"),
        pytest.param(checks.check_space(GIB, 0, None), CheckStatus.OK, id="a file system that counts none"),
    ],
)
def test_each_thing_is_judged_and_a_problem_comes_with_what_to_do(check: Check, status: CheckStatus) -> None:
    assert (check.status, bool(check.advice)) == (status, status is not CheckStatus.OK)


OWN, OTHER = Path("/opt/sysmon/bin/sysmon"), Path("/usr/bin/sysmon")


@pytest.mark.parametrize(
    ("installed", "judged"),
    [
        pytest.param(Programs(OWN, (OWN,)), [("ok", str(OWN))], id="the only one"),
        pytest.param(Programs(OWN, ()), [("ok", str(OWN))], id="not in the path"),
        pytest.param(
            Programs(OWN, (OTHER, OWN)),
            [("note", "`sysmon` starts /usr/bin/sysmon, which is not this program")],
            id="another one first",
        ),
        pytest.param(
            Programs(OWN, (OWN, OTHER)),
            [("note", "/usr/bin/sysmon is another `sysmon`, later in the PATH")],
            id="another one later",
        ),
        pytest.param(
            Programs(None, (OTHER,)),
            [("note", "`sysmon` starts /usr/bin/sysmon, which is not this program")],
            id="started as a module beside another one",
        ),
        pytest.param(
            Programs(None, ()), [("ok", "started as a module; no `sysmon` is in the PATH")], id="started as a module"
        ),
    ],
)
def test_another_program_of_the_name_is_noted(installed: Programs, judged: list[tuple[str, str]]) -> None:
    assert [(check.status.value, check.text) for check in checks.program(installed)] == judged


@pytest.mark.parametrize(
    ("files", "size", "memory", "expected"),
    [
        pytest.param(1024, float("inf"), None, ["ok"], id="none"),
        pytest.param(64, float("inf"), None, ["problem"], id="few open files"),
        pytest.param(1024, 10**6, None, ["problem"], id="small files"),
        pytest.param(1024, float("inf"), GIB, ["ok"], id="enough memory"),
        pytest.param(64, 10**6, 2**20, ["problem", "problem", "problem"], id="everything at once"),
    ],
)
def test_limits_matter_where_they_are_low(files: float, size: float, memory: int | None, expected: list[str]) -> None:
    assert [check.status.value for check in checks.check_limits(files, size, memory)] == expected


NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
STEP = Event(NOON, "clock_step", {"seconds": -3600.0})


@pytest.mark.parametrize(
    ("now", "steps", "synchronised", "expected"),
    [
        pytest.param(NOON, [], True, [("ok", "synchronised, and not set in the last week")], id="right"),
        pytest.param(NOON, [], None, [("ok", "not set in the last week")], id="nobody knows"),
        pytest.param(
            NOON,
            [],
            False,
            [("note", "not synchronised (no NTP)")],
            id="left to itself",
        ),
        pytest.param(
            NOON, [STEP, STEP], True, [("note", "it was set 2 times in the last week, by up to 1h")], id="set of late"
        ),
        pytest.param(
            datetime(1970, 1, 1, tzinfo=UTC),
            [],
            True,
            [("problem", "it says 1970-01-01: samples get names of that day")],
            id="a dead battery",
        ),
    ],
)
def test_a_clock_is_judged_by_who_keeps_it_and_how_often_it_was_set(
    now: datetime, steps: list[Event], synchronised: bool | None, expected: list[tuple[str, str]]
) -> None:
    results = checks.check_clock(now, steps, synchronised=synchronised)

    assert [(check.status.value, check.text) for check in results] == expected


def run_checks_on(folder: Path, settings: str = "") -> list[Check]:
    """Look at this machine with the samples of one folder."""
    (folder / "sysmon.yaml").write_text(settings)
    load = partial(config.load, config=folder / "sysmon.yaml", data=folder / "data", environ={})
    return doctor.run_checks(load, None, now=at(601))


@pytest.mark.parametrize(
    ("meminfo", "subjects"),
    [("MemTotal: 9 kB\nMemAvailable: 5 kB\n", []), ("MemTotal: 9 kB\nMemFree: 5 kB\n", ["memory"]), ("", [])],
    ids=["told", "not told", "an empty file"],
)
def test_memory_that_is_estimated_is_noted(meminfo: str, subjects: list[str]) -> None:
    assert [check.subject for check in checks.check_available_memory(meminfo)] == subjects


def test_a_configuration_that_cannot_be_read_is_all_that_is_told(tmp_path: Path) -> None:
    results = run_checks_on(tmp_path, "intervall: 5s\nstorage: {rotation: 7m}\n")

    assert statuses(results) == [("problem", "configuration"), ("problem", "configuration")]


def test_rules_that_cannot_be_read_do_not_end_the_checkup(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("version: 1\nrules: [{id: a}]\n")

    results = statuses(run_checks_on(tmp_path, "rules: bad.yaml\n"))

    assert (("problem", "rules") in results, ("ok", "sources") in results) == (True, True)


def test_before_the_first_run_there_is_nothing_wrong_with_the_samples(tmp_path: Path) -> None:
    results = run_checks_on(tmp_path)

    advice = [check.advice for check in results if check.subject in {"data", "samples"}]
    assert advice == ["`sysmon run` makes it", "sysmon run, or sysmon service install"]


def test_the_folder_of_a_checkout_is_open_and_its_samples_are_not(tmp_path: Path) -> None:
    (tmp_path / "data" / "web-01").mkdir(parents=True)
    (tmp_path / "data").chmod(0o755)
    (tmp_path / "data" / "web-01").chmod(0o750)
    closed = statuses(run_checks_on(tmp_path))
    (tmp_path / "data" / "web-01").chmod(0o755)
    opened = statuses(run_checks_on(tmp_path))

    assert (("ok", "permissions") in closed, ("problem", "permissions") in opened) == (True, True)


def test_a_file_in_the_place_of_the_data_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")

    problems = [check for check in run_checks_on(tmp_path) if check.status is CheckStatus.PROBLEM]

    assert [(check.subject, check.text) for check in problems] == [("data", f"{tmp_path}/data is no folder")]


def test_a_folder_that_everybody_may_read_and_damage_are_found(tmp_path: Path) -> None:
    data = tmp_path / "data"
    (path,) = write_table(data, AGENT, agent_rows(range(10, 601, 10)))
    write_log(data, "events", event_lines([started(0, "r1", {"agent": 10.0}, 10)]))
    path.write_bytes(path.read_bytes() + b"what\n")
    data.chmod(0o755)
    path.parent.parent.chmod(0o755)

    subjects = [check.subject for check in run_checks_on(tmp_path) if check.status is CheckStatus.PROBLEM]

    assert (subjects.count("permissions"), subjects.count("damage")) == (1, 1)


def test_where_nothing_runs_the_way_out_is_to_start_it(tmp_path: Path) -> None:
    write_table(tmp_path / "data", AGENT, agent_rows(range(10, 601, 10)))

    advice = [check.advice for check in run_checks_on(tmp_path) if check.text.startswith("not running")]

    assert advice == ["sysmon run, or sysmon service install"]


def test_a_collector_that_is_switched_off_is_not_asked(tmp_path: Path) -> None:
    results = run_checks_on(tmp_path, "collectors: {cpu: {enabled: false}}\n")

    (read,) = [check.text for check in results if check.subject == "sources" and check.status is CheckStatus.OK]
    assert ("cpu" in read.split(", "), "memory" in read) == (False, True)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="root sees everything")
def test_root_sees_what_others_read_and_write(tmp_path: Path) -> None:
    assert ("note", "processes") not in statuses(run_checks_on(tmp_path))
