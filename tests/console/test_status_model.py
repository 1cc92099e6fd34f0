from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sysmon.app.catalog import tables
from sysmon.console.overview import Fill, Mount, Overview, Process
from sysmon.console.status_model import KEPT, ActiveAlert, Point, RunInfo, RunStatus, StatusTracker
from sysmon.model import AlertEvent, Failure, Level, Row, Sample, Transition

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ABOUT = RunInfo("web-01", "10s", "/data/web-01")
ALERT = AlertEvent(
    at=NOON,
    transition=Transition.FIRED,
    rule="cpu-saturated",
    id="0badcafe",
    metric="cpu_usage_percent",
    labels={"hostname": "web-01", "environment": "live", "core": "all"},
    level=Level.WARNING,
    value=97.2,
    peak=99.0,
    threshold=95.0,
    condition=">= 95",
    since=NOON - timedelta(seconds=60),
    duration=60.0,
    reason="breach",
)


def _row(table: str, **cells: str | float) -> Row:
    return tuple(cells.get(column) for column in tables()[table].columns)


def _sample(seconds: float, *, missed: int = 0, dropped: int = 0, failed: str = "", **rows: Row) -> Sample:
    own = _row(
        "agent",
        run="r",
        agent_sequence=seconds,
        agent_cpu_percent=0.5,
        agent_memory_bytes=1e7,
        agent_samples_missed=missed,
        agent_samples_dropped=dropped,
    )
    failures = (Failure(failed, "gone"),) if failed else ()
    tables_of_one_row = {name: [row] for name, row in rows.items()}
    return Sample(NOON + timedelta(seconds=seconds), {"agent": [own], **tables_of_one_row}, failures)


def _tracker() -> StatusTracker:
    return StatusTracker(tables(), ABOUT)


def test_one_sample_gives_every_number_of_the_area() -> None:
    memory = _row("memory", memory_usage_percent=40.0, memory_used_bytes=4.0, memory_total_bytes=10.0)
    process = _row("process", pid="7", name="java", process_cpu_percent=80.0, process_memory_bytes=9.0)

    status = _tracker().update(_sample(1, memory=memory, process=process), [])

    at = NOON + timedelta(seconds=1)
    assert status == RunStatus(
        about=ABOUT,
        at=at,
        overview=Overview(
            memory=Fill(40.0, 4.0, 10.0), process=Process("java", "7", 80.0), largest=Process("java", "7", 9.0)
        ),
        history=(Point(at, memory=40.0),),
        ticks=1,
        own_cpu=0.5,
        own_memory=1e7,
    )


def test_a_table_that_was_not_due_is_shown_as_it_was_last_seen() -> None:
    keeper = _tracker()
    keeper.update(_sample(1, disk_usage=_row("disk_usage", mountpoint="/", disk_usage_percent=40.0)), [])

    assert keeper.update(_sample(2), []).overview.mount == Mount("/", 40.0)


def test_what_a_collector_failed_to_read_is_not_shown_as_if_it_were_new() -> None:
    keeper = _tracker()
    keeper.update(_sample(1, disk_usage=_row("disk_usage", mountpoint="/", disk_usage_percent=40.0)), [])

    assert keeper.update(_sample(2, failed="disk_usage"), []).overview.mount is None


def test_what_was_missed_and_dropped_adds_up_and_leaves_a_hole() -> None:
    keeper = _tracker()
    cpu = _row("cpu", core="all", cpu_usage_percent=5.0)
    keeper.update(_sample(1, cpu=cpu, missed=1, dropped=4), [])

    status = keeper.update(_sample(4, cpu=cpu, missed=2, dropped=1), [])

    overview = [point.cpu for point in status.history]
    assert (status.missed, status.dropped, overview) == (3, 5, [None, 5.0, None, None, 5.0])


def test_what_is_remembered_is_bounded() -> None:
    keeper = _tracker()
    for second in range(3 * KEPT):
        status = keeper.update(_sample(second, missed=10**9), [])

    assert len(status.history) == KEPT


def test_time_comes_from_the_samples_and_does_not_run_backwards() -> None:
    keeper = _tracker()

    running = [keeper.update(_sample(second), []).running for second in (10, 20, 5, 15)]

    assert running == [0.0, 10.0, 10.0, 20.0]


def test_alerts_are_sorted_and_say_how_long_they_fire_by_the_sample() -> None:
    alerts = [
        ALERT,
        replace(ALERT, rule="older", since=NOON - timedelta(seconds=90), transition=Transition.NO_DATA),
        replace(ALERT, rule="worse", level=Level.CRITICAL, metric="memory_usage_percent", labels={"hostname": "w"}),
    ]

    status = _tracker().update(_sample(10), alerts)

    expected = (
        ActiveAlert(Level.CRITICAL, "worse", "", "memory_usage_percent >= 95", 70.0),
        ActiveAlert(Level.WARNING, "older", "core=all", "cpu_usage_percent has no data", 100.0),
        ActiveAlert(Level.WARNING, "cpu-saturated", "core=all", "cpu_usage_percent >= 95", 70.0),
    )
    worst = {"cpu": Level.WARNING, "memory": Level.CRITICAL}
    assert (status.alerts, status.levels) == (expected, worst)
