from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sysmon.datadir import segments
from sysmon.datadir.segments import Form, Segment, SegmentFile
from sysmon.text.instants import EPOCH

DAY = 86_400
HOUR = timedelta(hours=1)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
periods = st.sampled_from([timedelta(seconds=n) for n in range(1, DAY + 1) if DAY % n == 0])
moments = st.integers(0, 8_000_000_000).map(lambda seconds: EPOCH + timedelta(seconds=seconds))
tables = st.from_regex(r"[a-z0-9_]{1,20}", fullmatch=True)
files = st.builds(
    SegmentFile,
    st.builds(Segment, tables, moments, st.none() | periods, st.integers(1, 999_999)),
    st.sampled_from(Form),
    st.booleans(),
)


@given(files)
def test_a_file_name_is_read_back_as_what_it_was_made_of(file: SegmentFile) -> None:
    assert segments.parse(file.name) == file


@given(st.from_regex(segments._NAME, fullmatch=True))
def test_a_name_that_is_read_names_the_same_file(name: str) -> None:
    result = segments.parse(name)

    assert result is None or result.name == name


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("cpu.jsonl", id="no instant"),
        pytest.param("cpu-20261120T120000Z-1h.jsonl.tmp", id="a temporary file"),
        pytest.param("cpu-20261320T120000Z-1h.jsonl", id="a thirteenth month"),
        pytest.param("cpu-20261120T120000Z-7m.jsonl", id="a period that divides no day"),
        pytest.param("cpu-20261120T120000Z-0s.jsonl", id="a period of nothing"),
        pytest.param("cpu-20261120T120000Z-60m.jsonl", id="a period in words that sysmon does not write"),
        pytest.param("cpu-20261120T120000Z-1h-1.jsonl", id="a first number that sysmon does not write"),
        pytest.param("cpu-99991231T120000Z-1d.jsonl", id="an end after the last year"),
        pytest.param("cpu-٢٠٢٦1120T120000Z-1h.jsonl", id="digits that are not ASCII"),
        pytest.param("cpu-20261120T12.jsonl.gz", id="a roll-up"),
        pytest.param("../cpu-20261120T120000Z-1h.jsonl", id="a path"),
        pytest.param("cpu-20261120T120000Z-1h.jsonl\n", id="a line break at the end"),
    ],
)
def test_other_files_are_no_segments(name: str) -> None:
    assert segments.parse(name) is None


@given(moments, periods)
def test_a_boundary_is_the_next_multiple_of_the_period(at: datetime, period: timedelta) -> None:
    boundary = segments.boundary_after(at, period)

    assert (at < boundary <= at + period, (boundary - EPOCH) % period) == (True, timedelta(0))


@given(moments, periods)
def test_each_midnight_is_a_boundary(at: datetime, period: timedelta) -> None:
    midnight = segments.boundary_after(at, timedelta(days=1))

    assert segments.boundary_after(midnight - timedelta(milliseconds=1), period) == midnight


@pytest.mark.parametrize(
    ("period", "divides"),
    [
        pytest.param(timedelta(seconds=1), True, id="a second"),
        pytest.param(timedelta(hours=1), True, id="an hour"),
        pytest.param(timedelta(days=1), True, id="a day"),
        pytest.param(timedelta(minutes=7), False, id="7 minutes"),
        pytest.param(timedelta(days=2), False, id="two days"),
        pytest.param(timedelta(milliseconds=500), False, id="half a second"),
        pytest.param(timedelta(seconds=1.5), False, id="a fraction"),
        pytest.param(timedelta(0), False, id="nothing"),
    ],
)
def test_only_what_divides_a_day_starts_anew_at_midnight(period: timedelta, divides: bool) -> None:
    assert segments.divides_a_day(period) is divides


def test_a_taken_name_is_followed_by_numbers() -> None:
    first = Segment("cpu", NOON, HOUR)

    assert [first.stem, first.again().stem, first.again().again().stem] == [
        "cpu-20261120T120000Z-1h",
        "cpu-20261120T120000Z-1h-2",
        "cpu-20261120T120000Z-1h-3",
    ]


def test_of_one_stem_json_lines_are_taken_first_and_a_text_before_its_compressed_form_which_may_be_older() -> None:
    stem = "cpu-20261120T120000Z-1h"
    present = [f"{stem}.csv", f"{stem}.csv.gz", f"{stem}.jsonl", f"{stem}.jsonl.gz"]

    taken = []
    while present:
        (file,) = segments.select(present, NOON, NOON + HOUR)
        taken.append(file.name)
        present.remove(file.name)

    assert taken == [f"{stem}.jsonl", f"{stem}.jsonl.gz", f"{stem}.csv", f"{stem}.csv.gz"]


@pytest.mark.parametrize(
    ("since", "until", "hours"),
    [
        pytest.param(-60, 300, [10, 11, 12, 13], id="everything"),
        pytest.param(0, 60, [12], id="exactly one hour"),
        pytest.param(-1, 60, [11, 12], id="a minute earlier"),
        pytest.param(0, 61, [12, 13], id="a minute later"),
        pytest.param(240, 300, [], id="after the last"),
    ],
)
def test_only_files_that_overlap_the_range_are_opened(since: int, until: int, hours: list[int]) -> None:
    present = [f"cpu-20261120T{hour:02}0000Z-1h.jsonl" for hour in (13, 11, 12, 10)]

    result = segments.select(
        present, NOON + timedelta(minutes=since - 60 * (since == -60)), NOON + timedelta(minutes=until)
    )

    assert [file.segment.start.hour for file in result] == hours


