"""Roll-ups: what they say is what the rows say, and a wrong or missing one is never believed."""

import random
from datetime import datetime, timedelta
from math import isclose
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.datadir.damage import Damage
from sysmon.datadir.rollups import FOLDER, Resolution, RollupFile
from sysmon.history import AggregatedTable
from sysmon.model import Origin, Row
from sysmon.reading import rollup_file
from sysmon.reading.aggregate import AggregateMerger, TableAggregate, aggregate, merge_aggregates
from sysmon.reading.archive import StoredTable
from sysmon.reading.rows import RowReader
from sysmon.reading.tiers import SHORT
from sysmon.storage.compress import write_compressed
from tests.reading.stored import CPU, DAY, HOUR, LOAD, ORIGIN, PROCESS, START, write_table

HOST = ORIGIN.hostname


def samples(count: int, *, step: int = 600, begin: datetime = START) -> list[tuple[datetime, list[Row]]]:
    """Return rows of two cores, one of which now and then has no value."""
    return [
        (
            begin + timedelta(seconds=step * index),
            [("all", 10.0 + index % 37, 0.0), ("0", None if index % 5 == 0 else float(index), 1.5)],
        )
        for index in range(count)
    ]


def summed(data: Path, begin: datetime, end: datetime) -> TableAggregate:
    return aggregate(RowReader(data / HOST / "cpu", CPU, Damage()).history(begin, end), ["a", "b"], 2)


def test_a_roll_up_reads_back_as_it_was_made(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples(30))
    made = summed(tmp_path, START, START + HOUR)
    file = RollupFile("cpu", Resolution.HOUR, START)
    path = tmp_path / file.name
    write_compressed(path, rollup_file.encode(made, file))
    damage = Damage()

    result = rollup_file.read(path, file, damage)

    assert (result, rollup_file.read_sources(path), damage.count) == (made, frozenset({"a", "b"}), 0)


def joined(part: TableAggregate) -> AggregatedTable:
    merger = AggregateMerger(CPU)
    merger.add(part)
    return merger.result(())


def _same_but_for_drawing(first: AggregatedTable, second: AggregatedTable) -> bool:
    def bare(table: AggregatedTable) -> list[object]:
        return [
            (
                series.labels,
                list(series.at),
                [
                    None
                    if result is None
                    else (result.count, result.low, result.high, result.high_at, result.histogram())
                    for result in series.digests
                ],
            )
            for series in table.series
        ]

    def totals(table: AggregatedTable) -> list[float]:
        return [result.total for series in table.series for result in series.digests if result is not None]

    same = all(
        isclose(here, there, rel_tol=1e-9, abs_tol=1e-3)
        for here, there in zip(totals(first), totals(second), strict=True)
    )
    return same and bare(first) == bare(second) and list(first.ticks) == list(second.ticks)


def test_a_day_made_of_its_hours_says_what_the_rows_of_the_day_say(tmp_path: Path) -> None:
    midnight = START.replace(hour=0)
    write_table(tmp_path, CPU, samples(144, begin=midnight))
    hours = [summed(tmp_path, midnight + index * HOUR, midnight + (index + 1) * HOUR) for index in range(24)]
    file = RollupFile("cpu", Resolution.DAY, midnight)
    write_compressed(tmp_path / file.name, rollup_file.encode(merge_aggregates(hours, CPU), file))

    result = rollup_file.read(tmp_path / file.name, file, Damage())

    assert result is not None
    whole = joined(summed(tmp_path, midnight, midnight + DAY))
    assert _same_but_for_drawing(joined(result), whole)


def test_a_day_keeps_mean_and_peak_of_each_hour_for_drawing(tmp_path: Path) -> None:
    rows: list[tuple[datetime, list[Row]]] = [
        (START.replace(hour=0) + timedelta(minutes=20 * number), [(number, 0.0)]) for number in range(72)
    ]
    write_table(tmp_path, LOAD, rows)
    file = RollupFile("load", Resolution.DAY, START.replace(hour=0))
    history = RowReader(tmp_path / HOST / "load", LOAD, Damage()).history(file.start, file.end)
    text = rollup_file.encode(aggregate(history), file)
    write_compressed(tmp_path / "new", text)
    write_compressed(tmp_path / "old", text.replace(b'"peaks"', b'"news"'))

    result = [rollup_file.read(tmp_path / name, file, Damage()) for name in ("new", "old")]

    course = [
        [(mean, peak) for _, _, mean, peak in day.series[0].metrics["load_average_1m"].hours]
        for day in result
        if day is not None
    ]
    means = [3 * hour + 1.0 for hour in range(24)]
    assert course == [[(mean, mean + 1) for mean in means], [(mean, None) for mean in means]]


