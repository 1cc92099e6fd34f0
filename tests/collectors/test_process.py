import mmap
import os
import pwd
from collections import namedtuple
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.collectors import Source
from sysmon.collectors._procfs import Usage, parse_stat, unit_of
from sysmon.collectors.process import ProcessCollector
from sysmon.errors import Unavailable
from sysmon.model import Row
from tests.collectors.machines import elsewhere, made_of

ME = pwd.getpwuid(os.getuid()).pw_name
HERTZ = os.sysconf("SC_CLK_TCK")
BOOT = 1_763_640_000  # 2025-11-20T12:00:00Z
KERNEL_THREAD = 0x00208040
CONTAINER = "0123456789abcdef" * 4
CpuTimes = namedtuple("CpuTimes", ["user", "system"])
Memory = namedtuple("Memory", ["rss"])
Io = namedtuple("Io", ["read_count", "write_count", "read_bytes", "write_bytes"])


@dataclass(frozen=True)
class Process:
    """One process of a machine that is made up; CPU time in seconds, memory in pages."""

    name: bytes = b"sleep"
    cpu: float = 0.0
    pages: int = 1
    threads: int = 1
    started: float = 1.0
    io: tuple[int, int] | None = None
    cgroup: str = "0::/\n"
    flags: int = 0
    parent: int = 1
    children: float = 0.0

    @property
    def stat(self) -> bytes:
        ticks = round(self.cpu * HERTZ)
        ended = round(self.children * HERTZ)
        used = f"{ticks - ticks // 3} {ticks // 3} {ended - ended // 4} {ended // 4}"
        head = f" S {self.parent} 1 1 0 -1 {self.flags} 1 1 1 1 {used} 20 0 {self.threads} 0"
        return b"1 (" + self.name + b")" + f"{head} {round(self.started * HERTZ)} 999 {self.pages} 0 0\n".encode()


@dataclass(frozen=True)
class Machine:
    """A `/proc` that can be changed between readings."""

    root: Path
    collector: ProcessCollector = field(init=False)
    files: dict[int, dict[str, Path]] = field(default_factory=dict)

    def show(self, processes: Mapping[int, Process], *, busy: float = 0.0) -> Source:
        """Write the files of these processes, and take away those of all others."""
        for folder in (self.root / "proc").glob("[0-9]*"):
            for file in folder.iterdir():
                file.unlink()
            folder.rmdir()
        files: dict[str, bytes | str] = {
            "proc/stat": f"cpu  {round(busy * HERTZ)} 0 0 5000 7 0 0 99 0 0\nctxt 1\nbtime {BOOT}\nprocesses 9\n",
            "proc/meminfo": f"MemTotal: {mmap.PAGESIZE * 1000 // 1024} kB\n",
        }
        for pid, process in processes.items():
            files[f"proc/{pid}/stat"] = process.stat
            files[f"proc/{pid}/cgroup"] = process.cgroup
            if process.io is not None:
                read, written = process.io
                files[f"proc/{pid}/io"] = f"rchar: 9\nread_bytes: {read}\nwrite_bytes: {written}\n"
        return made_of(self.root, files)


def collector(source: Source, **options: Any) -> ProcessCollector:
    return ProcessCollector(source, ProcessCollector.Options(**options))


def two_readings(
    root: Path, before: Mapping[int, Process], after: Mapping[int, Process], *, busy: float = 0.0, **options: Any
) -> list[Row]:
    """Return the rows of a machine whose processes changed in 10 seconds, in which its cores worked for `busy`."""
    machine = Machine(root)
    here = collector(machine.show(before), **options)
    then = here.read()
    machine.show(after, busy=busy)
    return here.rows(then, here.read(), 10.0)


def by_pid(rows: list[Row]) -> dict[int, tuple[Any, ...]]:
    return {int(str(row[0])): row[5:] for row in rows}


def test_a_row_says_who_uses_how_much_since_when(tmp_path: Path) -> None:
    unit = "0::/system.slice/nginx.service\n"
    before = {7: Process(b"nginx", 1.0, 100, 4, 60.5, (1000, 500), unit)}
    after = {7: Process(b"nginx", 6.0, 250, 5, 60.5, (2000, 2500), unit)}

    rows = two_readings(tmp_path, before, after, busy=8.0)

    assert rows == [
        (
            "7",
            "2025-11-20T12:01:00Z",
            "nginx",
            ME,
            "nginx.service",
            50.0,
            250 * mmap.PAGESIZE,
            25.0,
            5,
            100.0,
            200.0,
            0.0,
        ),
        ("-1", "-", "(others)", "-", "-", 30.0, 0, 0.0, 0, None, None, None),
    ]


