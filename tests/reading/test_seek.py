"""Rows found by halving a file are the rows that reading all of it finds."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.datadir.damage import Damage
from sysmon.datadir.segments import Form
from sysmon.reading.rows import RowReader
from sysmon.reading.seek import DamageOnce, SeekableTable
from sysmon.text.instants import to_ms
from tests.datadir.test_lines import LITTLE, peak_of
from tests.reading.stored import CPU, at, write_table

LENGTH = 5000
HOLE = range(1000, 1500)
SECONDS = [second for second in range(LENGTH) if second not in HOLE]
LINES_AN_HOUR = 2 * len([second for second in SECONDS if second < 3600])


def _write(data: Path, form: Form, *, packed: bool = False) -> list[Path]:
    samples = [(at(second), [("all", float(second), 0.0), ("0", None, 1.0)]) for second in SECONDS]
    return write_table(data, CPU, samples, form=form, packed=packed)


@pytest.fixture(scope="module", params=["jsonl", "csv", "jsonl.gz", "csv.gz"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    form, _, packed = request.param.partition(".")
    return _write(tmp_path_factory.mktemp("near"), Form(form), packed=bool(packed))[0].parent


@settings(max_examples=20)
@given(st.integers(-10, LENGTH + 10), st.sampled_from([0.001, 1, 7, 300, 4000]))
def test_the_rows_of_a_range_are_those_that_a_whole_reading_finds(folder: Path, begin: int, length: float) -> None:
    since, until = at(begin), at(begin + length)

    result = SeekableTable(folder, CPU, Damage()).ticks(since, until)

    whole = [(to_ms(stored.at), stored.row) for stored in RowReader(folder, CPU, Damage()).rows(since, until)]
    assert [(ms, row) for ms, rows in result.items() for row in rows] == whole


@pytest.mark.parametrize(
    ("second", "before", "after"),
    [
        pytest.param(1.5, 1, 2, id="between two samples"),
        pytest.param(5, 4, 5, id="at a sample"),
        pytest.param(1200, 999, 1500, id="in a hole"),
        pytest.param(3600, 3599, 3600, id="where a file begins"),
        pytest.param(0, None, 0, id="at the first"),
        pytest.param(9000, 4999, None, id="after the last"),
    ],
)
def test_the_neighbours_of_an_instant_are_found(
    folder: Path, second: float, before: int | None, after: int | None
) -> None:
    nearby = SeekableTable(folder, CPU, Damage())

    result = nearby.last_before(at(second)), nearby.first_from(at(second))

    assert result == tuple(None if offset is None else to_ms(at(offset)) for offset in (before, after))


def test_what_is_written_later_is_found_too(tmp_path: Path) -> None:
    nearby = SeekableTable(tmp_path / "web-01" / "cpu", CPU, Damage())
    before = nearby.last_before(at(9000))
    write_table(tmp_path, CPU, [(at(10), [("all", 1.0, 0.0)])])

    after = nearby.last_before(at(9000))

    assert (before, after) == (None, to_ms(at(10)))


@pytest.mark.parametrize(("form", "line"), [(Form.JSONL, 3001), (Form.CSV, 3002)])
def test_a_broken_line_nearby_is_counted_once_under_its_number_in_the_whole_file(
    tmp_path: Path, form: Form, line: int
) -> None:
    path = _write(tmp_path, form)[0]
    lines = path.read_bytes().split(b"\n")
    lines[line - 1] = lines[line - 1][:40]
    path.write_bytes(b"\n".join(lines))
    damage = DamageOnce()
    nearby = SeekableTable(path.parent, CPU, damage)

    for _ in range(2):
        nearby.ticks(at(1990), at(2010))

    assert (damage.count, damage.lines[0].startswith(f"{path}:{line}: ")) == (1, True)


def test_damage_far_away_is_of_no_interest(tmp_path: Path) -> None:
    path = _write(tmp_path, Form.JSONL)[0]
    path.write_bytes(b"{broken\n" + path.read_bytes())
    damage = DamageOnce()

    result = SeekableTable(path.parent, CPU, damage).ticks(at(3000), at(3001))

    assert (damage.count, list(result)) == (0, [to_ms(at(3000))])


@pytest.mark.parametrize("packed", [False, True])
def test_a_line_with_a_time_that_its_file_cannot_hold_hides_none_of_its_neighbours(
    tmp_path: Path, packed: bool
) -> None:
    path = _write(tmp_path, Form.JSONL)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    for number in range(100, LINES_AN_HOUR, 7):
        lines[number] = lines[number].replace(b'"2026-', b'"2028-' if number % 2 else b'"2020-')
    path.write_bytes(b"".join(lines))
    if packed:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))

    result = SeekableTable(path.parent, CPU, Damage()).ticks(at(2900), at(3100))

    whole = [
        (to_ms(stored.at), stored.row) for stored in RowReader(path.parent, CPU, Damage()).rows(at(2900), at(3100))
    ]
    assert ([(ms, row) for ms, rows in result.items() for row in rows], len(whole) > 300) == (whole, True)


def test_a_file_of_another_program_is_read_whole_because_its_lines_may_be_in_any_order(tmp_path: Path) -> None:
    path = _write(tmp_path, Form.JSONL)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.unlink()
    (path.parent / "cpu-20261120T120000Z.jsonl").write_bytes(b"".join(reversed(lines)))

    result = SeekableTable(path.parent, CPU, Damage()).ticks(at(7), at(9))

    assert {ms: len(rows) for ms, rows in result.items()} == {to_ms(at(7)): 2, to_ms(at(8)): 2}


@pytest.mark.parametrize("form", list(Form))
def test_a_hole_of_four_gibibytes_is_neither_read_nor_held(tmp_path: Path, form: Form) -> None:
    path = _write(tmp_path, form)[0]
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-10]))
    os.truncate(path, 4 * 1024**3)
    with path.open("ab") as file:
        file.write(b"\n" + b"".join(lines[-10:]))
    damage = DamageOnce()
    nearby = SeekableTable(path.parent, CPU, damage)
    ticks: list[int] = []

    assert peak_of(lambda: ticks.extend(nearby.ticks(at(3500), at(3600)))) < LITTLE
    assert (ticks[0], ticks[-1], len(ticks)) == (to_ms(at(3500)), to_ms(at(3599)), 100)
    assert damage.lines == [f"{path}:{len(lines) - 10 + 1}: a line of more than 1024 KiB"]
    path.unlink()


@pytest.mark.parametrize("form", list(Form))
def test_a_first_line_without_an_end_is_not_held(tmp_path: Path, form: Form) -> None:
    path = _write(tmp_path, form)[0]
    os.truncate(path, 0)
    os.truncate(path, 4 * 1024**3)
    nearby = SeekableTable(path.parent, CPU, DamageOnce())

    assert peak_of(lambda: nearby.last_before(at(3600))) < LITTLE
    path.unlink()
