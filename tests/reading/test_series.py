"""Down-sampled series: what the points say is what a slow model says of the values, whatever files they come from."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from math import isclose
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import FOLDER, Resolution, RollupFile
from sysmon.errors import UsageError
from sysmon.model import Row
from sysmon.reading import rollup_file, rollup_minutes
from sysmon.reading.aggregate import aggregate, merge_aggregates, split_by_minute
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host
from sysmon.reading.rows import RowReader
from sysmon.stats.downsampled import DownsampledSeries, SeriesPoint
from sysmon.storage.compress import write_compressed
from tests.reading.stored import CPU, DAY, HOUR, MINUTE, ORIGIN, PROCESS, START, TABLES, at, write_table

HOURS = 4
MIDNIGHT = START.replace(hour=0)
Value = tuple[datetime, float]


def samples(
    values: Sequence[float | None], step: timedelta, begin: datetime = START
) -> list[tuple[datetime, list[Row]]]:
    """Return rows of two cores, the second of which is to be left alone."""
    return [(begin + step * number, [("all", value, 0.0), ("0", -1.0, 0.0)]) for number, value in enumerate(values)]


def of_all(rows: Sequence[tuple[datetime, list[Row]]]) -> list[Value]:
    """Return the values that the series has, by instant."""
    return [(instant, float(value)) for instant, [(_, value, _), _] in rows if isinstance(value, int | float)]


def archive(data: Path) -> Archive:
    return Archive(data, Host(data / ORIGIN.hostname), Damage(), TABLES)


def read(data: Path, since: datetime, until: datetime, points: int) -> DownsampledSeries:
    return archive(data).series("cpu_usage_percent", {"core": "all"}, since, until, points=points)


def model(
    values: Sequence[Value], since: datetime, until: datetime, begin: datetime, step: timedelta
) -> list[SeriesPoint]:
    """Return the points, slowly: one bucket after the other, each looking through all values."""
    points = []
    while begin < until:
        edges = max(begin, since), min(begin + step, until)
        own = [value for instant, value in values if edges[0] <= instant < edges[1]]
        if own:
            points.append(SeriesPoint(edges[0], min(own), max(own), sum(own) / len(own), len(own)))
        begin += step
    return points


def assert_equal(points: Sequence[SeriesPoint], expected: Sequence[SeriesPoint]) -> None:
    """Compare points: means may differ in the last digits, for they are added up in another order."""
    assert [(point.at, point.low, point.high, point.count) for point in points] == [
        (point.at, point.low, point.high, point.count) for point in expected
    ]
    assert all(
        isclose(here.mean, there.mean, rel_tol=1e-9, abs_tol=1e-6) for here, there in zip(points, expected, strict=True)
    )


def write_rollups(data: Path, hour: datetime, *resolutions: Resolution) -> None:
    """Make the roll-ups of one hour, as maintenance would."""
    rows = RowReader(data / ORIGIN.hostname / "cpu", CPU, Damage()).history(hour, hour + HOUR)
    stems = [path.name.split(".")[0] for path in (data / ORIGIN.hostname / "cpu").glob(f"*-{hour:%Y%m%dT%H}*")]
    whole = aggregate(rows, stems)
    for resolution in resolutions:
        file = RollupFile("cpu", resolution, hour)
        text = rollup_file.encode(whole, file)
        if resolution is Resolution.MINUTE:
            text = rollup_minutes.encode(whole, [aggregate(minute) for minute in split_by_minute(rows)], file)
        folder = data / ORIGIN.hostname / FOLDER / resolution
        folder.mkdir(parents=True, exist_ok=True)
        write_compressed(folder / file.name, text)


def expire(data: Path, hour: datetime) -> None:
    """Delete the rows of an hour."""
    for path in (data / ORIGIN.hostname / "cpu").glob(f"*-{hour:%Y%m%dT%H}*"):
        path.unlink()


VALUES = st.lists(st.none() | st.floats(-1e9, 1e9), min_size=1, max_size=60)


@settings(deadline=None, max_examples=40)
@given(values=VALUES, begin=st.integers(-30, 3700), length=st.integers(1, 3700), points=st.integers(1, 80))
def test_rows_are_cut_as_the_model_cuts_them(values: list[float | None], begin: int, length: int, points: int) -> None:
    rows, since, until = samples(values, MINUTE), at(begin), at(begin + length)
    inside = [(instant, value) for instant, value in of_all(rows) if since <= instant < until]
    with TemporaryDirectory() as folder:
        write_table(Path(folder), CPU, rows)

        series = read(Path(folder), since, until, points)

    assert len(series.points) <= points
    if len(inside) <= points:
        assert (series.step, series.points) == (None, [SeriesPoint(at, v, v, v, 1) for at, v in inside])
    else:
        assert series.step is not None
        assert (points - 1) * series.step < until - since <= points * series.step or series.step == timedelta(
            0, 0, 1000
        )
        assert_equal(series.points, model(inside, since, until, since, series.step))


KINDS = ("rows", "rows and hour", "hour", "minutes", "minutes and hour", "nothing")


@settings(deadline=None, max_examples=40)
@given(
    kinds=st.lists(st.sampled_from(KINDS), min_size=HOURS, max_size=HOURS),
    values=st.lists(st.none() | st.floats(-1e9, 1e9), min_size=12 * HOURS, max_size=12 * HOURS),
    edges=st.tuples(st.integers(0, HOURS * 60), st.integers(0, HOURS * 60)).filter(lambda pair: pair[0] != pair[1]),
    points=st.integers(1, 60),
)
def test_roll_ups_answer_where_rows_have_expired(
    kinds: list[str], values: list[float | None], edges: tuple[int, int], points: int
) -> None:
    since, until = (START + MINUTE * minute for minute in sorted(edges))
    rows = samples(values, 5 * MINUTE)
    with TemporaryDirectory() as folder:
        write_table(Path(folder), CPU, rows)
        left, only_hours = [], False
        for number, kind in enumerate(kinds):
            hour = START + number * HOUR
            if "hour" in kind:
                write_rollups(Path(folder), hour, Resolution.HOUR)
            if "minutes" in kind:
                write_rollups(Path(folder), hour, Resolution.MINUTE)
            if "rows" not in kind:
                expire(Path(folder), hour)
            whole = since <= hour and hour + HOUR <= until
            only_hours |= kind == "hour" and whole
            if kind == "nothing" or (kind == "hour" and not whole):
                continue  # a part of an hour cannot be had from its sum
            left += [(instant, value) for instant, value in of_all(rows) if hour <= instant < hour + HOUR]
        inside = [(instant, value) for instant, value in left if since <= instant < until]

        series = read(Path(folder), since, until, points)

    assert len(series.points) <= points
    if series.step is None:
        assert_equal(series.points, [SeriesPoint(instant, value, value, value, 1) for instant, value in inside])
    else:
        begin = since.replace(minute=0) if only_hours else since
        assert_equal(series.points, model(inside, since, until, begin, series.step))


@pytest.mark.parametrize(
    ("points", "step"),
    [
        pytest.param(2, 2 * DAY, id="two days each"),
        pytest.param(4, DAY, id="days"),
        pytest.param(40, 3 * HOUR, id="some hours each"),
        pytest.param(1000, HOUR, id="hours, however many are asked for"),
    ],
)
def test_a_long_range_is_cut_at_hours_or_days(tmp_path: Path, points: int, step: timedelta) -> None:
    days = 4
    rows = samples([float(number % 101) for number in range(days * 144)], 10 * MINUTE, MIDNIGHT)
    write_table(tmp_path, CPU, rows)
    for number in range(24 * days):
        write_rollups(tmp_path, MIDNIGHT + number * HOUR, Resolution.HOUR)
    for day in range(days - 1):
        begin = MIDNIGHT + day * DAY
        parts = [RollupFile("cpu", Resolution.HOUR, begin + number * HOUR) for number in range(24)]
        folder = tmp_path / ORIGIN.hostname / FOLDER
        sums = [rollup_file.read(folder / "1h" / part.name, part, Damage()) for part in parts]
        whole = merge_aggregates([part for part in sums if part is not None], CPU)
        file = RollupFile("cpu", Resolution.DAY, begin)
        (folder / "1d").mkdir(exist_ok=True)
        write_compressed(folder / "1d" / file.name, rollup_file.encode(whole, file))
        if day:
            for number in range(24):
                expire(tmp_path, begin + number * HOUR)
    since, until = MIDNIGHT + 90 * MINUTE, MIDNIGHT + days * DAY - 10 * MINUTE
    begin = MIDNIGHT if step >= DAY else MIDNIGHT + HOUR

    series = read(tmp_path, since, until, points)

    assert series.step == step
    assert_equal(series.points, model(of_all(rows), since, until, begin, step))


def test_a_long_range_with_few_values_is_these_values(tmp_path: Path) -> None:
    rows = samples([1.0, None, 3.0], DAY)
    write_table(tmp_path, CPU, rows)

    series = read(tmp_path, START, START + 30 * DAY, 10)

    assert (series.step, series.points) == (None, [SeriesPoint(at, v, v, v, 1) for at, v in of_all(rows)])


def test_processes_are_read_from_rows_however_long_the_range_is(tmp_path: Path) -> None:
    labels = ("7", "1", "java", "root", "-")
    write_table(tmp_path, PROCESS, [(START + number * DAY, [(*labels, float(number), 1.0)]) for number in range(5)])

    series = archive(tmp_path).series("process_cpu_percent", {"pid": "7"}, START, START + 5 * DAY, points=2)

    assert (series.labels["name"], [point.mean for point in series.points]) == ("java", [1.0, 3.5])


def test_a_series_says_which_one_it_is_and_of_which_metric(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples([1.0], MINUTE))

    series = read(tmp_path, START, START + HOUR, 5)

    assert (series.metric, series.labels) == (CPU.metrics[0], {"core": "all"})


def test_a_series_that_is_not_there_has_no_points(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples([1.0], MINUTE))

    series = archive(tmp_path).series("cpu_usage_percent", {"core": "9"}, START, START + HOUR, points=5)

    assert (series.labels, series.points) == ({"core": "9"}, [])


@pytest.mark.parametrize(
    ("metric", "labels", "points", "message"),
    [
        pytest.param("cpu_usage_percent", {}, 5, r"several series of cpu fit \(all and 0\)", id="which of two"),
        pytest.param("cpu_usage_percent", {"device": "sda"}, 5, "no label 'device' in cpu: there are core", id="label"),
        pytest.param("cpu_use", {}, 5, "no metric is named cpu_use", id="metric"),
        pytest.param("cpu_usage_percent", {"core": "all"}, 0, "at least one point", id="no points"),
    ],
)
def test_a_series_that_cannot_be_meant_is_refused(
    tmp_path: Path, metric: str, labels: dict[str, str], points: int, message: str
) -> None:
    write_table(tmp_path, CPU, samples([1.0], MINUTE))

    with pytest.raises(UsageError, match=message):
        archive(tmp_path).series(metric, labels, START, START + HOUR, points=points)


def test_what_cannot_be_read_is_counted(tmp_path: Path) -> None:
    (path,) = write_table(tmp_path, CPU, samples([1.0, 2.0], MINUTE))
    path.write_bytes(path.read_bytes().replace(b"2.0", b"2.x"))
    stored = archive(tmp_path)

    series = stored.series("cpu_usage_percent", {"core": "all"}, START, START + HOUR, points=5)

    assert (len(series.points), stored.damage.count) == (1, 1)
