import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.errors import UsageError
from sysmon.text import instants

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 2), datetime(9999, 12, 30)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001 - bounds of the naive drawing, made UTC right after


@contextmanager
def zone(name: str) -> Iterator[None]:
    """Live in a time zone for a while."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


@given(moments)
def test_a_stored_instant_is_read_back_to_the_millisecond(at: datetime) -> None:
    whole = at.replace(microsecond=at.microsecond // 1000 * 1000)

    assert instants.parse_instant(instants.format_instant(at)) == whole


@given(moments)
def test_milliseconds_and_instants_are_two_names_of_one_thing(at: datetime) -> None:
    assert instants.format_instant(instants.from_ms(instants.to_ms(at))) == instants.format_instant(at)


@given(moments)
def test_a_stamp_in_a_file_name_is_read_back_to_the_second(at: datetime) -> None:
    assert instants.parse_stamp(instants.format_stamp(at)) == at.replace(microsecond=0)


@given(moments, moments)
def test_stored_instants_sort_as_text_as_they_do_in_time(first: datetime, other: datetime) -> None:
    early, late = sorted((first, other))

    assert instants.format_instant(early) <= instants.format_instant(late)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("2026-11-20T12:00:00", id="no offset"),
        pytest.param("2026-11-20", id="no time"),
        pytest.param("", id="nothing"),
        pytest.param("soon", id="a word"),
        pytest.param("0001-01-01T00:00:00+14:00", id="before the first year"),
        pytest.param("9999-12-31T23:59:59-14:00", id="after the last year"),
    ],
)
def test_what_is_no_stored_instant_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"out of range|has no UTC offset|Invalid isoformat"):
        instants.parse_instant(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        pytest.param("now", NOW, id="now"),
        pytest.param("90s", NOW - timedelta(seconds=90), id="seconds"),
        pytest.param("1h30m", NOW - timedelta(minutes=90), id="hours and minutes"),
        pytest.param("1w", NOW - timedelta(weeks=1), id="a week"),
        pytest.param(" 2d ", NOW - timedelta(days=2), id="with spaces around"),
        pytest.param("10min", NOW - timedelta(minutes=10), id="a longer unit"),
        pytest.param("2 hours ago", NOW - timedelta(hours=2), id="words"),
        pytest.param("1h ago", NOW - timedelta(hours=1), id="ago"),
        pytest.param("1 day 2 hours ago", NOW - timedelta(hours=26), id="two units"),
        pytest.param("an hour ago", NOW - timedelta(hours=1), id="an article"),
        pytest.param("Last week", NOW - timedelta(weeks=1), id="the last week"),
        pytest.param("@1763640000", datetime(2025, 11, 20, 12, tzinfo=UTC), id="epoch seconds"),
        pytest.param("2026-11-20T12:00+09:00", datetime(2026, 11, 20, 3, tzinfo=UTC), id="with an offset"),
        pytest.param("2026-11-20T11:00Z", datetime(2026, 11, 20, 11, tzinfo=UTC), id="in UTC"),
        pytest.param("today", datetime(2026, 11, 19, 15, tzinfo=UTC), id="today began in local time"),
        pytest.param("yesterday", datetime(2026, 11, 18, 15, tzinfo=UTC), id="yesterday"),
        pytest.param("02:30", datetime(2026, 11, 19, 17, 30, tzinfo=UTC), id="a time of today"),
        pytest.param("20:59:59", datetime(2026, 11, 20, 11, 59, 59, tzinfo=UTC), id="a second ago"),
        pytest.param("22:00", datetime(2026, 11, 19, 13, tzinfo=UTC), id="a time still to come is yesterday's"),
        pytest.param("2026-11-20", datetime(2026, 11, 19, 15, tzinfo=UTC), id="a day"),
        pytest.param("2026-11-20T12:00", datetime(2026, 11, 20, 3, tzinfo=UTC), id="local by default"),
    ],
)
def test_people_ask_in_local_time_and_get_utc(text: str, at: datetime) -> None:
    with zone("Asia/Tokyo"):
        instant = instants.parse_when(text, now=NOW)

    assert (instant, instant.utcoffset()) == (at, timedelta(0))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "25:00",
        "5",
        "2 fortnights ago",
        "ago",
        "last",
        "@",
        "@nan",
        "@1e30",
        "2026-13-01",
        "0001-01-01",
        "9999-12-31T23:59:59",
        "5200w",
        "-1h",
    ],
)
def test_what_is_no_time_is_refused_with_the_ways_to_write_one(text: str) -> None:
    with zone("America/Anchorage"), pytest.raises(UsageError) as refused:
        instants.parse_when(text, now=datetime(50, 1, 1, tzinfo=UTC))

    assert str(refused.value).startswith(f"invalid time {text!r}; examples: 90s, 10m, ")


@given(st.text(max_size=12))
def test_whatever_is_typed_is_read_or_refused(text: str) -> None:
    with suppress(UsageError):
        assert instants.parse_when(text, now=NOW).tzinfo is UTC


def test_a_local_time_that_the_clocks_repeat_asks_for_the_offset() -> None:
    with zone("Europe/Berlin"), pytest.raises(UsageError) as refused:
        instants.parse_when("2026-10-25T02:30", now=NOW)

    assert str(refused.value) == (
        "'2026-10-25T02:30' happened twice on 2026-10-25 (clocks went back): add the offset, as in 02:30+02:00"
    )


@pytest.mark.parametrize(
    ("name", "words", "now", "begins"),
    [
        pytest.param("Africa/Cairo", "today", "2026-04-24T10:00", "2026-04-23T22:00", id="Cairo, today"),
        pytest.param("Africa/Cairo", "2026-04-24", "2026-04-25T10:00", "2026-04-23T22:00", id="Cairo, that day"),
        pytest.param("Africa/Cairo", "yesterday", "2026-04-25T10:00", "2026-04-23T22:00", id="Cairo, the day after"),
        pytest.param("Asia/Beirut", "today", "2026-03-29T10:00", "2026-03-28T22:00", id="Beirut"),
        pytest.param("America/Santiago", "today", "2026-09-06T15:00", "2026-09-06T04:00", id="Santiago"),
        pytest.param("Atlantic/Azores", "today", "2026-03-29T10:00", "2026-03-29T01:00", id="the Azores"),
        pytest.param(
            "Atlantic/Azores", "2026-10-25", "2026-10-26T10:00", "2026-10-25T00:00", id="midnight comes twice"
        ),
        pytest.param("Pacific/Apia", "2011-12-30", "2012-01-02T10:00", "2011-12-30T10:00", id="a day that never was"),
    ],
)
def test_a_day_begins_with_its_first_instant(name: str, words: str, now: str, begins: str) -> None:
    with zone(name):
        instant = instants.parse_when(words, now=datetime.fromisoformat(f"{now}+00:00"))

    assert instant == datetime.fromisoformat(f"{begins}+00:00")


def test_a_local_time_that_the_clocks_skip_is_refused() -> None:
    with zone("Europe/Berlin"), pytest.raises(UsageError) as refused:
        instants.parse_when("2026-03-29T02:30", now=NOW)

    assert str(refused.value) == (
        "'2026-03-29T02:30' did not happen on 2026-03-29 (clocks went forward): write another time"
    )


def test_an_offset_settles_a_time_that_happened_twice() -> None:
    with zone("Europe/Berlin"):
        instant = instants.parse_when("2026-10-25T02:30+02:00", now=NOW)

    assert instant == datetime(2026, 10, 25, 2, 30, tzinfo=timezone(timedelta(hours=2)))