def test_the_first_reading_has_no_rates(tmp_path: Path) -> None:
    here = collector(Machine(tmp_path).show({7: Process(cpu=1.0, io=(1, 1)), 8: Process(pages=5)}, busy=9.0), top=1)

    rows = by_pid(here.rows(None, here.read(), 1.0))

    assert {pid: (row[0], row[4], row[5]) for pid, row in rows.items()} == dict.fromkeys((7, 8, -1), (None, None, None))


def test_a_parent_whose_children_come_and_go_leads_by_what_they_used(tmp_path: Path) -> None:
    before = {7: Process(b"make", 1.0, children=50.0), 8: Process(b"busy", 1.0), 9: Process(b"big", pages=500)}
    after = before | {7: Process(b"make", 1.1, children=58.0), 8: Process(b"busy", 2.0)}

    rows = by_pid(two_readings(tmp_path, before, after, busy=10.0, top=1))

    assert {pid: (row[0], row[-1]) for pid, row in rows.items()} == {7: (1.0, 80.0), 9: (0.0, 0.0), -1: (99.0, None)}


def test_what_a_child_had_used_before_it_ended_is_not_counted_again(tmp_path: Path) -> None:
    before = {
        7: Process(b"make", children=50.0),
        8: Process(b"sh", 0.5, parent=7, children=3.0),
        9: Process(b"cc1", 4.0, parent=8),
    }
    after = {7: Process(b"make", children=50.0 + 0.5 + 3.0 + 4.0 + 2.0)}

    rows = by_pid(two_readings(tmp_path, before, after, busy=2.0))

    assert (rows[7][0], rows[7][-1]) == (0.0, 20.0)


def test_a_parent_that_was_born_since_has_all_that_its_children_used(tmp_path: Path) -> None:
    rows = by_pid(two_readings(tmp_path, {7: Process()}, {7: Process(), 8: Process(started=5.0, children=2.0)}))

    assert rows[8][-1] == 20.0


def test_what_a_child_had_moved_before_it_ended_is_not_counted_again_for_its_parent(tmp_path: Path) -> None:
    before = {7: Process(b"sh", 1.0, io=(10, 20)), 8: Process(b"dd", 1.0, parent=7, io=(1000, 2000))}
    after = {7: Process(b"sh", 1.0, io=(1010 + 30, 2020 + 500), children=2.0)}

    rows = by_pid(two_readings(tmp_path, before, after))

    assert rows[7][4:6] == (3.0, 50.0)


def test_what_a_parent_moved_is_unknown_where_it_took_in_a_child_that_was_never_asked(tmp_path: Path) -> None:
    before = {7: Process(b"sh", 1.0, io=(10, 20)), 8: Process(b"dd", 1.0, parent=7)}
    after = {7: Process(b"sh", 1.0, io=(1010, 2020), children=2.0)}

    rows = by_pid(two_readings(tmp_path, before, after))

    assert rows[7][4:6] == (None, None)


def test_leaders_by_cpu_by_memory_and_by_io_are_listed_each_once(tmp_path: Path) -> None:
    before = {pid: Process(io=(0, 0), cpu=1.0, pages=10) for pid in range(1, 9)}
    after = before | {
        2: Process(io=(0, 0), cpu=9.0, pages=10),
        3: Process(io=(0, 0), cpu=1.0, pages=99),
        4: Process(io=(0, 4096), cpu=1.1, pages=10),
    }

    rows = two_readings(tmp_path, before, after, top=1)

    assert [row[0] for row in rows] == ["2", "3", "4", "-1"]


def test_the_row_of_the_others_sums_what_is_not_listed(tmp_path: Path) -> None:
    before = {1: Process(cpu=1.0, pages=50, threads=3), 2: Process(pages=20, threads=2), 3: Process(pages=5, threads=4)}
    after = before | {1: Process(cpu=5.0, pages=50, threads=3)}

    rows = two_readings(tmp_path, before, after, busy=6.0, top=1)

    assert rows[-1] == ("-1", "-", "(others)", "-", "-", 20.0, 25 * mmap.PAGESIZE, 2.5, 6, None, None, None)


def test_the_others_never_use_less_than_nothing(tmp_path: Path) -> None:
    rows = two_readings(tmp_path, {1: Process(cpu=1.0)}, {1: Process(cpu=5.0)}, busy=1.0)

    assert rows[-1][5] == 0.0


