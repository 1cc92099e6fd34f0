"""What goes into DuckDB comes out again as it was, whatever it holds; and nothing else can be reached."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.adapters.duckdb import Columns, Database, Type, write_parquet
from sysmon.errors import UsageError
from sysmon.formats.csv import encode_line

COLUMNS: Columns = {"timestamp": Type.INSTANT, "name": Type.TEXT, "value": Type.NUMBER, "labels": Type.JSON}
AT = "2026-11-20T12:00:10.000Z"
EVIL = [
    *("a,b", 'q"uote', '"', "'", "'; drop table t; --", "new\nline", "cr\r\nlf", "nul\0", "", " ", "\\N", "NULL", "#"),
    *("\ufeffbom", "\u202e", "日本", "=1+1", "x" * 1_000_000, '"' * 500_000),
]


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database({"t": COLUMNS, "Odd name": COLUMNS}, memory="256MB", spill=tmp_path, spill_limit=10**9) as result:
        yield result


def encoded(rows: Iterable[tuple[str | float | None, ...]]) -> Iterator[bytes]:
    return map(encode_line, rows)


def ask(database: Database, statement: str) -> list[tuple[Any, ...]]:
    return list(database.execute(statement).rows)


def test_hostile_names_come_out_as_they_went_in(database: Database) -> None:
    database.load("t", encoded((AT, name, float(number), None) for number, name in enumerate(EVIL)))

    assert [name for (name,) in ask(database, "select name from t order by value")] == EVIL


def test_values_have_the_declared_types_and_what_is_missing_is_null(database: Database) -> None:
    database.load("t", encoded([(AT, None, 2**63, '{"core":"all"}'), (AT, "1", None, None), (AT, "1e3", 0.1, None)]))

    result = ask(database, "select timestamp, name, value, labels->>'core' from t")

    at = datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)
    assert result == [(at, None, float(2**63), "all"), (at, "1", None, None), (at, "1e3", 0.1, None)]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.text(), st.floats(allow_nan=False, allow_infinity=False)), min_size=1, max_size=5))
def test_any_text_and_number_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, float]]
) -> None:
    with Database(
        {"t": COLUMNS}, memory="128MB", spill=tmp_path_factory.mktemp("spill"), spill_limit=10**9
    ) as database:
        database.load("t", encoded((AT, name, value, None) for name, value in rows))

        assert ask(database, "select name, value from t") == rows


def test_many_rows_are_spilled_and_not_lost(tmp_path: Path) -> None:
    with Database({"t": COLUMNS}, memory="64MB", spill=tmp_path, spill_limit=10**9) as database:
        database.load("t", encoded((AT, f"{number:0>100}", float(number), None) for number in range(300_000)))
        database.lock()

        assert ask(database, "select count(distinct name), sum(value) from t") == [(300_000, 299_999 * 150_000.0)]


def test_what_is_spilled_is_bounded(tmp_path: Path) -> None:
    with (
        Database({"t": COLUMNS}, memory="64MB", spill=tmp_path, spill_limit=2**20) as database,
        pytest.raises(UsageError, match="SQL: that takes more memory than it may"),
    ):
        ask(database, "select hash(i) from range(30000000) t(i) order by hash(i)")


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_csv('/etc/hostname')",
        "select * from read_text('/etc/hostname')",
        "select * from read_blob('/etc/hostname')",
        "select * from read_json('/etc/hostname')",
        "select * from read_parquet('/etc/hostname')",
        "select * from sniff_csv('/etc/hostname')",
        "select * from read_csv('/dev/stdin')",
        "select * from glob('/*')",
        "select * from query('attach ''/tmp/stolen.db''')",
        "select * from enable_logging(storage_path = '/tmp/stolen')",
        "from duckdb_secrets()",
        "select * from '/etc/hostname.csv'",
        "copy t to '/tmp/stolen.csv'",
        "attach '/tmp/stolen.db'",
        "set enable_external_access = true",
        "set lock_configuration = false",
        "reset enable_external_access",
        "set temp_directory = '/etc'",
        "set memory_limit = '100GB'",
        "set threads = 8",
        "install httpfs",
        "load httpfs",
        "select * from sysmon",
    ],
)
def test_nothing_outside_can_be_reached(database: Database, statement: str) -> None:
    database.lock()

    with pytest.raises(UsageError, match=r"^SQL: "):
        ask(database, statement)


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        pytest.param("selec 1", 'SQL: syntax error at or near "selec"', id="no SQL"),
        pytest.param("", "0 statements: only one SELECT statement is allowed", id="nothing"),
        pytest.param("select 1; select 2", "2 statements: only one SELECT statement is allowed", id="two"),
        pytest.param("explain from t", "read-only: only one SELECT statement is allowed", id="explaining"),
        pytest.param("drop table t", "read-only: only one SELECT statement is allowed", id="dropping"),
        pytest.param(
            "insert into t select * from t", "read-only: only one SELECT statement is allowed", id="inserting"
        ),
        pytest.param("update t set value = 0", "read-only: only one SELECT statement is allowed", id="changing"),
        pytest.param("create view v as select 1", "read-only: only one SELECT statement is allowed", id="creating"),
    ],
)
def test_only_one_select_at_a_time(database: Database, statement: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        database.tables_of(statement)


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        ("select * from t", {"t"}),
        ("with t as (select 1) select * from t", set()),
        ('select (select max(value) from "Odd name") from T', {"Odd name", "T"}),
        ("from t, missing", {"t", "missing"}),
        ("describe t", {"t"}),
        ("select 1", set()),
        ('from t join "Odd name" using (timestamp)', {"t", "odd name"}),
        ('with a as (from t) from a join "Odd name" using (timestamp)', {"t", "odd name"}),
        ("from t asof join T as t2 using (timestamp)", {"t"}),
        ("from t join missing using (timestamp)", {"t"}),
        ("select * from query_table('t')", {"t"}),
        ("from t pivot (avg(value) for name in ('a', 'b'))", {"t"}),
        ("unpivot t on value into name what value howmuch", {"t"}),
        ("show tables", set()),
    ],
)
def test_only_tables_that_are_named_need_to_be_loaded(database: Database, statement: str, names: set[str]) -> None:
    assert database.tables_of(statement) == names


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        ("select nam from t", 'SQL: referenced column "nam" not found in FROM clause! Candidate bindings: "name"'),
        ("from t join missing using (name)", "SQL: table with name missing does not exist!"),
        ("select sum(name) from t", "SQL: no function matches"),
        ("select * from read_csv('/etc/hostname')", "SQL: cannot access file"),
    ],
)
def test_what_cannot_work_is_told_before_rows_are_loaded(database: Database, statement: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        database.validate(statement)


def test_a_table_that_was_not_loaded_gives_no_answer(database: Database) -> None:
    database.load("t", [])
    database.lock()

    with pytest.raises(UsageError, match="SQL: table with name Odd name does not exist!"):
        ask(database, 'from "Odd name"')


def test_what_goes_wrong_while_rows_are_read_is_raised(database: Database) -> None:
    def rows() -> Iterator[tuple[str, str, float, None]]:
        yield AT, "a", 1.0, None
        raise ZeroDivisionError("in the middle")

    with pytest.raises(ZeroDivisionError, match="in the middle"):
        database.load("t", encoded(rows()))


def test_a_refusal_ends_the_reading_of_rows(database: Database) -> None:
    with pytest.raises(UsageError, match="SQL: "):
        database.load("t", encoded(("no time", "a", 1.0, None) for _ in range(100_000)))


def test_columns_of_equal_names_are_told_apart(database: Database) -> None:
    assert database.execute("select 1 as a, 2 as a, 3 as a_2, 4 as a").columns == ("a", "a_2", "a_2_2", "a_3")


def test_parquet_holds_the_same_values_with_the_same_types(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"

    with path.open("wb") as file:
        write_parquet(file, COLUMNS, encoded((AT, name, float(number), None) for number, name in enumerate(EVIL)))

    kinds = duckdb.execute("describe select * from read_parquet(?)", [str(path)]).fetchall()
    rows = duckdb.execute("select name, value from read_parquet(?)", [str(path)]).fetchall()
    assert ([kind for _, kind, *_ in kinds], rows) == (
        ["TIMESTAMP WITH TIME ZONE", "VARCHAR", "DOUBLE", "JSON"],
        [(name, float(number)) for number, name in enumerate(EVIL)],
    )
