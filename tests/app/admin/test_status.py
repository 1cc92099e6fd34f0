"""What `sysmon status` finds out about stored data, and how it tells people, programs and monitoring plugins."""

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sysmon import __version__
from sysmon.app.admin import status_render
from sysmon.app.admin.status import Fault, Health, Severity, assess_health, describe
from sysmon.config import Storage
from sysmon.history import AlertState, PastAlert
from sysmon.model import Event, Level, Row
from sysmon.sampling.self_tables import AGENT
from sysmon.storage.lock import DataDirectory
from sysmon.text.instants import format_instant
from tests.reading.stored import at, event_lines, started, stopped, write_log, write_table
from tests.storage.strangers import locked

ROOMY = Storage(min_free=0)
TEN = {"agent": 10.0}
NOW = 600


def agent_rows(ticks: Sequence[int], **values: float) -> Iterator[tuple[Any, Sequence[Row]]]:
    """Yield a row of the agent's own table for each tick, at some seconds; `values` replace its usual numbers."""
    usual = {
        "agent_sequence": 1,
        "agent_cpu_percent": 0.5,
        "agent_memory_bytes": 2**24,
        "agent_samples_missed": 0,
        "agent_samples_dropped": 0,
    }
    for tick in ticks:
        columns = usual | values
        yield at(tick), [("r1", *(columns.get(metric.name) for metric in AGENT.metrics))]


