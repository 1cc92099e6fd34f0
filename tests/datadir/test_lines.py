"""The one reader of lines holds no more than one line of a MiB, whatever the file is made of."""

import gzip
import io
import os
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from sysmon.app.agent.restore import read_log
from sysmon.datadir.damage import Damage
from sysmon.datadir.lines import GIVEN_UP, LONGEST_LINE, open_file, read_lines
from sysmon.datadir.rollups import Resolution, RollupFile
from sysmon.reading import rollup_file, rollup_minutes
from tests.reading.stored import START

MIB = 1024**2
HOLE = 4 * 1024 * MIB
LITTLE = 8 * MIB
"""What a reader may take: a line of a MiB, and a few pieces of it."""


class CountingFile(io.FileIO):
    """A file that knows how often it was read."""

    reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, and count."""
        self.reads += 1
        return super().read(size)


def lines_of(path: Path, damage: Damage) -> list[tuple[int, bytes]]:
    """Return the numbered lines of a file, with what is damaged in it."""
    with open_file(path) as file:
        batches = list(read_lines(file, path, damage, packed=path.suffix == ".gz"))
    return [(first + offset, line) for first, lines in batches for offset, line in enumerate(lines)]


def write_packed(path: Path, piece: bytes, count: int) -> None:
    """Write a packed file of equal pieces, without ever holding them all."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    with path.open("wb") as file:
        for _ in range(count):
            file.write(packer.compress(piece))
        file.write(packer.flush())


def peak_of(work: Callable[[], object]) -> int:
    """Return how many bytes some work held at most."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.fixture
def sparse(tmp_path: Path) -> Iterator[Path]:
    """Give a file that is a hole of 4 GiB between two lines."""
    path = tmp_path / "load.jsonl"
    path.write_bytes(b"before\n")
    os.truncate(path, HOLE)
    with path.open("ab") as file:
        file.write(b"\nafter\n")
    with path.open("rb") as file:
        if os.lseek(file.fileno(), MIB, os.SEEK_DATA) < HOLE // 2:
            pytest.skip("this file system does not tell where holes are")
    yield path
    path.unlink()


def test_a_hole_is_not_read_and_what_follows_it_is(sparse: Path) -> None:
    damage = Damage()
    with CountingFile(sparse) as file:
        lines = [line for _, batch in read_lines(file, sparse, damage, packed=False) for line in batch]

        assert (lines, damage.lines) == ([b"before", b"after"], [f"{sparse}:2: a line of more than 1024 KiB"])
        assert file.reads < 10


def test_a_hole_up_to_the_end_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "load.jsonl"
    path.write_bytes(b"before\n")
    os.truncate(path, HOLE)
    damage = Damage()

    assert lines_of(path, damage) == [(1, b"before")]
    assert damage.lines == [f"{path}:2: a line of more than 1024 KiB"]


def test_a_hole_that_fits_into_a_line_is_part_of_it(tmp_path: Path) -> None:
    path = tmp_path / "load.jsonl"
    path.write_bytes(b"a" * 4096)
    os.truncate(path, 4096 + LONGEST_LINE // 2)
    with path.open("ab") as file:
        file.write(b"b\n")

    assert lines_of(path, Damage()) == [(1, b"a" * 4096 + bytes(LONGEST_LINE // 2) + b"b")]


@pytest.mark.parametrize("content", [b"\0" * MIB, b"x" * MIB])
def test_a_line_without_an_end_is_given_up_and_never_held(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "load.jsonl.gz"
    write_packed(path, content, GIVEN_UP // MIB + 8)
    damage = Damage()

    assert peak_of(lambda: lines_of(path, damage)) < LITTLE
    assert damage.lines == [f"{path}:1: a line of more than 64 MiB: the rest of the file is left out"]


def test_a_long_line_that_ends_in_time_is_skipped_and_the_next_is_read(tmp_path: Path) -> None:
    path = tmp_path / "load.jsonl.gz"
    path.write_bytes(gzip.compress(b"x" * (GIVEN_UP // 2) + b"\nafter\n", 1))
    damage = Damage()

    assert lines_of(path, damage) == [(2, b"after")]
    assert damage.lines == [f"{path}:1: a line of more than 1024 KiB"]


def test_a_run_that_begins_never_holds_a_long_line_of_the_alert_log_and_names_it(tmp_path: Path) -> None:
    path = tmp_path / "alerts-20261120T000000Z-1d.jsonl.gz"
    write_packed(path, bytes(MIB), 80)
    damage = Damage()

    assert peak_of(lambda: read_log(tmp_path, START + timedelta(hours=1), damage)) < LITTLE
    assert damage.lines == [f"{path}:1: a line of more than 64 MiB: the rest of the file is left out"]


def test_a_run_that_begins_gives_up_on_a_file_of_which_nothing_can_be_read(tmp_path: Path) -> None:
    path = tmp_path / "alerts-20261120T000000Z-1d.jsonl.gz"
    write_packed(path, b"\n" * MIB, 20)
    damage = Damage(kept=MIB)

    read_log(tmp_path, START + timedelta(hours=1), damage)

    assert damage.count < MIB
    assert damage.lines[0] == f"{path}:1: no record (Expecting value: line 1 column 1 (char 0))"
    assert damage.lines[-1].endswith("the rest of the file is left out")


@pytest.mark.parametrize("piece", [b"\n" * MIB, bytes(MIB)])
@pytest.mark.parametrize("resolution", [Resolution.HOUR, Resolution.MINUTE])
def test_a_roll_up_that_unpacks_to_very_much_is_not_held(tmp_path: Path, resolution: Resolution, piece: bytes) -> None:
    path = tmp_path / "load-20261120T12.jsonl.gz"
    write_packed(path, piece, 80)
    damage = Damage()
    read = rollup_minutes.read if resolution is Resolution.MINUTE else rollup_file.read

    assert peak_of(lambda: read(path, RollupFile("load", resolution, START), damage)) < LITTLE
    assert damage.count == 1
