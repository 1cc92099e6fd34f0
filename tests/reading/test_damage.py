import gzip
from pathlib import Path

import pytest

from sysmon.datadir.damage import Damage
from sysmon.reading.decode import null_for_nan
from sysmon.reading.rows import RowReader
from tests.reading.stored import HOUR, LOAD, START, stamp


def line(seconds: int) -> bytes:
    return f'{{"timestamp":"{stamp(seconds)}","hostname":"web-01","load_average_1m":{seconds}.5}}\n'.encode()


def csv(seconds: int) -> bytes:
    return f"{stamp(seconds)},web-01,{seconds}.5,\n".encode()


def with_value(text: bytes) -> bytes:
    return f'{{"timestamp":"{stamp(15)}","hostname":"web-01","load_average_1m":'.encode() + text + b"}\n"


HEADER = b"timestamp,hostname,load_average_1m,context_switches_per_second\n"
JSON_LINES = [line(10), line(20), line(30)]
PACKED = gzip.compress(b"".join(line(seconds) for seconds in range(10, 3000, 10)))


def read(folder: Path, name: str, content: bytes) -> tuple[list[int], int, int]:
    """Return the seconds of the rows that survive, how much was damaged and how many lines were unfinished."""
    path = folder / "load" / name
    path.parent.mkdir()
    path.write_bytes(content)
    damage = Damage()
    rows = list(RowReader(path.parent, LOAD, damage).rows(START, START + HOUR))
    return [round((row.at - START).total_seconds()) for row in rows], damage.count, len(damage.unfinished)


@pytest.mark.parametrize(
    ("broken", "survivors"),
    [
        pytest.param(line(15)[:-20] + b"\n", [10, 20], id="a line cut short"),
        pytest.param(line(15)[:40] + line(16), [10, 20], id="a torn line glued to the next"),
        pytest.param(line(15)[:-1] + line(16), [10, 20], id="two rows in a line"),
        pytest.param(b"\0" * 300 + b"\n", [10, 20], id="NULs in the middle"),
        pytest.param(b"\n", [10, 20], id="an empty line"),
        pytest.param(b"[1,2]\n", [10, 20], id="a list"),
        pytest.param(b"5\n", [10, 20], id="a number"),
        pytest.param(b"{}\n", [10, 20], id="no timestamp"),
        pytest.param(b'{"timestamp":null}\n', [10, 20], id="a null timestamp"),
        pytest.param(b'{"timestamp":""}\n', [10, 20], id="an empty timestamp"),
        pytest.param(b'{"timestamp":1763640000}\n', [10, 20], id="a timestamp in seconds"),
        pytest.param(b'{"timestamp":"2026-13-45T00:00:00.000Z"}\n', [10, 20], id="a date that does not exist"),
        pytest.param(b'{"timestamp":"2026-11-20T12:00:60.000Z"}\n', [10, 20], id="a leap second"),
        pytest.param(b'{"timestamp":"2026-11-20T12:00:15"}\n', [10, 20], id="a time without an offset"),
        pytest.param(b'{"timestamp":"0001-01-01T00:00:00+14:00"}\n', [10, 20], id="before all time"),
        pytest.param(with_value(b'"hot"'), [10, 20], id="text where a number belongs"),
        pytest.param(with_value(b"true"), [10, 20], id="true where a number belongs"),
        pytest.param(with_value(b"Infinity"), [10, 20], id="infinity"),
        pytest.param(with_value(b"NaNa"), [10, 20], id="more than NaN"),
        pytest.param(with_value(b"1e999"), [10, 20], id="infinite"),
        pytest.param(with_value(b"9" * 5000), [10, 20], id="5000 digits"),
        pytest.param(with_value(b"07"), [10, 20], id="a leading zero"),
        pytest.param(line(15).replace(b"web", b"w\xffb"), [10, 20], id="no UTF-8"),
        pytest.param(line(15).replace(b"web", b"w\\ud800b"), [10, 20], id="half of a surrogate pair"),
        pytest.param(b'{"timestamp":"x","deep":' + b"[" * 100_000 + b"\n", [10, 20], id="nested without end"),
        pytest.param(b'{"a":"' + b"x" * 1_100_000 + b'"}\n', [10, 20], id="over a mebibyte"),
        pytest.param(b"x" * 5_000_000 + b"\n", [10, 20], id="over many chunks"),
        pytest.param(line(15).replace(b'"web-01"', b"7"), [10, 20], id="a host that is a number"),
    ],
)
def test_one_broken_line_costs_nothing_but_itself(tmp_path: Path, broken: bytes, survivors: list[int]) -> None:
    result = read(tmp_path, "load-20261120T120000Z-1h.jsonl", line(10) + broken + line(20))

    assert result == (survivors, 1, 0)