def store(data: Path, *events: Event, ticks: Sequence[int] = range(10, NOW + 1, 10), **values: float) -> None:
    """Store a run of ten minutes, and what happened in it."""
    write_table(data, AGENT, agent_rows(ticks, **values))
    write_log(data, "events", event_lines([started(0, "r1", TEN, 10), *events]))


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold a data directory, as a run does."""
    directory = DataDirectory(data)
    try:
        yield
    finally:
        directory.close()


def health_of(data: Path, storage: Storage = ROOMY, *, later: float = 0.0) -> Health:
    """Return the status a moment after the last tick, while this process holds the data."""
    with held(data):
        return assess_health(data, storage, None, now=at(NOW + 1 + later))


def texts(health: Health) -> list[tuple[str, str]]:
    """Return the faults, each with its weight."""
    return [(fault.weight.value, fault.text) for fault in health.faults]


def test_a_run_that_stored_everything_is_well(tmp_path: Path) -> None:
    store(tmp_path)

    health = health_of(tmp_path)

    assert (texts(health), health.running.pid, health.running.age, health.coverage and health.coverage.found) == (
        [],
        os.getpid(),
        1.0,
        60,
    )


def unhealthy(seconds: float) -> Event:
    """Return the event of a collector that has failed three times."""
    return Event(at(seconds), "collector_unhealthy", {"collector": "network", "error": "broken"})


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [unhealthy(100)], ["collector network fails: broken: look at `sysmon doctor`"], id="a collector fails"
        ),
        pytest.param(
            [unhealthy(100), Event(at(200), "collector_recovered", {"collector": "network", "failures": 5})],
            [],
            id="it has recovered",
        ),
        pytest.param(
            [unhealthy(100), Event(at(200), "collector_recovered", {"collector": "cpu", "failures": 5})],
            ["collector network fails: broken: look at `sysmon doctor`"],
            id="another one has",
        ),
        pytest.param([unhealthy(100), stopped(200, "r1", 200), started(205, "r2", TEN, 210)], [], id="a new run began"),
        pytest.param(
            [Event(at(100), "reload_failed", {"error": "rules.yaml:1:1: no", "kept": 7})],
            ["changed rules or configuration cannot be read, and the old ones hold: rules.yaml:1:1: no"],
            id="rules that cannot be read",
        ),
        pytest.param(
            [
                Event(at(100), "mount_stuck", {"mountpoint": "/mnt", "seconds": 2}),
                Event(at(200), "mount_gone", {"mountpoint": "/mnt"}),
            ],
            [],
            id="a mount that hung is gone",
        ),
    ],
)
def test_trouble_that_has_not_ended_needs_a_look(tmp_path: Path, events: list[Event], expected: list[str]) -> None:
    store(tmp_path, *events)

    assert texts(health_of(tmp_path)) == [("warning", text) for text in expected]


def test_a_page_fits_eighty_columns_however_long_its_lines_are(tmp_path: Path) -> None:
    store(tmp_path, Event(at(100), "reload_failed", {"error": "rules.yaml:1:1: " + "too many words " * 20, "kept": 7}))

    text = status_render.as_text(health_of(tmp_path))

    assert [line for line in text.splitlines() if len(line) > 79 and str(tmp_path) not in line] == []


def test_the_last_trouble_is_told_also_when_it_is_over(tmp_path: Path) -> None:
    gap = Event(at(300), "gap", {"count": 3, "reason": "the disk is too slow"})
    store(tmp_path, Event(at(100), "stalled", {"seconds": 4.0}), gap)

    health = health_of(tmp_path)

    text = "gap: count 3, reason the disk is too slow"
    assert (texts(health), health.error and (health.error.at, describe(health.error))) == ([], (gap.at, text))


def test_samples_that_a_gap_tells_of_are_dropped_also_where_no_row_says_so(tmp_path: Path) -> None:
    span = {"from": format_instant(at(290)), "to": format_instant(at(300))}
    store(tmp_path, Event(at(310), "gap", {**span, "count": 3, "reason": "No space left on device"}))

    assert health_of(tmp_path).cost.dropped == 3


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        pytest.param(
            {"ticks": range(10, 560, 10)},
            ("critical", "no sample for 51s, and there should be one every 10 s"),
            id="no sample of late",
        ),
        pytest.param(
            {"ticks": [*range(10, 300, 10), *range(400, NOW + 1, 10)]},
            (
                "warning",
                "83.3 % of the samples of the last 24 hours are there, the longest gap 1m50s: look at `sysmon report`",
            ),
            id="a hole",
        ),
        pytest.param(
            {"agent_samples_missed": 1},
            ("warning", "60 samples of the last hour were missed: the machine, or sysmon, is too busy"),
            id="too busy",
        ),
        pytest.param(
            {"agent_samples_dropped": 1},
            ("warning", "60 samples of the last hour were lost before they were stored: look at its disk"),
            id="a slow disk",
        ),
    ],
)
def test_what_is_not_there_needs_a_look(tmp_path: Path, stored: Any, expected: tuple[str, str]) -> None:
    store(tmp_path, **stored)

    assert expected in texts(health_of(tmp_path))


def test_in_the_first_minutes_a_few_missed_samples_are_no_trouble(tmp_path: Path) -> None:
    store(tmp_path, ticks=[570, 580, 600], agent_samples_missed=1)
    (path,) = tmp_path.glob("*/events/*")
    path.unlink()
    write_log(tmp_path, "events", event_lines([started(565, "r1", TEN, 570)]), begin=at(565))

    assert texts(health_of(tmp_path)) == []


def test_a_run_of_another_version_should_be_started_again(tmp_path: Path) -> None:
    opening = Event(at(0), "running", {"run": "r1", "version": "0.0.9", "intervals": TEN})
    store(tmp_path, opening)

    text = f"sysmon 0.0.9 runs and {__version__} is installed: start it again"
    assert texts(health_of(tmp_path)) == [("warning", text)]


def test_a_disk_below_its_floor_is_critical(tmp_path: Path) -> None:
    store(tmp_path)

    health = health_of(tmp_path, Storage(min_free=2**62, max_bytes=2**20))

    assert texts(health) == [("critical", "less is free than min_free (4194304TiB), so nothing is stored: make room")]


def test_lines_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    store(tmp_path)
    (path,) = tmp_path.glob("*/events/*")
    path.write_bytes(path.read_bytes() + b"what\n")

    ((weight, text),) = texts(health_of(tmp_path))

    begin = f"1 lines or files of the last day cannot be read, the first: {path}:2: "
    assert (weight, text.startswith(begin), text.endswith("look at `sysmon verify`")) == ("warning", True, True)


def test_where_nothing_runs_the_end_is_critical_and_the_time_before_is_told(tmp_path: Path) -> None:
    store(tmp_path, stopped(NOW, "r1", NOW))

    health = assess_health(tmp_path, ROOMY, None, now=at(NOW) + timedelta(hours=1))

    assert (texts(health), health.idle >= 3500, health.running.since) == (
        [("critical", "not running: start `sysmon run`")],
        True,
        None,
    )


def test_programs_get_plain_numbers_under_names_with_units(tmp_path: Path) -> None:
    store(tmp_path)

    page = json.loads(status_render.as_json(health_of(tmp_path)))

    hour = {"samples": 60, "missed": 0, "dropped": 0, "cpu_percent_mean": 0.5, "memory_bytes_max": 16777216.0}
    assert (page["schema"], page["healthy"], page["faults"], page["last_hour"]) == (1, True, [], hour)
    assert (page["run"]["pid"], page["run"]["last_sample"], page["last_24_hours"]["coverage_percent"]) == (
        os.getpid(),
        "2026-11-20T12:10:00.000Z",
        100.0,
    )
    assert sorted(page) == [
        *("alerts", "at", "data_dir", "disk", "faults", "healthy", "hostname", "last_24_hours", "last_error"),
        *("last_hour", "run", "schema", "versions"),
    ]


def test_a_plugin_line_has_the_number_of_everything_that_is_measured(tmp_path: Path) -> None:
    store(tmp_path)

    line, code = status_render.as_nagios(health_of(tmp_path))

    said, _, measured = line.partition(" | ")
    names = [number.partition("=")[0] for number in measured.split()]
    assert (code, said) == (0, "SYSMON OK - last sample 1s ago")
    assert names == ["age", "coverage", "samples", "missed", "dropped", "cpu", "memory", "used", "free", "alerts"]
    assert measured.startswith("age=1.0s;;31;0 coverage=100.00%;99:;;0;100 samples=60;;;0 missed=0;;;0 dropped=0;0;;0 ")


@pytest.mark.parametrize(
    ("levels", "verdict", "line"),
    [
        pytest.param("critical", "1 alert CRITICAL", "SYSMON OK - 1 alert CRITICAL; last sample 1s ago |", id="one"),
        pytest.param(
            "warning critical info critical warning",
            "2 alerts CRITICAL, 2 WARNING, 1 INFO",
            "SYSMON OK - 2 alerts CRITICAL, 2 WARNING, 1 INFO; last sample 1s ago |",
            id="the worst level comes first",
        ),
    ],
)
def test_the_first_line_says_what_fires_and_the_recorder_is_well_all_the_same(
    tmp_path: Path, levels: str, verdict: str, line: str
) -> None:
    store(tmp_path)
    alerts = tuple(
        PastAlert("0", "hot", "m", Level(level), {}, at(NOW), None, 0.0, None, None, AlertState.FIRING)
        for level in levels.split()
    )
    health = replace(health_of(tmp_path), alerts=alerts)

    text = status_render.as_text(health)
    printed, code = status_render.as_nagios(health)

    assert (text.splitlines()[0], printed[: len(line)], code) == (f"sysmon OK, {verdict}", line, 0)


@pytest.mark.parametrize(
    ("faults", "line", "code"),
    [
        pytest.param([("warning", "a|b")], "SYSMON WARNING - a/b |", 1, id="the bar that ends the text is none"),
        pytest.param(
            [("warning", "a"), ("critical", "b")], "SYSMON CRITICAL - b; a |", 2, id="the worst counts and comes first"
        ),
        pytest.param(
            [("warning", "a"), ("warning", "b"), ("warning", "c"), ("warning", "d")],
            "SYSMON WARNING - a; b; c |",
            1,
            id="three are enough",
        ),
    ],
)
def test_a_plugin_line_begins_with_the_worst(
    tmp_path: Path, faults: list[tuple[str, str]], line: str, code: int
) -> None:
    store(tmp_path)
    health = replace(health_of(tmp_path), faults=tuple(Fault(Severity(weight), text) for weight, text in faults))

    printed, code_printed = status_render.as_nagios(health)

    assert (printed[: len(line)], code_printed) == (line, code)


def test_a_stranger_who_holds_the_lock_of_maintenance_is_named(tmp_path: Path) -> None:
    store(tmp_path)

    with locked(tmp_path / "maintain.lock", "SH") as stranger:
        faults = health_of(tmp_path).faults

    text = f"maintain.lock is held by {stranger}, which is no sysmon: nothing expires, nothing is compressed: end it"
    assert [fault for fault in faults if "lock" in fault.text] == [Fault(Severity.WARNING, text)]
