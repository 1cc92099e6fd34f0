from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors.disk_io import DiskCounters, DiskIoCollector, DiskIoReading
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of, recorded

WindowsDisk = namedtuple(
    "WindowsDisk", ["read_count", "write_count", "read_bytes", "write_bytes", "read_time", "write_time"]
)
BareDisk = namedtuple("BareDisk", ["read_count", "write_count", "read_bytes", "write_bytes"])
WORK = st.tuples(*[st.integers(0, 2**64 - 1)] * 4)
TIMES = st.tuples(*[st.none() | st.integers(0, 2**32 - 1)] * 4)
DEVICES = st.builds(DiskCounters, WORK, TIMES)


def collector(source: Any, **options: tuple[str, ...]) -> DiskIoCollector:
    return DiskIoCollector(source, DiskIoCollector.Options(**options))


def between(before: DiskCounters, after: DiskCounters, seconds: float = 10.0) -> Any:
    here = collector(recorded("server"))
    return here.rows(DiskIoReading({"sda": before}), DiskIoReading({"sda": after}), seconds)[0][1:]


def test_counters_become_rates_and_means() -> None:
    before = collector(recorded("server")).read()
    here = collector(recorded("server_later"))

    rows = here.rows(before, here.read(), 10.0)

    assert rows == [
        ("vda", 1_024_000.0, 4_096_000.0, 10.0, 30.0, 2.0, 3.333, 3.0, 30.0, 0.5),
        ("dm-0", 0.0, 0.0, 0.0, 0.0, None, None, None, 0.0, 0.0),
        ("nvme0n1", *[None] * 9),
    ]


@pytest.mark.parametrize(
    ("options", "devices"),
    [
        pytest.param({}, ["vda", "dm-0"], id="whole devices by default"),
        pytest.param({"include": ("vda1",)}, ["vda", "vda1", "dm-0"], id="a partition by name"),
        pytest.param({"include": ("loop*", "sr?")}, ["loop0", "vda", "dm-0", "sr0"], id="what is excluded by default"),
        pytest.param({"exclude": ("*",), "include": ("vda",)}, ["vda"], id="one alone"),
        pytest.param({"exclude": ("dm-*",)}, ["loop0", "vda", "ram0", "zram0", "sr0", "fd0"], id="another exclude"),
    ],
)
def test_options_say_which_devices_are_watched(options: dict[str, tuple[str, ...]], devices: list[str]) -> None:
    assert list(collector(recorded("server"), **options).read().devices) == devices


def test_a_line_of_another_form_does_not_hide_the_others(tmp_path: Path) -> None:
    lines = " 8 0 sda 1 0 8 1 1 0 8 1 0 1 1\n 8 16 sdb 1 0 8 1 1 0 x 1 0 1 1\n 8 32 sdc 1 2 3\n"

    assert list(collector(made_of(tmp_path, {"proc/diskstats": lines})).read().devices) == ["sda"]


def test_a_device_that_works_and_counts_no_time_has_no_times(tmp_path: Path) -> None:
    def reading(reads: int) -> DiskIoReading:
        line = f" 9 0 md0 {reads} 0 {reads * 8} 0 0 0 0 0 0 0 0\n"
        return collector(made_of(tmp_path, {"proc/diskstats": line})).read()

    row = collector(recorded("server")).rows(reading(10), reading(20), 10.0)[0]

    assert row == ("md0", 4096.0, 0.0, 1.0, 0.0, None, None, None, None, None)


MAPPED = " 253 0 dm-0 1 0 1 1 1 0 1 1 0 1 1\n 253 1 dm-1 1 0 1 1 1 0 1 1 0 1 1\n 8 0 sda 1 0 1 1 1 0 1 1 0 1 1\n"


@pytest.mark.parametrize(
    ("mapped", "options", "devices"),
    [
        pytest.param(("vg0-root", "vg0-srv"), {}, ["vg0-root", "vg0-srv", "sda"], id="the names of the mappings"),
        pytest.param(("sda", ""), {}, ["dm-0", "dm-1", "sda"], id="not where it would be another, or is none"),
        pytest.param(("vg0-root", "vg0-srv"), {"exclude": ("vg0-r*",)}, ["vg0-srv", "sda"], id="one left out"),
        pytest.param(("vg0-root", "vg0-srv"), {"exclude": ("dm-*",)}, ["sda"], id="left out by the kernel's name"),
        pytest.param(("a", "b"), {"exclude": ("*",), "include": ("dm-1", "a")}, ["a", "b"], id="by either name"),
    ],
)
def test_a_mapped_device_is_called_as_it_is_mapped(
    tmp_path: Path, mapped: tuple[str, str], options: dict[str, tuple[str, ...]], devices: list[str]
) -> None:
    names = {f"sys/class/block/dm-{number}/dm/name": f"{name}\n" for number, name in enumerate(mapped)}

    assert list(collector(made_of(tmp_path, {"proc/diskstats": MAPPED, **names}), **options).read().devices) == devices


