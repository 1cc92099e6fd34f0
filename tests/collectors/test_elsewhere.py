"""A machine that is looked at from a container: its /proc and its file systems are mounted below a folder."""

import os
from pathlib import Path
from typing import Any

import pytest

from sysmon import config
from sysmon.app.collectors import source_of
from sysmon.collectors import Source, _procfs
from sysmon.collectors._slow_mounts import SlowMounts
from sysmon.collectors.cgroup import CgroupCollector
from sysmon.collectors.disk_usage import DiskUsageCollector
from sysmon.collectors.network import NetworkCollector
from sysmon.errors import ConfigError
from tests.collectors.test_disk_usage import EXT4

MOUNTS = "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n23 22 8:2 / /srv rw - ext4 /dev/sda2 rw\n"
OURS = "90 1 0:50 / / rw - overlay overlay rw\n91 90 8:3 / /data rw - ext4 /dev/sda3 rw\n"
NET = "Inter-|\n face |\n  {}: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n"


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """Return a folder that holds a machine: its first process sees other mounts and another network than we do."""
    files = {
        "proc/1/mountinfo": MOUNTS,
        "proc/self/mountinfo": OURS,
        "proc/1/net/dev": NET.format("eth0"),
        "proc/net/dev": NET.format("veth0"),
        "etc/passwd": "root:x:0:0::/:/bin/sh\nalice:x:1234:1234::/:/bin/sh\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def source(host: Path, settings: str = "") -> Source:
    """Return what a configuration makes of that machine."""
    (host / "sysmon.yaml").write_text(settings)
    return source_of(config.load(config=host / "sysmon.yaml", rootfs=None if settings else host, environ={}))


def test_mounts_are_asked_below_the_folder_and_told_as_the_host_knows_them(host: Path) -> None:
    calls = []

    def statvfs(path: str) -> Any:
        calls.append(path)
        return EXT4

    collector = DiskUsageCollector(source(host), DiskUsageCollector.Options(), statvfs=statvfs)
    rows = collector.rows(None, collector.read(), 1.0)
    collector.close()

    assert (calls, [row[0] for row in rows]) == ([f"{host}/", f"{host}/srv"], ["/", "/srv"])


def test_mounts_that_may_hang_are_asked_there_too(host: Path) -> None:
    sent = []

    class Channel:
        def send(self, line: bytes) -> None:
            sent.append(bytes.fromhex(line.split()[1].decode()).decode())

        def receive(self, seconds: float) -> list[bytes]:
            return [b"1 4096 1 1 1 1 1"] if sent else []

        def close(self) -> None: ...

        def reap(self) -> bool:
            return True

    answers = SlowMounts(Channel, lambda: 0.0, below=str(host)).ask(["/mnt"])

    assert (sent, list(answers)) == ([f"{host}/mnt"], ["/mnt"])


def test_the_network_is_that_of_the_hosts_first_process(host: Path) -> None:
    reading = NetworkCollector(source(host), NetworkCollector.Options()).read()

    assert list(reading.interfaces) == ["eth0"]


def test_users_are_those_of_the_host(host: Path) -> None:
    named = _procfs.user_names(host)

    assert [named(0), named(1234), named(4321)] == ["root", "alice", "4321"]


def test_a_host_without_a_list_of_users_has_numbers(host: Path) -> None:
    (host / "etc/passwd").unlink()

    assert _procfs.user_names(host)(0) == "0"


def test_the_limits_are_those_that_hold_for_sysmon_itself(host: Path) -> None:
    elsewhere = source(host)
    (host / "proc/self/cgroup").write_text("0::/\n")
    group = host / "own cgroups"
    group.mkdir()
    (group / "memory.max").write_text("1048576\n")
    (group / "memory.current").write_text("4096\n")
    mounted = f"92 90 0:60 / {str(group).replace(' ', chr(92) + '040')} rw - cgroup2 cgroup rw\n"
    (host / "proc/self/mountinfo").write_text(OURS + mounted)

    assert CgroupCollector(elsewhere, CgroupCollector.Options()).read().memory_limit == 1048576


@pytest.mark.parametrize(
    ("settings", "proc", "root", "view"),
    [
        pytest.param("{}", "/proc", "/", "self", id="nothing is set"),
        pytest.param("{procfs: /proc, rootfs: /}", "/proc", "/", "self", id="what holds anyway is set"),
        pytest.param("{rootfs: .}", "HOST/proc", "HOST", "1", id="the folder alone"),
        pytest.param("{procfs: proc}", "HOST/proc", "/", "1", id="its /proc alone"),
        pytest.param("{procfs: /proc, rootfs: .}", "/proc", "HOST", "1", id="the processes of the host are ours"),
    ],
)
def test_the_settings_say_where_everything_is(host: Path, settings: str, proc: str, root: str, view: str) -> None:
    if view == "1" and proc == "/proc" and not os.path.exists("/proc/1/mountinfo"):  # noqa: PTH110 - one word
        pytest.skip("processes of others are hidden here")

    elsewhere = source(host, settings)

    places = [str(place.resolve()).replace(str(host.resolve()), "HOST") for place in (elsewhere.proc, elsewhere.root)]
    assert (places, elsewhere.view) == ([proc, root], view)


def test_a_folder_without_a_machine_is_refused(host: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        source(host, "rootfs: nothing\n")

    reason = "rootfs leads here, and there is no 1/mountinfo: mount the machine's /proc there"
    assert str(refused.value) == f"{host}/nothing/proc: {reason}"
