"""Looking back at stored samples: which one holds at an instant, and the way to the next."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sysmon.app.live.stored import Mismatch, StoredSnapshots
from sysmon.errors import NothingFoundError
from sysmon.model import AlertEvent, Event, Row
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host
from sysmon.reading.seek import DamageOnce
from sysmon.sampling.self_tables import COLLECTOR
from tests.reading.stored import (
    AGENT,
    CPU,
    DISK_USAGE,
    START,
    TABLES,
    alert_lines,
    at,
    event_lines,
    stamp,
    started,
    stopped,
    write_log,
    write_table,
)
from tests.reading.test_alerts import FIRED, RESOLVED

KNOWN = TABLES | {COLLECTOR.name: COLLECTOR}
INTERVALS = {"cpu": 10.0, "agent": 10.0, "collector": 10.0, "disk_usage": 60.0}
LOST = {200, 210, 220}
FIRST_RUN = [second for second in range(0, 310, 10) if second not in LOST]
SECOND_RUN = list(range(600, 660, 10))
MOUNT = ("/", "sda1", "ext4")


def _write(data: Path, *, failing: Sequence[int] = (), changes: Sequence[Event] = ()) -> None:
    """Write two runs with a pause between them; the first misses some samples."""
    seconds = [*FIRST_RUN, *SECOND_RUN]
    cpu = [(at(second), [("all", float(second), 0.0)]) for second in seconds if second not in failing]
    write_table(data, CPU, cpu)
    write_table(data, AGENT, [(at(second), [("5f1c", second // 10)]) for second in seconds])
    up = [(at(second), [("cpu", 0.001, int(second not in failing), 0)]) for second in seconds]
    write_table(data, COLLECTOR, up)
    write_table(
        data, DISK_USAGE, [(at(second), [(*MOUNT, float(second), 1)]) for second in (0, 60, 120, 180, 240, 300)]
    )
    log = [started(0, "one", INTERVALS), *changes, stopped(305, "one", 300), started(600, "two", INTERVALS)]
    write_log(data, "events", event_lines(sorted(log, key=lambda event: event.at)))


def _alerts(data: Path, *events: AlertEvent) -> None:
    write_log(data, "alerts", alert_lines(START, [], events))


def _open(data: Path, now: float = 655) -> StoredSnapshots:
    return StoredSnapshots(Archive(data, Host(data / "web-01"), DamageOnce(), KNOWN), now=at(now))


def _cells(files: StoredSnapshots, second: float) -> Mapping[str, Row]:
    """Return the first row of each table that holds at a second."""
    return {name: table.rows[0] for name, table in files.find(at(second)).snapshot.tables.items()}


@pytest.mark.parametrize(
    ("second", "held", "mismatch"),
    [
        pytest.param(100, 100, None, id="at a sample"),
        pytest.param(109.9, 100, None, id="until the next one"),
        pytest.param(215, 190, Mismatch.MISSED, id="where samples were missed"),
        pytest.param(400, 300, Mismatch.NOT_RUNNING, id="between two runs"),
        pytest.param(5000, 650, Mismatch.MISSED, id="after the last one"),
        pytest.param(-60, 0, Mismatch.BEFORE, id="before the first one"),
    ],
)
def test_the_sample_that_holds_at_an_instant_or_the_last_before_it(
    tmp_path: Path, second: float, held: int, mismatch: Mismatch | None
) -> None:
    _write(tmp_path)

    lookup = _open(tmp_path).find(at(second))

    assert (lookup.snapshot.at, lookup.mismatch) == (at(held), mismatch)


def test_tables_that_are_read_more_rarely_are_shown_as_they_were_last_seen(tmp_path: Path) -> None:
    _write(tmp_path)

    cells = _cells(_open(tmp_path), 170)

    assert (cells["cpu"], cells["disk_usage"]) == (("all", 170.0, 0.0), (*MOUNT, 120.0, 1))


def test_what_another_run_saw_is_not_shown(tmp_path: Path) -> None:
    _write(tmp_path)

    assert "disk_usage" not in _cells(_open(tmp_path), 610)


def test_an_interval_that_changed_hides_nothing_of_the_same_run(tmp_path: Path) -> None:
    changed = Event(at(130), "interval_changed", {"collector": "cpu", "from": 10.0, "seconds": 20.0})
    _write(tmp_path, changes=[changed])

    assert _cells(_open(tmp_path), 170)["disk_usage"] == (*MOUNT, 120.0, 1)


def test_what_a_collector_failed_to_read_is_not_shown(tmp_path: Path) -> None:
    _write(tmp_path, failing=[150])

    cells = _cells(_open(tmp_path), 150)

    assert sorted(cells) == ["agent", "collector", "disk_usage"]


def test_a_trail_leads_up_to_the_moment(tmp_path: Path) -> None:
    _write(tmp_path)
    snapshot = _open(tmp_path).find(at(250)).snapshot

    history = snapshot.history("cpu", snapshot.pick_metric("cpu", "cpu_usage_percent", "all"), 7)

    assert history == [190.0, None, None, None, 230.0, 240.0, 250.0]


@pytest.mark.parametrize(("second", "on"), [(90, []), (100, ["warning"]), (390, ["warning"]), (400, [])])
def test_the_alerts_are_those_that_were_on_then(tmp_path: Path, second: int, on: list[str]) -> None:
    _write(tmp_path)
    write_table(tmp_path, AGENT, [(at(second), [("5f1c", 1)]) for second in range(0, 420, 10)])
    _alerts(tmp_path, FIRED, RESOLVED)

    lookup = _open(tmp_path).find(at(second)).snapshot

    assert [alert.level.value for alert in lookup.alerts] == on


def test_a_step_leads_to_the_neighbouring_sample(tmp_path: Path) -> None:
    _write(tmp_path)
    files = _open(tmp_path)

    ways = [files.sample_before(at(230)), files.sample_after(at(300)), files.sample_before(at(0)), files.first()]

    assert ways == [at(190), at(600), None, at(0)]


def test_alerts_are_found_before_and_after_an_instant(tmp_path: Path) -> None:
    day = timedelta(days=1)
    _write(tmp_path)
    _alerts(tmp_path, FIRED, RESOLVED)
    late = replace(FIRED, at=FIRED.at + 40 * day, id="late")
    write_log(tmp_path, "alerts", alert_lines(START + 40 * day, [], [late]), START + 40 * day)
    files = _open(tmp_path)

    def both(instant: datetime) -> tuple[datetime | None, datetime | None]:
        return files.alert_before(instant), files.alert_after(instant)

    assert [both(at(0)), both(FIRED.at), both(START + day), both(START + 90 * day)] == [
        (None, FIRED.at),
        (None, late.at),
        (FIRED.at, late.at),
        (late.at, None),
    ]


def test_samples_and_tables_that_come_later_are_seen_when_one_looks(tmp_path: Path) -> None:
    folder = tmp_path / "web-01"
    write_log(tmp_path, "events", event_lines([started(0, "one", INTERVALS)]))
    files = _open(tmp_path, now=1)
    before = files.newest, files.poll(at(5))
    _write(tmp_path)

    news = [files.poll(at(second)) for second in (11, 12, 655)]

    assert (folder.exists(), before, news, files.find(at(655)).snapshot.at) == (
        True,
        (None, False),
        [True, False, True],
        at(650),
    )
    assert set(_cells(files, 300)) == {"cpu", "agent", "collector", "disk_usage"}


def test_after_the_clock_was_set_back_the_newest_sample_is_that_of_now(tmp_path: Path) -> None:
    _write(tmp_path)
    files = _open(tmp_path)
    before = files.find_newest().snapshot.at

    files.poll(at(95))

    assert (before, files.find_newest().snapshot.at) == (at(650), at(90))


def test_where_nothing_is_stored_it_says_so(tmp_path: Path) -> None:
    write_log(tmp_path, "events", event_lines([started(0, "one", INTERVALS)]))

    with pytest.raises(NothingFoundError, match="web-01: no samples: start `sysmon run`"):
        _open(tmp_path).find(at(0))


def test_rows_of_other_programs_are_shown_without_anything_of_sysmon(tmp_path: Path) -> None:
    folder = tmp_path / "web-01" / "battery"
    folder.mkdir(parents=True)
    lines = [f'{{"timestamp":"{stamp(second)}","pack":"b0","charge":{second}}}\n' for second in (0, 10, 20)]
    (folder / "battery-20261120T120000Z.jsonl").write_text("".join(lines))

    assert _cells(_open(tmp_path), 15) == {"battery": ("b0", 10)}
