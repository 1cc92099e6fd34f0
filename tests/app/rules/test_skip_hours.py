"""Hours that a backtest passes over: the events are those of the rows, whatever the roll-ups let it leave out."""

import shutil
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.app.admin.maintain import maintain
from sysmon.app.catalog import tables
from sysmon.app.rules.backtest import open_replay, tally_rules
from sysmon.app.rules.skip_hours import SkipHours
from sysmon.app.selection import Selection
from sysmon.config import Storage
from sysmon.model import AlertEvent, Row
from tests.reading.stored import HOUR, START, event_lines, started, write_log, write_table

HOURS = 9
PER_HOUR = 30
STEP = HOUR / PER_HOUR
INTERVALS = dict.fromkeys(tables(), STEP.total_seconds())
CORES = ("0", "all")
BUSY = "metric: cpu_usage_percent, match: {core: all}"
RULES = f"""\
version: 1
defaults: {{clear_for: 4m, max_gap: 6m, flap: {{window: 50m, start: 2, stop: 1}}, cooldown: 10m}}
rules:
- {{id: hot, {BUSY}, warning: {{at_least: 90, clear_below: 60, for: 6m}}, critical: {{above: 97, for: 0s}}}}
- {{id: mean, {BUSY}, reduce: {{fn: mean, over: 40m, min_coverage: 0.5}}, warning: {{above: 75, for: 2m}}}}
- {{id: counted, {BUSY}, warning: {{at_least: 90, for: {{bad: 2, of: 4}}}}}}
- {{id: low, metric: cpu_usage_percent, on_missing: resolve, warning: {{below: 2, clear_above: 5, for: 2m}}}}
- {{id: exact, metric: cpu_usage_percent, warning: {{equals: 33, for: 0s}}}}
"""
SILENT = f"- {{id: silent, {BUSY}, warning: {{absent_for: 2m, clear_for: 0s}}}}\n"
LONG = f"- {{id: long, {BUSY}, warning: {{above: 90, for: 2h}}}}\n"
CALM = 20.0


def store(folder: Path, values: list[float | None], *, missing: frozenset[int] = frozenset()) -> Path:
    """Write a tick for each value, but for the missing ones, and the roll-ups of all finished hours."""
    data = folder / "data"
    ticks = [(START + STEP * number, value) for number, value in enumerate(values) if number not in missing]
    for name, shape in {"cpu": _cpu, "collector": _collector, "process": _process}.items():
        write_table(data, tables()[name], [(at, shape(value, at)) for at, value in ticks])
    write_log(data, "events", event_lines([started(0, "1", INTERVALS)]))
    maintain(data, Storage(compress_after=timedelta(days=9), min_free=0), now=START + (HOURS + 1) * HOUR)
    return data


def _row(name: str, labels: tuple[str, ...], **values: float | None) -> Row:
    return (*labels, *(values.get(metric.name) for metric in tables()[name].metrics))


def _cpu(value: float | None, _at: datetime) -> list[Row]:
    return [_row("cpu", (core,), cpu_usage_percent=value if core == "all" else CALM) for core in CORES]


def _collector(_value: float | None, _at: datetime) -> list[Row]:
    return [_row("collector", ("cpu",), collector_up=1, collector_errors=0, collector_duration_seconds=0.1)]


def _process(value: float | None, at: datetime) -> list[Row]:
    labels = (str(at.hour), "2026-10-01T00:00:00Z", f"proc{at.minute}", "root", "s.service")
    return [_row("process", labels, process_cpu_percent=value or 1.0, process_memory_bytes=at.minute + 1)]


def selection(data: Path) -> Selection:
    end = START + HOURS * HOUR
    return Selection(data=data, since=START, until=end, now=end)


def told(data: Path, rules: str) -> list[AlertEvent]:
    file = data.parent / "rules.yaml"
    file.write_text(rules)
    replay = open_replay(selection(data))
    return list(replay.events(replay.rules(file), culprits=True))


def quiet(data: Path, rules: str) -> list[int]:
    """Return the hours that can be passed over."""
    file = data.parent / "rules.yaml"
    file.write_text(rules)
    replay = open_replay(selection(data))
    read_tables = [tables()[name] for name in ("collector", "cpu", "process")]
    hours = SkipHours(replay.host.folder, read_tables, replay.rules(file).rules, replay.starts)
    return [
        (part.since - START) // HOUR
        for part in hours.parts(replay.selection.since, replay.selection.until)
        if part.skip
    ]


