"""What the collectors say of the machine that runs the tests, next to what others say of it."""

import os
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from sysmon.collectors import Source
from sysmon.collectors.cpu import CpuCollector
from sysmon.collectors.disk_io import DiskIoCollector
from sysmon.collectors.disk_usage import DiskUsageCollector
from sysmon.collectors.memory import MemoryCollector
from sysmon.collectors.network import NetworkCollector
from sysmon.collectors.process import ProcessCollector

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")


def one(collector: Any, **options: Any) -> Any:
    return collector(Source(), collector.Options(**options))


def test_memory_is_as_large_as_psutil_says() -> None:
    reading = one(MemoryCollector).read()

    assert (reading.total, reading.swap_total) == (psutil.virtual_memory().total, psutil.swap_memory().total)


def test_there_are_as_many_cores_as_psutil_says() -> None:
    assert len(one(CpuCollector).read().cores) == (psutil.cpu_count() or 0) + 1


@linux_only
def test_file_systems_are_as_large_as_the_kernel_says() -> None:
    here = one(DiskUsageCollector, include_fstypes=("tmpfs",))
    rows = here.rows(None, here.read(), 1.0)
    answers = {row[0]: os.statvfs(str(row[0])) for row in rows if row[3] is not None}

    assert [(row[0], row[3], row[7]) for row in rows if row[3] is not None] == [
        (mountpoint, answer.f_blocks * answer.f_frsize, answer.f_files or None)
        for mountpoint, answer in answers.items()
    ]


@linux_only
def test_a_root_on_a_disk_is_watched() -> None:
    on_disk = any(part.mountpoint == "/" and part.device.startswith("/dev/") for part in psutil.disk_partitions())
    watched = [mount.mountpoint for mount, _ in one(DiskUsageCollector).read().mounts]

    assert ("/" in watched) is on_disk


@linux_only
def test_disk_counters_lie_between_two_readings_of_psutil() -> None:
    def counted() -> dict[str, Any]:
        return psutil.disk_io_counters(perdisk=True, nowrap=False)

    first, reading, last = counted(), one(DiskIoCollector).read(), counted()

    between = {
        name: all(early <= now <= late for early, now, late in zip(first[name], disk.work, last[name], strict=False))
        for name, disk in reading.devices.items()
    }
    assert between == dict.fromkeys(reading.devices, True)


@linux_only
def test_network_counters_lie_between_two_readings_of_sys() -> None:
    def counted(names: Any) -> list[tuple[int, ...]]:
        fields = ("rx_bytes", "tx_bytes", "rx_packets", "tx_packets")
        folders = [Path("/sys/class/net") / name / "statistics" for name in names]
        return [tuple(int((folder / field).read_text()) for field in fields) for folder in folders]

    here = one(NetworkCollector, include=("lo",))
    names = [name for name in here.read().interfaces if (Path("/sys/class/net") / name).exists()]
    first, reading, last = counted(names), here.read(), counted(names)

    seen = [(*reading.interfaces[name].bytes, *reading.interfaces[name].packets) for name in names]
    assert seen == [
        tuple(sorted(values)[1] for values in zip(*three, strict=True)) for three in zip(first, seen, last, strict=True)
    ]


@linux_only
def test_the_process_that_runs_this_test_is_found_as_it_is() -> None:
    me = psutil.Process()
    reading = one(ProcessCollector, top=100).read()
    usage = reading.processes.usage[me.pid]
    started = datetime.fromisoformat(reading.listed[me.pid][1])

    seen = (
        usage.threads,
        usage.name.decode(),
        reading.listed[me.pid][3],
        abs(started.timestamp() - me.create_time()) < 2,
    )
    assert seen == (me.num_threads(), me.name(), me.username(), True)
