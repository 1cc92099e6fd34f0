import os
from pathlib import Path

import pytest

from sysmon.datadir.damage import Damage
from sysmon.errors import NothingFoundError, StorageError, UsageError
from sysmon.model import Origin
from sysmon.reading.catalog import check_format, find_host
from sysmon.text.names import path_name
from tests.reading.stored import CPU, LOAD, at, write_table


def write_host(data: Path, name: str, written: float) -> None:
    """Store one row of a host, whose file was written that many seconds after the epoch."""
    for path in write_table(data, LOAD, [(at(0), [(1, 2)])], origin=Origin(path_name(name))):
        os.utime(path, (written, written))


def test_the_only_host_is_taken(tmp_path: Path) -> None:
    write_host(tmp_path, "web-01", 100)
    (tmp_path / "lock").touch()

    assert (find_host(tmp_path, None).name, find_host(tmp_path, None).others) == ("web-01", ())


def test_of_several_hosts_the_one_written_last_is_taken(tmp_path: Path) -> None:
    for name, written in (("a", 100), ("b", 300), ("c", 200)):
        write_host(tmp_path, name, written)

    host = find_host(tmp_path, None)

    assert (host.name, host.others) == ("b", ("a", "c"))


def test_a_host_whose_name_is_no_path_is_found_by_its_name(tmp_path: Path) -> None:
    write_host(tmp_path, "../etc", 100)

    assert find_host(tmp_path, "../etc").name == "host-" + path_name("../etc").removeprefix("host-")


@pytest.mark.parametrize("name", ["lost+found", "quarantine"])
def test_folders_that_only_others_may_look_into_are_no_hosts(tmp_path: Path, name: str) -> None:
    write_host(tmp_path, "web-01", 100)
    (tmp_path / name).symlink_to(tmp_path / name)  # cannot be listed, by root neither

    assert find_host(tmp_path, None).others == ()


def test_an_unknown_host_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    write_host(tmp_path, "web-01", 100)

    with pytest.raises(UsageError, match="no host 'web-02': known are web-01"):
        find_host(tmp_path, "web-02")


@pytest.mark.parametrize(
    ("folder", "said"),
    [
        pytest.param("data/lost", "no samples here: start", id="empty"),
        pytest.param("missing", "no such folder: start", id="missing"),
        pytest.param("data/web-01", "the folder of one host, not of the data: write --data {data}$", id="too deep"),
    ],
)
def test_where_nothing_is_the_way_out_is_told(tmp_path: Path, folder: str, said: str) -> None:
    write_host(tmp_path / "data", "web-01", 100)
    (tmp_path / "data" / "lost").mkdir()

    with pytest.raises(NothingFoundError, match=said.format(data=tmp_path / "data")):
        find_host(tmp_path / folder, None)


def test_tables_are_folders_with_segments(tmp_path: Path) -> None:
    for table in (LOAD, CPU):
        write_table(tmp_path, table, [(at(0), [(*tuple("x" for _ in table.labels), 1, 2)])])
    for name in ("events", "rollup", "empty"):
        (tmp_path / "web-01" / name).mkdir()
    (tmp_path / "web-01" / "events" / "events-20261120T120000Z-1d.jsonl").touch()

    assert find_host(tmp_path, None).tables() == ["cpu", "load"]


@pytest.mark.parametrize(
    ("content", "damaged"),
    [
        pytest.param(b"1\n", 0, id="ours"),
        pytest.param(None, 0, id="missing"),
        pytest.param(b"", 1, id="empty"),
        pytest.param(b"\xff", 1, id="bytes"),
    ],
)
def test_a_format_that_can_be_read_is_read(tmp_path: Path, content: bytes | None, damaged: int) -> None:
    if content is not None:
        (tmp_path / "format").write_bytes(content)
    damage = Damage()

    check_format(tmp_path, damage)

    assert damage.count == damaged


def test_a_newer_format_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "format").write_bytes(b"2\n")

    with pytest.raises(StorageError, match=r"format: format 2 is newer than what this sysmon reads \(1\)"):
        check_format(tmp_path, Damage())
