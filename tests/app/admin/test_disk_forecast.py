from datetime import timedelta
from pathlib import Path

import pytest

from sysmon.app.admin.disk_forecast import (
    COMPRESSED_SHARE,
    DAY,
    CapacityLimit,
    GrowthRate,
    forecast_limits,
    measure_growth,
)
from sysmon.config import Storage
from sysmon.datadir.segments import Form, Segment, SegmentFile
from sysmon.storage.inventory import StoredFile, Tier, take_inventory
from sysmon.storage.lock import claim
from tests.reading.stored import HOUR, LOAD, START, write_table

NOW = START
MB = 1_000_000


def stored(hours: float, *, size: int, packed: bool = False, form: Form = Form.JSONL) -> StoredFile:
    begin = NOW - hours * HOUR
    segment = Segment("cpu", begin, HOUR)
    path = Path(segment.file_name(form, packed=packed))
    return StoredFile(
        path, "h", "cpu", Tier.ROWS, begin, begin + HOUR, size, segment=SegmentFile(segment, form, packed)
    )


def test_the_growth_is_what_the_last_days_show_however_much_of_them_there_is() -> None:
    files = [stored(hours, size=MB) for hours in (1, 2, 3)] + [stored(26, size=MB // 10, packed=True)]

    assert measure_growth(files, NOW) == [GrowthRate("cpu", 24.0 * MB, 2.4 * MB)]


def test_until_something_is_compressed_its_size_is_guessed() -> None:
    (rate,) = measure_growth([stored(1, size=MB)], NOW)

    assert [rate.fresh, rate.packed] == pytest.approx([24.0 * MB, 24.0 * MB * COMPRESSED_SHARE])


def test_files_of_runs_that_followed_one_another_share_the_hour() -> None:
    files = [stored(hours, size=MB) for hours in (1, 0.75, 0.5, 0.25)]

    assert measure_growth(files, NOW) == [GrowthRate("cpu", 96.0 * MB, 96.0 * MB * COMPRESSED_SHARE)]


def test_a_few_samples_tell_no_growth_and_no_limit_to_come() -> None:
    growth = measure_growth([stored(0.05, size=MB)], NOW)
    limits = forecast_limits([], Storage(min_free=0), growth, total=MB, free=10**12, now=NOW)

    assert (growth, limits[-1]) == ([], CapacityLimit("max_bytes", "977 KiB of 2.0 GiB", None, known=False))


def test_an_open_file_counts_with_its_length_and_not_with_the_room_that_it_was_given(tmp_path: Path) -> None:
    (path,) = write_table(tmp_path, LOAD, [(START, [(0.5, 100.0)])])
    length = path.stat().st_size

    with path.open("rb") as file:
        claim(file.fileno())
        (unfinished,) = take_inventory(tmp_path).files
    (finished,) = take_inventory(tmp_path).files

    assert (unfinished.open, unfinished.size, finished.open, finished.size % 512) == (True, length, False, 0)


@pytest.mark.parametrize(
    ("max_bytes", "reached"),
    [
        pytest.param(10**12, None, id="age keeps it below for ever"),
        pytest.param(20 * MB, timedelta(days=5), id="at this growth"),
        pytest.param(9 * MB, timedelta(0), id="already over"),
    ],
)
def test_when_the_size_is_reached(max_bytes: int, reached: timedelta | None) -> None:
    storage = Storage(max_bytes=max_bytes, min_free=0)

    limits = forecast_limits([], storage, [GrowthRate("cpu", 20.0 * MB, 2.0 * MB)], total=10 * MB, free=10**12, now=NOW)

    assert {limit.name: limit.reached_in for limit in limits}["max_bytes"] == reached


def test_when_the_oldest_goes_for_its_age() -> None:
    limits = forecast_limits([stored(49, size=1)], Storage(), [], total=1, free=10**12, now=NOW)

    assert {limit.name: limit.reached_in for limit in limits}["retention.rows"] == 28 * DAY
