from dataclasses import replace
from pathlib import Path

import pytest

from sysmon.datadir.damage import Damage
from sysmon.formats.records import ActiveRecord, AlertEntry
from sysmon.history import AlertState
from sysmon.model import AlertEvent, Culprit, Event, Level, Transition
from sysmon.reading.alerts import active_alerts, past_alerts
from sysmon.reading.logs import read_alerts, read_events
from tests.reading.stored import DAY, HOUR, START, alert_lines, at, event_lines, running, started, write_log

FIRED = AlertEvent(
    at=at(100),
    transition=Transition.FIRED,
    rule="cpu-hot",
    id="aabbccdd",
    metric="cpu_usage_percent",
    labels={"hostname": "web-01", "core": "all"},
    level=Level.WARNING,
    value=91.0,
    peak=91.0,
    threshold=80.0,
    condition=">= 80 for 1m",
    since=at(40),
    duration=60.0,
    reason="",
)
ESCALATED = replace(FIRED, at=at(200), transition=Transition.ESCALATED, level=Level.CRITICAL, peak=97.0)
LOWERED = replace(FIRED, at=at(300), transition=Transition.LOWERED, level=Level.WARNING, peak=97.0)
RESOLVED = replace(FIRED, at=at(400), transition=Transition.RESOLVED, peak=97.0, duration=240.0)


def listed(*alerts: AlertEvent) -> ActiveRecord:
    return ActiveRecord(at(500), alerts)


def seen(
    entries: list[AlertEntry], since: float = 0, until: float = 3600
) -> list[tuple[str, str, float, float | None]]:
    """Return state, level, duration and peak of the alerts in a range given in seconds."""
    alerts = past_alerts(entries, at(since), at(until))
    return [(alert.state.value, alert.level.value, alert.duration, alert.peak) for alert in alerts]


@pytest.mark.parametrize(
    ("entries", "since", "expected"),
    [
        pytest.param([], 0, [], id="none"),
        pytest.param([FIRED], 0, [("firing", "warning", 3560, 91.0)], id="still firing"),
        pytest.param([FIRED, ESCALATED, LOWERED, RESOLVED], 0, [("resolved", "critical", 240.0, 97.0)], id="its worst"),
        pytest.param([FIRED, RESOLVED], 401, [], id="over before the range"),
        pytest.param([FIRED, RESOLVED], 400, [("resolved", "warning", 240.0, 97.0)], id="over at its beginning"),
        pytest.param([FIRED], 3000, [("firing", "warning", 3560, 91.0)], id="began before the range"),
        pytest.param([listed(FIRED)], 3000, [("firing", "warning", 3560, 91.0)], id="only listed as active"),
        pytest.param([FIRED, listed(FIRED)], 0, [("firing", "warning", 3560, 91.0)], id="listed again"),
        pytest.param([FIRED, listed()], 0, [("unknown", "warning", 460, 91.0)], id="a later run knows nothing"),
    ],
)
def test_what_became_of_an_alert(
    entries: list[AlertEntry], since: float, expected: list[tuple[str, str, float, float | None]]
) -> None:
    assert seen(entries, since) == expected


def test_the_log_is_read_from_the_segment_that_was_open_when_the_range_began(tmp_path: Path) -> None:
    write_log(tmp_path, "alerts", alert_lines(at(-999_999), [], [replace(FIRED, id="old")]), at(-999_999))
    write_log(tmp_path, "alerts", alert_lines(START, [], [FIRED, RESOLVED]))
    write_log(tmp_path, "alerts", alert_lines(START + 3 * DAY, [], []), START + 3 * DAY)

    entries = read_alerts(tmp_path / "web-01", START + DAY, START + DAY + HOUR, Damage())

    assert entries == [ActiveRecord(START, ()), FIRED, RESOLVED]