@pytest.mark.parametrize(
    ("before", "after", "cpu", "written"),
    [
        pytest.param(
            {1: Process(started=50)}, {1: Process(started=50), 2: Process(cpu=2, started=60, io=(0, 100))}, 20.0, 10.0,
            id="a newborn counts whole",
        ),
        pytest.param(
            {2: Process(cpu=5, started=50, io=(0, 900))}, {2: Process(cpu=2, started=60, io=(0, 100))}, 20.0, 10.0,
            id="a pid that was given out again is a newborn",
        ),
        pytest.param(
            {1: Process(started=50)}, {1: Process(started=50), 2: Process(cpu=99, started=9, io=(0, 1))}, None, None,
            id="an old one that was hidden before is no newborn",
        ),
        pytest.param(
            {2: Process(cpu=5, io=(0, 900))}, {2: Process(cpu=7, io=(0, 400))}, 20.0, None,
            id="output that went backwards is not known",
        ),
        pytest.param(
            {2: Process(cpu=5)}, {2: Process(cpu=7)}, 20.0, None,
            id="input and output may be secret",
        ),
    ],
)  # fmt: skip
def test_growth_is_counted_from_what_is_known(
    tmp_path: Path, before: dict[int, Process], after: dict[int, Process], cpu: float | None, written: float | None
) -> None:
    rows = by_pid(two_readings(tmp_path, before, after))

    assert (rows[2][0], rows[2][5]) == (cpu, written)


def test_only_candidates_are_asked_for_input_and_output(tmp_path: Path) -> None:
    idle = {pid: Process(cpu=1.0 / pid, pages=pid, io=(0, 0)) for pid in range(1, 7)}
    machine = Machine(tmp_path)
    here = collector(machine.show(idle), top=1)
    here.read()
    machine.show(idle | {3: Process(cpu=2.0, pages=3, io=(0, 0))})

    assert sorted(here.read().processes.io) == [1, 3, 6]


def test_nothing_is_remembered_of_those_that_ended(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    here = collector(machine.show({pid: Process(cpu=pid) for pid in range(1, 50)}), top=100)
    for _ in range(3):
        here.read()
    machine.show({1: Process(cpu=1)})
    here.read()

    assert list(here._belongings) == [(1, HERTZ)]


def test_a_newborn_is_asked_again_what_it_belongs_to(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    here = collector(machine.show({1: Process()}))
    here.read()
    units = []
    for unit in ("a.scope", "b.service", "c.service"):
        machine.show({1: Process(), 2: Process(started=9, cgroup=f"0::/{unit}\n")})
        units.append(here.read().listed[2][4])

    assert units == ["a.scope", "b.service", "b.service"]


def test_kernel_threads_can_be_left_out(tmp_path: Path) -> None:
    processes = {1: Process(), 2: Process(b"kworker/0:1", flags=KERNEL_THREAD)}

    rows = two_readings(tmp_path, processes, processes, kernel_threads=False)

    assert [row[0] for row in rows] == ["1", "-1"]


def test_a_process_that_vanishes_while_it_is_read_is_skipped(tmp_path: Path) -> None:
    here = collector(Machine(tmp_path).show({1: Process(), 2: Process(), 3: Process()}))
    (tmp_path / "proc/2/stat").unlink()
    (tmp_path / "proc/3/stat").write_bytes(b"3 (torn")

    assert list(here.read().listed) == [1]


def test_what_it_belongs_to_may_vanish_too(tmp_path: Path) -> None:
    here = collector(Machine(tmp_path).show({1: Process()}))
    (tmp_path / "proc/1/cgroup").unlink()

    assert here.read().listed[1][3:] == (ME, "-")


def test_a_process_may_have_no_name(tmp_path: Path) -> None:
    assert collector(Machine(tmp_path).show({1: Process(b"")})).read().listed[1][2] == "-"


def test_a_machine_without_proc_has_no_such_source(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="stat"):
        collector(made_of(tmp_path, {})).read()


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        pytest.param("0::/system.slice/ssh.service\n", "ssh.service", id="a service"),
        pytest.param("0::/system.slice/ssh.service/worker\n", "ssh.service", id="a group that a service made"),
        pytest.param("0::/user.slice/user-1.slice/user@1.service/app.slice/x.scope\n", "x.scope", id="the innermost"),
        pytest.param("0::/\n", "-", id="none"),
        pytest.param("", "-", id="an empty file"),
        pytest.param(f"0::/system.slice/docker-{CONTAINER}.scope\n", "0123456789ab", id="a container of systemd"),
        pytest.param(f"0::/kubepods/burstable/podx/{CONTAINER}\n", "0123456789ab", id="a container of Kubernetes"),
        pytest.param("4:cpu,memory:/x.slice\n1:name=systemd:/y.service\n0::/\n", "y.service", id="systemd's own first"),
        pytest.param("4:cpu,memory:/x.slice\n", "x.slice", id="any other last"),
        pytest.param("0::/system.slice/gcloud.mount\n", "gcloud.mount", id="a mount with a program behind it"),
        pytest.param("0::/system.slice/cups.socket\n", "cups.socket", id="a socket that starts a program"),
        pytest.param("0::/system.slice/dev-sdb2.swap\n", "dev-sdb2.swap", id="a swap"),
        pytest.param("1:name=systemd:/y.service\n0::/system.slice\n", "y.service", id="a slice only without a unit"),
        pytest.param(
            f"9:memory:/docker/{CONTAINER}\n1:name=systemd:/docker/{CONTAINER}\n0::/system.slice/x.service\n",
            "0123456789ab",
            id="a container of any hierarchy",
        ),
        pytest.param(f"9:cpu:/ecs/{CONTAINER[:32]}/{CONTAINER}\n", "0123456789ab", id="a container of ECS"),
        pytest.param(f"0::/ecs/{CONTAINER[4:36]}/{CONTAINER[4:36]}-99\n", "456789abcdef", id="a task of Fargate"),
        pytest.param(f"0::/user.slice/run-r{CONTAINER[:32]}.scope\n", f"run-r{CONTAINER[:32]}.scope", id="a run"),
        pytest.param("0::/system.slice/slurmstepd.scope/job_7/step_0/user/task_0\n", "job_7/step_0", id="a Slurm step"),
        pytest.param(
            "4:memory:/slurm/uid_5/job_7/step_batch\n1:name=systemd:/a.service\n", "job_7/step_batch", id="v1"
        ),
        pytest.param("0::/a:b.service\n", "a:b.service", id="a colon in a name"),
    ],
)
def test_the_unit_is_read_from_the_control_groups(cgroup: str, unit: str) -> None:
    assert unit_of(cgroup) == unit


