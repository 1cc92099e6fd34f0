import csv
import io
import json
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.formats import csv as csv_format
from sysmon.formats import jsonl, records
from sysmon.formats.paired import PairEncoder
from sysmon.model import AlertEvent, Culprit, Event, Kind, Level, Metric, Origin, Row, Table, Transition, Unit
from sysmon.text.instants import format_instant

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
TABLE = Table(
    "disk",
    "A table for these tests.",
    (
        Metric("disk_bytes", Kind.GAUGE, Unit.BYTES, "Bytes."),
        Metric("disk_percent", Kind.RATIO, Unit.PERCENT, "Percent."),
    ),
    labels=("device", "note"),
)
text = st.text(max_size=20)  # without surrogates: names are escaped before they reach a row
labels = st.text(min_size=1, max_size=20)
numbers = st.none() | st.integers(-(2**63), 2**64) | st.floats(allow_nan=False, allow_infinity=False)
rows = st.lists(st.tuples(labels, labels, numbers, numbers), max_size=5)
origins = st.builds(
    Origin, labels, st.dictionaries(st.sampled_from(["environment", "region", "datacenter", "role"]), labels)
)
moments = st.integers(0, 4_000_000_000_000).map(
    lambda ms: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms)
)


def expected(origin: Origin, at: datetime, row: Row) -> dict[str, Any]:
    """Return what a record must say."""
    start = {"timestamp": format_instant(at), "hostname": origin.hostname, **origin.labels}
    return start | dict(zip(TABLE.columns, row, strict=True))


def from_csv(data: bytes) -> list[dict[str, str]]:
    """Read CSV as Python does."""
    return list(csv.DictReader(io.StringIO(data.decode(), newline=""), strict=True))


def number(cell: str) -> int | float | None:
    """Read a number as a spreadsheet would: empty is missing."""
    return None if cell == "" else float(cell) if any(mark in cell for mark in ".en") else int(cell)


@given(origins, moments, rows)
def test_json_lines_parse_back_to_the_same_values_in_the_declared_order(
    origin: Origin, at: datetime, these: list[Row]
) -> None:
    lines = jsonl.RowEncoder(origin, TABLE).encode(at, these).decode().split("\n")

    parsed = [list(json.loads(line).items()) for line in lines[:-1]]
    assert (parsed, lines[-1]) == ([list(expected(origin, at, row).items()) for row in these], "")


@given(origins, moments, rows)
def test_csv_lines_parse_back_to_the_same_cells_in_the_declared_order(
    origin: Origin, at: datetime, these: list[Row]
) -> None:
    encoder = csv_format.RowEncoder(origin, TABLE)

    parsed = from_csv(encoder.header + encoder.encode(at, these))

    cells = [
        {**cell, "disk_bytes": number(cell["disk_bytes"]), "disk_percent": number(cell["disk_percent"])}
        for cell in parsed
    ]
    assert [list(cell.items()) for cell in cells] == [list(expected(origin, at, row).items()) for row in these]


@given(origins, moments, rows)
def test_both_formats_hold_the_same_values(origin: Origin, at: datetime, these: list[Row]) -> None:
    encoder = csv_format.RowEncoder(origin, TABLE)
    lines = jsonl.RowEncoder(origin, TABLE).encode(at, these).decode().split("\n")[:-1]

    written = from_csv(encoder.header + encoder.encode(at, these))

    as_text = [
        {
            key: "" if value is None else repr(value) if not isinstance(value, str) else value
            for key, value in record.items()
        }
        for record in map(json.loads, lines)
    ]
    assert written == as_text


@given(
    origins, moments, st.lists(st.tuples(labels | st.none(), labels, numbers | st.floats(), numbers | text), max_size=5)
)
def test_both_forms_at_once_are_what_each_alone_is(origin: Origin, at: datetime, these: list[Row]) -> None:
    table = replace(TABLE, labels=("device", "50%"))

    as_jsonl, as_csv = (
        jsonl.RowEncoder(origin, table).encode(at, these),
        csv_format.RowEncoder(origin, table).encode(at, these),
    )

    assert PairEncoder(origin, table).encode(at, these) == (as_jsonl, as_csv)


@given(st.lists(text | numbers, min_size=2, max_size=6))  # a line begins with a timestamp, it is never blank
def test_a_csv_line_has_as_many_cells_as_were_given(cells: list[str | int | float | None]) -> None:
    line = csv_format.encode_line(cells).decode()

    (read,) = csv.reader(io.StringIO(line, newline=""), strict=True)
    assert (len(read), [cell for cell, given in zip(read, cells, strict=True) if isinstance(given, str)]) == (
        len(cells),
        [cell for cell in cells if isinstance(cell, str)],
    )


