import json

from sysmon.view.json import render
from tests.view.scenes import NOON, PAST, busy


def test_programs_get_every_row_with_its_raw_numbers() -> None:
    moment = busy()

    found = json.loads(render(moment, PAST, asked=NOON, tables=()))

    whole = {name: len(shown.rows) for name, shown in moment.tables.items()}
    assert (found["schema"], found["hostname"], found["timestamp"], found["note"], found["interval_seconds"]) == (
        1,
        "web-01",
        "2026-11-20T12:00:00.000Z",
        PAST.note,
        10.0,
    )
    assert {name: len(table["rows"]) for name, table in found["tables"].items()} == whole
    assert found["tables"]["disk_io"]["rows"][1]["disk_await_ms"] is None
    assert [alert["rule"] for alert in found["alerts"]] == ["disk-full", "cpu-saturated"]


def test_only_the_tables_that_were_asked_for_are_told() -> None:
    found = json.loads(render(busy(), PAST, asked=NOON, tables=("load",)))

    assert list(found["tables"]) == ["load"]
