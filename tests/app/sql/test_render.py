"""What a query gave, for people and for programs; hostile values stay where they are."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from sysmon.app.sql.render import OutputFormat, plain_value, render

AT = datetime(2026, 11, 20, 12, 0, 10, 250_000, tzinfo=UTC)
COLUMNS = ("timestamp", "name", "value")
ROWS: list[tuple[Any, ...]] = [(AT, "all", 1.5), (AT, "=cmd|'x'", None), (AT, "日本\x1b[2J", 12345678901.0)]


def page(output_format: OutputFormat, *, rows: Iterable[tuple[Any, ...]] = ROWS, width: int | None = None) -> list[str]:
    return list(render(COLUMNS, rows, output_format, width))


def test_a_table_has_columns_where_they_fit() -> None:
    assert page(OutputFormat.TABLE, width=80) == [
        "timestamp                 name               value",
        "2026-11-20T12:00:10.250Z  all                 1.50",
        "2026-11-20T12:00:10.250Z  =cmd|'x'               -",
        "2026-11-20T12:00:10.250Z  日本\\x1b[2J  12345678901",
    ]


def test_a_table_that_does_not_fit_is_told_record_by_record() -> None:
    assert page(OutputFormat.TABLE, rows=ROWS[:2], width=40) == [
        "[1]",
        "timestamp  2026-11-20T12:00:10.250Z",
        "name       all",
        "value      1.50",
        "[2]",
        "timestamp  2026-11-20T12:00:10.250Z",
        "name       =cmd|'x'",
        "value      -",
    ]


def test_a_table_without_rows_has_a_header() -> None:
    assert page(OutputFormat.TABLE, rows=[], width=80) == ["timestamp  name  value"]


def test_rows_after_the_measured_ones_are_not_lost() -> None:
    rows = [(AT, f"{number}", float(number)) for number in range(1500)]

    assert [line.split()[1] for line in page(OutputFormat.TABLE, rows=rows)[1:]] == [
        str(number) for number in range(1500)
    ]


def test_csv_is_safe_for_spreadsheets_and_exact() -> None:
    assert page(OutputFormat.CSV) == [
        "timestamp,name,value",
        "2026-11-20T12:00:10.250Z,all,1.5",
        "2026-11-20T12:00:10.250Z,'=cmd|'x',",
        "2026-11-20T12:00:10.250Z,日本\x1b[2J,12345678901",
    ]


def test_json_is_an_array_and_json_lines_its_elements() -> None:
    lines = [
        '{"timestamp":"2026-11-20T12:00:10.250Z","name":"all","value":1.5}',
        '{"timestamp":"2026-11-20T12:00:10.250Z","name":"=cmd|\'x\'","value":null}',
    ]

    assert (
        page(OutputFormat.JSONL, rows=ROWS[:2]),
        page(OutputFormat.JSON, rows=ROWS[:2]),
        page(OutputFormat.JSON, rows=[]),
    ) == (
        lines,
        ["[", f"{lines[0]},", lines[1], "]"],
        ["[", "]"],
    )


def test_markdown_shows_marks_as_they_are() -> None:
    assert page(OutputFormat.MARKDOWN, rows=[(AT, "a|*b*\n<i>", 1.0)]) == [
        "| timestamp | name | value |",
        "|---|---|---:|",
        "| 2026-11-20T12:00:10.250Z | a\\|\\*b\\*\\\\x0a\\<i\\> | 1 |",
    ]


@pytest.mark.parametrize(
    ("value", "plain"),
    [
        pytest.param(float("nan"), None, id="no number"),
        pytest.param(float("-inf"), None, id="without end"),
        pytest.param(3.0, 3, id="whole"),
        pytest.param(2.0**60, 2.0**60, id="whole, beyond what is exact"),
        pytest.param(2**100, 2**100, id="a huge integer"),
        pytest.param(True, True, id="truth"),
        pytest.param(Decimal("1.25"), 1.25, id="decimal"),
        pytest.param(AT.astimezone(timezone(timedelta(hours=9))), "2026-11-20T12:00:10.250Z", id="elsewhere"),
        pytest.param(datetime(2026, 11, 20, 12), "2026-11-20T12:00:00", id="no offset"),  # noqa: DTZ001 - that is the point
        pytest.param(date(2026, 11, 20), "2026-11-20", id="day"),
        pytest.param(time(12, 0), "12:00:00", id="clock"),
        pytest.param(timedelta(minutes=90), "1h30m", id="interval"),
        pytest.param(b"\x00\xff", "00ff", id="bytes"),
        pytest.param(UUID(int=1), "00000000-0000-0000-0000-000000000001", id="uuid"),
        pytest.param([1.0, {"a": AT}], [1, {"a": "2026-11-20T12:00:10.250Z"}], id="nested"),
    ],
)
def test_every_value_becomes_one_that_any_program_knows(value: Any, plain: Any) -> None:
    assert plain_value(value) == plain


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.000012345, "1.23e-05"), (0.12345, "0.1235"), (51.7674713, "51.77"), (2.5e17, "250000000000000000.00")],
)
def test_fractions_are_short_for_people(value: float, shown: str) -> None:
    assert page(OutputFormat.TABLE, rows=[(AT, "x", value)])[1].split()[-1] == shown
