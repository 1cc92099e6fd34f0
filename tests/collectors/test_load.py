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
    functions = {"getloadavg": lambda: (0.518, 1.25, 2.0), "cpu_count": lambda: 2, "pids": lambda: [1, 2, 77]}
    return SimpleNamespace(**{**functions, **more})


def test_what_other_files_tell_is_no_part_of_a_file_that_is_odd(tmp_path: Path) -> None:
    files = {"proc/stat": "ctxt x\nprocs_running 3\n", "proc/loadavg": "0.50\n", "proc/sys/fs/file-nr": "\n"}
    here = collector(made_of(tmp_path, files))

    assert here.rows(None, here.read(), 10.0) == [(None, None, None, None, 0, 3, None, None, None, None)]


def test_gauges_are_as_read_and_counters_become_rates() -> None:
    before = collector(recorded("server")).read()
    here = collector(recorded("server_later"))

    rows = here.rows(before, here.read(), 10.0)

    assert rows == [(0.66, 0.49, 0.31, 2, 0, 2, 0, 2.5, 500.0, None)]


def test_open_files_are_the_handles_given_out() -> None:
    assert collector(recorded("server")).read().activity.open_files == 1216


def test_processes_are_the_numbered_folders(tmp_path: Path) -> None:
    files = {f"proc/{name}/stat": "" for name in ("1", "77", "4096", "self", "irq")}
    here = collector(made_of(tmp_path, {**files, "proc/stat": "cpu 1 1 1 1\nintr 1\nctxt 1\n"}))

    assert here.read().processes == 3


def test_the_first_reading_has_no_rates() -> None:
    here = collector(recorded("server"))

    assert here.rows(None, here.read(), 1.0) == [(0.52, 0.45, 0.3, 2, 0, 3, 1, None, None, 1216)]


def test_what_a_container_hides_is_null() -> None:
    here = collector(recorded("container"))
    reading = here.read()

    assert here.rows(reading, reading, 1.0) == [(None, None, None, 1, 0, None, None, 0.0, 0.0, None)]


def test_an_interrupt_line_without_end_does_not_hide_what_follows(tmp_path: Path) -> None:
    stat = b"cpu  1 1 1 1\nintr 9" + b" 0" * 100_000 + b"\nctxt 12\nprocesses 34\nprocs_running 1\nprocs_blocked 0\n"
    here = collector(made_of(tmp_path, {"proc/stat": stat}))

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
        collector(made_of(tmp_path, {})).read()
