"""What the collectors say of the machine that runs the tests, next to what others say of it."""

import math
import os
import sys
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from sysmon.collectors import Source, discover
from sysmon.collectors.cpu import CpuCollector
from sysmon.collectors.disk_io import DiskIoCollector
from sysmon.collectors.disk_usage import DiskUsageCollector
from sysmon.collectors.memory import MemoryCollector
from sysmon.collectors.network import NetworkCollector
from sysmon.collectors.process import ProcessCollector
from sysmon.errors import Unavailable
from sysmon.model import Row, Table

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
ALL = list(discover().values())


def one(collector: Any, **options: Any) -> Any:
    return collector(Source(), collector.Options(**options))


def faults(table: Table, rows: list[Row]) -> list[str]:
    """Return what is wrong with the form of rows."""
    width = len(table.labels)
    found = [f"{row} is not {len(table.columns)} wide" for row in rows if len(row) != len(table.columns)]
    found += [
        f"{labels} comes {times} times" for labels, times in Counter(r[:width] for r in rows).items() if times > 1
    ]
    found += [f"{row} has no label" for row in rows if not all(isinstance(one, str) and one for one in row[:width])]
    found += [f"{row} has no number" for row in rows if not all(is_number(value) for value in row[width:])]
    return found


def is_number(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and math.isfinite(value))


@pytest.mark.parametrize("collector", [pytest.param(found, id=found.table.name) for found in ALL])
def test_two_readings_give_rows_of_the_declared_form(collector: Any) -> None:
    here = one(collector)
    try:
        before = here.read()
        rows = here.rows(None, before, 1.0)
    except Unavailable as why:
        pytest.skip(str(why))

    assert faults(here.table, rows) + faults(here.table, here.rows(before, here.read(), 0.5)) == []


@pytest.mark.parametrize("collector", [pytest.param(found, id=found.table.name) for found in ALL])
def test_every_metric_is_named_after_its_unit_and_has_a_sentence_of_help(collector: Any) -> None:
    endings = {
        "percent": "_percent",
        "bytes": "_bytes",
        "bytes/s": "_bytes_per_second",
        "/s": "_per_second",
        "ms": "_ms",
    }

    odd = [one for one in collector.table.metrics if not one.name.endswith(endings.get(one.unit, ""))]
    assert (odd, [one.name for one in collector.table.metrics if not one.help.endswith(".")]) == ([], [])


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

    found = (
        usage.threads,
        usage.name.decode(),
        reading.listed[me.pid][3],
        abs(started.timestamp() - me.create_time()) < 2,
    )
    assert found == (me.num_threads(), me.name(), me.username(), True)
