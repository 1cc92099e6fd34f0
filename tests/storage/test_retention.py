"""What goes and what stays, decided without a disk."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.datadir.segments import Form, Segment, SegmentFile
from sysmon.storage.inventory import StoredFile, Tier
from sysmon.storage.retention import HOLE, estimate_growth, find_trusted_now, select_expired

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
AGES = {Tier.ROWS: 30 * DAY, Tier.CSV: 7 * DAY, Tier.MINUTES: 30 * DAY, Tier.ROLLUPS: 365 * DAY, Tier.EVENTS: 365 * DAY}


def stored(
    hours: float, tier: Tier = Tier.ROWS, *, size: int = 100, table: str = "cpu", still: bool = False
) -> StoredFile:
    """Return a file of one hour that began so many hours before noon."""
    start = NOON - hours * HOUR
    return StoredFile(Path(f"{table}-{hours}.{tier}"), "h", table, tier, start, start + HOUR, size, still)


def names(files: list[StoredFile]) -> list[str]:
    return [str(file.path) for file in files]


def chosen(files: list[StoredFile], *, max_bytes: int = 10**12, now: datetime = NOON) -> list[str]:
    total = sum(file.size for file in files)
    return names(select_expired(files, AGES, total=total, max_bytes=max_bytes, now=now))


def test_each_tier_has_its_own_age_and_the_oldest_goes_first() -> None:
    always = [stored(hours) for hours in range(0, 24 * 40, 24)]
    copies = [stored(24 * days, Tier.CSV) for days in (6, 8, 10)]
    logs = [stored(24 * days, Tier.EVENTS, table="alerts") for days in (300, 400)]

    gone = chosen([*always, *copies, *logs])

    rows = [f"cpu-{hours}.rows" for hours in range(24 * 39, 24 * 30, -24)]
    assert gone == ["alerts-9600.events", *rows, "cpu-240.csv", "cpu-192.csv"]


def test_over_the_size_the_oldest_rows_go_whatever_their_age_and_a_copy_before_its_rows() -> None:
    files = [stored(hours, tier) for hours in (1, 3, 2) for tier in (Tier.ROWS, Tier.CSV)]

    gone = chosen(files, max_bytes=250)

    assert gone == ["cpu-3.csv", "cpu-3.rows", "cpu-2.csv", "cpu-2.rows"]


def test_roll_ups_go_in_the_order_of_time_with_the_rows_and_logs_last() -> None:
    files = [stored(5, Tier.ROLLUPS), stored(3), stored(4), stored(9, Tier.EVENTS, table="alerts")]

    assert (chosen(files, max_bytes=200), chosen(files, max_bytes=0)) == (
        ["cpu-5.rollups", "cpu-4.rows"],
        ["cpu-5.rollups", "cpu-4.rows", "cpu-3.rows", "alerts-9.events"],
    )


def test_what_a_writer_has_open_stays_though_the_bound_is_broken() -> None:
    assert chosen([stored(1, still=True)], max_bytes=0) == []


def test_what_is_not_ours_counts_and_is_not_chosen() -> None:
    files = [stored(2), stored(1)]

    assert names(select_expired(files, AGES, total=1150, max_bytes=1000, now=NOON)) == ["cpu-2.rows", "cpu-1.rows"]


@pytest.mark.parametrize("jump", [pytest.param(40 * DAY, id="40 days"), pytest.param(400 * DAY, id="a year")])
def test_a_clock_that_jumped_forward_deletes_nothing(jump: timedelta) -> None:
    before = [stored(hours) for hours in range(24 * 20)]
    after = stored(-jump / HOUR)

    assert chosen([*before, after], now=NOON + jump) == []


def test_a_clock_that_jumped_is_believed_when_a_day_of_data_stands_behind_it() -> None:
    before = [stored(hours) for hours in range(24 * 2)]
    after = [stored(-24 * 40 - hours) for hours in range(25)]

    assert len(chosen([*before, *after], now=NOON + 41 * DAY)) == len(before)


def test_what_goes_for_its_age_counts_towards_the_size_that_has_to_go() -> None:
    files = [stored(hours) for hours in range(0, 24 * 32, 24)]

    gone = [chosen(files, max_bytes=3200 - excess) for excess in (0, 100, 101, 200, 201)]

    expired, next_oldest, third = "cpu-744.rows", "cpu-720.rows", "cpu-696.rows"
    assert gone == [
        [expired],
        [expired],
        [expired, next_oldest],
        [expired, next_oldest],
        [expired, next_oldest, third],
    ]


@pytest.mark.parametrize(
    ("hours", "trusted"),
    [
        pytest.param(24, NOON + 24.5 * HOUR, id="after a day without data the clock is believed"),
        pytest.param(24.01, NOON + 24 * HOUR, id="after more than a day it is not"),
    ],
)
def test_a_clock_may_have_jumped_over_more_than_a_day_without_data(hours: float, trusted: datetime) -> None:
    starts = [NOON - hour * HOUR for hour in range(48)]

    assert find_trusted_now([*starts, NOON + hours * HOUR], NOON + 24.5 * HOUR) == trusted


def test_where_nobody_writes_any_more_nothing_grows_old() -> None:
    assert chosen([stored(hours) for hours in range(24)], now=NOON + 300 * DAY) == []


def test_a_laptop_that_is_used_for_an_hour_every_other_day_still_forgets() -> None:
    starts = [NOON - 2 * DAY * day for day in range(50)]

    assert NOON - find_trusted_now(starts, NOON) <= 8 * DAY


@given(
    st.lists(st.tuples(st.integers(0, 2000), st.sampled_from(Tier), st.integers(1, 50)), max_size=60),
    st.integers(0, 2000),
)
def test_within_a_tier_nothing_newer_goes_before_what_is_older(
    made: list[tuple[int, Tier, int]], max_bytes: int
) -> None:
    files = [stored(hours, tier, size=size, table=f"t{index}") for index, (hours, tier, size) in enumerate(made)]
    gone = {str(file.path) for file in select_expired(files, AGES, total=1500, max_bytes=max_bytes, now=NOON)}

    for tier in Tier:
        kept = [file.start for file in files if file.tier is tier and str(file.path) not in gone]
        lost = [file.start for file in files if file.tier is tier and str(file.path) in gone]
        assert not (kept and lost) or max(lost) <= min(kept)


@given(st.lists(st.integers(-(10**6), 10**6), max_size=30), st.integers(-(10**6), 10**6))
def test_the_vouched_instant_is_never_after_now_nor_long_after_the_newest_data(hours: list[int], now: int) -> None:
    starts = [NOON + HOUR * (hour / 100) for hour in hours]
    instant = NOON + HOUR * (now / 100)

    trusted = find_trusted_now(starts, instant)

    assert trusted <= min([instant, *([max(starts) + HOLE] if starts else [])])


def cut(hours: int, size: int, *, form: Form = Form.JSONL, packed: bool = False, still: bool = False) -> StoredFile:
    start = NOON - hours * HOUR
    file = SegmentFile(Segment("cpu", start, HOUR), form, packed)
    return StoredFile(Path(file.name), "h", "cpu", Tier.ROWS, start, start + HOUR, size, still, file)


@pytest.mark.parametrize(
    ("files", "grows"),
    [
        pytest.param([cut(2, 70), cut(1, 100), cut(0, 10, still=True)], 90, id="to what the last one came to"),
        pytest.param([cut(1, 100), cut(0, 130, still=True)], 0, id="not when it is there already"),
        pytest.param([cut(1, 100, form=Form.CSV), cut(0, 10, still=True)], 0, id="not to what another form came to"),
        pytest.param([cut(1, 10, packed=True), cut(0, 10, still=True)], 0, id="a packed one tells nothing"),
        pytest.param([cut(1, 100)], 0, id="nothing is being written"),
    ],
)
def test_what_is_still_to_come_until_the_next_look_is_judged_by_what_came_before(
    files: list[StoredFile], grows: int
) -> None:
    assert estimate_growth(files) == grows
