"""Where moments come from: what a run stores, and what is sampled on the spot with the files as its past."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sysmon.alerts.evaluator import Evaluator
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.live.sources import KEPT, FileSource, LiveSource
from sysmon.app.live.stored import Mismatch, StoredSnapshots
from sysmon.model import Failure, Origin, Row, Sample
from sysmon.reading.archive import Archive
from sysmon.reading.catalog import Host
from sysmon.reading.seek import DamageOnce
from sysmon.storage.lock import DataDirectory
from tests.reading.stored import (
    AGENT,
    CPU,
    DISK_USAGE,
    START,
    TABLES,
    alert_lines,
    at,
    event_lines,
    started,
    write_log,
    write_table,
)
from tests.reading.test_alerts import FIRED

RULES = """\
version: 1
defaults: {for: 0s, clear_for: 0s}
rules:
  - id: hot
    metric: cpu_usage_percent
    warning: {above: 90, clear_below: 90}
"""
SECONDS = {"cpu": 1.0, "disk_usage": 60.0, "agent": 1.0}
MOUNT = ("/", "sda1", "ext4", 1.0, 1)


def _sample(second: int, *, used: float = 5.0, failed: bool = False) -> Sample:
    rows: dict[str, list[Row]] = {} if failed else {"cpu": [("all", used, 0.0)]}
    if second % 60 == 0:
        rows["disk_usage"] = [MOUNT]
    return Sample(at(second), rows, (Failure("cpu", "broken"),) if failed else ())


@pytest.fixture
def evaluator(tmp_path: Path) -> Evaluator:
    (tmp_path / "rules.yaml").write_text(RULES)
    return Evaluator(load_rules(tmp_path / "rules.yaml", TABLES, SECONDS).rules, TABLES, Origin("web-01"))


@pytest.fixture
def past(tmp_path: Path) -> StoredSnapshots:
    data = tmp_path / "data"
    write_table(data, CPU, [(at(second), [("all", 1.0, 0.0)]) for second in range(0, 30, 10)])
    write_table(data, DISK_USAGE, [(at(0), [MOUNT])])
    write_table(data, AGENT, [(at(second), [("one", second)]) for second in range(0, 30, 10)])
    write_log(data, "events", event_lines([started(0, "one", {"cpu": 10.0, "agent": 10.0, "disk_usage": 60.0})]))
    return StoredSnapshots(Archive(data, Host(data / "web-01"), DamageOnce(), TABLES), now=at(40))


def _own(evaluator: Evaluator, past: StoredSnapshots | None = None) -> LiveSource:
    return LiveSource("web-01", TABLES, evaluator, base=1.0, seconds=lambda: SECONDS, past=past)


def test_before_the_first_sample_there_is_nothing(evaluator: Evaluator) -> None:
    record = _own(evaluator)

    assert (record.find(None), record.first(), record.sample_before(at(0)), record.trouble(at(0))) == (None,) * 3 + (
        "",
    )


def test_the_newest_sample_has_the_slower_tables_as_they_were_last_seen(evaluator: Evaluator) -> None:
    record = _own(evaluator)
    for second in range(60, 75):
        record.add(_sample(second))

    lookup = record.find(None)

    assert lookup is not None
    assert {name: table.at for name, table in lookup.snapshot.tables.items()} == {
        "cpu": at(74),
        "disk_usage": at(60),
    }


def test_what_a_collector_failed_to_read_is_not_shown(evaluator: Evaluator) -> None:
    record = _own(evaluator)
    record.add(_sample(60))
    record.add(_sample(61, failed=True))

    lookup = record.find(None)

    assert lookup is not None
    assert list(lookup.snapshot.tables) == ["disk_usage"]


def test_alerts_are_those_that_the_rules_say(evaluator: Evaluator) -> None:
    record = _own(evaluator)
    for second, used in ((100, 5.0), (101, 95.0), (102, 96.0), (103, 5.0), (104, 97.0)):
        record.add(_sample(second, used=used))

    on = [
        [alert.rule for alert in lookup.snapshot.alerts]
        for second in range(100, 105)
        if (lookup := record.find(at(second)))
    ]
    assert on == [[], ["hot"], ["hot"], [], ["hot"]]
    assert (record.alert_before(at(104)), record.alert_after(at(101)), record.alert_after(at(104))) == (
        at(101),
        at(104),
        None,
    )


def test_beside_a_recorder_alerts_are_those_of_its_log(evaluator: Evaluator, past: StoredSnapshots) -> None:
    write_log(past.host.folder.parent, "alerts", alert_lines(START, [], [replace(FIRED, rule="full", at=at(20))]))
    recording = True
    source = LiveSource(
        "web-01", TABLES, evaluator, base=1.0, seconds=lambda: SECONDS, past=past, is_recording=lambda: recording
    )
    source.add(_sample(100, used=95.0))
    recording = False
    source.add(_sample(101, used=95.0))

    lookups = [source.find(at(second)) for second in (100, 101)]
    assert [[event.rule for event in lookup.snapshot.alerts] for lookup in lookups if lookup] == [["full"], ["hot"]]


def test_the_past_of_own_samples_is_in_the_files(evaluator: Evaluator, past: StoredSnapshots) -> None:
    record = _own(evaluator, past)
    for second in (100, 101):
        record.add(_sample(second))

    assert (record.first(), record.sample_before(at(100)), record.sample_after(at(20))) == (at(0), at(20), at(100))
    lookups = [record.find(at(second)) for second in (15, 100.5)]
    assert [(lookup.snapshot.at, lookup.snapshot.seconds) for lookup in lookups if lookup] == [
        (at(10), 10.0),
        (at(100), 1.0),
    ]


def test_only_so_many_own_samples_are_remembered(evaluator: Evaluator) -> None:
    record = _own(evaluator)
    for second in range(KEPT + 5):
        record.add(_sample(second))

    assert (record.first(), record.sample_before(at(6))) == (at(5), at(5))


def test_an_own_sample_that_is_over_is_told(evaluator: Evaluator) -> None:
    record = _own(evaluator)
    record.add(_sample(100))

    lookup = record.find(at(130))

    assert lookup is not None
    assert lookup.mismatch is Mismatch.MISSED


@pytest.fixture
def held(past: StoredSnapshots) -> Iterator[Path]:
    """Hold the data directory as a run does."""
    data = past.host.folder.parent
    directory = DataDirectory(data)
    yield data
    directory.close()


@pytest.mark.parametrize(
    ("now", "trouble"),
    [pytest.param(45, "", id="on time"), pytest.param(65, "no sample for 45s", id="late")],
)
def test_a_run_that_takes_no_samples_is_told(held: Path, past: StoredSnapshots, now: int, trouble: str) -> None:
    assert FileSource(past, held).trouble(at(now)) == trouble


def test_where_nobody_samples_nothing_is_live(past: StoredSnapshots) -> None:
    assert FileSource(past, past.host.folder.parent).trouble(at(45)) is None
