"""One corpus of lines through both decoders: what `run` reads with the standard library, readers read the same."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.formats import HEAD, jsonl
from sysmon.formats import decode as small
from sysmon.model import Kind, Metric, Origin, Table, Unit
from sysmon.reading import decode as fast
from sysmon.text.instants import format_instant, from_ms

TABLE = Table("t", "", tuple(Metric(name, Kind.GAUGE, Unit.NONE, "") for name in ("used", "free")), ("device", "kind"))
STAMP = '"timestamp":"2026-11-20T12:00:00.000Z"'
HEADER = b"timestamp,hostname,device,kind,used,free"

JSON_LINES = [
    pytest.param(f'{{{STAMP},"device":"sda","kind":"disk","used":1.5,"free":2}}', id="a whole row"),
    pytest.param(f"{{{STAMP}}}", id="a timestamp alone"),
    pytest.param(f'{{{STAMP},"device":null,"used":null}}', id="nulls"),
    pytest.param(f'{{{STAMP},"device":"","used":-0.0}}', id="an empty label"),
    pytest.param(f' {{ {STAMP} , "used" : 1e3 }} ', id="blanks"),
    pytest.param(f'{{{STAMP},"other":[1,{{"a":true}}],"free":1}}', id="columns of others"),
    pytest.param(f'{{{STAMP},"used":1,"used":2}}', id="a key twice"),
    pytest.param(f'{{{STAMP},"device":"\\u00e9\\ud83d\\ude00","used":1}}', id="escapes"),
    pytest.param(f'{{{STAMP},"device":"\\ud800"}}', id="half a surrogate pair"),
    pytest.param(f'{{{STAMP},"device":"a\tb"}}', id="a bare tab in a text"),
    pytest.param(f'{{{STAMP},"device":5}}', id="a number for a label"),
    pytest.param(f'{{{STAMP},"used":"5"}}', id="text for a number"),
    pytest.param(f'{{{STAMP},"used":true}}', id="true for a number"),
    pytest.param(f'{{{STAMP},"used":[1]}}', id="a list for a number"),
    pytest.param(f'{{{STAMP},"used":NaN}}', id="NaN"),
    pytest.param(f'{{{STAMP},"used":-Infinity}}', id="infinity"),
    pytest.param(f'{{{STAMP},"device":NaN,"used":-NaN}}', id="NaN with a sign"),
    pytest.param(f'{{{STAMP},"device":"NaN","used":NaN}}', id="NaN as a name"),
    pytest.param(f'{{{STAMP},"used":1e999}}', id="too large"),
    pytest.param(f'{{{STAMP},"used":-1.1e300}}', id="too large to be added up"),
    pytest.param(f'{{{STAMP},"used":18446744073709551615}}', id="64 bits"),
    pytest.param(f'{{{STAMP},"used":01}}', id="a leading zero"),
    pytest.param(f'{{{STAMP},"used":+1}}', id="a plus sign"),
    pytest.param(f'{{{STAMP},"used":1.}}', id="a point at the end"),
    pytest.param(f'{{{STAMP},"used":1}} x', id="something behind"),
    pytest.param(f'{{{STAMP},"used":1', id="torn"),
    pytest.param('{"used":1}', id="no timestamp"),
    pytest.param('{"timestamp":5}', id="a number for a timestamp"),
    pytest.param("[1]", id="a list"),
    pytest.param("null", id="null"),
    pytest.param("", id="nothing"),
    pytest.param("\0\0\0", id="zeros"),
]
CSV_LINES = [
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,1.5,2", id="a whole row"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,,", id="empty cells"),
    pytest.param("2026-11-20T12:00:00.000Z,web,,,1,2", id="empty labels"),
    pytest.param('2026-11-20T12:00:00.000Z,web,"a,""b",disk,1,2', id="quotes"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,1,2\r", id="a carriage return"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,x,2", id="text for a number"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,nan,2", id="nan"),
    pytest.param("2026-11-20T12:00:00.000Z,web,NaN,disk,-NaN,nano", id="nano"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,inf,2", id="infinity"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,1e999,2", id="too large"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,1.1e300,2", id="too large to be added up"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,1", id="a cell short"),
    pytest.param("2026-11-20T12:00:00.000Z,web,sda,disk,1,2,3", id="a cell too many"),
    pytest.param('2026-11-20T12:00:00.000Z,web,"sda,disk,1,2', id="an open quote"),
]


def by_small(decode: Any, line: bytes) -> object:
    try:
        at, row = decode(line)
    except small.UNREADABLE:
        return "refused"
    return at, row


def by_fast(decode: Any, line: bytes) -> object:
    try:
        record = decode(line)
    except fast.Unreadable:
        return "refused"
    labels = len(HEAD) + len(TABLE.labels)
    return record[0], (*(label or "-" for label in record[len(HEAD) : labels]), *record[labels:])


@pytest.mark.parametrize("line", JSON_LINES)
def test_both_read_a_line_of_json_alike(line: str) -> None:
    data = line.encode("utf-8", "surrogatepass")

    assert by_small(small.json_decoder(TABLE), data) == by_fast(fast.json_decoder(TABLE), data)


@pytest.mark.parametrize("line", CSV_LINES)
def test_both_read_a_line_of_csv_alike(line: str) -> None:
    data = line.encode()

    assert by_small(small.csv_decoder(TABLE, HEADER), data) == by_fast(fast.csv_decoder(TABLE, HEADER), data)


@pytest.mark.parametrize(
    "header",
    [
        pytest.param(b"free,used,kind,device,timestamp", id="another order"),
        pytest.param(b"timestamp,used", id="few columns"),
        pytest.param(b"used,free", id="no timestamp"),
        pytest.param(b"timestamp,used,used", id="a name twice"),
    ],
)
def test_both_take_the_same_headers(header: bytes) -> None:
    def takes(make: Any) -> bool:
        try:
            make(TABLE, header)
        except ValueError:
            return False
        return True

    assert takes(small.csv_decoder) is takes(fast.csv_decoder)


cells = st.none() | st.integers(-(2**63), 2**64 - 1) | st.floats(-small.LARGEST, small.LARGEST)
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)


@given(texts, texts, cells, cells, st.integers(0, 4 * 10**12))
def test_every_stored_row_comes_back(device: str, kind: str, used: float | None, free: float | None, ms: int) -> None:
    row = (device, kind, used, free)

    line = jsonl.RowEncoder(Origin("web"), TABLE).encode(from_ms(ms), [row])

    assert small.json_decoder(TABLE)(line) == (format_instant(from_ms(ms)), row)
