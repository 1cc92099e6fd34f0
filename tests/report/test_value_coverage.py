"""Coverage of values: a metric that is null in half of its rows is there half of the time."""

from datetime import UTC, timedelta
from pathlib import Path

import pytest

from sysmon.app.admin.maintain import maintain
from sysmon.app.reports.report import build_report
from sysmon.app.selection import Selection
from sysmon.config import Storage
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import html, markdown, text
from tests.reading.stored import CPU, DAY, HOUR, START, TABLES, event_lines, started, write_log, write_table

BEGIN = START - timedelta(hours=START.hour)
END = BEGIN + DAY


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A day of a row each minute, one metric of which has a value in every second row, the other in every fourth."""
    rows = [
        (
            BEGIN + timedelta(minutes=minute),
            [("all", None if minute % 2 else float(minute % 60), None if minute % 4 else 1.5)],
        )
        for minute in range(1440)
    ]
    write_table(tmp_path, CPU, rows)
    write_log(tmp_path, "events", event_lines([started(-12 * 3600, "r", {"cpu": 60.0})]), BEGIN)
    maintain(tmp_path, Storage(compress_after=timedelta(0), min_free=0), now=END + HOUR)
    return tmp_path


@pytest.mark.parametrize("exact", [pytest.param(False, id="roll-ups"), pytest.param(True, id="rows")])
def test_a_metric_that_is_null_in_half_of_its_rows_shows_half_coverage(data: Path, exact: bool) -> None:
    selection = Selection(data, BEGIN, END, END + HOUR, tables=["cpu"], exact=exact)

    report = build_report(selection, TABLES, lambda _names: 20).report

    ((series,),) = (table.series for table in report.tables)
    assert report.sources == (("rows",) if exact else ("1d",))
    assert (series.coverage.found, series.coverage.expected) == (1440, 1440)
    assert [(item.stats and item.stats.samples, item.expected) for item in series.metrics] == [(720, 1440), (360, 1440)]
    page = text.render([report], RenderOptions(zone=UTC))
    assert "\n  720 of 1440 values (50 %)\n" in page
    assert "constant: cpu_steal_percent 1.50% in 360 of 1440 values (25 %)" in page
    assert "- cpu_usage_percent, 720 of 1440 values (50 %)" in markdown.render([report], RenderOptions(UTC)).replace(
        "\\", ""
    )
    assert "<td>720 of 1440 values (50 %)</td>" in html.render([report], RenderOptions(UTC))
