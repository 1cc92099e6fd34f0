import mmap
import tempfile
from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sysmon.collectors.memory import MemoryCollector
from sysmon.errors import Unavailable
from tests.collectors.machines import as_dicts, elsewhere, made_of, recorded

WindowsMemory = namedtuple("WindowsMemory", ["total", "available", "percent", "used", "free"])
MacMemory = namedtuple("MacMemory", ["total", "available", "percent", "used", "free", "active", "inactive", "wired"])
Swap = namedtuple("Swap", ["total", "used", "free", "percent", "sin", "sout"])


def collector(source: Any) -> MemoryCollector:
    return MemoryCollector(source, MemoryCollector.Options())


def known(here: MemoryCollector, before: Any, after: Any) -> dict[str, Any]:
    row = as_dicts(here, here.rows(before, after, 10.0))[""]
    return {name: value for name, value in row.items() if value is not None}


def test_every_column_comes_from_its_kernel_field() -> None:
    before = collector(recorded("server")).read()
    here = collector(recorded("server_later"))

    rows = here.rows(before, here.read(), 10.0)

    assert as_dicts(here, rows)[""] == {
        "memory_total_bytes": 8_000_000 * 1024,
        "memory_used_bytes": 2_000_000 * 1024,
        "memory_free_bytes": 1_900_000 * 1024,
        "memory_available_bytes": 6_000_000 * 1024,
        "memory_cached_bytes": 3_000_000 * 1024,
        "memory_buffers_bytes": 100_000 * 1024,
        "memory_shared_bytes": 90_000 * 1024,
        "memory_slab_bytes": 300_000 * 1024,
        "memory_dirty_bytes": 640 * 1024,
        "memory_committed_bytes": 4_000_000 * 1024,
        "memory_usage_percent": 25.0,
        "memory_major_faults_per_second": 5.0,
        "swap_total_bytes": 2_000_000 * 1024,
        "swap_used_bytes": 500_000 * 1024,
        "swap_free_bytes": 1_500_000 * 1024,
        "swap_usage_percent": 25.0,
        "swap_in_bytes_per_second": 1.0 * mmap.PAGESIZE,
        "swap_out_bytes_per_second": 10.0 * mmap.PAGESIZE,
        "oom_kills": 1,
    }


def test_the_first_reading_has_no_rates_and_no_kills() -> None:
    here = collector(recorded("server"))
    row = as_dicts(here, here.rows(None, here.read(), 1.0))[""]

    assert [name for name, value in row.items() if value is None] == [
        "memory_major_faults_per_second",
        "swap_in_bytes_per_second",
        "swap_out_bytes_per_second",
        "oom_kills",
    ]


def test_what_an_old_kernel_or_a_container_lacks_is_null() -> None:
    here = collector(recorded("container"))
    reading = here.read()

    assert known(here, reading, reading) == {
        "memory_total_bytes": 1000 * 1024,
        "memory_free_bytes": 400 * 1024,
        "memory_cached_bytes": 300 * 1024,
        "swap_total_bytes": 0,
        "swap_used_bytes": 0,
        "swap_free_bytes": 0,
    }


OLD_KERNEL = "MemTotal: 1000000 kB\nMemFree: 50000 kB\nActive(file): 200000 kB\nInactive(file): 100000 kB\n"


@pytest.mark.parametrize(
    ("files", "available"),
    [
        pytest.param({"proc/sys/vm/min_free_kbytes": "8000\n"}, 50000 - 10000 + 290000 + 2000, id="as proc_meminfo(5)"),
        pytest.param({}, None, id="not where the reserve is hidden"),
        pytest.param(
            {"proc/meminfo": OLD_KERNEL, "proc/sys/vm/min_free_kbytes": "8000\n"}, None, id="not without slab"
        ),
    ],
)
def test_an_old_kernels_available_memory_is_estimated(
    tmp_path: Path, files: dict[str, str], available: int | None
) -> None:
    source = made_of(tmp_path, {"proc/meminfo": f"{OLD_KERNEL}SReclaimable: 4000 kB\n", **files})

    assert collector(source).read().available == (None if available is None else available * 1024)