def test_broken_records_are_counted(tmp_path: Path) -> None:
    path = write_log(tmp_path, "alerts", alert_lines(START, [], [FIRED]))
    good = path.read_bytes()
    broken = [b"{}", b"[]", b"null", b"{", b'{"timestamp":"2026-11-20T12:00:00Z","event":"fired"}', b'{"event":1}']
    broken += [b'{"timestamp":5,"event":"active"}', good.splitlines()[1].replace(b'"labels":{', b'"labels":[{')]
    broken += [good.splitlines()[1].replace(b'"warning"', b'"awful"')]
    path.write_bytes(good + b"".join(line + b"\n" for line in broken))
    damage = Damage()

    entries = read_alerts(tmp_path / "web-01", START, START + HOUR, damage)

    assert (len(entries), damage.count) == (2, len(broken))


def test_an_alert_that_is_on_at_the_end_is_firing(tmp_path: Path) -> None:
    write_log(tmp_path, "alerts", alert_lines(START, [FIRED], []))

    entries = read_alerts(tmp_path / "web-01", START, START + HOUR, Damage())

    assert [alert.state for alert in past_alerts(entries, START, START + HOUR)] == [AlertState.FIRING]


def test_events_come_back_with_their_fields(tmp_path: Path) -> None:
    events = [running(0, "a", {"load": 10.0}), started(1, "a", {"load": 10.0}, 10)]
    write_log(tmp_path, "events", event_lines(events))

    stored = read_events(tmp_path / "web-01", START, START + HOUR, Damage())

    labels = {"hostname": "web-01", "environment": "prod", "region": "eu"}
    assert stored == [Event(event.at, event.kind, labels | dict(event.fields)) for event in events]


BLAMED = replace(FIRED, resource="cpu", top=(Culprit("7", "java", "root", "-", 180.0, 90.0),))


@pytest.mark.parametrize(
    ("entries", "on"),
    [
        pytest.param([FIRED, ESCALATED, LOWERED], [LOWERED], id="at its level of that moment"),
        pytest.param([FIRED, RESOLVED], [], id="over"),
        pytest.param([FIRED, replace(FIRED, transition=Transition.FLAPPING, level=Level.INFO)], [FIRED], id="flapping"),
        pytest.param([FIRED, listed()], [], id="a later run knows nothing"),
        pytest.param([listed(ESCALATED)], [ESCALATED], id="only listed as active"),
        pytest.param(
            [BLAMED, replace(FIRED, transition=Transition.REMINDER)],
            [replace(BLAMED, transition=Transition.REMINDER)],
            id="whom it named first",
        ),
    ],
)
def test_what_is_on_after_some_entries(entries: list[AlertEntry], on: list[AlertEvent]) -> None:
    assert active_alerts(entries) == on


def test_a_changed_culprit_changes_whom_an_alert_names_and_nothing_else() -> None:
    first, second = (Culprit(pid, "java", "app", "-", 1.0, None) for pid in ("1", "2"))
    fired = replace(FIRED, resource="cpu", top=(first,), top_at=at(100))
    changed = replace(
        fired, at=at(200), transition=Transition.CULPRIT_CHANGED, value=None, top=(second,), top_at=at(200),
        peak=95.0, peak_top=(first,), peak_at=at(100), ended_pids=("1",), notified=False,
    )  # fmt: skip

    (alert,) = past_alerts([fired, changed], at(0), at(3600))

    assert (alert.value, alert.peak, alert.top, alert.peak_top, alert.ended_pids, alert.state) == (
        *(91.0, 95.0, (second,), (first,), ("1",)),
        AlertState.FIRING,
    )
    assert [(event.at, event.top) for event in active_alerts([fired, changed])] == [(at(100), (second,))]


def test_an_event_that_only_a_later_version_knows_is_skipped_and_no_damage(tmp_path: Path) -> None:
    lines = alert_lines(START, [], [FIRED, FIRED])
    lines[1] = lines[1] | {"event": "promoted"}
    write_log(tmp_path, "alerts", lines)
    damage = Damage()

    entries = read_alerts(tmp_path / "web-01", START, START + HOUR, damage)

    assert (entries[1:], damage.count) == ([FIRED], 0)