def test_a_mapping_that_was_renamed_is_seen_within_a_minute(tmp_path: Path) -> None:
    seconds = iter([0.0, 59.0, 60.0])
    source = made_of(tmp_path, {"proc/diskstats": MAPPED, "sys/class/block/dm-0/dm/name": "old\n"})
    here = DiskIoCollector(source, DiskIoCollector.Options(), monotonic=lambda: next(seconds))
    names = [next(iter(here.read().devices))]
    made_of(tmp_path, {"sys/class/block/dm-0/dm/name": "new\n"})
    names += [next(iter(here.read().devices)) for _ in range(2)]

    assert names == ["old", "old", "new"]


def test_a_partition_is_kept_where_sys_does_not_tell(tmp_path: Path) -> None:
    line = "   8       1 sda1 1 0 8 1 1 0 8 1 0 1 1\n"

    assert list(collector(made_of(tmp_path, {"proc/diskstats": line})).read().devices) == ["sda1"]


def test_names_are_kept_byte_for_byte(tmp_path: Path) -> None:
    line = b"   8       0 s\xffd\xc2\xa0a\x1b[0m 1 0 8 1 1 0 8 1 0 1 1\n 104 0 cciss/c0d0p1 1 0 8 1 1 0 8 1 0 1 1\n"
    source = made_of(tmp_path, {"proc/diskstats": line, "sys/class/block/cciss!c0d0p1/partition": "1\n"})

    assert list(collector(source).read().devices) == ["s\udcffd\xa0a\x1b[0m"]


def test_a_device_whose_counters_go_backwards_has_been_replaced() -> None:
    before = DiskCounters((100, 100, 5120, 5120), (10, 10, 10, 10))
    after = DiskCounters((200, 3, 10240, 10240), (20, 20, 20, 20))

    assert between(before, after) == (None,) * 9


def test_milliseconds_wrap_at_32_bits() -> None:
    before = DiskCounters((1, 1, 0, 0), (2**32 - 10, 0, 2**32 - 1000, 2**32 - 5000))
    after = DiskCounters((3, 1, 1024, 0), (10, 0, 1000, 5000))

    assert between(before, after) == (102.4, 0.0, 0.2, 0.0, 10.0, None, 10.0, 20.0, 1.0)


def test_a_disk_is_never_busier_than_always() -> None:
    before = DiskCounters((0, 0, 0, 0), (0, 0, 0, 0))
    after = DiskCounters((1, 0, 512, 0), (1, 0, 10_004, 1))

    assert between(before, after)[7] == 100.0


def test_no_time_between_readings_gives_no_rates() -> None:
    counters = DiskCounters((1, 1, 1, 1), (1, 1, 1, 1))

    assert between(counters, counters, 0.0) == (None,) * 9


@pytest.mark.parametrize(
    ("first", "second", "row"),
    [
        pytest.param(
            WindowsDisk(10, 10, 0, 0, 100, 100),
            WindowsDisk(20, 10, 5000, 0, 150, 100),
            ("PhysicalDrive0", 500.0, 0.0, 1.0, 0.0, 5.0, None, 5.0, None, None),
            id="Windows has no busy time",
        ),
        pytest.param(
            BareDisk(10, 10, 0, 0),
            BareDisk(20, 20, 5000, 1000),
            ("PhysicalDrive0", 500.0, 100.0, 1.0, 1.0, None, None, None, None, None),
            id="NetBSD has no times",
        ),
    ],
)
def test_other_systems_have_what_psutil_has(first: Any, second: Any, row: tuple[Any, ...]) -> None:
    answers = iter([first, second])
    fake = SimpleNamespace(disk_io_counters=lambda perdisk, nowrap: {"PhysicalDrive0": next(answers)})
    here = collector(elsewhere("win32", fake))

    assert here.rows(here.read(), here.read(), 10.0) == [row]


def test_a_windows_that_counts_nothing_has_no_such_source() -> None:
    with pytest.raises(Unavailable, match="diskperf"):
        collector(elsewhere("win32", SimpleNamespace(disk_io_counters=lambda perdisk, nowrap: None))).read()


def test_a_container_without_diskstats_has_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="diskstats"):
        collector(made_of(tmp_path, {})).read()


@given(DEVICES, DEVICES)
def test_no_two_readings_give_a_negative_number(before: DiskCounters, after: DiskCounters) -> None:
    assert all(value is None or value >= 0 for value in between(before, after))
