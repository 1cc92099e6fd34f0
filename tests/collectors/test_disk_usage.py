from collections import namedtuple
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors._mounts import Mount, parse_mountinfo
from sysmon.collectors.disk_usage import DiskUsageCollector
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of, recorded

Answer = namedtuple("Answer", ["f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"])
Partition = namedtuple("Partition", ["device", "mountpoint", "fstype", "opts"])
Usage = namedtuple("Usage", ["total", "used", "free", "percent"])
EXT4 = Answer(4096, 1000, 400, 350, 100, 75)
DEFAULT = ["/", "/b", "/mnt/share", "/mnt/with space\\and\nnewline", "/home/me/cloud", "/mnt/covered"]
NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=8)


def collector(source: Any, *, statvfs: Callable[[str], Any] | None = lambda _: EXT4) -> DiskUsageCollector:
    return DiskUsageCollector(source, DiskUsageCollector.Options(), statvfs=statvfs)


def mountpoints(**options: tuple[str, ...]) -> list[str]:
    here = DiskUsageCollector(recorded("server"), DiskUsageCollector.Options(**options), statvfs=lambda _: EXT4)
    return [mount.mountpoint for mount, _ in here.read().mounts]


def escaped(name: str) -> str:
    return "".join(f"\\{ord(ch):03o}" if ch in " \t\n\\" else ch for ch in name)


def test_numbers_are_those_of_df(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/self/mountinfo": "27 1 254:0 / / rw - ext4 /dev/vda rw\n"})
    here = collector(source)

    rows = here.rows(None, here.read(), 1.0)

    assert rows == [("/", "/dev/vda", "ext4", 4096_000, 2457_600, 1433_600, 63.16, 100, 25, 75, 25.0)]


def test_only_file_systems_with_data_of_their_own_are_watched_each_once() -> None:
    def sized(mountpoint: str) -> Answer:
        return EXT4._replace(f_blocks=0) if mountpoint == "/run/user/1000/doc" else EXT4

    mounts = collector(recorded("server"), statvfs=sized).read().mounts

    assert [mount.mountpoint for mount, _ in mounts] == DEFAULT


@pytest.mark.parametrize(
    ("options", "more", "less"),
    [
        pytest.param({"include": ("/srv",)}, ["/srv"], [], id="a bind mount by name"),
        pytest.param({"include": ("/dev/shm",)}, ["/dev/shm"], [], id="a tmpfs by name"),
        pytest.param({"include_fstypes": ("tmpfs",)}, ["/dev/shm"], [], id="every tmpfs"),
        pytest.param(
            {"include_fstypes": ("squashfs",)}, ["/snap/core/1"], [], id="every squashfs, on loop devices too"
        ),
        pytest.param({"include": ("/net",), "include_fstypes": ("autofs",)}, [], [], id="autofs never"),
        pytest.param({"exclude": ("/mnt/*",)}, [], DEFAULT[2:4] + DEFAULT[5:], id="mountpoints left out"),
        pytest.param(
            {"exclude_fstypes": ("nfs*", "fuse.*", "tmpfs")}, [], DEFAULT[2:3] + DEFAULT[4:5], id="types left out"
        ),
        pytest.param({"include": ("/mnt/share",), "exclude": ("*",)}, [], DEFAULT[:2] + DEFAULT[3:], id="one alone"),
    ],
)
def test_options_say_which_mounts_are_watched(options: dict[str, Any], more: list[str], less: list[str]) -> None:
    without_size = {"/run/user/1000/doc"}

    assert set(mountpoints(**options)) - without_size == set(DEFAULT) - set(less) | set(more)


def test_of_mounts_over_each_other_the_last_is_seen() -> None:
    devices = {mount.mountpoint: mount.device for mount, _ in collector(recorded("server")).read().mounts}

    assert devices["/mnt/covered"] == "/dev/sdd"


def test_one_unreadable_mount_does_not_hide_the_others() -> None:
    def stale(mountpoint: str) -> Answer:
        if mountpoint == "/mnt/share":
            raise OSError(116, "Stale file handle")
        return EXT4

    here = collector(recorded("server"), statvfs=stale)
    rows = here.rows(None, here.read(), 1.0)

    assert [(row[0], row[3:5]) for row in rows[:3]] == [
        ("/", (4096_000, 2457_600)),
        ("/b", (4096_000, 2457_600)),
        ("/mnt/share", (None, None)),
    ]


def test_mounts_that_were_left_out_are_never_asked() -> None:
    asked: list[str] = []

    def remember(mountpoint: str) -> Answer:
        asked.append(mountpoint)
        return EXT4

    collector(recorded("server"), statvfs=remember).read()

    assert asked == [*DEFAULT[:5], "/run/user/1000/doc", *DEFAULT[5:]]


def test_a_file_system_without_inodes_has_none(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/self/mountinfo": "27 1 0:40 / / rw - btrfs /dev/vda rw\n"})
    here = collector(source, statvfs=lambda _: EXT4._replace(f_files=0, f_ffree=0))

    assert here.rows(None, here.read(), 1.0)[0][7:] == (None, None, None, None)


def test_a_mount_without_a_source_is_labelled_with_a_dash(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/self/mountinfo": "27 1 0:40 / /mnt/x rw - fuse.x  rw\n"})
    here = collector(source)

    assert here.rows(None, here.read(), 1.0)[0][:3] == ("/mnt/x", "-", "fuse.x")


def test_windows_has_no_inodes_and_an_empty_drive_hides_no_other() -> None:
    def usage(mountpoint: str) -> Usage:
        if mountpoint == "D:\\":
            raise PermissionError(13, "The device is not ready")
        return Usage(1000, 600, 400, 60.0)

    drives = [Partition("C:\\", "C:\\", "NTFS", "rw,fixed"), Partition("D:\\", "D:\\", "", "cdrom")]
    fake = SimpleNamespace(disk_partitions=lambda *, all: drives, disk_usage=usage)  # noqa: A006 - psutil's own name
    here = collector(elsewhere("win32", fake), statvfs=None)

    assert here.rows(None, here.read(), 1.0) == [
        ("C:\\", "C:\\", "NTFS", 1000, 600, 400, 60.0, None, None, None, None),
        ("D:\\", "D:\\", "-", *[None] * 8),
    ]


def test_macos_asks_the_file_systems_that_psutil_lists() -> None:
    fake = SimpleNamespace(disk_partitions=lambda *, all: [Partition("/dev/disk1s1", "/", "apfs", "rw")])  # noqa: A006 - psutil's own name
    here = collector(elsewhere("darwin", fake))

    assert here.rows(None, here.read(), 1.0)[0][3:7] == (4096_000, 2457_600, 1433_600, 63.16)


def test_a_machine_without_mountinfo_has_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="mountinfo"):
        collector(made_of(tmp_path, {})).read()


@given(NAMES, NAMES, NAMES)
def test_names_in_mountinfo_come_back_as_they_were(root: str, mountpoint: str, device: str) -> None:
    line = f"1 2 8:1 {escaped(root)} {escaped(mountpoint)} rw shared:1 - ext4 {escaped(device)} rw\n"

    assert parse_mountinfo(line) == [Mount(mountpoint, device, "ext4", root, "8:1")]
