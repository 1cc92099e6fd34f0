"""Every number of a report against an independent computation: pandas reads the same JSON Lines itself."""

import json
import random
from collections.abc import Mapping
from datetime import UTC, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # its stubs are another package
import pytest

from sysmon.alerts.rules.loader import load_rules
from sysmon.app.reports.report import Detail, build_report
from sysmon.app.reports.rule_limits import RuleLimits
from sysmon.app.selection import Selection
from sysmon.model import Row
from sysmon.report.buckets import split_range
from sysmon.report.render import RenderOptions
from sysmon.report.render.formats import json as as_json
from tests.reading.stored import CPU, TABLES, Samples, at, event_lines, started, write_log, write_table
from tests.report.reports import KNOWN, PROCESSES

STEP = 10
HOURS = 3
BEGIN, MIDDLE, END = 0, 5400, 3600 * HOURS
RULES = """\
version: 1
rules:
  - {id: hot, metric: cpu_usage_percent, warning: {at_least: 60, clear_below: 50}, critical: {above: 90}}
  - {id: stolen, metric: cpu_steal_percent, info: {below: 2}}
"""
NAMES = [("java", "app", "shop"), ("worker", "app", "shop"), ("backup", "root", "-"), ("sshd", "root", "ssh")]


def write_machine(data: Path, seed: int) -> None:
    """Write three hours of processors and processes, with holes, missing values and processes that come and go."""
    chance = random.Random(seed)  # noqa: S311 - the same hours each time
    hole = chance.randrange(END - 900)
    seconds = [
        second for second in range(BEGIN, END, STEP) if not hole <= second < hole + 600 and chance.random() > 0.02
    ]
    write_table(data, CPU, [(at(second), _cores(chance)) for second in seconds])
    write_table(data, PROCESSES, _processes(chance, seconds))
    intervals = {"cpu": float(STEP), "process": float(STEP)}
    write_log(data, "events", event_lines([started(-600, "r", intervals)]))


def _cores(chance: random.Random) -> list[Row]:
    busy = [min(100.0, chance.expovariate(1 / 40)) for _ in range(3)]
    return [
        (core, used, None if chance.random() < 0.3 else chance.random() * 4)
        for core, used in zip("012", busy, strict=True)
    ]


def _processes(chance: random.Random, seconds: list[int]) -> Samples:
    for second in seconds:
        rows: list[Row] = [("-1", "-", "(others)", "-", "-", chance.random(), 7e8, None, None)]
        for pid, (name, user, unit) in enumerate(NAMES * 2, 100):
            if chance.random() < 0.6:
                disk = (None, None) if chance.random() < 0.4 else (chance.random() * 1e6, chance.random() * 1e5)
                rows.append(
                    (str(pid), "2026-11-20T09:00:00.000Z", name, user, unit, chance.random() * 90, 1e6 * pid, *disk)
                )
        yield at(second), rows


def frame(data: Path, table: str, since: int = BEGIN, until: int = END) -> pd.DataFrame:
    """Return the rows of [since, until) as pandas reads them."""
    parts = [
        pd.read_json(path, lines=True, dtype={"core": str, "pid": str})
        for path in sorted((data / "web-01" / table).iterdir())
    ]
    rows = pd.concat(parts, ignore_index=True)
    rows["timestamp"] = pd.to_datetime(rows["timestamp"], utc=True)
    return rows[(rows["timestamp"] >= at(since)) & (rows["timestamp"] < at(until))]


def page(data: Path, since: int, detail: Detail) -> Any:
    """Return what the report says as JSON, of one host."""
    selection = Selection(data, at(since), at(END), at(END + 3600), exact=True)
    report = build_report(selection, KNOWN, lambda _: 1, detail).report
    return json.loads(as_json.render([report], RenderOptions()))["hosts"][0]


def numbers(values: pd.Series) -> dict[str, float]:
    """Return what a report should say of these values; percentiles are those of nearest rank, ceil(q n)."""
    there = values.dropna().sort_values(ignore_index=True)
    ranks = {f"p{q}": np.quantile(there, q / 100, method="inverted_cdf") for q in (50, 95, 99)}
    return {"samples": len(there), "mean": there.mean(), "min": there.min(), "max": there.max(), **ranks}


def chosen(stats: Mapping[str, Any], like: Mapping[str, Any]) -> dict[str, Any]:
    """Return the same keys of what a report says."""
    return {key: stats[key] for key in like}


