"""A month of every kind of table, with stops, crashes and gaps: roll-ups say what the rows said, also without them."""

import json
import random
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sysmon.app.admin.maintain import maintain
from sysmon.app.reports import report
from sysmon.app.selection import Selection
from sysmon.config import Retention, Storage
from sysmon.model import Event, Row, Table
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import json as pages
from sysmon.sampling.self_tables import COLLECTOR
from tests.reading.stored import (
    AGENT,
    CPU,
    DAY,
    DISK_USAGE,
    HOUR,
    LOAD,
    PROCESS,
    at,
    event_lines,
    started,
    stopped,
    write_log,
    write_table,
)

MIDNIGHT = datetime.fromisoformat("2026-11-20T00:00:00+00:00")
DAYS = 30
END = MIDNIGHT + DAYS * DAY
TABLES: dict[str, Table] = {table.name: table for table in (CPU, LOAD, DISK_USAGE, PROCESS, COLLECTOR, AGENT)}
INTERVALS = dict.fromkeys(TABLES, 60.0) | {"disk_usage": 300.0}
CLOSE = ("p50", "p95", "p99")
SAME = ("samples", "min", "max", "max_at")


def instants(day: int, chance: random.Random) -> list[datetime]:
    """Return the minutes of two hours and a bit, without some of them."""
    begin = MIDNIGHT + day * DAY + timedelta(hours=7, minutes=day)
    hole = range(30, 30 + chance.randrange(20))
    return [begin + timedelta(minutes=minute) for minute in range(150) if minute not in hole]


def rows(instant: datetime, chance: random.Random) -> dict[str, list[Row]]:
    """Return what all tables have at one instant."""
    java = [(str(pid), "-", "java", "root", "a.service", chance.uniform(0, 300), 2**30) for pid in range(3)]
    by_table: dict[str, list[Row]] = {
        "cpu": [("all", chance.uniform(0, 100), 0.0), ("0", None if chance.random() < 0.1 else chance.gauss(0, 9), 1)],
        "load": [(chance.lognormvariate(0, 2), chance.randrange(9))],
        "process": [*java[: chance.randrange(4)], ("-1", "-", "(others)", "-", "-", chance.uniform(0, 20), 2**31)],
        "collector": [(name, chance.uniform(1e-4, 1e-2), int(chance.random() > 0.05), 0) for name in ("cpu", "load")],
        "agent": [(f"run-{instant:%d}", instant.minute)],
    }
    if instant.minute % 5 == 0:
        by_table["disk_usage"] = [
            (mount, "/dev/sda", "ext4", chance.lognormvariate(20, 3), 7) for mount in ("/", "/srv")
        ]
        by_table["collector"].append(("disk_usage", 0.5, 1, chance.randrange(2)))
    return by_table


def events(day: int, ticks: list[datetime]) -> Iterator[Event]:
    """Yield a start, and an end unless the run crashes."""
    first = (ticks[0] - at(0)).total_seconds()
    yield started(first - 3, f"run-{day}", INTERVALS, first)
    if day % 3:
        last = (ticks[-1] - at(0)).total_seconds()
        yield stopped(last + 2, f"run-{day}", last)