def test_a_file_without_a_period_reaches_up_to_the_next() -> None:
    present = ["cpu-20261120T080000Z.jsonl", "cpu-20261120T110000Z.jsonl", "cpu-20261120T140000Z.jsonl"]

    result = segments.select(present, NOON, NOON + HOUR)

    assert [file.name for file in result] == ["cpu-20261120T110000Z.jsonl"]


def test_the_last_file_without_a_period_has_no_end() -> None:
    result = segments.select(["cpu-20200101T000000Z.csv"], NOON, NOON + HOUR)

    assert [file.name for file in result] == ["cpu-20200101T000000Z.csv"]


def test_what_is_no_segment_is_left_out() -> None:
    assert segments.select(["README", "cpu-20261120T120000Z-1h.jsonl.tmp"], NOON, NOON + HOUR) == []


@given(st.lists(files, max_size=12), moments, moments)
def test_a_selection_holds_every_segment_that_overlaps_once(
    present: list[SegmentFile], first: datetime, second: datetime
) -> None:
    since, until = sorted((first, second))
    # The table is one folder's: files of one table lie together.
    here = [
        SegmentFile(Segment("cpu", f.segment.start, f.segment.period, f.segment.number), f.form, f.packed)
        for f in present
    ]

    result = segments.select([file.name for file in here], since, until)

    sure = {
        file.segment.stem
        for file in here
        if file.segment.end and file.segment.start < until and file.segment.end > since
    }
    stems = [file.segment.stem for file in result]
    assert (len(stems) == len(set(stems)), sure <= set(stems)) == (True, True)


@given(st.lists(files, max_size=12), moments, moments)
def test_names_far_from_the_range_change_nothing(present: list[SegmentFile], first: datetime, second: datetime) -> None:
    since, until = sorted((first, second))
    names = [file.name for file in present]
    whole = segments.select(names, EPOCH, datetime.max.replace(tzinfo=UTC))

    result = segments.select(names, since, until)

    starts = sorted({file.segment.start for file in whole})
    following = dict(zip(starts, [*starts[1:], datetime.max.replace(tzinfo=UTC)], strict=False))
    assert result == [
        file
        for file in whole
        if file.segment.start < until and (file.segment.end or following[file.segment.start]) > since
    ]


@given(st.lists(files, max_size=8), moments, st.integers(1, 60 * 24))
def test_the_stems_of_an_hour_are_those_of_the_files_that_overlap_it(
    present: list[SegmentFile], since: datetime, minutes: int
) -> None:
    names = [file.name for file in present]
    until = since + timedelta(minutes=minutes)

    result = segments.stems_by_hour(names, since, until)

    chosen = segments.select(names, since, until)
    if any(file.segment.end is None for file in chosen):
        assert result is None
        return
    assert result is not None
    for file in chosen:
        hour = max(file.segment.start, since).replace(minute=0, second=0)
        assert file.segment.stem in result[hour]


near_noon = st.integers(-2 * DAY // 2, 2 * DAY // 2).map(lambda seconds: NOON + timedelta(seconds=2 * seconds))
lengths = [timedelta(hours=1), timedelta(hours=1), timedelta(minutes=30), timedelta(hours=6), timedelta(days=1)]
near_files = st.builds(
    SegmentFile,
    st.builds(Segment, st.just("cpu"), near_noon, st.sampled_from(lengths), st.integers(1, 2)),
    st.sampled_from(Form),
    st.booleans(),
)


@given(st.lists(near_files, max_size=8), st.integers(-600, 600), st.integers(1, 600))
def test_each_hour_has_the_stems_of_its_segments_and_nothing_else(
    present: list[SegmentFile], before: int, minutes: int
) -> None:
    since = NOON + timedelta(minutes=before, seconds=1)  # at odd seconds, when no segment begins
    until = since + timedelta(minutes=minutes)
    names = [file.name for file in present]

    result = segments.stems_by_hour([*names, "cpu-20261120T115959Z-1h.jsonl.tmp", "README"], since, until)

    assert result is not None
    overlapping = [
        each.segment for each in present if each.segment.start < until and (each.segment.end or NOON) > since
    ]
    hour = since.replace(minute=0, second=0)
    while hour < until:
        stems = {each.stem for each in overlapping if each.start < hour + HOUR and (each.end or NOON) > hour}
        assert result.get(hour, set()) == stems
        hour += HOUR


@pytest.mark.parametrize("later", [[], ["cpu-20261120T113000Z-1h.jsonl"]])
def test_a_file_without_a_period_may_begin_long_before_the_range(later: list[str]) -> None:
    result = segments.select(["cpu-20261101T000000Z.jsonl", *later], NOON - HOUR, NOON)

    assert [file.name for file in result] == ["cpu-20261101T000000Z.jsonl", *later]


def test_stems_cannot_be_told_by_hour_where_a_file_has_no_period() -> None:
    assert segments.stems_by_hour(["cpu-20261101T000000Z.jsonl"], NOON, NOON + HOUR) is None