@pytest.mark.parametrize(
    ("info", "available"),
    [
        pytest.param("HugePages_Total: 10\nHugePages_Free: 8\nHugePages_Rsvd: 3\n", 300 + 5 * 4, id="none promised"),
        pytest.param("HugePages_Total: 10\nHugePages_Free: 8\nHugetlb: 40 kB\n", 300 + 8 * 4, id="of one size"),
        pytest.param("HugePages_Total: 0\nHugePages_Free: 0\nHugetlb: 240 kB\n", 300 + 2 * 100, id="of another size"),
        pytest.param("HugePages_Total: 999\nHugePages_Free: 999\n", 1000, id="never more than all"),
    ],
)
def test_unused_huge_pages_are_available(tmp_path: Path, info: str, available: int) -> None:
    text = f"MemTotal: 1000 kB\nMemAvailable: 300 kB\nHugepagesize: 4 kB\n{info}"
    pool = "sys/kernel/mm/hugepages/hugepages-100kB"
    files = {f"{pool}/free_hugepages": "2\n", f"{pool}/resv_hugepages": "0\n"}

    assert collector(made_of(tmp_path, {"proc/meminfo": text, **files})).read().available == available * 1024


ARCSTATS = "13 1 0x01 96 4608 1 2\nname type data\nc_min 4 102400\nsize 4 307200\n"
ARC_ABOVE_LEAST = 200 * 1024


def test_a_cache_of_zfs_that_comes_later_is_seen(tmp_path: Path) -> None:
    source = made_of(tmp_path, {"proc/meminfo": "MemTotal: 1000 kB\nMemAvailable: 300 kB\n"})
    here = collector(source)
    before = here.read().available
    made_of(tmp_path, {"proc/spl/kstat/zfs/arcstats": ARCSTATS})
    later = [here.read().available for _ in range(60)]

    assert (before, later[-1]) == (300 * 1024, 300 * 1024 + ARC_ABOVE_LEAST)


def test_a_cache_of_the_host_is_no_memory_of_a_container(tmp_path: Path) -> None:
    """Where lxcfs makes up meminfo, it is on another file system than what the kernel tells of ZFS."""
    elsewhere = Path("/dev/shm")
    if not elsewhere.is_dir() or elsewhere.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("there is no second file system")
    source = made_of(tmp_path, {"proc/spl/kstat/zfs/arcstats": ARCSTATS})
    with tempfile.NamedTemporaryFile(dir=elsewhere) as meminfo:
        meminfo.write(b"MemTotal: 1000 kB\nMemAvailable: 300 kB\n")
        meminfo.flush()
        (source.proc / "meminfo").symlink_to(meminfo.name)

        assert collector(source).read().available == 300 * 1024


def test_windows_has_what_psutil_tells_there() -> None:
    fake = SimpleNamespace(
        virtual_memory=lambda: WindowsMemory(1000, 400, 60.0, 600, 400),
        swap_memory=lambda: Swap(200, 50, 150, 25.0, 0, 0),
    )
    here = collector(elsewhere("win32", fake))
    reading = here.read()

    assert known(here, reading, reading) == {
        "memory_total_bytes": 1000,
        "memory_used_bytes": 600,
        "memory_free_bytes": 400,
        "memory_available_bytes": 400,
        "memory_usage_percent": 60.0,
        "swap_total_bytes": 200,
        "swap_used_bytes": 50,
        "swap_free_bytes": 150,
        "swap_usage_percent": 25.0,
    }


def test_macos_counts_swapping() -> None:
    swaps = iter([Swap(200, 50, 150, 25.0, 1000, 2000), Swap(200, 50, 150, 25.0, 1100, 2500)])
    fake = SimpleNamespace(
        virtual_memory=lambda: MacMemory(1000, 400, 60.0, 500, 100, 300, 300, 100), swap_memory=lambda: next(swaps)
    )
    here = collector(elsewhere("darwin", fake))
    row = known(here, here.read(), here.read())

    assert (row["swap_in_bytes_per_second"], row["swap_out_bytes_per_second"]) == (10.0, 50.0)


@pytest.mark.parametrize(
    "files", [pytest.param({}, id="no file"), pytest.param({"proc/meminfo": ""}, id="an empty one")]
)
def test_a_machine_that_does_not_tell_its_memory_has_no_such_source(tmp_path: Path, files: dict[str, str]) -> None:
    with pytest.raises(Unavailable, match="meminfo"):
        collector(made_of(tmp_path, files)).read()
