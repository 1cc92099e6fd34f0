import os
from collections import namedtuple
from collections.abc import Callable, Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors import Source
from sysmon.collectors._mounts import Mount, parse_mountinfo
from sysmon.collectors._slow_mounts import Answer
from sysmon.collectors.disk_usage import DiskUsageCollector
from sysmon.errors import Unavailable
from sysmon.model import Notice
from tests.collectors.machines import elsewhere, made_of, recorded

Statvfs = namedtuple("Statvfs", ["f_frsize", "f_blocks", "f_bfree", "f_bavail", "f_files", "f_ffree"])
Partition = namedtuple("Partition", ["device", "mountpoint", "fstype", "opts"])
Usage = namedtuple("Usage", ["total", "used", "free", "percent"])
EXT4 = Statvfs(4096, 1000, 400, 350, 100, 75)
DEFAULT = ["/", "/b", "/mnt/share", "/mnt/with space\\and\nnewline", "/home/me/cloud", "/mnt/covered", "/mnt/image"]
NAMES = st.text(st.characters(exclude_characters="\0"), min_size=1, max_size=8)


class Prompt:
    """Asks mounts that may hang like all others, and remembers which those were."""

    def __init__(self, statvfs: Callable[[str], Any]) -> None:
        self._statvfs = statvfs
        self.asked: list[str] = []

    def ask(self, mountpoints: Iterable[str]) -> dict[str, Answer]:
        self.asked = list(mountpoints)
        return {name: answer for name in self.asked if (answer := self._answer(name)) is not None}

    def take_notices(self) -> tuple[Notice, ...]:
        return ()

    def close(self) -> None:
        pass

    def _answer(self, mountpoint: str) -> Answer | None:
        try:
            return tuple(self._statvfs(mountpoint))
        except OSError:
            return None


def collector(source: Any, *, statvfs: Callable[[str], Any] = lambda _: EXT4, **options: Any) -> DiskUsageCollector:
    return DiskUsageCollector(source, DiskUsageCollector.Options(**options), statvfs=statvfs, slow=Prompt(statvfs))


def mountpoints(**options: Any) -> list[str]:
    return [mount.mountpoint for mount, _ in collector(recorded("server"), **options).read().mounts]


def escaped(name: str) -> str:
    return "".join(f"\\{ord(ch):03o}" if ch in " \t\n\\" else ch for ch in name)