@pytest.fixture(scope="module", params=[1, 2, 3])
def data(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_machine(folder, request.param)
    return folder


@pytest.fixture(scope="module")
def limits(data: Path) -> RuleLimits:
    (data / "rules.yaml").write_text(RULES)
    return RuleLimits(load_rules(data / "rules.yaml", TABLES, {"cpu": STEP}).rules)


def series_of(page: Any) -> dict[str, Any]:
    """Return the series of the processors by core."""
    (table,) = (table for table in page["tables"] if table["table"] == "cpu")
    return {series["labels"]["core"]: series for series in table["series"]}


def test_numbers_of_a_range(data: Path) -> None:
    rows = frame(data, "cpu")

    series = series_of(page(data, BEGIN, Detail()))

    for core, of_core in rows.groupby("core"):
        for metric in ("cpu_usage_percent", "cpu_steal_percent"):
            expected = numbers(of_core[metric])
            assert chosen(series[str(core)]["metrics"][metric], expected) == pytest.approx(expected, rel=1e-9)
            highest = of_core.loc[of_core[metric].idxmax(), "timestamp"]
            assert pd.Timestamp(series[str(core)]["metrics"][metric]["max_at"]) == highest


def test_time_beyond_limits(data: Path, limits: RuleLimits) -> None:
    rows = frame(data, "cpu")

    series = series_of(page(data, BEGIN, Detail(limits=limits)))

    for core, of_core in rows.groupby("core"):
        usage, steal = of_core["cpu_usage_percent"], of_core["cpu_steal_percent"]
        counts = [(usage >= 60).sum(), (usage > 90).sum(), (steal < 2).sum()]
        beyonds = [beyond for item in series[str(core)]["metrics"].values() for beyond in item["beyond"]]
        assert [(beyond["samples"], beyond["seconds"], beyond["exact"]) for beyond in beyonds] == [
            (n, n * STEP, True) for n in counts
        ]
        shares = [counts[0] / usage.count(), counts[1] / usage.count(), counts[2] / steal.count()]
        assert [beyond["share"] for beyond in beyonds] == pytest.approx(shares)


def test_samples_found_of_expected_and_the_longest_gap(data: Path) -> None:
    instants = frame(data, "cpu")["timestamp"].drop_duplicates().sort_values()
    due = pd.date_range(at(BEGIN), at(END), freq=f"{STEP}s", inclusive="left")
    # A gap lies between two samples, or between a sample and an edge of the range.
    spacing = pd.Series([at(BEGIN - STEP), *instants, at(END)]).diff().dropna().dt.total_seconds()

    coverage = series_of(page(data, BEGIN, Detail()))["0"]["coverage"]

    assert (coverage["found"], coverage["expected"], coverage["longest_gap_seconds"]) == (
        len(instants),
        len(due),
        spacing.max(),
    )


@pytest.mark.parametrize("minutes", [5, 60])
def test_time_tables(data: Path, minutes: int) -> None:
    length = timedelta(minutes=minutes)
    detail = Detail(edges=split_range(at(BEGIN), at(END), length, UTC))

    series = series_of(page(data, BEGIN, detail))

    for core, of_core in frame(data, "cpu").groupby("core"):
        parts = of_core.set_index("timestamp")["cpu_steal_percent"].resample(f"{minutes}min")
        expected = parts.agg(["count", "mean", "min", "max"]).reindex(list(detail.edges[:-1]))
        buckets = series[str(core)]["metrics"]["cpu_steal_percent"]["buckets"]
        assert [bucket["samples"] for bucket in buckets] == list(expected["count"].fillna(0))
        for key in ("mean", "min", "max"):
            there = [bucket[key] for bucket in buckets if bucket["samples"]]
            assert there == pytest.approx(list(expected[key].dropna()), rel=1e-9)


def test_what_changed(data: Path) -> None:
    now, then = frame(data, "cpu", MIDDLE, END), frame(data, "cpu", BEGIN, MIDDLE)

    answer = page(data, MIDDLE, Detail(compare=timedelta(seconds=MIDDLE)))

    for core, series in series_of(answer).items():
        expected = numbers(then[then["core"] == core]["cpu_usage_percent"])
        assert chosen(series["metrics"]["cpu_usage_percent"]["before"], expected) == pytest.approx(expected, rel=1e-9)
    metrics = ["cpu_usage_percent", "cpu_steal_percent"]
    points = (now.groupby("core")[metrics].mean() - then.groupby("core")[metrics].mean()).stack()
    order = list(points.abs().sort_values(ascending=False).index)
    changes = answer["compared"]["changes"]
    assert [(change["labels"]["core"], change["metric"]) for change in changes] == order
    assert [change["now"] - change["then"] for change in changes] == pytest.approx(list(points[order]))


@pytest.mark.parametrize("by", [(), ("unit",), ("username",)], ids=["each", "by unit", "by user"])
def test_who_used_most(data: Path, by: tuple[str, ...]) -> None:
    rows = frame(data, "process")
    rows["io"] = rows["process_read_bytes_per_second"] + rows["process_write_bytes_per_second"]
    ticks = rows["timestamp"].nunique()
    listed = rows[rows["pid"] != "-1"]
    labels = list(by or ("name", "username", "unit"))

    answer = page(data, BEGIN, Detail(top=100, by=by[0] if by else ""))

    for column, ranking in zip(("process_cpu_percent", "process_memory_bytes", "io"), answer["top"], strict=True):
        at_tick = listed.groupby([*labels, "timestamp"])[column].sum(min_count=1).dropna()
        used = at_tick.groupby(labels).agg(["sum", "count", "max"]).sort_values("sum", ascending=False)
        groups = ranking["groups"]
        assert [tuple(group["labels"].values()) for group in groups] == [
            key if isinstance(key, tuple) else (key,) for key in used.index
        ]
        assert [group["mean"] for group in groups] == pytest.approx(list(used["sum"] / ticks), rel=1e-9)
        assert [(group["ticks"], group["lower_bound"]) for group in groups] == [(n, n < ticks) for n in used["count"]]
        assert [group["max"] for group in groups] == pytest.approx(list(used["max"]), rel=1e-9)
