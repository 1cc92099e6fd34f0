"""A thousand ways to spoil a file: nothing is made up, and every line is either read or counted."""

import gzip
import random
import time
from pathlib import Path

import pytest

from sysmon.app.admin.verify import verify_files
from sysmon.datadir.damage import Damage
from sysmon.model import Row
from sysmon.reading.rows import RowReader
from tests.reading.stored import HOUR, LOAD, START, at, write_table

WAYS = 1000
JUNK = [b"\0" * 300, b"\xff\xfe\xfd", b"\n\n\n", b'{"timestamp":', b"[" * 5000, b"\r", b'"', b"\x1b[2J", b"}{", b",,,,"]
WRITTEN = [(at(10 * index), [(index / 7, float(index))]) for index in range(60)]


def spoilt(content: bytes, chance: random.Random) -> bytes:
    """Return content with a few pages lost, bytes flipped, garbage added, or its end cut off.

    A flip never makes one digit of another: that nobody could see in text.
    """
    broken = bytearray(content)
    for _ in range(chance.randrange(1, 5)):
        place = chance.randrange(len(broken) + 1)
        match chance.randrange(4):
            case 0:
                lost = broken[place : place + chance.randrange(200)]
                broken[place : place + len(lost)] = bytes(len(lost))
            case 1:
                broken[place:place] = chance.choice(JUNK)
            case 2 if place < len(broken):
                broken[place] |= 0x80
            case _:
                del broken[len(broken) - chance.randrange(min(400, len(broken) + 1)) :]
    return bytes(broken)


def is_part(read: Row, written: Row) -> bool:
    """Say whether a row is what was written; text in the name of a column makes another name, and its value null."""
    return len(read) == len(written) and all(
        value is None or value == real for value, real in zip(read, written, strict=True)
    )


def lines_of(content: bytes) -> int:
    """Return how many lines a reader must read or count; an unfinished one without NULs is neither."""
    *lines, tail = content.split(b"\n")
    return len(lines) + (b"\0" in tail)


@pytest.mark.parametrize("seed", range(4))
def test_each_line_of_a_spoilt_file_is_read_or_counted_and_nothing_is_made_up(tmp_path: Path, seed: int) -> None:
    (path,) = write_table(tmp_path, LOAD, WRITTEN)
    content = path.read_bytes()
    written = {when: rows[0] for when, rows in WRITTEN}
    chance = random.Random(seed)  # noqa: S311 - the same ways each time
    wrong, slowest = [], 0.0
    for way in range(WAYS // 4):
        broken = spoilt(content, chance)
        path.write_bytes(broken)
        damage = Damage()
        began = time.monotonic()
        rows = list(RowReader(path.parent, LOAD, damage).rows(START, START + HOUR))
        slowest = max(slowest, time.monotonic() - began)
        true = all(is_part(row.row, written.get(row.at, ())) for row in rows)
        if len(rows) + damage.count != lines_of(broken) or not true:
            wrong.append(way)

    assert (wrong, slowest < 60) == ([], True)


@pytest.mark.parametrize("seed", range(4))
def test_a_spoilt_packed_file_is_never_passed_over_in_silence(tmp_path: Path, seed: int) -> None:
    (path,) = write_table(tmp_path, LOAD, WRITTEN, packed=True)
    content = gzip.compress(gzip.decompress(path.read_bytes()), mtime=0)
    chance = random.Random(seed)  # noqa: S311 - the same ways each time
    silent = []
    for way in range(50):
        broken = spoilt(content, chance)
        path.write_bytes(broken)
        damage = Damage()
        rows = list(RowReader(path.parent, LOAD, damage).rows(START, START + HOUR))
        whole = [row.row for row in rows] == [tuple(rows[0]) for _, rows in WRITTEN]
        if not (damage.count or whole):
            silent.append(way)

    assert silent == []


def test_verify_says_something_of_every_file_that_a_reader_would_stumble_over(tmp_path: Path) -> None:
    (path,) = write_table(tmp_path, LOAD, WRITTEN)
    content = path.read_bytes()
    chance = random.Random(99)  # noqa: S311 - the same ways each time
    missed = []
    for way in range(100):
        path.write_bytes(spoilt(content, chance))
        damage = Damage()
        list(RowReader(path.parent, LOAD, damage).rows(START, START + HOUR))
        if len(verify_files(tmp_path, repair=False).faults) < damage.count:
            missed.append(way)

    assert missed == []
