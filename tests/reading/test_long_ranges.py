"""Long ranges cost what is stored in them, not what could be: the answer is that of trying every hour."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.app.reports.report import Detail, build_report
from sysmon.app.selection import Selection
from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import FOLDER, Resolution, RollupFile
from sysmon.datadir.segments import stems_by_hour
from sysmon.reading import rollup_file
from sysmon.reading.aggregate import aggregate
from sysmon.reading.plan import Planner, Stems
from sysmon.reading.rows import RowReader
from sysmon.report.buckets import split_range
from sysmon.report.summary import Report
from sysmon.storage.compress import write_compressed
from tests.reading.stored import CPU, DAY, HOUR, MINUTE, ORIGIN, START, TABLES, write_table
from tests.reading.test_series import expire, samples, write_rollups

MIDNIGHT = START.replace(hour=0)
DAYS = 6
DEAD_CLOCK = datetime(1970, 1, 1, tzinfo=UTC)


class PatientPlanner(Planner):
    """Tries every hour of a range."""

    def candidates(self, since: datetime, until: datetime, stems: Stems) -> set[datetime]:
        """Return every hour."""
        return {since + number * HOUR for number in range((until - since) // HOUR)}


def write_day(data: Path, day: datetime) -> None:
    """Make the roll-up of a day from its rows."""
    rows = RowReader(data / ORIGIN.hostname / "cpu", CPU, Damage()).history(day, day + DAY)
    stems = [path.name.split(".")[0] for path in (data / ORIGIN.hostname / "cpu").glob(f"*-{day:%Y%m%d}T*")]
    folder = data / ORIGIN.hostname / FOLDER / Resolution.DAY
    folder.mkdir(parents=True, exist_ok=True)
    file = RollupFile("cpu", Resolution.DAY, day)
    write_compressed(folder / file.name, rollup_file.encode(aggregate(rows, stems), file))


@settings(deadline=None, max_examples=30)
@given(
    hours=st.dictionaries(
        st.integers(0, DAYS * 24 - 1),
        st.sampled_from(("rows", "rows and hour", "hour", "minutes", "minutes and hour", "nothing", "broken hour")),
        max_size=8,
    ),
    days=st.sets(st.integers(0, DAYS - 1)),
    edges=st.tuples(st.integers(-60, DAYS * 1440 + 60), st.integers(-60, DAYS * 1440 + 60)),
)
def test_the_plan_is_that_of_trying_every_hour(hours: dict[int, str], days: set[int], edges: tuple[int, int]) -> None:
    since, until = (MIDNIGHT + MINUTE * minute for minute in sorted(edges))
    with TemporaryDirectory() as folder:
        data = Path(folder)
        for number in hours:
            write_table(data, CPU, samples([1.0, 2.0, 3.0], 10 * MINUTE, MIDNIGHT + number * HOUR))
        for day in days:
            write_day(data, MIDNIGHT + day * DAY)
        for number, kind in hours.items():
            hour = MIDNIGHT + number * HOUR
            write_rollups(data, hour, *([Resolution.HOUR] if "hour" in kind else []))
            write_rollups(data, hour, *([Resolution.MINUTE] if "minutes" in kind else []))
            if "rows" not in kind:
                expire(data, hour)
            if "broken" in kind:
                file = RollupFile("cpu", Resolution.HOUR, hour)
                (data / ORIGIN.hostname / FOLDER / Resolution.HOUR / file.name).write_bytes(b"broken")
        reader, patient = (RowReader(data / ORIGIN.hostname / "cpu", CPU, Damage()) for _ in range(2))
        stems = Planner(reader).stems(since, until)
        assert stems is not None

        parts = list(Planner(reader).parts(since, until, stems))

        assert parts == list(PatientPlanner(patient).parts(since, until, stems))
        assert reader.damage.lines == patient.damage.lines


def report(data: Path, since: datetime, until: datetime, *, bucket: timedelta | None = None) -> Report:
    selection = Selection(data, since, until, now=START + HOUR, host=ORIGIN.hostname)
    edges = () if bucket is None else split_range(since, until, bucket, UTC)
    return build_report(selection, TABLES, lambda _: 1, Detail(edges=edges)).report


def stats_of(report: Report) -> list[tuple[str, object, object]]:
    """Return the numbers of each metric of each series."""
    return [
        (item.metric.name, series.labels, item.stats)
        for table in report.tables
        for series in table.series
        for item in series.metrics
    ]


@contextmanager
def counted_calls() -> Iterator[list[str]]:
    """Collect which folders and files are listed and opened."""
    calls: list[str] = []
    active = True

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        if active and event in {"open", "os.listdir", "os.scandir"}:
            calls.append(f"{event} {arguments[0]}")

    sys.addaudithook(hook)  # it stays as long as the process, and does nothing afterwards
    yield calls
    active = False


@pytest.mark.parametrize(
    ("since", "until"),
    [
        pytest.param(DEAD_CLOCK, START + HOUR, id="from the epoch"),
        pytest.param(datetime(1000, 1, 1, tzinfo=UTC), START + HOUR, id="a thousand years"),
        pytest.param(datetime(900, 1, 1, tzinfo=UTC), START + HOUR, id="from a year of three digits"),
        pytest.param(START - HOUR, datetime(2200, 1, 1, tzinfo=UTC), id="to the year 2200"),
    ],
)
def test_a_report_of_centuries_looks_at_no_more_files_than_one_of_days_and_says_the_same(
    tmp_path: Path, since: datetime, until: datetime
) -> None:
    write_table(tmp_path, CPU, samples([1.0, 2.0, 3.0], MINUTE))
    write_rollups(tmp_path, START, Resolution.HOUR)
    with counted_calls() as few:
        short = report(tmp_path, START - 3 * DAY, START + HOUR)

    with counted_calls() as calls:
        long = report(tmp_path, since, until)

    assert len(calls) <= len(few)
    assert stats_of(long) == stats_of(short)


def test_what_a_dead_clock_wrote_in_1970_is_in_a_report_of_everything(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples([1.0], MINUTE, DEAD_CLOCK + 5 * MINUTE))
    write_table(tmp_path, CPU, samples([2.0, 3.0], MINUTE))
    with counted_calls() as calls:
        everything = report(tmp_path, DEAD_CLOCK, START + HOUR)

    of_all = next(each for each in everything.tables[0].series if dict(each.labels)["core"] == "all")
    stats = of_all.metrics[0].stats
    assert stats is not None
    assert (stats.samples, stats.min, stats.max, len(calls) < 50) == (3, 1.0, 3.0, True)


@pytest.mark.parametrize("bucket", [pytest.param(7 * DAY, id="weeks"), pytest.param(DAY, id="days")])
def test_parts_of_a_long_range_without_any_files_cost_nothing(tmp_path: Path, bucket: timedelta) -> None:
    write_table(tmp_path, CPU, samples([1.0, 2.0, 3.0], MINUTE))
    write_rollups(tmp_path, START, Resolution.HOUR)
    since = START - 8000 * DAY

    with counted_calls() as calls:
        long = report(tmp_path, since, START + HOUR, bucket=bucket)

    buckets = [each for each in long.tables[0].series[0].metrics[0].buckets if each is not None]
    assert (len(long.edges) > 1000, [(each.samples, each.mean) for each in buckets], len(calls) < 50) == (
        True,
        [(3, 2.0)],
        True,
    )


def test_stems_are_found_from_before_the_years_of_four_digits() -> None:
    names = ["cpu-20261120T120000Z-1h.jsonl"]

    stems = stems_by_hour(names, datetime(900, 1, 1, tzinfo=UTC), START + HOUR)

    assert stems == {START: {"cpu-20261120T120000Z-1h"}}
