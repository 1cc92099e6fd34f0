"""What goes and what stays, decided without a disk."""

from datetime import UTC, datetime, timedelta
from itertools import accumulate
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.datadir.segments import Form, Segment, SegmentFile
from sysmon.storage.inventory import StoredFile, Tier
from sysmon.storage.retention import (
    HOLE,
    PROOF,
    ClockEvidence,
    Hold,
    estimate_growth,
    find_holds,
    find_trusted_now,
    select_expired,
)

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


@pytest.mark.parametrize("hours", [pytest.param(26, id="a day"), pytest.param(24 * 7 - 1, id="almost a week")])
def test_a_clock_that_was_wrong_for_days_deletes_nothing(hours: int) -> None:
    before = [stored(hour) for hour in range(120)]
    after = [stored(-24 * 40 - hour) for hour in range(hours)]

    assert chosen([*before, *after], now=NOON + 40 * DAY + hours * HOUR) == []


def test_a_clock_that_jumped_is_believed_when_a_week_of_data_stands_behind_it() -> None:
    before = [stored(hours) for hours in range(24 * 2)]
    after = [stored(-24 * 40 - hours) for hours in range(24 * 7 + 1)]

    assert len(chosen([*before, *after], now=NOON + 47 * DAY)) == len(before)


JUMP = NOON + 40 * DAY


@pytest.mark.parametrize(
    ("hours", "evidence", "believed"),
    [
        pytest.param(2, ClockEvidence(synchronised=True), True, id="NTP keeps it"),
        pytest.param(26, ClockEvidence(boots={"h": [(JUMP, "a"), (JUMP + HOUR, "b")]}), True, id="two boots and a day"),
        pytest.param(2, ClockEvidence(boots={"h": [(JUMP, "a"), (JUMP + HOUR, "b")]}), False, id="two boots at once"),
        pytest.param(26, ClockEvidence(boots={"h": [(JUMP, "a"), (JUMP + HOUR, "a")]}), False, id="one boot, two runs"),
        pytest.param(26, ClockEvidence(boots={"h": [(NOON, "a"), (JUMP, "b")]}), False, id="one boot before the jump"),
        pytest.param(26, ClockEvidence(boots={"i": [(JUMP, "a"), (JUMP, "b")]}), False, id="boots of another host"),
    ],
)
def test_a_clock_that_jumped_is_believed_where_there_is_evidence(
    hours: int, evidence: ClockEvidence, believed: bool
) -> None:
    before = [stored(hour) for hour in range(48)]
    files = [*before, *(stored(-24 * 40 - hour) for hour in range(hours))]
    now = JUMP + hours * HOUR

    gone = select_expired(files, AGES, total=0, max_bytes=10**12, now=now, evidence=evidence)
    holds = find_holds(files, AGES, now=now, evidence=evidence)

    assert (len(gone), holds) == ((48, []) if believed else (0, [Hold("h", JUMP, 48)]))


def test_the_bound_in_bytes_holds_while_deletion_by_age_is_held() -> None:
    files = [*(stored(hour) for hour in range(48)), stored(-24 * 40)]

    assert chosen(files, max_bytes=4700, now=JUMP + HOUR) == ["cpu-47.rows", "cpu-46.rows"]


def test_a_hole_that_keeps_no_file_longer_is_nothing_to_tell() -> None:
    files = [*(stored(hour) for hour in range(48)), stored(-24 * 3)]

    assert find_holds(files, AGES, now=NOON + 3 * DAY + HOUR, evidence=ClockEvidence()) == []


@given(
    before=st.lists(st.integers(0, 23), min_size=1, max_size=60),
    jump=st.integers(25, 10**5),
    after=st.lists(st.integers(0, 23), max_size=60),
)
def test_nothing_that_was_there_before_a_jump_grows_older_until_a_week_of_data_is_there(
    before: list[int], jump: int, after: list[int]
) -> None:
    early = [NOON + HOUR * hour for hour in accumulate(before)]
    late = [early[-1] + HOUR * (jump + hour) for hour in accumulate(after, initial=0)]

    trusted = find_trusted_now([*early, *late], late[-1] + HOUR)

    proven = late[-1] - late[0] >= PROOF
    assert trusted == (late[-1] + HOUR if proven else min(late[-1] + HOUR, early[-1] + HOLE))


@given(
    gaps=st.lists(st.integers(0, 24), min_size=1, max_size=60),
    now=st.integers(-50, 3000),
    synchronised=st.booleans(),
    boots=st.lists(st.tuples(st.integers(0, 500).map(lambda hour: NOON + HOUR * hour), st.sampled_from("abc"))),
)
def test_data_without_a_hole_are_of_the_age_that_the_clock_says_whatever_the_evidence(
    gaps: list[int], now: int, synchronised: bool, boots: list[tuple[datetime, str]]
) -> None:
    starts = [NOON + HOUR * hour for hour in accumulate(gaps)]
    instant = NOON + HOUR * now

    trusted = find_trusted_now(starts, instant, synchronised=synchronised, boots=boots)

    assert trusted == min(instant, starts[-1] + HOLE)


@given(
    hours=st.lists(st.integers(0, 5000), min_size=1, max_size=40),
    boots=st.lists(st.tuples(st.integers(0, 5000).map(lambda hour: NOON + HOUR * hour), st.sampled_from("abc"))),
)
def test_evidence_only_ever_makes_files_older(hours: list[int], boots: list[tuple[datetime, str]]) -> None:
    starts, now = [NOON + HOUR * hour for hour in hours], NOON + 5000 * HOUR

    none = find_trusted_now(starts, now)
    some = find_trusted_now(starts, now, boots=boots)
    best = find_trusted_now(starts, now, synchronised=True)

    assert none <= some <= best


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
