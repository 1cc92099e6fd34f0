from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sysmon.collectors._mounts import parse_mountinfo
from sysmon.collectors.cgroup import CgroupCollector, CgroupReading, find_levels
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of

UNLIMITED = "9223372036854771712\n"
V2 = {
    "proc/self/cgroup": "0::/system.slice/sysmon.service\n",
    "proc/self/mountinfo": "30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
}
SLICE, SERVICE = "sys/fs/cgroup/system.slice", "sys/fs/cgroup/system.slice/sysmon.service"
V1 = {
    "proc/self/cgroup": "5:memory:/docker/c0ffee\n4:cpu,cpuacct:/docker/c0ffee\n1:name=systemd:/\n0::/\n",
    "proc/self/mountinfo": (
        "31 30 0:27 /docker/c0ffee /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n"
        "32 30 0:28 /docker/c0ffee /sys/fs/cgroup/cpu,cpuacct ro - cgroup cgroup rw,cpu,cpuacct\n"
        "33 30 0:29 / /sys/fs/cgroup/unified ro - cgroup2 cgroup2 rw\n"
    ),
}
MEMORY, CPU = "sys/fs/cgroup/memory", "sys/fs/cgroup/cpu,cpuacct"


def collector(source: Any) -> CgroupCollector:
    return CgroupCollector(source, CgroupCollector.Options())


def read(root: Path, *files: Mapping[str, str]) -> CgroupReading:
    return collector(made_of(root, {name: text for some in files for name, text in some.items()})).read()


def test_version_2_limits_are_read_with_what_was_used_of_them(tmp_path: Path) -> None:
    before = {
        f"{SERVICE}/memory.max": "1073741824\n",
        f"{SERVICE}/memory.current": "268435456\n",
        f"{SERVICE}/cpu.max": "150000 100000\n",
        f"{SERVICE}/cpu.stat": "usage_usec 9\nnr_periods 100\nnr_throttled 10\nthrottled_usec 5000\n",
    }
    after = {f"{SERVICE}/cpu.stat": "usage_usec 99\nnr_periods 140\nnr_throttled 20\nthrottled_usec 9000\n"}
    here = collector(made_of(tmp_path, {**V2, **before}))

    then = here.read()
    made_of(tmp_path, after)

    assert here.rows(then, here.read(), 10.0) == [(1073741824, 268435456, 1.5, 25.0)]


def test_version_1_limits_are_read_inside_a_container(tmp_path: Path) -> None:
    files = {
        f"{MEMORY}/memory.limit_in_bytes": "536870912\n",
        f"{MEMORY}/memory.usage_in_bytes": "4096\n",
        f"{CPU}/cpu.cfs_quota_us": "50000\n",
        f"{CPU}/cpu.cfs_period_us": "100000\n",
        f"{CPU}/cpu.stat": "nr_periods 7\nnr_throttled 3\nthrottled_time 12\n",
    }

    reading = read(tmp_path, V1, files)

    assert reading == CgroupReading(536870912, 4096, 0.5, str(tmp_path / CPU), 7, 3)


def test_the_tightest_limit_of_all_levels_counts(tmp_path: Path) -> None:
    files = {
        f"{SLICE}/memory.max": "2048\n",
        f"{SLICE}/memory.current": "1024\n",
        f"{SLICE}/cpu.max": "400000 100000\n",
        f"{SERVICE}/memory.max": "4096\n",
        f"{SERVICE}/memory.current": "512\n",
        f"{SERVICE}/cpu.max": "25000 50000\n",
        f"{SERVICE}/cpu.stat": "nr_periods 2\nnr_throttled 1\n",
    }

    assert read(tmp_path, V2, files) == CgroupReading(2048, 1024, 0.5, str(tmp_path / SERVICE), 2, 1)


def test_of_equal_limits_the_outer_one_counts_because_more_is_used_of_it(tmp_path: Path) -> None:
    files = {
        f"{SLICE}/memory.max": "2048\n",
        f"{SLICE}/memory.current": "2000\n",
        f"{SERVICE}/memory.max": "2048\n",
        f"{SERVICE}/memory.current": "10\n",
    }

    assert read(tmp_path, V2, files).memory_used == 2000


@pytest.mark.parametrize(
    ("files", "row"),
    [
        pytest.param(
            {f"{SERVICE}/memory.max": "1024\n", f"{SERVICE}/cpu.max": "max 100000\n"},
            (1024, None, None, None),
            id="memory alone, of an unknown use",
        ),
        pytest.param(
            {f"{SERVICE}/memory.max": "max\n", f"{SERVICE}/cpu.max": "200000 100000\n"},
            (None, None, 2.0, None),
            id="processors alone, in a kernel that does not count periods",
        ),
        pytest.param(
            {f"{SERVICE}/cpu.max": "200000 100000\n", f"{SERVICE}/cpu.stat": "nr_periods 5\nnr_throttled 0\n"},
            (None, None, 2.0, None),
            id="no period began",
        ),
    ],
)
def test_what_is_not_limited_or_not_known_is_null(tmp_path: Path, files: dict[str, str], row: tuple[Any, ...]) -> None:
    here = collector(made_of(tmp_path, {**V2, **files}))
    reading = here.read()

    assert here.rows(reading, reading, 10.0) == [row]


