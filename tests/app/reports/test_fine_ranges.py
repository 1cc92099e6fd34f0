"""Which files answer a report that is to be looked into: rows as long as they are not too many."""

from datetime import timedelta
from pathlib import Path

import pytest

from sysmon.app.reports.report import build_report
from sysmon.app.selection import Selection
from tests.reading.stored import CPU, HOUR, START, event_lines, started, write_log, write_table
from tests.reading.test_rollup_file import roll_up, samples


@pytest.mark.parametrize(
    ("seconds", "short", "sources"),
    [
        pytest.param(60.0, timedelta(days=2), ("rows",), id="few samples"),
        pytest.param(1.0, timedelta(days=2), ("1h",), id="very many samples"),
        pytest.param(None, timedelta(days=2), ("rows",), id="nobody knows how many"),
        pytest.param(60.0, 6 * HOUR, ("1h",), id="nobody wants it so fine"),
    ],
)
def test_a_range_that_is_looked_into_comes_from_rows_unless_they_are_very_many(
    tmp_path: Path, seconds: float | None, short: timedelta, sources: tuple[str, ...]
) -> None:
    write_table(tmp_path, CPU, samples(60))
    roll_up(tmp_path, START, 10)
    if seconds:
        write_log(tmp_path, "events", event_lines([started(0, "5f1c", {"cpu": seconds}, 0)]))
    selection = Selection(tmp_path, START, START + 9 * HOUR, START + 9 * HOUR, short=short)

    report = build_report(selection, {"cpu": CPU}, lambda _: 9).report

    assert report.sources == sources
