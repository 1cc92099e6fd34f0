from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors.cpu import CpuCollector, CpuReading
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of, recorded

WindowsTimes = namedtuple("WindowsTimes", ["user", "system", "idle", "interrupt", "dpc"])
MacTimes = namedtuple("MacTimes", ["user", "nice", "system", "idle"])
COUNTS = st.tuples(*[st.integers(0, 10**9)] * 8)


def collector(source: Any) -> CpuCollector:
    return CpuCollector(source, CpuCollector.Options())


def counting(*cores: tuple[float, ...]) -> Any:
    return SimpleNamespace(cpu_times=lambda percpu: list(cores[1:]) if percpu else cores[0])


def test_time_is_shared_out_and_guests_are_not_counted_twice() -> None:
    before = collector(recorded("server")).read()
    after = collector(recorded("server_later")).read()

    rows = collector(recorded("server")).rows(before, after, 10.0)

    assert rows == [
        ("all", 40.0, 20.0, 5.0, 10.0, 50.0, 10.0, 1.0, 1.5, 2.5),
        ("0", 30.0, 20.0, 0.0, 10.0, 60.0, 10.0, 0.0, 0.0, 0.0),
        ("2", 50.0, 20.0, 10.0, 10.0, 40.0, 10.0, 2.0, 3.0, 5.0),
    ]


def test_the_first_reading_has_no_shares() -> None:
    here = collector(recorded("server"))

    rows = here.rows(None, here.read(), 1.0)

    assert rows == [(core, *[None] * 9) for core in ("all", "0", "2")]


def test_a_core_that_comes_online_has_no_shares_yet() -> None:
    before = CpuReading({"all": (0,) * 8})
    after = CpuReading({"all": (1, 0, 0, 1, 0, 0, 0, 0), "1": (5,) * 8})

    rows = collector(recorded("server")).rows(before, after, 1.0)

    assert rows[1] == ("1", *[None] * 9)


def test_what_an_old_kernel_does_not_count_is_null(tmp_path: Path) -> None:
    here = collector(made_of(tmp_path, {"proc/stat": "cpu 1 1 1 1\ncpu3 1 1 1 1\nintr 9 0 0\nctxt 5\n"}))

    assert here.read().cores == dict.fromkeys(("all", "3"), (1, 1, 1, 1, None, None, None, None))


@pytest.mark.parametrize(
    ("platform", "before", "after", "row"),
    [
        pytest.param(
            "win32",
            WindowsTimes(10.0, 20.0, 100.0, 1.0, 1.0),
            WindowsTimes(13.0, 21.0, 106.0, 1.5, 1.5),
            ("all", 40.0, 30.0, None, 10.0, 60.0, None, None, None, None),
            id="Windows counts interrupts within system time",
        ),
        pytest.param(
            "darwin",
            MacTimes(10.0, 1.0, 20.0, 100.0),
            MacTimes(12.0, 2.0, 21.0, 106.0),
            ("all", 40.0, 20.0, 10.0, 10.0, 60.0, None, None, None, None),
            id="macOS does not know waiting for disks",
        ),
    ],
)
def test_what_a_system_does_not_count_is_null(platform: str, before: Any, after: Any, row: tuple[Any, ...]) -> None:
    then, now = (collector(elsewhere(platform, counting(times))) for times in (before, after))

    assert now.rows(then.read(), now.read(), 10.0) == [row]


def test_a_torn_line_of_a_core_does_not_hide_the_others(tmp_path: Path) -> None:
    here = collector(made_of(tmp_path, {"proc/stat": "cpu 1 2 3 4\ncpu0 1 2 x 4\ncpu1 1 2 3 4\n"}))

    assert list(here.read().cores) == ["all", "1"]


def test_a_machine_without_proc_stat_has_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="stat"):
        collector(made_of(tmp_path, {})).read()


@given(COUNTS, COUNTS)
def test_shares_are_never_out_of_range_even_when_counters_run_backwards(before: Any, after: Any) -> None:
    rows = collector(recorded("server")).rows(CpuReading({"all": before}), CpuReading({"all": after}), 1.0)

    assert all(value is None or 0.0 <= value <= 100.0 for value in rows[0][1:] if not isinstance(value, str))