@pytest.fixture(scope="module")
def month(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a month of rows and sum it up by minute, hour and day."""
    data = tmp_path_factory.mktemp("month")
    chance = random.Random(5)  # noqa: S311 - the same month each time
    log: list[Event] = []
    samples: dict[str, list[tuple[datetime, list[Row]]]] = {name: [] for name in TABLES}
    for day in range(DAYS):
        ticks = instants(day, chance)
        log += events(day, ticks)
        for instant in ticks:
            for name, table_rows in rows(instant, chance).items():
                samples[name].append((instant, table_rows))
    for name, table in TABLES.items():
        write_table(data, table, samples[name])
    write_log(data, "events", event_lines(log), MIDNIGHT)
    keep = Retention(rows=90 * DAY, minutes=90 * DAY)
    maintain(data, Storage(retention=keep, compress_after=90 * DAY, min_free=0), now=END + HOUR)
    return data


def report_of(data: Path, since: datetime, until: datetime, *, exact: bool = False) -> dict[str, Any]:
    selection = Selection(data, since, until, END + HOUR, exact=exact)
    host_report = report.build_report(selection, TABLES, lambda _names: 20)
    (page,) = json.loads(pages.render([host_report.report], RenderOptions()))["hosts"]
    assert isinstance(page, dict)
    return page


def compare(rolled: dict[str, Any], exact: dict[str, Any]) -> None:
    """Hold every number of one report against the other's."""
    assert [rolled[key] for key in ("coverage", "not_running_seconds")] == [
        exact[key] for key in ("coverage", "not_running_seconds")
    ]
    assert [table["table"] for table in rolled["tables"]] == [table["table"] for table in exact["tables"]]
    for near_table, table in zip(rolled["tables"], exact["tables"], strict=True):
        nears = {tuple(series["labels"].items()): series for series in near_table["series"]}
        assert len(nears) == len(table["series"])
        for series in table["series"]:
            near = nears[tuple(series["labels"].items())]
            assert near["coverage"] == series["coverage"]
            for name, metric in series["metrics"].items():
                other = near["metrics"][name]
                assert [other.get(key) for key in SAME] == [metric.get(key) for key in SAME]
                if metric.get("samples"):
                    assert all(abs(other[key] - metric[key]) <= 0.01 * abs(metric[key]) for key in CLOSE)
                    assert other["mean"] == pytest.approx(metric["mean"], rel=1e-9, abs=1e-9)
    assert _rounded(rolled["top"]) == _rounded(exact["top"])


def _rounded(value: Any) -> Any:
    """Return the same with all its numbers to nine digits: sums of the same numbers in another order differ."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return {key: _rounded(item) for key, item in value.items()} if isinstance(value, dict) else value


@pytest.mark.parametrize(
    ("since", "until", "kinds"),
    [
        pytest.param(MIDNIGHT, END, ["1d"], id="whole days"),
        pytest.param(MIDNIGHT + 8 * HOUR, END - 16 * HOUR, ["1d", "1h"], id="whole hours"),
        pytest.param(
            MIDNIGHT + timedelta(hours=7, minutes=40), END - timedelta(hours=15, minutes=17), None, id="any minutes"
        ),
    ],
)
def test_roll_ups_of_a_month_say_what_its_rows_say(
    month: Path, since: datetime, until: datetime, kinds: list[str] | None
) -> None:
    rolled, exact = report_of(month, since, until), report_of(month, since, until, exact=True)

    assert (rolled["answered_from"], exact["answered_from"]) == (kinds or ["1d", "1h", "rows"], ["rows"])
    compare(rolled, exact)


@pytest.mark.parametrize(
    ("begin", "end", "kinds"),
    [
        pytest.param(timedelta(hours=7, minutes=16), timedelta(hours=7, minutes=52), ["1m"], id="within an hour"),
        pytest.param(timedelta(hours=7, minutes=16), timedelta(hours=9, minutes=3), ["1h", "1m"], id="over three"),
        pytest.param(timedelta(hours=7, minutes=16), timedelta(hours=40), ["1h", "1m"], id="into the next day"),
    ],
)
def test_minutes_stand_in_for_rows_that_have_expired(
    month: Path, tmp_path: Path, begin: timedelta, end: timedelta, kinds: list[str]
) -> None:
    since, until = MIDNIGHT + 9 * DAY + begin, MIDNIGHT + 9 * DAY + end
    exact = report_of(month, since, until, exact=True)
    bare = tmp_path / "bare"
    host = month / "web-01"
    for name in ("events", "rollup"):
        (bare / "web-01").mkdir(parents=True, exist_ok=True)
        (bare / "web-01" / name).symlink_to(host / name)
    for name in TABLES:
        (bare / "web-01" / name).mkdir()
        for path in sorted((host / name).iterdir())[-1:]:
            (bare / "web-01" / name / path.name).symlink_to(path)

    rolled = report_of(bare, since, until)

    assert rolled["answered_from"] == kinds
    compare(rolled, exact)
