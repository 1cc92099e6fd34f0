"""Commands that ask for the time of day: around midnight, over both changes of the clocks, when things expire."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from freezegun import freeze_time

from sysmon.cli import answer
from tests.reading.stored import DAY, HOUR, LOAD, write_log, write_table
from tests.text.test_instants import zone


def half_hours(since: datetime, until: datetime) -> list[tuple[datetime, list[tuple[float, ...]]]]:
    """Return a sample each half hour."""
    return [(since + index * HOUR / 2, [(1.0, 1.0)]) for index in range((until - since) // (HOUR / 2) + 1)]


def exported(capfd: pytest.CaptureFixture[str], data: Path, *options: str) -> list[datetime]:
    """Return the first and the last instant of an export."""
    code = answer(["export", "--table", "load", "--format", "jsonl", "--data", str(data), *options])

    rows = [json.loads(line) for line in capfd.readouterr().out.splitlines()]
    assert code == 0
    return [datetime.fromisoformat(row["timestamp"]) for row in (rows[0], rows[-1])]


@pytest.mark.parametrize(
    ("now", "midnights"),
    [
        pytest.param(
            "2026-11-20T22:59:59Z", ("2026-11-18T23:00Z", "2026-11-19T23:00Z"), id="a second before midnight in Berlin"
        ),
        pytest.param("2026-11-20T23:00:00Z", ("2026-11-19T23:00Z", "2026-11-20T23:00Z"), id="at midnight"),
        pytest.param(
            "2026-03-29T00:59:59Z", ("2026-03-27T23:00Z", "2026-03-28T23:00Z"), id="before the clocks go forward"
        ),
        pytest.param(
            "2026-03-29T01:00:00Z", ("2026-03-27T23:00Z", "2026-03-28T23:00Z"), id="when they have gone forward"
        ),
        pytest.param("2026-03-30T10:00:00Z", ("2026-03-28T23:00Z", "2026-03-29T22:00Z"), id="yesterday had 23 hours"),
        pytest.param("2026-10-25T00:30:00Z", ("2026-10-23T22:00Z", "2026-10-24T22:00Z"), id="02:30 the first time"),
        pytest.param("2026-10-25T01:30:00Z", ("2026-10-23T22:00Z", "2026-10-24T22:00Z"), id="02:30 the second time"),
        pytest.param("2026-10-26T10:00:00Z", ("2026-10-24T22:00Z", "2026-10-25T23:00Z"), id="yesterday had 25 hours"),
    ],
)
def test_today_and_yesterday_begin_at_local_midnight(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], now: str, midnights: tuple[str, str]
) -> None:
    instant = datetime.fromisoformat(now)
    yesterday, today = map(datetime.fromisoformat, midnights)
    begin = instant.replace(minute=0, second=0) - 3 * DAY
    newest = instant.replace(minute=instant.minute // 30 * 30, second=0)
    write_table(tmp_path, LOAD, half_hours(begin, newest))

    with zone("Europe/Berlin"), freeze_time(instant):
        of_yesterday = exported(capfd, tmp_path, "--since", "yesterday", "--until", "today")
        of_today = exported(capfd, tmp_path, "--since", "today", "--until", "1s") if instant > today else []

    assert of_yesterday == [yesterday, today - HOUR / 2]
    assert of_today in ([], [today, newest - (HOUR / 2 if newest == instant else timedelta(0))])


@pytest.mark.parametrize(
    ("now", "kept"),
    [
        pytest.param("2026-11-22T12:59:59Z", 49, id="a second before the oldest one has its age"),
        pytest.param("2026-11-22T13:00:00Z", 48, id="at its age"),
        pytest.param("2026-11-22T14:00:00Z", 47, id="an hour later"),
    ],
)
def test_maintenance_deletes_by_the_age_of_now(tmp_path: Path, now: str, kept: int) -> None:
    (tmp_path / "sysmon.yaml").write_text("storage: {retention: {rows: 2d}, min_free: 0B}\n")
    noon = datetime(2026, 11, 20, 12, tzinfo=UTC)
    write_table(tmp_path / "data", LOAD, [(noon + hour * HOUR, [(1.0, 1.0)]) for hour in range(49)])

    with freeze_time(now):
        code = answer(["maintain", "--data", str(tmp_path / "data"), "--config", str(tmp_path / "sysmon.yaml")])

    assert (code, len(list((tmp_path / "data").glob("web-01/load/*")))) == (0, kept)


def test_a_silence_ends_by_elapsed_time_though_the_clocks_go_back(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "web-01").mkdir()
    write_log(tmp_path, "events", [])
    data = ["--data", str(tmp_path)]

    with zone("Europe/Berlin"), freeze_time("2026-10-25T00:30:00Z") as clock:
        answer(["silence", "cpu-saturated", "--for", "1h", *data])
        capfd.readouterr()
        listed = []
        for step in (3599, 2):
            clock.tick(step)
            answer(["silences", *data])
            listed.append("cpu-saturated" in capfd.readouterr().out)

    assert listed == [True, False]
