from collections import namedtuple
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from sysmon.collectors.load import LoadCollector
from sysmon.errors import Unavailable
from tests.collectors.machines import elsewhere, made_of, recorded

CpuStats = namedtuple("CpuStats", ["ctx_switches", "interrupts", "soft_interrupts", "syscalls"])


def collector(source: Any) -> LoadCollector:
    return LoadCollector(source, LoadCollector.Options())


def psutil(**more: Any) -> Any:
    known = {"getloadavg": lambda: (0.518, 1.25, 2.0), "cpu_count": lambda: 2, "pids": lambda: [1, 2, 77]}
    return SimpleNamespace(**{**known, **more})


def test_gauges_are_as_read_and_counters_become_rates() -> None:
    before = collector(recorded("server", psutil=psutil())).read()
    here = collector(recorded("server_later", psutil=psutil()))

    rows = here.rows(before, here.read(), 10.0)

    assert rows == [(0.52, 1.25, 2.0, 2, 3, 2, 0, 2.5, 500.0, None)]


def test_open_files_are_the_handles_given_out() -> None:
    assert collector(recorded("server", psutil=psutil())).read().activity.open_files == 1216


def test_the_first_reading_has_no_rates() -> None:
    here = collector(recorded("server", psutil=psutil()))

    assert here.rows(None, here.read(), 1.0) == [(0.52, 1.25, 2.0, 2, 3, 3, 1, None, None, 1216)]


def test_what_a_container_hides_is_null() -> None:
    here = collector(recorded("container", psutil=psutil()))
    reading = here.read()

    assert here.rows(reading, reading, 1.0) == [(0.52, 1.25, 2.0, 2, 3, None, None, 0.0, 0.0, None)]


def test_an_interrupt_line_without_end_does_not_hide_what_follows(tmp_path: Path) -> None:
    stat = b"cpu  1 1 1 1\nintr 9" + b" 0" * 100_000 + b"\nctxt 12\nprocesses 34\nprocs_running 1\nprocs_blocked 0\n"
    here = collector(made_of(tmp_path, {"proc/stat": stat}, psutil=psutil()))

    assert (here.read().activity.switches, here.read().activity.forked) == (12, 34)


def no_averages() -> Any:
    raise OSError("not here")


@pytest.mark.parametrize(
    ("given", "averages"),
    [
        pytest.param({}, (0.52, 1.25, 2.0), id="what psutil works out itself is taken"),
        pytest.param({"getloadavg": no_averages}, (None, None, None), id="what cannot be had is null"),
    ],
)
def test_other_systems_have_what_psutil_has(given: Any, averages: Any) -> None:
    counts = iter([CpuStats(100, 1, 1, 1), CpuStats(300, 1, 1, 1)])
    here = collector(elsewhere("win32", psutil(cpu_stats=lambda: next(counts), **given)))
    before = here.read()

    assert here.rows(before, here.read(), 10.0) == [(*averages, 2, 3, None, None, None, 20.0, None)]


def test_a_psutil_without_load_averages_is_no_error() -> None:
    without = SimpleNamespace(cpu_count=lambda: 2, pids=lambda: [1], cpu_stats=lambda: CpuStats(1, 1, 1, 1))

    assert collector(elsewhere("win32", without)).read().averages == (None, None, None)


def test_a_machine_without_proc_stat_has_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="stat"):
        collector(made_of(tmp_path, {}, psutil=psutil())).read()