def roll_up(data: Path, begin: datetime, hours: int, table_name: str = "cpu") -> None:
    """Make the roll-ups of some hours, with the sources that maintenance would name."""
    folder = data / HOST / FOLDER / Resolution.HOUR
    folder.mkdir(parents=True, exist_ok=True)
    for index in range(hours):
        start = begin + index * HOUR
        stems = [path.name.split(".")[0] for path in (data / HOST / table_name).glob(f"*-{start:%Y%m%dT%H}*")]
        history = RowReader(data / HOST / "cpu", CPU, Damage()).history(start, start + HOUR)
        file = RollupFile("cpu", Resolution.HOUR, start)
        write_compressed(folder / file.name, rollup_file.encode(aggregate(history, stems), file))


def test_a_long_range_comes_from_hours_and_from_rows_at_its_edges(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples(60))
    roll_up(tmp_path, START, 10)
    since, until = START + HOUR / 2, START + 9.5 * HOUR

    result = StoredTable(tmp_path / HOST / CPU.name, CPU, Damage()).aggregate(since, until)

    assert result is not None
    rows = joined(summed(tmp_path, since, until))
    assert (result.sources, _same_but_for_drawing(result, rows)) == (("1h", "rows"), True)


@pytest.mark.parametrize(
    ("hours", "short"),
    [pytest.param(6, SHORT, id="short for everybody"), pytest.param(9, 9 * HOUR, id="short for whom it is")],
)
def test_a_short_range_is_read_from_rows(tmp_path: Path, hours: int, short: timedelta) -> None:
    write_table(tmp_path, CPU, samples(60))
    roll_up(tmp_path, START, 10)

    assert (
        StoredTable(tmp_path / HOST / CPU.name, CPU, Damage()).aggregate(START, START + hours * HOUR, short=short)
        is None
    )


def test_a_short_range_whose_rows_have_expired_comes_from_roll_ups(tmp_path: Path) -> None:
    paths = write_table(tmp_path, CPU, samples(60))
    roll_up(tmp_path, START, 10)
    whole = joined(summed(tmp_path, START, START + 4 * HOUR))
    paths[0].unlink()

    result = StoredTable(tmp_path / HOST / CPU.name, CPU, Damage()).aggregate(START, START + 4 * HOUR)

    assert result is not None
    assert _same_but_for_drawing(result, whole)


def test_without_roll_ups_there_is_nothing_to_help(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples(60))

    assert StoredTable(tmp_path / HOST / CPU.name, CPU, Damage()).aggregate(START, START + 9 * HOUR) is None


def test_many_days_of_rows_without_roll_ups_are_summed_up_piece_by_piece(tmp_path: Path) -> None:
    days = 4
    write_table(tmp_path, CPU, [(START + hour * HOUR, [("all", float(hour), 0.0)]) for hour in range(24 * days)])
    until = START + 24 * days * HOUR

    result = StoredTable(tmp_path / HOST / CPU.name, CPU, Damage()).aggregate(START, until)

    assert result is not None
    rows = joined(summed(tmp_path, START, until))
    assert (result.sources, _same_but_for_drawing(result, rows)) == (("1h", "rows"), True)


def test_an_hour_that_got_rows_after_it_was_summed_up_is_read_from_its_rows(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, samples(60))
    roll_up(tmp_path, START, 10)
    write_table(tmp_path, CPU, [(START + timedelta(seconds=90), [("all", 99.0, 0.0)])])

    result = StoredTable(tmp_path / HOST / CPU.name, CPU, Damage()).aggregate(START, START + 10 * HOUR)

    assert result is not None
    assert (result.sources, result.series[0].digests[0] and result.series[0].digests[0].high) == (("1h", "rows"), 99.0)


@pytest.mark.parametrize(
    ("expired", "noted"), [pytest.param(False, 0, id="its rows are there"), pytest.param(True, 1, id="and no rows")]
)
def test_a_broken_roll_up_is_damage_only_where_no_row_can_stand_in(tmp_path: Path, expired: bool, noted: int) -> None:
    paths = write_table(tmp_path, CPU, samples(60))
    roll_up(tmp_path, START, 10)
    broken = tmp_path / HOST / FOLDER / "1h" / RollupFile("cpu", Resolution.HOUR, START + 3 * HOUR).name
    broken.write_bytes(broken.read_bytes()[:-9])
    if expired:
        paths[3].unlink()
    damage = Damage()

    result = StoredTable(tmp_path / HOST / CPU.name, CPU, damage).aggregate(START, START + 10 * HOUR)

    assert result is not None
    assert (len(result.ticks), damage.count) == (54 if expired else 60, noted)