@pytest.mark.parametrize(
    ("spread", "lost"),
    [
        pytest.param(line(15).replace(b',"load', b',\n"load'), 2, id="over two lines"),
        pytest.param(line(15).replace(b',"load', b',\n\n"load'), 3, id="with a blank one in between"),
        pytest.param(b"\n" + line(15).replace(b',"load', b',\n"load') + line(17)[:-1] + line(18), 4, id="and glued"),
    ],
)
def test_a_row_is_one_line_and_never_several(tmp_path: Path, spread: bytes, lost: int) -> None:
    result = read(tmp_path, "load-20261120T120000Z-1h.jsonl", line(10) + spread + line(20))

    assert result == ([10, 20], lost, 0)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", ([], 0, 0), id="empty"),
        pytest.param(line(10) + line(20)[:-1], ([10], 0, 1), id="no newline at the end"),
        pytest.param(line(10) + line(20)[:25], ([10], 0, 1), id="a torn tail"),
        pytest.param(line(10) + b"\0" * 450, ([10], 1, 0), id="a tail of NULs"),
        pytest.param(line(10) + b"x" * 3_000_000, ([10], 1, 0), id="an endless last line"),
        pytest.param(b"\xef\xbb\xbf" + line(10), ([10], 0, 0), id="a byte order mark"),
        pytest.param(line(10)[:-1] + b"\r\n" + line(20), ([10, 20], 0, 0), id="carriage returns"),
        pytest.param(
            line(10).replace(b"web-01", "a\u2028b\x85".encode()), ([10], 0, 0), id="line separators in a name"
        ),
    ],
)
def test_the_end_and_the_beginning_of_a_file(
    tmp_path: Path, content: bytes, expected: tuple[list[int], int, int]
) -> None:
    result = read(tmp_path, "load-20261120T120000Z-1h.jsonl", content)

    assert result == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        pytest.param(b"", ([], 0, 0), id="empty"),
        pytest.param(HEADER, ([], 0, 0), id="a header alone"),
        pytest.param(HEADER[:-1], ([], 0, 1), id="a torn header"),
        pytest.param(csv(10) + csv(20), ([], 1, 0), id="no header"),
        pytest.param(b"timestamp,timestamp\n" + csv(10), ([], 1, 0), id="a column twice"),
        pytest.param(b"\xff\xfe\n" + csv(10), ([], 1, 0), id="a header of bytes"),
        pytest.param(HEADER + csv(10) + b'2026,"' + csv(20) + csv(30), ([10, 30], 1, 0), id="an open quote"),
        pytest.param(HEADER + csv(10) + b"1,2\n" + csv(20), ([10, 20], 1, 0), id="cells are missing"),
        pytest.param(HEADER + csv(10) + csv(15)[:-1] + b",9\n" + csv(20), ([10, 20], 1, 0), id="a cell too many"),
        pytest.param(HEADER + b",web-01,1,2\n" + csv(20), ([20], 1, 0), id="an empty timestamp"),
        pytest.param(HEADER + csv(15).replace(b"15.5", b"hot") + csv(20), ([20], 1, 0), id="text for a number"),
        pytest.param(HEADER + csv(15).replace(b"15.5", b"inf") + csv(20), ([20], 1, 0), id="infinity"),
        pytest.param(HEADER + csv(15).replace(b"15.5", b"null") + csv(20), ([20], 1, 0), id="the word null"),
        pytest.param(HEADER + csv(15).replace(b"15.5", b"1_0") + csv(20), ([20], 1, 0), id="digits as Python has them"),
        pytest.param(HEADER + csv(15).replace(b"15.5", b'"x"') + csv(20), ([20], 1, 0), id="quoted text for a number"),
        pytest.param(HEADER + csv(10).replace(b"\n", b"\r\n") + csv(20), ([10, 20], 0, 0), id="carriage returns"),
        pytest.param(HEADER + csv(10).replace(b"web", b'"a,""b"""'), ([], 1, 0), id="text after a quote"),
        pytest.param(HEADER + csv(10).replace(b"web-01", b'"a,""b"""'), ([10], 0, 0), id="a comma in a name"),
        pytest.param(HEADER + csv(10) + csv(20)[:-5], ([10], 0, 1), id="a torn tail"),
    ],
)
def test_csv_is_read_line_by_line_too(tmp_path: Path, content: bytes, expected: tuple[list[int], int, int]) -> None:
    result = read(tmp_path, "load-20261120T120000Z-1h.csv", content)

    assert result == expected


