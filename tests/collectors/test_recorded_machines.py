"""Machines that people have: trees of tests/data/machines, each with the right value of what others got wrong."""

from pathlib import Path
from typing import Any

import pytest

from sysmon.collectors.process import ProcessCollector
from tests.collectors.machines import as_dicts, replayed


def one(collector: Any, source: Any, **options: Any) -> Any:
    return collector(source, collector.Options(**options))


def labels_of_processes(tmp_path: Path, name: str, *parts: str) -> list[tuple[str, ...]]:
    """Return pid, start, name and unit of the listed processes, in each part that one collector sees."""
    here = one(ProcessCollector, replayed(tmp_path, name, parts[0]))
    seen: list[tuple[str, ...]] = []
    for part in parts:
        replayed(tmp_path, name, part)
        seen += [(pid, started, name, unit) for pid, started, name, _, unit in here.read().listed.values()]
    return seen


def test_a_process_stays_the_same_when_the_clock_is_set(tmp_path: Path) -> None:
    seen = labels_of_processes(tmp_path, "process-started-btime", "a", "b")

    assert seen == [("2071", "2020-04-01T12:34:41Z", "my srv", "-")] * 2


def test_an_old_kernel_with_four_kinds_of_time_has_its_processes(tmp_path: Path) -> None:
    here = one(ProcessCollector, replayed(tmp_path, "process-stat-four-fields", "a"))
    before = here.read()
    replayed(tmp_path, "process-stat-four-fields", "b")
    rows = as_dicts(here, here.rows(before, here.read(), 1.0))

    assert {pid: row["process_cpu_percent"] for pid, row in rows.items()} == {"7": 10.0, "-1": 5.0}


@pytest.mark.parametrize(
    ("stat", "started", "cpu"),
    [
        pytest.param("cpu 1 2 3\nbtime 1700000000\n", "2023-11-14T22:13:21Z", None, id="too few times"),
        pytest.param("cpu 1 2 3 4\n", "-", 0.0, id="no start of the machine"),
        pytest.param("", "-", None, id="an empty file"),
    ],
)
def test_processes_are_listed_without_the_times_of_the_machine(
    tmp_path: Path, stat: str, started: str, cpu: float | None
) -> None:
    source = replayed(tmp_path, "process-stat-four-fields", "a")
    (source.proc / "stat").write_text(stat)
    here = one(ProcessCollector, source)
    before = here.read()
    rows = here.rows(before, here.read(), 1.0)

    assert [(row[1], row[5]) for row in rows] == [(started, 0.0), ("-", cpu)]


def test_a_container_of_the_old_hierarchies_is_told_in_a_mixed_one(tmp_path: Path) -> None:
    assert [unit for *_, unit in labels_of_processes(tmp_path, "unit-hybrid-docker", "")] == ["414418407cc0"]


def test_a_program_behind_a_mount_belongs_to_the_mount(tmp_path: Path) -> None:
    assert [unit for *_, unit in labels_of_processes(tmp_path, "unit-mount", "")] == ["gcloud.mount"]
