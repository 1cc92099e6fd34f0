"""Machines that people have: trees of tests/data/machines, each with the right value of what others got wrong."""

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from sysmon.collectors.cpu import CpuCollector
from sysmon.collectors.disk_io import DiskIoCollector
from sysmon.collectors.disk_usage import DiskUsageCollector
from sysmon.collectors.memory import MemoryCollector
from sysmon.collectors.network import NetworkCollector
from sysmon.collectors.process import ProcessCollector
from tests.collectors.machines import as_dicts, made_of, replayed

NOBODY = 65534


def one(collector: Any, source: Any, **options: Any) -> Any:
    return collector(source, collector.Options(**options))


@contextmanager
def unprivileged() -> Iterator[None]:
    """Be nobody for a while, where this is root, who may read everything."""
    user = os.geteuid()
    os.seteuid(user or NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def labels_of_processes(tmp_path: Path, name: str, *parts: str) -> list[tuple[str, ...]]:
    """Return pid, start, name and unit of the listed processes, in each part that one collector sees."""
    here = one(ProcessCollector, replayed(tmp_path, name, parts[0]))
    seen: list[tuple[str, ...]] = []
    for part in parts:
        replayed(tmp_path, name, part)
        seen += [(pid, started, name, unit) for pid, started, name, _, unit in here.read().listed.values()]
    return seen


def test_a_process_stays_the_same_when_the_clock_is_set(tmp_path: Path) -> None:
    seen = labels_of_processes(tmp_path, "process-started-btime", "a", "b")

    assert seen == [("2071", "2020-04-01T12:34:41Z", "my srv", "-")] * 2


def test_an_old_kernel_with_four_kinds_of_time_has_its_processes(tmp_path: Path) -> None:
    here = one(ProcessCollector, replayed(tmp_path, "process-stat-four-fields", "a"))
    before = here.read()
    replayed(tmp_path, "process-stat-four-fields", "b")
    rows = as_dicts(here, here.rows(before, here.read(), 1.0))

    assert {pid: row["process_cpu_percent"] for pid, row in rows.items()} == {"7": 10.0, "-1": 5.0}


@pytest.mark.parametrize(
    ("stat", "started", "cpu"),
    [
        pytest.param("cpu 1 2 3\nbtime 1700000000\n", "2023-11-14T22:13:21Z", None, id="too few times"),
        pytest.param("cpu 1 2 3 4\n", "-", 0.0, id="no start of the machine"),
        pytest.param("", "-", None, id="an empty file"),
    ],
)
def test_processes_are_listed_without_the_times_of_the_machine(
    tmp_path: Path, stat: str, started: str, cpu: float | None
) -> None:
    source = replayed(tmp_path, "process-stat-four-fields", "a")
    (source.proc / "stat").write_text(stat)
    here = one(ProcessCollector, source)
    before = here.read()
    rows = here.rows(before, here.read(), 1.0)

    assert [(row[1], row[5]) for row in rows] == [(started, 0.0), ("-", cpu)]


def test_a_container_of_the_old_hierarchies_is_told_in_a_mixed_one(tmp_path: Path) -> None:
    assert [unit for *_, unit in labels_of_processes(tmp_path, "unit-hybrid-docker", "")] == ["414418407cc0"]


def test_a_program_behind_a_mount_belongs_to_the_mount(tmp_path: Path) -> None:
    assert [unit for *_, unit in labels_of_processes(tmp_path, "unit-mount", "")] == ["gcloud.mount"]


def test_the_shares_of_an_interval_in_which_idle_time_fell_are_unknown(tmp_path: Path) -> None:
    here = one(CpuCollector, replayed(tmp_path, "cpu-suspend-idle-back", "a"))
    before = here.read()
    replayed(tmp_path, "cpu-suspend-idle-back", "b")

    assert here.rows(before, here.read(), 1.0) == [("all", *[None] * 9), ("0", *[None] * 9)]


def rows_of_networks(tmp_path: Path, name: str, seconds: float) -> dict[str, dict[str, Any]]:
    here = one(NetworkCollector, replayed(tmp_path, name, "a"))
    before = here.read()
    replayed(tmp_path, name, "b")
    return as_dicts(here, here.rows(before, here.read(), seconds))


def test_a_share_of_a_handful_of_packets_is_no_share(tmp_path: Path) -> None:
    port = rows_of_networks(tmp_path, "network-drops-standby", 10.0)["eno2"]

    assert (port["network_receive_drops_per_second"], port["network_drop_percent"]) == (0.3, None)


def test_a_line_of_another_form_does_not_hide_other_interfaces(tmp_path: Path) -> None:
    rows = rows_of_networks(tmp_path, "network-short-line", 10.0)

    assert {name: row["network_receive_bytes_per_second"] for name, row in rows.items()} == {"eth0": 0.0}


@pytest.mark.parametrize("flags", [pytest.param(True, id="tun_flags"), pytest.param(False, id="beyond all speed")])
def test_the_nominal_speed_of_a_tunnel_is_none(tmp_path: Path, flags: bool) -> None:
    for name in ("tun0", "tap3") if flags else ():
        (tmp_path / "sys/class/net" / name).mkdir(parents=True)
        (tmp_path / "sys/class/net" / name / "tun_flags").write_text("0x1002\n")
    rows = rows_of_networks(tmp_path, "network-tun-10mbit", 10.0)

    assert {name: row["network_bandwidth_usage_percent"] for name, row in rows.items()} == {"tun0": None, "tap3": None}


def test_thousands_of_interfaces_of_containers_share_a_row(tmp_path: Path) -> None:
    def machine(growth: int) -> Any:
        lines = [f"veth{number:07x}: {1000 + growth} 10 0 0 0 0 0 0 900 10 0 0 0 0 0 0\n" for number in range(2000)]
        return made_of(
            tmp_path, {"proc/net/dev": "\n\n" + "".join(lines) + "docker0: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"}
        )

    here = one(NetworkCollector, machine(0))
    before = here.read()
    machine(100)
    rows = as_dicts(here, here.rows(before, here.read(), 10.0))

    received = {name: row["network_receive_bytes_per_second"] for name, row in rows.items()}
    assert received == {"veth*": 20_000.0, "docker*": 0.0}


def test_memory_is_told_where_its_events_are_hidden() -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = replayed(Path(folder), "memory-vmstat-denied")
        Path(folder).chmod(0o755)
        (source.proc / "vmstat").chmod(0)
        with unprivileged():
            row = row_of_memory(source)

    assert (row["memory_used_bytes"], row["memory_usage_percent"], row["oom_kills"]) == (409_600, 40.0, None)


def row_of_memory(source: Any) -> dict[str, Any]:
    here = one(MemoryCollector, source)
    reading = here.read()
    return as_dicts(here, here.rows(reading, reading, 10.0))[""]


def test_a_cache_of_zfs_is_no_memory_in_use(tmp_path: Path) -> None:
    row = row_of_memory(replayed(tmp_path, "memory-zfs-arc"))

    assert (row["memory_usage_percent"], row["memory_available_bytes"]) == (
        34.55,
        716_800_000 + 10_737_418_240 - 518_979_584,
    )


def test_reserved_huge_pages_that_nobody_has_are_no_memory_in_use(tmp_path: Path) -> None:
    assert row_of_memory(replayed(tmp_path, "memory-hugepages"))["memory_usage_percent"] == 21.93


def disk_usage(tmp_path: Path, name: str, part: str = "") -> dict[str, dict[str, Any]]:
    here = one(DiskUsageCollector, replayed(tmp_path, name, part))
    rows = as_dicts(here, here.rows(None, here.read(), 1.0))
    here.close()
    return rows


@pytest.mark.parametrize(
    ("name", "mountpoints"),
    [
        pytest.param("disk-appimage", ["/"], id="an image of a program is none"),
        pytest.param("disk-udf-cramfs-ro", ["/"], id="images of all sorts"),
        pytest.param("disk-loop-tmp", ["/", "/tmp"], id="a file that is mounted on /tmp can be full"),
        pytest.param("disk-covered-mount", ["/"], id="what lies below a mount cannot be reached"),
        pytest.param("disk-ubifs-root", ["/", "/data", "/cfg", "/cfg2"], id="raw flash memory"),
        pytest.param("disk-wsl1-root", ["/", "/mnt/c"], id="WSL 1"),
        pytest.param("disk-wsl2-four-times", ["/", "/mnt/c"], id="four views of a drive"),
    ],
)
def test_what_can_be_full_and_can_be_reached_has_a_row(tmp_path: Path, name: str, mountpoints: list[str]) -> None:
    answer = {"f_frsize": 4096, "f_blocks": 1000, "f_bfree": 400, "f_bavail": 350, "f_files": 100, "f_ffree": 75}
    source = replayed(tmp_path, name)
    mounted = [line.split()[4] for line in source.mountinfo.read_text().splitlines()]
    (tmp_path / "statvfs.json").write_text(json.dumps(dict.fromkeys(mounted, answer)))
    here = one(DiskUsageCollector, source)

    assert [row[0] for row in here.rows(None, here.read(), 1.0)] == mountpoints


def test_a_file_system_keeps_its_name_while_a_snapshot_tool_mounts_it_elsewhere(tmp_path: Path) -> None:
    seen = [list(disk_usage(tmp_path, "disk-timeshift", part)) for part in ("before", "during", "before")]

    assert seen == [["/"]] * 3


def test_a_server_that_has_eaten_into_its_reserve_is_full(tmp_path: Path) -> None:
    row = disk_usage(tmp_path, "disk-avail-negative")["/nfs"]

    assert (row["disk_free_bytes"], row["disk_usage_percent"]) == (0, 100.0)


def test_more_free_than_there_is_cannot_be(tmp_path: Path) -> None:
    row = disk_usage(tmp_path, "disk-free-over-total")["/data2"]

    assert [name for name, value in row.items() if value is not None] == ["disk_total_bytes", "inode_total"]


def test_a_mapped_device_is_known_by_what_another_start_does_not_change(tmp_path: Path) -> None:
    assert list(one(DiskIoCollector, replayed(tmp_path, "disk-dm-not-stable")).read().devices) == ["vg0-root"]
