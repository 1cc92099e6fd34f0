"""Which columns go out, and what is said of those that no table has."""

import pytest

from sysmon.app.export.columns import choose, parse
from sysmon.errors import UsageError
from sysmon.formats import HEAD
from tests.reading.stored import CPU, DISK_USAGE, LOAD

TABLES = (CPU, LOAD, DISK_USAGE)


@pytest.mark.parametrize(
    ("patterns", "chosen"),
    [
        pytest.param("core,timestamp", {"cpu": "core timestamp"}, id="in the order asked"),
        pytest.param(
            "cpu_*,timestamp,cpu_*", {"cpu": "cpu_usage_percent cpu_steal_percent timestamp"}, id="patterns, each once"
        ),
        pytest.param(
            "timestamp,*_used*,load_*",
            {"load": "timestamp load_average_1m", "disk_usage": "timestamp disk_used_bytes inode_used"},
            id="tables that have some",
        ),
        pytest.param(
            "timestamp,role",
            dict.fromkeys(("cpu", "load", "disk_usage"), "timestamp role"),
            id="what every table has",
        ),
    ],
)
def test_only_these_columns_of_the_tables_that_have_any(patterns: str, chosen: dict[str, str]) -> None:
    assert {table.name: " ".join(names) for table, names in choose(TABLES, parse(patterns))} == chosen


def test_all_columns_where_none_is_named() -> None:
    assert choose([CPU], ()) == [(CPU, (*HEAD, *CPU.columns))]


@pytest.mark.parametrize(
    ("patterns", "said"),
    [
        pytest.param("cpu_usge_percent", "no column 'cpu_usge_percent': did you mean 'cpu_usage_percent'?", id="typo"),
        pytest.param("core,zzz*", r"no column 'zzz\*' in cpu, load, disk_usage", id="nothing like it"),
        pytest.param("core,,x", "has an empty name", id="two commas"),
        pytest.param("", "has an empty name", id="nothing"),
    ],
)
def test_a_column_that_no_table_has_is_told(patterns: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        choose(TABLES, parse(patterns))
