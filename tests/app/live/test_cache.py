"""Rows around an instant are read once, and what may still grow is read on."""

from collections.abc import Callable
from pathlib import Path

import pytest

from sysmon.app.live.cache import KEPT, RowCache
from sysmon.datadir.damage import Damage
from sysmon.reading.seek import SeekableTable
from sysmon.text.instants import to_ms
from tests.reading.stored import CPU, at, write_table

STRETCH = 60_000


def _ms(second: float) -> int:
    return to_ms(at(second))


@pytest.fixture
def grow(tmp_path: Path) -> Callable[[int], None]:
    def write(until: int) -> None:
        write_table(tmp_path, CPU, [(at(second), [("all", float(second), 0.0)]) for second in range(0, until, 10)])

    return write


@pytest.fixture
def shelf(tmp_path: Path) -> RowCache:
    return RowCache(SeekableTable(tmp_path / "web-01" / "cpu", CPU, Damage()), STRETCH)


def _seconds(shelf: RowCache, first: int, last: int, edge: int) -> list[int]:
    return [round((ms - _ms(0)) / 1000) for ms in shelf.read_between(_ms(first), _ms(last), edge=_ms(edge))]


def test_a_range_over_several_stretches_is_whole_and_in_order(shelf: RowCache, grow: Callable[[int], None]) -> None:
    grow(300)

    assert _seconds(shelf, 45, 200, 290) == list(range(50, 201, 10))


def test_what_was_written_since_is_found_in_a_stretch_that_may_grow(
    shelf: RowCache, grow: Callable[[int], None]
) -> None:
    grow(30)
    before = _seconds(shelf, 0, 59, 20)
    grow(60)

    assert (before, _seconds(shelf, 0, 59, 50)) == ([0, 10, 20], [0, 10, 20, 30, 40, 50])


def test_a_stretch_that_is_over_is_not_read_again(tmp_path: Path, shelf: RowCache, grow: Callable[[int], None]) -> None:
    grow(120)
    before = _seconds(shelf, 0, 59, 110)
    for path in (tmp_path / "web-01" / "cpu").iterdir():
        path.unlink()

    assert (before, _seconds(shelf, 0, 59, 110)) == ([0, 10, 20, 30, 40, 50],) * 2


def test_only_so_much_is_remembered(tmp_path: Path, shelf: RowCache, grow: Callable[[int], None]) -> None:
    grow(60 * (KEPT + 2))
    for number in range(KEPT + 1):
        _seconds(shelf, 60 * number, 60 * number + 59, 60 * (KEPT + 2))
    for path in (tmp_path / "web-01" / "cpu").iterdir():
        path.unlink()

    assert (_seconds(shelf, 60, 60, 9999), _seconds(shelf, 0, 59, 9999)) == ([60], [])
