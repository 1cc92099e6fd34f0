"""One row a minute: the same numbers as an independent computation over the rows gives."""

import math
from collections import defaultdict
from datetime import timedelta
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.app.export.downsample import check_rate, downsample, floor
from sysmon.errors import UsageError
from sysmon.formats import csv
from sysmon.history import StoredRow
from sysmon.model import Kind, Metric, Origin, Row, Table, Unit
from tests.reading.stored import MINUTE, at

TABLE = Table(
    "oom",
    "",
    (Metric("load", Kind.GAUGE, Unit.NONE, ""), Metric("kills", Kind.COUNT, Unit.NONE, "")),
    labels=("core",),
)
WEB, DB = Origin("web-01", {"role": "web"}), Origin("db-01")


def stored(seconds: float, core: str, *values: float | None, origin: Origin = WEB) -> StoredRow:
    return StoredRow(at(seconds), origin, (core, *values))


def shown(rows: list[StoredRow]) -> list[tuple[float, str, Row]]:
    """Return second, host and values of rows that sum up others."""
    return [((row.at - at(0)).total_seconds(), row.origin.hostname, row.row) for row in downsample(TABLE, rows, MINUTE)]


def test_means_of_values_and_sums_of_counts_at_the_beginning_of_each_minute() -> None:
    rows = [stored(59, "0", 4, 1), stored(60, "0", 1.0, 2), stored(119, "0", 2.0, 3), stored(180, "0", 9, 0)]

    assert shown(rows) == [(0, "web-01", ("0", 4, 1)), (60, "web-01", ("0", 1.5, 5)), (180, "web-01", ("0", 9, 0))]


def test_what_is_missing_counts_for_nothing_and_nothing_at_all_is_null() -> None:
    rows = [stored(0, "0", None, None), stored(10, "0", 3, None)]

    assert shown(rows) == [(0, "web-01", ("0", 3, None))]


def test_a_sum_without_end_is_infinite_which_every_format_writes_as_missing() -> None:
    rows = [stored(second, "0", 1e308, 1.0) for second in range(3)]

    assert shown(rows) == [(0, "web-01", ("0", math.inf, 3.0))]
    assert csv.encode_cell(math.inf) == ""


def test_series_and_hosts_stay_apart() -> None:
    rows = [stored(0, "0", 1, 1), stored(0, "1", 2, 2), stored(0, "0", 3, 3, origin=DB), stored(1, "0", 3, 1)]

    assert shown(rows) == [(0, "web-01", ("0", 2, 2)), (0, "web-01", ("1", 2, 2)), (0, "db-01", ("0", 3, 3))]


def test_a_clock_that_is_set_back_begins_a_step_anew() -> None:
    rows = [stored(60, "0", 1, 1), stored(0, "0", 2, 1), stored(60, "0", 3, 1)]

    assert [second for second, _, _ in shown(rows)] == [60, 0, 60]


VALUES = st.one_of(st.none(), st.integers(0, 10**6), st.floats(0, 1e6))


@given(st.lists(st.tuples(st.integers(0, 600), st.sampled_from("01"), VALUES, VALUES), max_size=60))
def test_it_equals_what_plain_python_computes(samples: list[tuple[int, str, float | None, float | None]]) -> None:
    rows = [
        stored(second, core, load, kills) for second, core, load, kills in sorted(samples, key=lambda sample: sample[0])
    ]

    groups: dict[tuple[int, str], list[StoredRow]] = defaultdict(list)
    for row in rows:
        groups[(int((row.at - at(0)).total_seconds()) // 60 * 60, str(row.row[0]))].append(row)
    expected = {}
    for key, group in groups.items():
        loads, kills = (
            [value for row in group if isinstance(value := row.row[index], int | float)] for index in (1, 2)
        )
        expected[key] = (fmean(loads) if loads else None, sum(kills) if kills else None)
    assert {(second, row[0]): row[1:] for second, _, row in shown(rows)} == {
        key: tuple(None if value is None else pytest.approx(value) for value in values)
        for key, values in expected.items()
    }


@pytest.mark.parametrize(
    ("rate", "second", "floored"),
    [(MINUTE, 119.9, 60), (timedelta(hours=1), 3599, 0), (timedelta(seconds=10), -1, -10)],
    ids=str,
)
def test_steps_begin_at_whole_multiples(rate: timedelta, second: float, floored: float) -> None:
    assert floor(at(second), rate) == at(floored)


@pytest.mark.parametrize("seconds", [0.0, 0.5, 7.0, 90_000.0, 25 * 3600.0])
def test_a_rate_divides_a_day(seconds: float) -> None:
    with pytest.raises(UsageError, match="does not divide a day: write 10s, 1m, 5m, 1h or 1d"):
        check_rate(timedelta(seconds=seconds))
