"""The archive of a host: what commands hold of the past, and the one choice between rows and roll-ups."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import Resolution
from sysmon.errors import NothingFoundError
from sysmon.history import AggregatedTable, TableHistory
from sysmon.model import AlertEvent
from sysmon.reading.archive import Archive
from tests.reading.stored import (
    CPU,
    DAY,
    HOUR,
    LOAD,
    MINUTE,
    START,
    TABLES,
    alert_lines,
    at,
    event_lines,
    started,
    stopped,
    write_log,
    write_table,
)
from tests.reading.test_alerts import FIRED
from tests.reading.test_series import samples, write_rollups


def open_archive(data: Path) -> Archive:
    return Archive.open(data, None, Damage(), TABLES)


def write_hours(data: Path, hours: int) -> list[Path]:
    paths = write_table(data, CPU, samples([float(number) for number in range(6 * hours)], 10 * MINUTE))
    for number in range(hours):
        write_rollups(data, START + number * HOUR, Resolution.HOUR)
    return paths


@pytest.mark.parametrize(
    ("hours", "exact", "short", "kind"),
    [
        pytest.param(6, False, 6 * HOUR, TableHistory, id="a short range from rows"),
        pytest.param(7, False, 6 * HOUR, AggregatedTable, id="a long one from roll-ups"),
        pytest.param(7, False, 7 * HOUR, TableHistory, id="one that is short for whom it is"),
        pytest.param(7, True, 6 * HOUR, TableHistory, id="any one from rows where the answer is to be exact"),
    ],
)
def test_the_length_of_a_range_decides_what_is_read(
    tmp_path: Path, hours: int, exact: bool, short: timedelta, kind: type
) -> None:
    write_hours(tmp_path, 7)

    history = open_archive(tmp_path).table("cpu").read(START, START + hours * HOUR, exact=exact, short=short)

    assert (type(history), list(history.ticks)[-1]) == (kind, round(at(3600 * hours - 600).timestamp() * 1000))


def test_roll_ups_are_read_where_rows_have_expired_however_short_the_range_is(tmp_path: Path) -> None:
    paths = write_hours(tmp_path, 2)
    paths[0].unlink()

    history = open_archive(tmp_path).table("cpu").read(START, START + 2 * HOUR)

    assert isinstance(history, AggregatedTable)
    assert (history.sources, len(history.ticks)) == (("1h",), 12)


@pytest.mark.parametrize("hours", [2, 8])
def test_an_aggregate_is_one_whatever_it_comes_from(tmp_path: Path, hours: int) -> None:
    write_hours(tmp_path, 8)

    table = open_archive(tmp_path).aggregate("cpu", START, START + hours * HOUR)

    (digest, _), *_ = [series.digests for series in table.series if series.labels == ("all",)]
    assert digest is not None
    assert (digest.count, digest.low, digest.high) == (6 * hours, 0.0, 6.0 * hours - 1)


def test_a_table_that_is_not_declared_is_seen_from_its_files(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples([1.0], MINUTE))
    archive = Archive.open(tmp_path, None, Damage())

    table = archive.table("cpu").table

    assert (archive.table_names, table.labels, [metric.name for metric in table.metrics]) == (
        ["cpu"],
        CPU.labels,
        [metric.name for metric in CPU.metrics],
    )


def test_declared_tables_come_first_in_their_order(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, [(START, [(1.0, 2.0)])])
    write_table(tmp_path, CPU, samples([1.0], MINUTE))
    (tmp_path / "web-01/apples").mkdir()
    (tmp_path / "web-01/apples/apples-20261120T120000Z-1h.jsonl").write_text("")

    assert open_archive(tmp_path).table_names == ["cpu", "load", "apples"]


def test_events_tell_when_a_process_sampled(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples([1.0], MINUTE))
    events = [started(0, "r", {"cpu": 10.0}), stopped(100, "r", 90)]
    write_log(tmp_path, "events", event_lines(events))

    (period,) = open_archive(tmp_path).run_periods(START, START + DAY, now=START + DAY)

    assert (period.id, period.last - period.start, period.closed) == ("r", 90_000, True)


def test_damage_is_counted_for_all_that_is_read(tmp_path: Path) -> None:
    (path,) = write_table(tmp_path, CPU, samples([1.0], MINUTE))
    path.write_bytes(b"no row\n")
    write_log(tmp_path, "alerts", [{"event": "fired"}])
    archive = open_archive(tmp_path)

    archive.table("cpu").history(START, START + HOUR)
    archive.alerts(START, START + HOUR, now=START + HOUR)

    assert archive.damage.count == 2


def test_where_nothing_is_stored_there_is_no_archive(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError, match="no samples here"):
        open_archive(tmp_path)


def write_firing(data: Path, values: list[float], alert: AlertEvent) -> None:
    """Write an alert that fires, and a value a minute."""
    write_table(data, CPU, samples(values, MINUTE))
    write_log(data, "alerts", alert_lines(START, [], [alert]))


@pytest.mark.parametrize(
    ("changes", "until", "peak"),
    [
        pytest.param({}, 10 * MINUTE, 99.0, id="the worst so far"),
        pytest.param({}, 3 * MINUTE, 95.0, id="the worst up to the end of the range"),
        pytest.param({"condition": "< 95"}, 10 * MINUTE, 70.0, id="the lowest where a rule watches for low values"),
        pytest.param({"value": 90.5}, 10 * MINUTE, 91.0, id="the log's word where the rule is about other numbers"),
        pytest.param({"labels": {"hostname": "web-01"}}, 10 * MINUTE, 91.0, id="and where it is about several series"),
        pytest.param({"metric": "gone_percent"}, 10 * MINUTE, 91.0, id="and where there are no rows"),
    ],
)
def test_the_peak_of_an_alert_that_fires_is_the_worst_of_its_rows(
    tmp_path: Path, changes: dict[str, Any], until: timedelta, peak: float
) -> None:
    write_firing(tmp_path, [10, 91, 95, 99, 70], replace(FIRED, at=START + MINUTE, since=START + MINUTE, **changes))

    (alert,) = open_archive(tmp_path).alerts(START, START + until, now=START + DAY)

    assert alert.peak == peak