@given(st.binary(max_size=64), st.integers(0, 2**40), st.integers(0, 2**30), st.integers(1, 99))
def test_no_name_can_shift_the_fields(name: bytes, ticks: int, pages: int, threads: int) -> None:
    process = Process(name, ticks / HERTZ, pages, threads, 5.0)

    expected = Usage(5 * HERTZ, round(ticks / HERTZ * HERTZ), pages * mmap.PAGESIZE, threads, name, parent=1)
    assert parse_stat(process.stat) == expected


def test_other_systems_have_what_psutil_has() -> None:
    def info(user: float, written: int | None) -> dict[str, Any]:
        attributes = {
            "pid": 4,
            "name": "app.exe",
            "create_time": 1_763_640_000.5,
            "username": "HOST\\me",
            "num_threads": 3,
        }
        io = None if written is None else Io(1, 1, 0, written)
        return attributes | {"cpu_times": CpuTimes(user, 1.0), "memory_info": Memory(250), "io_counters": io}

    secret = dict.fromkeys(
        ("name", "create_time", "username", "num_threads", "cpu_times", "memory_info", "io_counters")
    )
    idle = info(900.0, 0) | {"pid": 0, "name": "System Idle Process"}
    hidden = {"pid": 8, **secret}
    readings = iter([[idle, info(1.0, 0), hidden], [idle, info(3.0, 1000), hidden]])
    busy = iter([10.0, 14.0])
    fake = SimpleNamespace(
        Process=SimpleNamespace(io_counters=None),
        process_iter=lambda attributes, ad_value: [SimpleNamespace(info=info) for info in next(readings)],
        cpu_times=lambda percpu: CpuTimes(next(busy), 0.0),
        virtual_memory=lambda: SimpleNamespace(total=1000),
    )
    here = collector(elsewhere("win32", fake))

    rows = here.rows(here.read(), here.read(), 10.0)

    assert rows == [
        ("4", "2025-11-20T12:00:00Z", "app.exe", "HOST\\me", "-", 20.0, 250, 25.0, 3, 0.0, 100.0, None),
        ("8", "-", "-", "-", "-", None, None, None, None, None, None, None),
        ("-1", "-", "(others)", "-", "-", 20.0, 0, 0.0, 0, None, None, None),
    ]


def test_macos_has_no_input_and_output_of_processes() -> None:
    asked_for: list[str] = []

    def process_iter(attributes: list[str], *, ad_value: None) -> list[Any]:
        asked_for.extend(attributes)
        return []

    fake = SimpleNamespace(
        Process=SimpleNamespace(),
        process_iter=process_iter,
        cpu_times=lambda percpu: CpuTimes(1.0, 0.0),
        virtual_memory=lambda: SimpleNamespace(total=1000),
    )
    collector(elsewhere("darwin", fake)).read()

    assert "io_counters" not in asked_for
