from pathlib import Path

import pytest

from sysmon.collectors._mount_table import MountTable
from sysmon.errors import Unavailable

ROOT = "27 1 254:0 / / rw - ext4 /dev/vda rw\n"
MORE = "28 27 254:1 / /mnt rw - ext4 /dev/vdb rw\n"


def test_mounts_are_read_again_only_when_the_kernel_says_so(tmp_path: Path) -> None:
    file = tmp_path / "mountinfo"
    file.write_text(ROOT)
    says = [False, True]
    table = MountTable(file, lambda _: says.pop(0))
    seen = []
    for text in (ROOT, ROOT + MORE, ROOT + MORE):
        file.write_text(text)
        seen.append((table.changed(), [mount.mountpoint for mount in table.mounts()]))
    table.close()

    assert seen == [(True, ["/"]), (False, ["/"]), (True, ["/", "/mnt"])]


def test_the_kernel_of_this_machine_says_that_nothing_changed_when_nothing_did() -> None:
    mountinfo = Path("/proc/self/mountinfo")
    if not mountinfo.exists():
        pytest.skip("there is no /proc")
    table = MountTable(mountinfo)
    table.changed()
    last = False
    for _ in range(50):  # other programs may mount something meanwhile, but not all the time
        last = table.changed()
        if not last:
            break
    table.close()

    assert last is False


def test_a_table_that_is_missing_is_no_failure(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="mountinfo"):
        MountTable(tmp_path / "mountinfo").changed()
