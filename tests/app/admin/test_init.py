"""The first files of a machine: right for it, readable by the program, and never written over anybody's own."""

import os
import stat
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sysmon import config
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.admin.init import Machine, MountHere, WrittenFiles, configuration, init, machine, rules, write
from sysmon.app.catalog import tables
from sysmon.cli import answer
from sysmon.collectors import discover
from sysmon.config import locations
from sysmon.model import Row

AT = datetime(2026, 11, 21, tzinfo=UTC)
SHIPPED = {name: locations.find_shipped(name).read_text("utf-8") for name in ("sysmon.yaml", "rules.yaml")}
BIG = Machine(
    host="db-01",
    cores=8,
    memory=64 * 2**30,
    swap=4 * 2**30,
    mounts=(
        MountHere("/", "ext4", 100 * 2**30, 40.0, 95 * 2**30),
        MountHere("/srv", "xfs", 4 * 2**40, 12.4, 4 * 2**40),
    ),
    devices={"disk_io": ["sda", "nvme0n1"], "network": ["eth0"]},
)
HOSTILE = Machine(
    host="x\nrules: [",
    cores=1,
    memory=2**30,
    swap=0,
    mounts=(MountHere("/mnt/a\n  - id: b", "ext4", 2**30, 1.0, 2**30),),
    devices={"disk_io": [], "network": ["\x1b[31m: {"]},
)


def _row(table: str, **cells: str | float | None) -> Row:
    return tuple(cells.get(column) for column in discover()[table].table.columns)


def test_a_machine_is_what_its_rows_say() -> None:
    rows: Mapping[str, Sequence[Row]] = {
        "cpu": [_row("cpu", core="all"), _row("cpu", core="0"), _row("cpu", core="1")],
        "memory": [_row("memory", memory_total_bytes=1024, swap_total_bytes=None)],
        "disk_io": [_row("disk_io", device="sda")],
        "disk_usage": [
            _row(
                "disk_usage",
                mountpoint="/",
                fstype="ext4",
                disk_total_bytes=10,
                disk_used_bytes=4,
                disk_free_bytes=4,
                disk_usage_percent=50.0,
            ),
            _row("disk_usage", mountpoint="/stuck", fstype="nfs4"),
        ],
    }

    inspected = machine("web-01", rows)

    assert inspected == Machine(
        host="web-01",
        cores=2,
        memory=1024,
        swap=0,
        mounts=(MountHere("/", "ext4", 10, 50.0, 8.0),),
        devices={"disk_io": ["sda"], "network": []},
    )


def test_what_there_is_stands_beside_the_settings_that_choose() -> None:
    written = configuration(BIG, SHIPPED["sysmon.yaml"], at=AT).splitlines()

    beside = {written[index - 1]: line for index, line in enumerate(written) if "watched on" in line}
    assert (written[0], beside) == (
        "# Written by `sysmon init` on 2026-11-21 for db-01: 8 cores, 64.0 GiB of memory, 4.0 GiB of swap.",
        {
            "  disk_io:": "    # watched on this machine: sda, nvme0n1",
            "  disk_usage:": "    # watched on this machine: / (ext4, 100 GiB), /srv (xfs, 4.0 TiB)",
            "  network:": "    # watched on this machine: eth0",
        },
    )


def test_the_limits_fit_the_size_of_the_machine() -> None:
    written = rules(BIG, SHIPPED["rules.yaml"], at=AT)

    assert written.partition("  # What follows")[2].splitlines()[1:] == [
        "  # disk-full on /, now 40 % used: 80 % leaves 19.0 GiB and 90 % 9.5 GiB of 100 GiB.",
        "  # disk-full on /srv, now 12 % used: 80 % leaves 819 GiB and 90 % 410 GiB of 4.0 TiB.",
        "",
        "  # 8 cores: more than 2 programs for each want to run or wait for a disk, for ten minutes.",
        "  - id: load-high",
        "    metric: load_average_5m",
        "    warning: {at_least: 16, clear_below: 12, for: 10m}",
        "    critical: {at_least: 32, clear_below: 24, for: 10m}",
        "",
        "  # 4.0 GiB of swap: when it is used up, the kernel ends processes.",
        "  - id: swap-full",
        "    metric: swap_usage_percent",
        "    warning: {at_least: 80, clear_below: 70, for: 5m}",
    ]


@pytest.mark.parametrize("here", [pytest.param(BIG, id="big"), pytest.param(HOSTILE, id="hostile names")])
def test_the_program_reads_what_it_wrote(here: Machine, tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "sysmon.yaml": configuration(here, SHIPPED["sysmon.yaml"], at=AT),
            "rules.yaml": rules(here, SHIPPED["rules.yaml"], at=AT),
        },
    )

    loaded = config.load(config=tmp_path / "sysmon.yaml", environ={})
    rule_set = load_rules(loaded.rules, tables(), dict.fromkeys(tables(), 10.0))

    assert (loaded.rules, "load-high" in [rule.id for rule in rule_set.rules]) == (tmp_path / "rules.yaml", True)


def test_a_file_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    mine = tmp_path / "rules.yaml"
    mine.write_text("mine")

    done = init(tmp_path)

    assert (done, mine.read_text()) == (WrittenFiles((tmp_path / "sysmon.yaml",), (mine,)), "mine")


def test_the_command_says_what_it_wrote_and_what_comes_next(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "new"

    codes = answer(["init", "-o", str(folder)]), answer(["init", "-o", str(folder)])

    printed = capsys.readouterr()
    named = f"--config {folder}/sysmon.yaml"
    assert (codes, printed.out.splitlines(), printed.err.splitlines()) == (
        (0, 1),
        [
            f"wrote {folder}/sysmon.yaml",
            f"wrote {folder}/rules.yaml",
            f"review them, then: sysmon config check {named} && sysmon run {named}",
        ],
        [
            f"sysmon: {folder}/sysmon.yaml is there already and stays as it is",
            f"sysmon: {folder}/rules.yaml is there already and stays as it is",
        ],
    )


def test_a_folder_that_cannot_be_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    code = answer(["init", "-o", "/dev/null/x"])

    assert (code, capsys.readouterr().err) == (
        2,
        "sysmon: /dev/null/x: cannot be written (Not a directory): name another folder with -o\n",
    )


@pytest.mark.parametrize("mask", [pytest.param(0o000, id="open mask"), pytest.param(0o077, id="strict mask")])
def test_the_service_can_read_the_files_and_only_their_owner_writes_them(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        write(tmp_path / "a" / "b", {"rules.yaml": "rules: []\n"})
    finally:
        os.umask(before)

    paths = ("a", "a/b", "a/b/rules.yaml")
    assert [stat.S_IMODE((tmp_path / path).stat().st_mode) for path in paths] == [0o755, 0o755, 0o644]