@pytest.mark.parametrize(
    ("content", "survivors", "damaged"),
    [
        pytest.param(PACKED, 299, 0, id="whole"),
        pytest.param(PACKED + b"\0" * 512, 299, 0, id="zeros after it"),
        pytest.param(PACKED + PACKED, 598, 0, id="two members"),
        pytest.param(b"", 0, 1, id="empty"),
        pytest.param(PACKED + b"garbage", 299, 1, id="garbage after it"),
        pytest.param(b"no gzip at all", 0, 1, id="not packed"),
        pytest.param(PACKED[:-4], 299, 1, id="without its length"),
        pytest.param(PACKED[:-8] + b"\0\0\0\0" + PACKED[-4:], 299, 1, id="a wrong checksum"),
        pytest.param(gzip.compress(b"\n" * 100_000), 0, 100_000, id="nothing but newlines"),
        pytest.param(gzip.compress(b"\0" * 50_000_000), 0, 1, id="a bomb"),
    ],
)
def test_a_packed_file_gives_all_that_stands_before_its_fault(
    tmp_path: Path, content: bytes, survivors: int, damaged: int
) -> None:
    rows, count, unfinished = read(tmp_path, "load-20261120T120000Z-1h.jsonl.gz", content)

    assert (len(rows), count, unfinished) == (survivors, damaged, 0)


@pytest.mark.parametrize("kept", [0.3, 0.5, 0.9])
def test_a_packed_file_that_was_cut_gives_a_prefix_of_its_rows(tmp_path: Path, kept: float) -> None:
    rows, count, _ = read(tmp_path, "load-20261120T120000Z-1h.jsonl.gz", PACKED[: int(len(PACKED) * kept)])

    assert (rows, count, len(rows) > 100 * kept) == (list(range(10, 3000, 10))[: len(rows)], 1, True)


def test_a_flipped_bit_in_a_packed_file_loses_only_what_follows(tmp_path: Path) -> None:
    broken = bytearray(PACKED)
    broken[-200] ^= 0x10

    rows, count, _ = read(tmp_path, "load-20261120T120000Z-1h.jsonl.gz", bytes(broken))

    assert (rows[:100], count >= 1) == (list(range(10, 1010, 10)), True)


def test_damage_is_told_with_file_line_and_reason_up_to_twenty_times(tmp_path: Path) -> None:
    damage = Damage()
    path = tmp_path / "load" / "load-20261120T120000Z-1h.jsonl"
    path.parent.mkdir()
    path.write_bytes(line(10) + b"{}\n" * 30 + b"{")

    list(RowReader(path.parent, LOAD, damage).rows(START, START + HOUR))

    messages = damage.messages()
    assert (len(messages), messages[0], messages[1], messages[-1]) == (
        22,
        f"{path}: the last line is not finished and was left out",
        f"skipped {path}:2: no row (Object missing required field `timestamp`)",
        "skipped 30 lines or parts of files in all: only the first 20 are listed",
    )


def test_what_is_no_file_is_damage_and_never_waited_for(tmp_path: Path) -> None:
    folder = tmp_path / "load"
    (folder / "load-20261120T120000Z-1h.jsonl").mkdir(parents=True)
    damage = Damage()

    rows = list(RowReader(folder, LOAD, damage).rows(START, START + HOUR))

    assert (rows, damage.count) == ([], 1)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("load-20261120T120000Z-1h.jsonl", line(10) + with_value(b"NaN") + line(20), id="JSON"),
        *(
            pytest.param(
                "load-20261120T120000Z-1h.csv",
                HEADER + csv(10) + csv(15).replace(b"15.5", word) + csv(20),
                id=str(word),
            )
            for word in (b"NaN", b"nan", b"-nan", b"NAN")
        ),
    ],
)
def test_not_a_number_is_a_missing_value_and_costs_no_row(tmp_path: Path, name: str, content: bytes) -> None:
    assert read(tmp_path, name, content) == ([10, 15, 20], 0, 0)
    assert [row.row[0] for row in RowReader(tmp_path / "load", LOAD, Damage()).rows(START, START + HOUR)] == [
        10.5,
        None,
        20.5,
    ]


def test_the_word_in_a_label_is_a_name() -> None:
    assert null_for_nan(b'{"a":"\\"NaN","NaN":NaN,"b":"c"}') == b'{"a":"\\"NaN","NaN":null,"b":"c"}'
