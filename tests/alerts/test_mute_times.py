"""When is it quiet? Five fields as cron takes them, for as long as said, by the local clock."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.alerts.mute_times import Cron, MuteClock, MuteTime, parse_cron
from sysmon.alerts.rules.loader import load_rules
from sysmon.app.catalog import tables
from sysmon.errors import UsageError
from sysmon.model import Level

MACHINES = Path(__file__).parent.parent / "data/machines"
BERLIN = ZoneInfo("Europe/Berlin")


def fitting(text: str, *instants: str) -> list[bool]:
    cron = parse_cron(text)
    return [cron.matches(datetime.fromisoformat(f"{instant}+00:00")) for instant in instants]


@pytest.mark.parametrize(
    ("text", "fits", "does_not"),
    [
        pytest.param("0 2 * * *", "2026-11-20T02:00", "2026-11-20T02:01", id="a time of day"),
        pytest.param("*/15 * * * *", "2026-11-20T07:45", "2026-11-20T07:46", id="every quarter of an hour"),
        pytest.param("5/20 * * * *", "2026-11-20T07:45", "2026-11-20T07:40", id="a step from a number on"),
        pytest.param("0-10/5 * * * *", "2026-11-20T07:10", "2026-11-20T07:15", id="a step in a range"),
        pytest.param("0 9-17 * * mon-fri", "2026-11-20T17:00", "2026-11-21T12:00", id="working hours"),
        pytest.param("0 0 * * 7", "2026-11-22T00:00", "2026-11-21T00:00", id="sunday is 7"),
        pytest.param("0 0 * * 0", "2026-11-22T00:00", "2026-11-21T00:00", id="and 0"),
        pytest.param("0 0 1,15 * *", "2026-11-15T00:00", "2026-11-16T00:00", id="days of a list"),
        pytest.param("0 0 1 * fri", "2026-11-20T00:00", "2026-11-21T00:00", id="either day when both are named"),
        pytest.param("0 0 */2 * fri", "2026-11-27T00:00", "2026-11-20T00:00", id="both days when one has a star"),
        pytest.param("0 0 1 JAN *", "2027-01-01T00:00", "2027-02-01T00:00", id="a month by name"),
    ],
)
def test_fields_fit_as_in_crontab(text: str, fits: str, does_not: str) -> None:
    assert fitting(text, fits, does_not) == [True, False]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "* * * *",
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "*/0 * * * *",
        "a * * * *",
        "²  * * * *",
        "5-1 * * * *",
        "1,,2 * * * *",
    ],
)
def test_what_cron_would_refuse_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_cron(text)


def clock(cron: str, minutes: int, zone: ZoneInfo | None = None) -> MuteClock:
    return MuteClock(MuteTime("night", parse_cron(cron), timedelta(minutes=minutes)), zone or ZoneInfo("UTC"))


@pytest.mark.parametrize(
    ("at", "quiet"),
    [
        pytest.param("01:59:59", False, id="before"),
        pytest.param("02:00:00", True, id="at the beginning"),
        pytest.param("02:44:59", True, id="at the end"),
        pytest.param("02:45:00", False, id="after"),
    ],
)
def test_it_is_quiet_from_the_minute_that_is_named(at: str, quiet: bool) -> None:
    assert clock("0 2 * * *", 45).is_on(datetime.fromisoformat(f"2026-11-20T{at}+00:00")) is quiet


def test_the_clock_is_the_local_one() -> None:
    night = clock("0 2 * * *", 60, BERLIN)

    states = [night.is_on(datetime(2026, month, 10, hour, 30, tzinfo=UTC)) for month in (1, 7) for hour in (0, 1)]

    assert states == [False, True, True, False]


@pytest.mark.parametrize(
    ("cron", "zone", "begins"),
    [
        pytest.param("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00", id="an hour at night"),
        pytest.param("0 0 * * *", "Africa/Cairo", "2026-04-23T22:00", id="midnight"),
        pytest.param("0 2 * * *", "Australia/Lord_Howe", "2026-10-03T15:30", id="half an hour"),
    ],
)
def test_a_time_that_the_clocks_skip_begins_when_cron_does_its_work(cron: str, zone: str, begins: str) -> None:
    night, begin = clock(cron, 45, ZoneInfo(zone)), datetime.fromisoformat(f"{begins}+00:00")

    assert [night.is_on(begin + timedelta(minutes=minutes)) for minutes in (-1, 0, 44, 45)] == [
        False,
        True,
        True,
        False,
    ]


def test_the_night_of_a_recorded_machine_is_quiet_while_its_backup_runs() -> None:
    (night,) = load_rules(MACHINES / "quiet-skipped-hour/quiet.yaml", tables(), {}).mute_times
    mute = MuteClock(night, BERLIN)

    states = [mute.is_on(datetime(2026, 3, 29, 1, minute, tzinfo=UTC)) for minute in (0, 44, 45)]
    assert states == [True, True, False]


def test_a_time_that_was_not_skipped_does_not_begin_again() -> None:
    night = clock("30 1 * * *", 10, BERLIN)

    assert not night.is_on(datetime(2026, 3, 29, 1, 0, tzinfo=UTC))


@given(
    st.lists(st.integers(0, 4 * 24 * 60 * 6), min_size=1, max_size=30),
    st.sampled_from(["0 2 * * *", "*/7 * * * *", "30 22 * * fri,sat", "0 0 1 * *"]),
    st.integers(1, 3000),
)
def test_remembering_the_latest_beginning_changes_nothing(sixths: list[int], cron: str, minutes: int) -> None:
    begin = datetime(2026, 11, 19, tzinfo=UTC)
    instants = [begin + timedelta(seconds=10 * sixth) for sixth in sixths]
    remembering = clock(cron, minutes)

    states = [remembering.is_on(at) for at in instants]

    assert states == [clock(cron, minutes).is_on(at) for at in instants]


def test_it_is_quiet_for_some_rules_and_up_to_a_level() -> None:
    every = frozenset(range(60))
    quiet = MuteTime(
        "q", Cron("", every, every, every, every, every, either_day=False), timedelta(1), ("cpu-*",), Level.WARNING
    )

    covered = [quiet.covers(rule, level) for rule in ("cpu-hot", "disk") for level in (Level.WARNING, Level.CRITICAL)]

    assert covered == [True, False, False, False]