def test_the_first_reading_has_no_share_of_throttled_periods() -> None:
    here = collector(elsewhere("linux", None))
    reading = CgroupReading(cpu_limit=1.0, cpu_group="/a", periods=5, throttled=2)

    assert here.rows(None, reading, 1.0) == [(None, None, 1.0, None)]


def test_periods_of_two_groups_are_not_compared() -> None:
    here = collector(elsewhere("linux", None))
    before = CgroupReading(cpu_limit=1.0, cpu_group="/a", periods=5, throttled=2)
    after = CgroupReading(cpu_limit=1.0, cpu_group="/a/b", periods=500, throttled=200)

    assert here.rows(before, after, 1.0) == [(None, None, 1.0, None)]


def test_a_process_that_is_moved_is_followed(tmp_path: Path) -> None:
    limits = {f"{SLICE}/memory.max": "2048\n", f"{SERVICE}/memory.max": "max\n", "sys/fs/cgroup/else/memory.max": "7\n"}
    here = collector(made_of(tmp_path, {**V2, **limits}))

    before = here.read().memory_limit
    made_of(tmp_path, {"proc/self/cgroup": "0::/else\n"})

    assert (before, here.read().memory_limit) == (2048, 7)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        pytest.param({}, "there is no .*cgroup", id="a kernel without control groups"),
        pytest.param(V2, "no control group limits", id="no files"),
        pytest.param({**V2, f"{SERVICE}/memory.max": "max\n"}, "no control group limits", id="version 2"),
        pytest.param(
            {**V1, f"{MEMORY}/memory.limit_in_bytes": UNLIMITED, f"{CPU}/cpu.cfs_quota_us": "-1\n"},
            "no control group limits",
            id="version 1",
        ),
    ],
)
def test_where_no_limit_applies_there_is_no_such_source(tmp_path: Path, source: dict[str, str], why: str) -> None:
    with pytest.raises(Unavailable, match=why):
        read(tmp_path, source)


def test_other_systems_have_no_such_source() -> None:
    with pytest.raises(Unavailable, match="only Linux"):
        collector(elsewhere("win32", None)).read()


@pytest.mark.parametrize(
    ("membership", "mounts", "folders"),
    [
        pytest.param(
            "0::/a/b\n", ["/ /sys/fs/cgroup cgroup2 rw"], ["", "/a", "/a/b"], id="from the root down to the own group"
        ),
        pytest.param("0::/\n", ["/ /sys/fs/cgroup cgroup2 rw"], [""], id="a container's own view"),
        pytest.param(
            "0::/docker/c0\n", ["/docker/c0 /sys/fs/cgroup cgroup2 rw"], [""], id="a container that sees its outer name"
        ),
        pytest.param(
            "0::/docker/c0/in\n", ["/docker/c0 /sys/fs/cgroup cgroup2 rw"], ["", "/in"], id="a group within that"
        ),
        pytest.param(
            "0::/docker/c0ffee\n", ["/docker/c0 /sys/fs/cgroup cgroup2 rw"], [""], id="a name that only begins alike"
        ),
        pytest.param("0::/../else\n", ["/ /sys/fs/cgroup cgroup2 rw"], [""], id="a group outside of the view"),
        pytest.param(
            "0::/a\n", ["/a /mnt cgroup2 rw", "/ /sys/fs/cgroup cgroup2 rw"], ["", "/a"], id="the widest view of two"
        ),
        pytest.param(
            "3:memory:/m\n0::/a\n",
            ["/ /sys/fs/cgroup/unified cgroup2 rw", "/ /sys/fs/cgroup cgroup rw,memory"],
            ["", "/m"],
            id="version 1 beside version 2",
        ),
        pytest.param("3:cpu:/m\n", ["/ /sys/fs/cgroup cgroup rw,cpu"], None, id="another controller"),
        pytest.param("3:memory:/m\n", ["/ /sys/fs/cgroup cgroup rw,cpu"], None, id="a hierarchy that is not mounted"),
        pytest.param("", ["/ /sys/fs/cgroup cgroup2 rw"], None, id="nothing"),
    ],
)
def test_groups_are_found_through_the_mounts(membership: str, mounts: list[str], folders: list[str] | None) -> None:
    lines = []
    for mount in mounts:
        root, mountpoint, fstype, settings = mount.split()
        lines.append(f"1 2 0:3 {root} {mountpoint} rw - {fstype} none {settings}")

    levels = find_levels(membership, parse_mountinfo("\n".join(lines)), "memory").folders

    assert [str(folder) for folder in levels] == [f"/sys/fs/cgroup{folder}" for folder in folders or ()]
