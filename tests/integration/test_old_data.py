"""Files of version 1, sound and damaged, read for ever: what they say is written down here and does not change."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from sysmon.app.admin.verify import verify_files
from sysmon.app.catalog import tables
from sysmon.app.reports import report
from sysmon.app.selection import Selection
from sysmon.datadir.damage import Damage
from sysmon.errors import StorageError
from sysmon.reading import catalog
from sysmon.reading.rows import RowReader
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import json as pages
from tests.reading.stored import DAY, HOUR, START

V1 = Path(__file__).parents[1] / "data" / "v1"


FAULTS = [
    "agent/agent-20261120T120000Z-1h.jsonl.gz:11: the packed file is cut off here",
    "agent/agent-20261120T140000Z-1h.jsonl:4: no row (a control character)",
    "agent/agent-20261120T140000Z-1h.jsonl:6: no row (JSON is malformed: expected ':' (byte 50))",
    "cpu/cpu-20261120T120000Z-1h.jsonl.gz:1: the packed file is empty",
    "web-01: run 0badcafe, 2026-11-20T12:00:00.000Z to 2026-11-20T14:50:00.000Z: "
    "4 samples are missing, and 0 of them were told as lost",
]


def totals(folder: Path) -> dict[str, tuple[int, float]]:
    """Return for each table how many rows there are, and the sum of all their numbers."""
    totals_by_table = {}
    for name in catalog.Host(folder).tables():
        rows = list(RowReader(folder / name, tables()[name], Damage()).rows(START, START + DAY))
        numbers = [value for row in rows for value in row.row if isinstance(value, int | float)]
        totals_by_table[name] = (len(rows), round(sum(numbers), 3))
    return totals_by_table


def test_sound_files_give_every_row_and_number() -> None:
    assert totals(V1 / "sound" / "web-01") == {
        "agent": (36, 603980460.036),
        "cpu": (72, 8820.0),
        "disk_usage": (36, 72000000073476.0),
        "process": (72, 115964172900.0),
    }


def test_without_their_json_lines_the_copies_say_the_same(tmp_path: Path) -> None:
    shutil.copytree(V1 / "sound", tmp_path / "v1")
    for path in tmp_path.rglob("*.jsonl*"):
        if path.parent.name not in {"events", "alerts"}:
            path.unlink()

    assert totals(tmp_path / "v1" / "web-01") == totals(V1 / "sound" / "web-01")


def said(data: Path, *, exact: bool) -> dict[str, Any]:
    selection = Selection(data, START - 6 * HOUR, START + 3 * HOUR, START + DAY, exact=exact)
    answer = report.build_report(selection, tables(), lambda _names: 9)
    host: dict[str, Any] = json.loads(pages.render([answer.report], RenderOptions()))["hosts"][0]
    return host


def test_a_report_of_sound_files_is_complete_from_rows_and_from_roll_ups() -> None:
    rows, rolled = (said(V1 / "sound", exact=exact) for exact in (True, False))

    assert (rows["answered_from"], rolled["answered_from"]) == (["rows"], ["1h"])
    assert rows["coverage"] == rolled["coverage"]
    assert (rows["coverage"]["found"], rows["coverage"]["expected"]) == (36, 36)
    assert [(alert["rule"], alert["state"]) for alert in rolled["alerts"]] == [("cpu_busy", "resolved")]
    assert rows["top"][0]["groups"] == rolled["top"][0]["groups"]


def test_every_damage_is_found_where_it_is() -> None:
    verdict = verify_files(V1 / "damaged", repair=False)

    assert [line.removeprefix(f"{V1}/damaged/web-01/") for line in verdict.faults] == FAULTS
    assert [Path(line.split(": ")[0]).name for line in verdict.remarks] == ["agent-20261120T140000Z-1h.jsonl"]


@pytest.mark.parametrize("version", ["2\n", "10\n"])
def test_a_newer_format_is_refused_by_its_name(tmp_path: Path, version: str) -> None:
    shutil.copytree(V1 / "sound", tmp_path / "v1")
    (tmp_path / "v1" / "format").write_text(version)

    with pytest.raises(StorageError, match=f"format {version.strip()} is newer"):
        said(tmp_path / "v1", exact=False)