def levelled(bad: dict[int, float | None]) -> list[float | None]:
    return [bad.get(number, CALM) for number in range(HOURS * PER_HOUR)]


def without_rollups(data: Path) -> Path:
    shutil.rmtree(data / "web-01" / "rollup")
    return data


HIGH = st.sampled_from([2.0, 1.0, 33.0, 74.0, 76.0, 90.0, 96.0, 98.0, None])


@st.composite
def days(draw: st.DrawFn) -> list[float | None]:
    """Draw hours of calm with trouble that begins or ends near the edges of hours."""
    bad: dict[int, float | None] = {}
    for _ in range(draw(st.integers(0, 3))):
        begin = draw(st.integers(0, HOURS - 1)) * PER_HOUR + draw(st.integers(-8, 8))
        value = draw(HIGH)
        bad |= dict.fromkeys(range(begin, begin + draw(st.integers(1, 12))), value)
    return levelled(bad)


@settings(max_examples=25)
@given(days(), st.frozensets(st.integers(0, HOURS * PER_HOUR - 1), max_size=4), st.booleans())
def test_the_events_are_those_of_the_rows(values: list[float | None], missing: frozenset[int], silent: bool) -> None:
    rules = RULES + SILENT if silent else RULES
    with TemporaryDirectory() as folder:
        data = store(Path(folder), values, missing=missing)

        assert told(data, rules) == told(without_rollups(data), rules)


BAD: dict[int, float | None] = {4 * PER_HOUR + number: 98.0 for number in range(-5, 5)}


@pytest.mark.parametrize(
    ("rules", "bad", "missing", "hours"),
    [
        pytest.param(RULES, {}, (), [2, 3, 4, 5, 6, 7], id="calm: all but the first hours and the last"),
        pytest.param(RULES, BAD, (), [6, 7], id="a breach over an edge, and what means look back on"),
        pytest.param(RULES, {}, (130,), [2, 3, 4, 5, 6, 7], id="a lost sample where nobody asks for silence"),
        pytest.param(RULES + SILENT, {}, (130,), [2, 6, 7], id="a lost sample where a rule asks for silence"),
        pytest.param(RULES + SILENT, {130: None}, (), [2, 6, 7], id="a null where a rule asks for silence"),
        pytest.param(RULES, {130: 33.0}, (), [2, 6, 7], id="a value that is asked for"),
        pytest.param(RULES + LONG, {}, (), [], id="a rule that remembers more than an hour"),
    ],
)
def test_an_hour_is_passed_over_where_nothing_could_have_come_of_it(
    tmp_path: Path, rules: str, bad: dict[int, float | None], missing: tuple[int, ...], hours: list[int]
) -> None:
    data = store(tmp_path, levelled(bad), missing=frozenset(missing))

    assert quiet(data, rules) == hours


def test_an_hour_whose_rows_are_newer_than_its_sum_is_read(tmp_path: Path) -> None:
    data = store(tmp_path, levelled({}))
    path = next((data / "web-01" / "cpu").glob("*T170000Z*"))
    path.write_bytes(path.read_bytes().replace(b"20.0", b"99.0").replace(b":20,", b":99,"))

    assert quiet(data, RULES) == [2, 3, 7]


def test_an_hour_with_lines_that_could_not_be_read_is_read_again_to_tell(tmp_path: Path) -> None:
    data = store(tmp_path, levelled({}))
    path = next((data / "web-01" / "cpu").glob("*T170000Z*"))
    path.write_bytes(path.read_bytes() + b"no row\n")
    maintain(data, Storage(compress_after=timedelta(days=9), min_free=0), now=START + 10 * HOUR, rebuild=True)

    assert quiet(data, RULES) == [2, 3, 7]


def test_counts_and_the_end_are_those_of_the_rows(tmp_path: Path) -> None:
    data = store(tmp_path, levelled(BAD))
    (tmp_path / "rules.yaml").write_text(RULES)
    skipping, reading = open_replay(selection(data)), open_replay(selection(data))

    first = tally_rules(skipping, skipping.rules(tmp_path / "rules.yaml")), skipping.last
    without_rollups(data)

    assert first == (tally_rules(reading, reading.rules(tmp_path / "rules.yaml")), reading.last)