@pytest.mark.parametrize(
    ("value", "as_json", "as_csv"),
    [
        pytest.param(None, "null", "", id="missing"),
        pytest.param(math.nan, "null", "", id="not a number"),
        pytest.param(math.inf, "null", "", id="infinite"),
        pytest.param(0.0, "0.0", "0.0", id="zero is no missing value"),
        pytest.param(2**63, "9223372036854775808", "9223372036854775808", id="a 64-bit counter"),
        pytest.param(0.1, "0.1", "0.1", id="a float in its shortest form"),
        pytest.param("", '""', '""', id="an empty text is no missing value"),
        pytest.param('a "b", c', '"a \\"b\\", c"', '"a ""b"", c"', id="quotes and commas"),
        pytest.param("a\nb", '"a\\nb"', '"a\nb"', id="a line break"),
        pytest.param("a\rb", '"a\\rb"', '"a\rb"', id="a carriage return"),
        pytest.param("größe", '"größe"', "größe", id="other letters stay readable"),
    ],
)
def test_values_are_written_once_in_each_format(value: str | int | float | None, as_json: str, as_csv: str) -> None:
    assert (jsonl.encode_value(value), csv_format.encode_cell(value)) == (as_json, as_csv)


def test_a_row_reads_as_the_contract_shows_it() -> None:
    origin = Origin("web-01", {"region": "eu"})

    written = (
        jsonl.RowEncoder(origin, TABLE).encode(NOON, [("sda", "-", 12, None)]),
        csv_format.RowEncoder(origin, TABLE).header,
        csv_format.RowEncoder(origin, TABLE).encode(NOON, [("sda", "-", 12, None)]),
    )

    assert written == (
        b'{"timestamp":"2026-11-20T12:00:00.000Z","hostname":"web-01","region":"eu",'
        b'"device":"sda","note":"-","disk_bytes":12,"disk_percent":null}\n',
        b"timestamp,hostname,region,device,note,disk_bytes,disk_percent\n",
        b"2026-11-20T12:00:00.000Z,web-01,eu,sda,-,12,\n",
    )


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        jsonl.RowEncoder(Origin("web-01"), TABLE).encode(NOON, [("sda", "-", 12)])


plain = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text
numbers = st.floats(allow_nan=False, allow_infinity=False)
muted_alerts = st.builds(
    AlertEvent,
    at=moments,
    transition=st.sampled_from(Transition),
    rule=text,
    id=text,
    metric=text,
    labels=st.dictionaries(text, text, max_size=3),
    level=st.sampled_from(Level),
    value=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    peak=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    threshold=st.floats(allow_nan=False, allow_infinity=False),
    condition=text,
    since=moments,
    duration=st.floats(0, 1e9),
    reason=text,
    notified=st.just(value=False),
    muted_by=st.none() | text,
    message=st.none() | text,
    trend=st.lists(numbers, max_size=3).map(tuple),
    resource=st.none() | text,
    top=st.lists(
        st.builds(Culprit, pid=text, name=text, user=text, unit=text, value=numbers, share=st.none() | numbers),
        max_size=2,
    ).map(tuple),
    unaccounted=st.none() | numbers,
)
alerts = muted_alerts | muted_alerts.map(lambda event: replace(event, notified=True, muted_by=None))


@given(alerts)
def test_an_alert_event_is_read_back_from_its_line(event: AlertEvent) -> None:
    line = jsonl.encode_record(records.alert_record(event))

    assert records.read_alert(json.loads(line)) == event


@pytest.mark.parametrize(
    ("stored", "notified", "muted_by"),
    [
        pytest.param(True, True, None, id="people are notified"),
        pytest.param("cooldown", False, "cooldown", id="muted"),
        pytest.param(False, False, None, id="muted, and nothing says by what"),
    ],
)
@given(event=muted_alerts)
def test_the_stored_key_told_is_true_or_what_mutes_the_event(
    event: AlertEvent, stored: bool | str, notified: bool, muted_by: str | None
) -> None:
    marked = replace(event, notified=notified, muted_by=muted_by)

    record = records.alert_record(marked)

    assert (record["told"], records.read_alert(record)) == (stored, marked)


@given(origins, moments, st.lists(alerts, max_size=3))
def test_the_record_of_what_is_firing_is_read_back(origin: Origin, at: datetime, firing: list[AlertEvent]) -> None:
    line = jsonl.encode_record(records.active_record(origin, at, firing))

    assert records.read_active(json.loads(line)) == records.ActiveRecord(at, tuple(firing))


@given(origins, moments, text, st.dictionaries(st.sampled_from(["run", "count", "from"]), plain))
def test_an_event_is_read_back_with_its_origin(
    origin: Origin, at: datetime, kind: str, fields: dict[str, object]
) -> None:
    line = jsonl.encode_record(records.event_record(origin, Event(at, kind, fields)))

    assert records.read_event(json.loads(line)) == Event(at, kind, dict(jsonl.origin_items(origin)) | fields)


@given(alerts)
def test_a_record_is_one_line(event: AlertEvent) -> None:
    line = jsonl.encode_record(records.alert_record(event))

    assert (line.count(b"\n"), line[-1:]) == (1, b"\n")


@pytest.mark.parametrize(
    "record",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"timestamp": "soon"}, id="no time"),
        pytest.param({"timestamp": 5, "event": "fired"}, id="a number for a time"),
        pytest.param({"timestamp": "2026-11-20T12:00:00Z", "event": "exploded"}, id="an unknown event"),
    ],
)
def test_what_is_no_alert_event_raises_what_readers_count(record: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        records.read_alert(record)
