from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.datadir.damage import Damage
from sysmon.datadir.segments import Form
from sysmon.formats.decode import LARGEST
from sysmon.history import StoredRow
from sysmon.model import Kind, Metric, Origin, Row, Table, Unit
from sysmon.reading.infer_table import discover_table
from sysmon.reading.rows import RowReader
from sysmon.text.names import escape
from tests.reading.stored import CPU, HOUR, LOAD, ORIGIN, START, at, write_table

DAYS = timedelta(days=2)
FORMS = [
    pytest.param(Form.JSONL, False, id="jsonl"),
    pytest.param(Form.JSONL, True, id="jsonl.gz"),
    pytest.param(Form.CSV, False, id="csv"),
    pytest.param(Form.CSV, True, id="csv.gz"),
]
NAMES = st.text(max_size=12).map(escape)
NUMBERS = st.none() | st.integers(-(2**62), 2**62) | st.floats(-LARGEST, LARGEST)
ROWS = st.lists(st.tuples(NAMES, NUMBERS, NUMBERS), max_size=4)


def stored(folder: Path, table: Table, since: datetime = START, until: datetime = START + DAYS) -> list[StoredRow]:
    """Return the rows of a table that was written for ORIGIN, none of which may be damaged."""
    damage = Damage()
    rows = list(RowReader(folder / ORIGIN.hostname / table.name, table, damage).rows(since, until))
    assert damage.messages() == []
    return rows


def put(folder: Path, name: str, text: str) -> Path:
    """Write a file as another program may have; return its folder."""
    path = folder / name.partition("-")[0] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.parent


@pytest.mark.parametrize(("form", "packed"), FORMS)
@settings(max_examples=25, deadline=None)
@given(st.lists(ROWS, max_size=5))
def test_what_was_written_is_what_is_read(form: Form, packed: bool, ticks: list[list[Row]]) -> None:
    samples = [(at(1234 * index), rows) for index, rows in enumerate(ticks)]
    with TemporaryDirectory() as folder:
        write_table(Path(folder), CPU, samples, form=form, packed=packed)

        result = stored(Path(folder), CPU)

    assert [repr(row) for row in result] == [
        repr(StoredRow(instant, ORIGIN, row)) for instant, rows in samples for row in rows
    ]


@pytest.mark.parametrize(("form", "packed"), FORMS)
def test_the_range_holds_its_beginning_and_not_its_end(tmp_path: Path, form: Form, packed: bool) -> None:
    write_table(tmp_path, LOAD, [(at(900 * n), [(n, None)]) for n in range(12)], form=form, packed=packed)

    result = stored(tmp_path, LOAD, at(1800), at(7200))

    assert [row.row for row in result] == [(n, None) for n in range(2, 8)]


@pytest.mark.parametrize("span", [1, 7, 3600])
def test_any_range_holds_what_a_look_at_every_row_finds(tmp_path: Path, span: int) -> None:
    write_table(tmp_path, LOAD, [(at(500 * n), [(n, None)]) for n in range(40)])
    ranges = [(START + timedelta(milliseconds=499_999 * n), timedelta(seconds=span)) for n in range(20)]

    result = [[row.at for row in stored(tmp_path, LOAD, begin, begin + length)] for begin, length in ranges]

    every = [row.at for row in stored(tmp_path, LOAD)]
    assert result == [[instant for instant in every if begin <= instant < begin + length] for begin, length in ranges]


def test_of_two_copies_one_is_read(tmp_path: Path) -> None:
    samples = [(at(n), [(n, None)]) for n in range(3)]
    for form, packed in ((Form.JSONL, False), (Form.CSV, False), (Form.JSONL, True)):
        write_table(tmp_path, LOAD, samples, form=form, packed=packed)

    assert len(stored(tmp_path, LOAD)) == 3


def test_equal_rows_at_one_instant_all_count(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, [(at(0), [(1, 2), (1, 2)])])

    assert len(stored(tmp_path, LOAD)) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("cpu-20261120T120000Z-1h.jsonl", '{"timestamp":"2026-11-20T12:00:10Z","cpu_steal_percent":3}\n'),
        pytest.param("cpu-20261120T120000Z-1h.csv", "timestamp,cpu_steal_percent\n2026-11-20T12:00:10Z,3\n"),
        pytest.param(
            "cpu-20261120T120000Z.csv", "cpu_steal_percent,mood,timestamp\n3,fine,2026-11-20T13:00:10+01:00\n"
        ),
    ],
)
def test_missing_columns_are_null_and_strange_ones_left_out(tmp_path: Path, name: str, text: str) -> None:
    folder = put(tmp_path / "web-07", name, text)

    result = list(RowReader(folder, CPU, Damage()).rows(START, START + HOUR))

    assert result == [StoredRow(at(10), Origin("web-07"), ("-", None, 3))]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("rooms-20261120T120000Z.csv", "timestamp,room,celsius\n2026-11-20T12:00:10Z,attic,3\n"),
        pytest.param(
            "rooms-20261120T120000Z.jsonl",
            '{"timestamp":"2026-11-20T12:00:10Z","room":"attic","celsius":null}\n',
        ),
    ],
)
def test_a_table_of_another_program_shows_what_it_holds(tmp_path: Path, name: str, text: str) -> None:
    folder = put(tmp_path, name, text)

    table = discover_table(folder, START, START + HOUR)

    assert (table.name, table.labels, table.metrics) == (
        "rooms",
        ("room",),
        (Metric("celsius", Kind.GAUGE, Unit.NONE, ""),),
    )


def test_a_file_that_was_packed_meanwhile_is_read_all_the_same(tmp_path: Path) -> None:
    paths = write_table(tmp_path, LOAD, [(at(3600 * n), [(n, None)]) for n in range(3)])
    damage = Damage()
    rows = RowReader(paths[0].parent, LOAD, damage).rows(START, START + DAYS)
    first = next(rows)
    paths[1].unlink()
    write_table(tmp_path, LOAD, [(at(3600), [(1, None)])], packed=True)

    result = [first, *rows]

    assert ([row.row[0] for row in result], damage.count) == ([0, 1, 2], 0)


def test_a_file_that_expired_meanwhile_is_no_damage(tmp_path: Path) -> None:
    paths = write_table(tmp_path, LOAD, [(at(3600 * n), [(n, None)]) for n in range(3)])
    damage = Damage()
    rows = RowReader(paths[0].parent, LOAD, damage).rows(START, START + DAYS)
    first = next(rows)
    paths[1].unlink()

    result = [first, *rows]

    assert ([row.row[0] for row in result], damage.count) == ([0, 2], 0)


def test_columns_of_numbers_hold_the_same_as_the_rows(tmp_path: Path) -> None:
    write_table(tmp_path, CPU, [(at(n), [("all", n, None), ("0", n / 2, 7)]) for n in range(3)])

    result = RowReader(tmp_path / "web-01" / "cpu", CPU, Damage()).history(START, START + HOUR)

    columns = [(series.labels, list(series.column(0)), str(list(series.column(1)))) for series in result.series]
    assert (columns, len(result.ticks), result.origin) == (
        [(("all",), [0, 1, 2], "[nan, nan, nan]"), (("0",), [0, 0.5, 1], "[7.0, 7.0, 7.0]")],
        3,
        ORIGIN,
    )
