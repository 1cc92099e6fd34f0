"""Whatever bytes are in a file of the data directory: it is read, or what cannot be is noted, or refused in a line."""

import gzip
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysmon.alerts.silences import Silence, to_record
from sysmon.app.agent.restore import read_log
from sysmon.app.silence_store import NAME, read_silences
from sysmon.datadir.damage import Damage
from sysmon.datadir.names import DataEntry
from sysmon.datadir.rollups import Resolution, RollupFile
from sysmon.errors import StorageError
from sysmon.reading import catalog, rollup_file, rollup_minutes
from sysmon.reading.logs import read_alerts
from sysmon.storage.lock import DataDirectory
from sysmon.text.instants import EPOCH
from tests.reading.stored import CPU, HOUR, START, alert_lines
from tests.reading.test_alerts import FIRED, RESOLVED

ENTRY = to_record(Silence("s1", "cpu-*", {"core": "0"}, START, START + HOUR, "moving", "ann"))
ALERTS = alert_lines(START, [FIRED], [FIRED, RESOLVED])
ROLLUP: list[dict[str, Any]] = [
    {
        "timestamp": "2026-11-20T12:00:00.000Z",
        "rollup": "1h",
        "version": 2,
        "hostname": "web-01",
        "origin": {},
        "ticks": [[10000, 10000, 2]],
        "sources": ["cpu-20261120T120000Z-1h"],
    },
    {
        "labels": {"core": "all"},
        "ticks": [[10000, 10000, 2]],
        "hours": [0],
        "sizes": [2],
        "metrics": {
            "cpu_usage_percent": {
                "count": 2,
                "sum": 3.0,
                "min": 1.0,
                "max": 2.0,
                "max_at": 20000,
                "first": 1.0,
                "first_at": 10000,
                "last": 2.0,
                "last_at": 20000,
                "histogram": [[0, [1]], [35, [1]]],
                "means": [1.5],
                "peaks": [2.0],
            }
        },
    },
    {
        "labels": {"name": "java"},
        "pids": ["1"],
        "uses": {"cpu_usage_percent": {"ticks": 1, "sum": 1.0, "max": 1.0, "max_at": 1}},
    },
]
HOUR_FILE = RollupFile(CPU.name, Resolution.HOUR, START)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.text(max_size=5) | st.integers() | st.integers(-3, 3) | st.floats(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def spoilt(draw: st.DrawFn, *records: Mapping[str, object]) -> bytes:
    """Give records as lines, some of their values replaced by anything."""
    lines = []
    for record in records:
        plain = json.loads(json.dumps(record))
        for _ in range(draw(st.integers(0, 2))):
            _replace_one(draw, plain)
        lines.append(json.dumps(plain).encode() + b"\n")
    return b"".join(lines)


def _replace_one(draw: st.DrawFn, value: Any) -> None:
    """Replace something, anywhere below a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value))
    if not keys:
        return
    key = draw(st.sampled_from(keys))
    if isinstance(value[key], dict | list) and value[key] and draw(st.booleans()):
        _replace_one(draw, value[key])
    else:
        value[key] = draw(ANYTHING)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bytes")


@settings(max_examples=150, deadline=None)
@given(content=st.binary() | spoilt(ENTRY, ENTRY))
def test_silences(folder: Path, content: bytes) -> None:
    (folder / NAME).write_bytes(content)

    state = read_silences(folder, damage := Damage())

    assert state is not None
    state.active(START)
    assert content.count(b"\n") >= damage.count - 1


@settings(max_examples=150, deadline=None)
@given(content=st.binary() | spoilt(*ALERTS))
def test_an_alert_log_that_a_run_reads_and_that_readers_read(folder: Path, content: bytes) -> None:
    log = folder / "web-01/alerts"
    log.mkdir(parents=True, exist_ok=True)
    (log / "alerts-20261120T000000Z-1d.jsonl").write_bytes(content)

    by_run, by_readers = Damage(), Damage()
    read_log(log, START, by_run)
    read_alerts(log.parent, EPOCH, catalog.LAST, by_readers)

    assert content.count(b"\n") >= max(by_run.count, by_readers.count) - 1


@settings(max_examples=100, deadline=None)
@given(content=st.binary() | st.sampled_from([b"1\n", b"2", b" 1", b"-1", b"1e9", b"9" * 5000, b"", b"\0"]))
def test_a_version_of_the_format(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    data = tmp_path_factory.mktemp("format")
    (data / DataEntry.FORMAT).write_bytes(content)

    with suppress(StorageError):
        catalog.check_format(data, Damage())
    with suppress(StorageError):
        DataDirectory(data).close()


@settings(max_examples=150, deadline=None)
@given(content=st.binary() | spoilt(*ROLLUP))
@pytest.mark.parametrize("read", [rollup_file.read, rollup_minutes.read])
def test_a_roll_up(folder: Path, read: Callable[[Path, RollupFile, Damage], object], content: bytes) -> None:
    path = folder / HOUR_FILE.name
    path.write_bytes(gzip.compress(content, 1))

    read(path, HOUR_FILE, damage := Damage())

    assert damage.count < 2