def test_expired_rows_are_still_told_by_their_roll_ups(tmp_path: Path) -> None:
    paths = write_table(tmp_path, CPU, samples(60))
    roll_up(tmp_path, START, 10)
    for path in paths:
        path.unlink()

    result = StoredTable(tmp_path / HOST / CPU.name, CPU, Damage()).aggregate(START, START + 10 * HOUR)

    assert result is not None
    assert (result.sources, len(result.ticks), result.origin) == (("1h",), 60, ORIGIN)


def test_processes_are_summed_by_name_user_and_unit(tmp_path: Path) -> None:
    rows = [
        [("1", "a", "java", "root", "x.service", 50.0, 10.0), ("2", "a", "java", "root", "x.service", 30.0, 5.0)],
        [("3", "b", "java", "root", "x.service", 10.0, 7.0)],
        [("-1", "-", "(others)", "-", "-", 1.0, 1.0)],
    ]
    write_table(
        tmp_path, PROCESS, [(START + timedelta(seconds=10 * index), result) for index, result in enumerate(rows)]
    )
    history = RowReader(tmp_path / HOST / "process", PROCESS, Damage()).history(START, START + HOUR)
    file = RollupFile("process", Resolution.HOUR, START)
    write_compressed(tmp_path / file.name, rollup_file.encode(aggregate(history), file))

    result = rollup_file.read(tmp_path / file.name, file, Damage())

    assert result is not None
    java = next(group for group in result.groups if ("name", "java") in group.labels)
    use = java.uses["process_cpu_percent"]
    assert (java.pids, use.ticks, use.total, use.high) == (frozenset({"1", "2", "3"}), 2, 90.0, 80.0)


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(st.integers(0, 8 * 3600), st.one_of(st.none(), st.floats(-1e9, 1e9))),
        min_size=1,
        max_size=60,
        unique_by=lambda pair: pair[0],
    )
)
def test_whatever_was_stored_the_sums_say_what_the_rows_say(
    tmp_path_factory: pytest.TempPathFactory, made: list[tuple[int, float | None]]
) -> None:
    data = tmp_path_factory.mktemp("data")
    rows: list[tuple[datetime, list[Row]]] = [
        (START + timedelta(seconds=seconds), [("all", number, 1.0)]) for seconds, number in sorted(made)
    ]
    write_table(data, CPU, rows)
    roll_up(data, START, 9)

    result = StoredTable(data / HOST / CPU.name, CPU, Damage()).aggregate(START, START + 9 * HOUR)

    assert result is not None
    assert _same_but_for_drawing(result, joined(summed(data, START, START + 9 * HOUR)))


def test_a_file_of_another_version_is_passed_over(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, [(START, [(1.0, 2.0)])])
    file = RollupFile("load", Resolution.HOUR, START)
    text = rollup_file.encode(
        aggregate(RowReader(tmp_path / HOST / "load", LOAD, Damage()).history(START, START + HOUR)), file
    )
    write_compressed(tmp_path / file.name, text.replace(b'"version":2', b'"version":3'))
    damage = Damage()

    assert (rollup_file.read(tmp_path / file.name, file, damage), damage.count) == (None, 0)


def test_a_roll_up_that_is_too_large_to_be_read_at_once_is_read_as_well(tmp_path: Path) -> None:
    chance = random.Random(3)  # noqa: S311 - the same each time
    rows: list[Row] = [(str(core), chance.random(), chance.random()) for core in range(4000)]
    write_table(tmp_path, CPU, [(START, rows)])
    file = RollupFile("cpu", Resolution.HOUR, START)
    made = aggregate(RowReader(tmp_path / HOST / "cpu", CPU, Damage()).history(START, START + HOUR))
    path = tmp_path / file.name
    write_compressed(path, rollup_file.encode(made, file))

    assert (rollup_file.read(path, file, Damage()), path.stat().st_size > 65_536) == (made, True)


OLD, NEW = Origin("web-01", {"role": "old"}), Origin("web-01", {"role": "new"})


@pytest.mark.parametrize(
    ("origins", "origin"),
    [
        pytest.param([OLD, NEW], NEW, id="the latest"),
        pytest.param([NEW, None], NEW, id="not of a part that tells none"),
        pytest.param([None, NEW], NEW, id="not of an earlier part that tells none"),
        pytest.param([None, None], None, id="none"),
    ],
)
@pytest.mark.parametrize("backwards", [False, True])
def test_the_origin_of_a_sum_is_that_of_its_latest_part_in_whatever_order_they_come(
    origins: list[Origin | None], origin: Origin | None, backwards: bool
) -> None:
    parts = [TableAggregate(each, ((1000 * number, 10, 2),)) for number, each in enumerate(origins)]
    parts.append(TableAggregate(OLD, ()))  # one without a tick says nothing
    merger = AggregateMerger(CPU)

    for part in reversed(parts) if backwards else parts:
        merger.add(part)

    assert merger.result(()).origin == origin