def test_numbers_are_those_of_df(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/self/mountinfo": "27 1 254:0 / / rw - ext4 /dev/vda rw\n"})
    here = collector(source)

    rows = here.rows(None, here.read(), 1.0)

    assert rows == [("/", "/dev/vda", "ext4", 4096_000, 2457_600, 1433_600, 63.16, 100, 25, 75, 25.0)]


def test_only_file_systems_with_data_of_their_own_are_watched_each_once() -> None:
    def sized(mountpoint: str) -> Statvfs:
        return EXT4._replace(f_blocks=0) if mountpoint == "/run/user/1000/doc" else EXT4

    mounts = collector(recorded("server"), statvfs=sized).read().mounts

    assert {mount.mountpoint for mount, _ in mounts} == set(DEFAULT)


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


def of_mounts(tmp_path: Path, *lines: str) -> Any:
    return made_of(tmp_path, {"proc/self/mountinfo": "".join(f"{line}\n" for line in lines)})


@pytest.mark.parametrize(
    ("line", "watched"),
    [
        pytest.param("30 27 254:1 / /data ro - ext4 /dev/vdb ro", False, id="read-only is never full"),
        pytest.param("30 27 254:1 / /data rw - ext4 /dev/vdb ro,errors=remount-ro", True, id="read-only by an error"),
        pytest.param("30 27 254:1 / /data ro - ext4 /dev/vdb rw", True, id="read-only here, written to elsewhere"),
        pytest.param("30 27 0:41 / /data rw - newfs store0 rw", True, id="a type that nobody knows"),
        pytest.param("30 27 0:41 / /data rw - fakefs none rw", False, id="one that the kernel makes up"),
        pytest.param("30 27 0:41 / /data rw - overlay overlay rw", False, id="a view of others"),
        pytest.param("30 27 31:4 / /data rw - jffs2 mtd:config rw", True, id="a device without a path"),
    ],
)
def test_what_a_mount_is_says_whether_it_is_watched(tmp_path: Path, line: str, watched: bool) -> None:
    def sized(mountpoint: str) -> Statvfs:
        return EXT4._replace(f_blocks=0) if "fakefs" in line and mountpoint == "/data" else EXT4

    here = collector(of_mounts(tmp_path, "27 1 254:0 / / rw - ext4 /dev/vda rw", line), statvfs=sized)

    assert ("/data" in [mount.mountpoint for mount, _ in here.read().mounts]) is watched


def test_a_type_that_nobody_knows_has_a_row_once_it_has_shown_a_size(tmp_path: Path) -> None:
    denied = iter([True, False, True])

    def statvfs(_: str) -> Statvfs:
        if next(denied):
            raise PermissionError(13, "denied")
        return EXT4

    here = collector(of_mounts(tmp_path, "30 27 0:41 / /data rw - newfs store0 rw"), statvfs=statvfs)

    assert [len(here.read().mounts) for _ in range(3)] == [0, 1, 1]


def test_a_file_system_keeps_its_name_while_it_is_mounted_there(tmp_path: Path) -> None:
    pool, top = "30 27 0:40 /@home /home rw - btrfs /dev/vdb rw", "31 27 0:40 / /mnt/top rw - btrfs /dev/vdb rw"
    here = collector(of_mounts(tmp_path, pool))
    seen = []
    for lines in ([pool], [pool, top], [top], [pool, top]):
        of_mounts(tmp_path, *lines)
        seen += [mount.mountpoint for mount, _ in here.read().mounts]

    assert seen == ["/home", "/home", "/mnt/top", "/mnt/top"]


def test_what_hides_with_a_covered_mount_is_found_again_without_the_cover(tmp_path: Path) -> None:
    lines = [
        "27 1 254:0 / / rw - ext4 /dev/vda rw",
        "40 27 8:1 / /mnt rw - ext4 /dev/sda1 rw",
        "41 40 8:2 / /mnt/data rw - xfs /dev/sdb1 rw",
        "43 41 8:3 / /mnt/data/deep rw - xfs /dev/sdc1 rw",
        "42 40 8:4 / /mnt rw - ext4 /dev/sdd1 rw",
    ]
    here = collector(of_mounts(tmp_path, *lines))
    covered = [mount.device for mount, _ in here.read().mounts]
    of_mounts(tmp_path, *lines[:-1])

    assert (covered, [mount.device for mount, _ in here.read().mounts]) == (
        ["/dev/vda", "/dev/sdd1"],
        ["/dev/vda", "/dev/sda1", "/dev/sdb1", "/dev/sdc1"],
    )


@pytest.mark.parametrize(
    ("answer", "row"),
    [
        pytest.param(
            EXT4._replace(f_bavail=2**64 - 20), (4096_000, 2457_600, 0, 100.0, 100, 25, 75, 25.0), id="below nothing"
        ),
        pytest.param(
            EXT4._replace(f_bfree=1001), (4096_000, None, None, None, 100, 25, 75, 25.0), id="free over total"
        ),
        pytest.param(
            EXT4._replace(f_files=2**64 - 1), (4096_000, 2457_600, 1433_600, 63.16, *[None] * 4), id="no inodes told"
        ),
        pytest.param(
            EXT4._replace(f_ffree=101),
            (4096_000, 2457_600, 1433_600, 63.16, 100, None, None, None),
            id="inodes over all",
        ),
        pytest.param(EXT4._replace(f_blocks=2**64 - 1), (None, None, None, None, 100, 25, 75, 25.0), id="no size told"),
    ],
)
def test_what_the_kernel_says_is_looked_at_before_it_is_believed(
    tmp_path: Path, answer: Statvfs, row: tuple[Any, ...]
) -> None:
    here = collector(of_mounts(tmp_path, "27 1 254:0 / / rw - ext4 /dev/vda rw"), statvfs=lambda _: answer)

    assert here.rows(None, here.read(), 1.0)[0][3:] == row


def test_a_mount_that_is_not_there_has_no_numbers(tmp_path: Path) -> None:
    """Below a folder of the host, what was mounted later is an empty folder of the disk around it."""
    (tmp_path / "data").mkdir()
    around = tmp_path.stat().st_dev
    lines = [
        f"27 1 {os.major(around)}:{os.minor(around)} / / rw - ext4 /dev/vda rw",
        "30 27 8:77 / /data rw - ext4 /dev/sdz rw",
    ]
    source = of_mounts(tmp_path, *lines)
    here = DiskUsageCollector(Source(source.proc, source.sys, "linux", root=tmp_path), DiskUsageCollector.Options())

    assert [space is not None for _, space in here.read().mounts] == [True, False]


def test_one_unreadable_mount_does_not_hide_the_others() -> None:
    def stale(mountpoint: str) -> Statvfs:
        if mountpoint == "/mnt/share":
            raise OSError(116, "Stale file handle")
        return EXT4

    here = collector(recorded("server"), statvfs=stale)
    rows = here.rows(None, here.read(), 1.0)

    assert {row[0]: row[3:5] for row in rows if row[0] in ("/", "/b", "/mnt/share")} == {
        "/": (4096_000, 2457_600),
        "/b": (4096_000, 2457_600),
        "/mnt/share": (None, None),
    }


def test_mounts_that_were_left_out_are_never_asked() -> None:
    calls: list[str] = []

    def remember(mountpoint: str) -> Statvfs:
        calls.append(mountpoint)
        return EXT4

    collector(recorded("server"), statvfs=remember).read()

    assert sorted(calls) == sorted([*DEFAULT, "/run/user/1000/doc"])


def test_mounts_that_depend_on_others_are_asked_by_the_other_process(tmp_path: Path) -> None:
    lines = [
        "27 1 254:0 / / rw - ext4 /dev/vda rw",
        "28 27 0:40 / /mnt/share rw - nfs4 server:/share rw",
        "29 28 254:1 / /mnt/share/disk rw - ext4 /dev/vdb rw",
        "30 27 0:41 / /home/me/cloud rw - fuse.rclone cloud: rw",
        "31 27 254:2 / /mnt/usb rw - fuseblk /dev/sdb1 rw",
        "32 27 254:3 / /mnt/shared rw - xfs /dev/vdc rw",
    ]
    source = made_of(tmp_path, {"proc/self/mountinfo": "".join(f"{line}\n" for line in lines)})
    slow = Prompt(lambda _: EXT4)
    DiskUsageCollector(source, DiskUsageCollector.Options(), statvfs=lambda _: EXT4, slow=slow).read()

    assert slow.asked == ["/mnt/share", "/mnt/share/disk", "/home/me/cloud", "/mnt/usb"]


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
    here = DiskUsageCollector(elsewhere("win32", fake), DiskUsageCollector.Options(), statvfs=None)

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
