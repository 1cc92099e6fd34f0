import json

from sysmon.view.json import render
from tests.view.scenes import NOON, PAST, busy


def test_programs_get_every_row_with_its_raw_numbers() -> None:
    snapshot = busy()

    page = json.loads(render(snapshot, PAST, requested=NOON, tables=()))

    whole = {name: len(shown.rows) for name, shown in snapshot.tables.items()}
    assert (page["schema"], page["hostname"], page["timestamp"], page["note"], page["interval_seconds"]) == (
        1,
        "web-01",
        "2026-11-20T12:00:00.000Z",
        PAST.note,
        10.0,
    )
    assert {name: len(table["rows"]) for name, table in page["tables"].items()} == whole
    assert page["tables"]["disk_io"]["rows"][1]["disk_await_ms"] is None
    assert [alert["rule"] for alert in page["alerts"]] == ["disk-full", "cpu-saturated"]


def test_only_the_tables_that_were_asked_for_are_told() -> None:
    page = json.loads(render(busy(), PAST, requested=NOON, tables=("load",)))

    assert list(page["tables"]) == ["load"]
