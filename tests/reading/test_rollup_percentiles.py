"""What a report says of generated days, from roll-ups against from every row."""

import json
import random
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sysmon.app.admin.maintain import maintain
from sysmon.app.reports import report
from sysmon.app.selection import Selection
from sysmon.config import Storage
from sysmon.model import Row
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import json as pages
from tests.reading.stored import CPU, DAY, HOUR, TABLES, event_lines, started, write_log, write_table

MIDNIGHT = datetime.fromisoformat("2026-11-20T00:00:00+00:00")
SHAPES: dict[str, Callable[[random.Random, int], float]] = {
    "even": lambda chance, _: chance.uniform(0, 100),
    "bell": lambda chance, _: abs(chance.gauss(40, 12)),
    "bytes": lambda chance, _: chance.lognormvariate(18, 3),
    "spikes": lambda chance, _: 95.0 if chance.random() < 0.01 else 0.0,
    "signed": lambda chance, _: chance.gauss(0, 1000),
    "steps": lambda chance, index: float(index // 40),
}


def a_day(seed: int) -> list[tuple[datetime, list[Row]]]:
    """Return a day of rows each minute, with holes, and with values missing."""
    chance = random.Random(seed)  # noqa: S311 - the same days each time
    shape = list(SHAPES.values())[seed % len(SHAPES)]
    hole = chance.randrange(1200)
    return [
        (MIDNIGHT + timedelta(minutes=index), [("all", shape(chance, index), None if chance.random() < 0.1 else 1.5)])
        for index in range(1440)
        if not hole <= index < hole + chance.randrange(1, 60)
    ]


def said(data: Path, *, exact: bool, since: datetime) -> dict[str, Any]:
    selection = Selection(data, since, MIDNIGHT + DAY, MIDNIGHT + DAY + HOUR, tables=["cpu"], exact=exact)
    answer = report.build_report(selection, TABLES, lambda _names: 20)
    page = json.loads(pages.render([answer.report], RenderOptions()))["hosts"][0]
    return {"from": page["answered_from"], "series": page["tables"][0]["series"], "coverage": page["coverage"]}


@pytest.mark.parametrize("seed", range(30))
def test_roll_ups_say_what_the_rows_say_and_percentiles_are_within_one_percent(tmp_path: Path, seed: int) -> None:
    write_table(tmp_path, CPU, a_day(seed))
    write_log(tmp_path, "events", event_lines([started(-12 * 3600, "r", {"cpu": 60.0})]), MIDNIGHT)
    maintain(tmp_path, Storage(compress_after=timedelta(0), min_free=0), now=MIDNIGHT + DAY + HOUR)
    since = MIDNIGHT + (timedelta(0) if seed % 2 else timedelta(minutes=90))

    rolled, exact = (said(tmp_path, exact=exact, since=since) for exact in (False, True))

    assert (rolled["from"], exact["from"]) == (["1d"] if seed % 2 else ["1h", "rows"], ["rows"])
    assert rolled["coverage"] == exact["coverage"]
    for near, real in zip(rolled["series"], exact["series"], strict=True):
        assert (near["labels"], near["coverage"]) == (real["labels"], real["coverage"])
        for name, metric in real["metrics"].items():
            other = near["metrics"][name]
            same = ("samples", "min", "max", "max_at")
            assert [other.get(key) for key in same] == [metric.get(key) for key in same]
            close = [(other[key], metric[key]) for key in ("p50", "p95", "p99")]
            assert all(abs(estimate - value) <= 0.01 * abs(value) for estimate, value in close)
            assert other["mean"] == pytest.approx(metric["mean"], rel=1e-9)
