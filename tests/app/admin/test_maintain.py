"""Maintenance as a whole, on data directories that were written as `run` writes them."""

import gzip
import os
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from sysmon.app.admin.maintain import maintain
from sysmon.app.admin.status import assess_health
from sysmon.config import Retention, Storage
from sysmon.datadir.segments import Form
from sysmon.errors import BlockedError, NothingFoundError, StorageError
from sysmon.model import Event
from sysmon.storage.lock import open_lock
from tests.reading.stored import DAY, HOUR, LOAD, START, event_lines, write_log, write_table
from tests.storage.strangers import locked

SMALL = Storage(compress_after=timedelta(0), min_free=0)


def hours(count: int, *, begin: datetime = START) -> list[tuple[datetime, list[tuple[float, ...]]]]:
    """Return a sample every ten minutes."""
    return [(begin + timedelta(minutes=10 * index), [(float(index), 1.0)]) for index in range(6 * count)]


def names(data: Path) -> list[str]:
    return sorted(path.name for path in (data / "web-01" / "load").iterdir())


def test_finished_files_are_packed_each_under_its_own_name(tmp_path: Path) -> None:
    for form in Form:
        write_table(tmp_path, LOAD, hours(2), form=form)
    texts = {f"{path.name}.gz": path.read_bytes() for path in (tmp_path / "web-01" / "load").iterdir()}

    done = maintain(tmp_path, SMALL, now=START + 2 * HOUR)

    compressed = {path.name: gzip.decompress(path.read_bytes()) for path in (tmp_path / "web-01" / "load").iterdir()}
    assert (compressed, done.compressed, done.problems) == (texts, 4, [])


def test_files_younger_than_asked_for_stay_text(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(3))

    maintain(tmp_path, Storage(compress_after=2 * HOUR), now=START + 3 * HOUR)

    assert names(tmp_path) == [
        "load-20261120T120000Z-1h.jsonl.gz",
        "load-20261120T130000Z-1h.jsonl",
        "load-20261120T140000Z-1h.jsonl",
    ]


def test_what_is_too_old_goes_and_is_counted(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(72))
    keep = Storage(retention=Retention(rows=2 * DAY), compress_after=DAY, min_free=0)

    done = maintain(tmp_path, keep, now=START + 72 * HOUR)

    assert (done.deleted, len(names(tmp_path)), done.deleted_bytes > 0) == (24, 48, True)


def test_a_bound_in_bytes_is_kept_by_deleting_the_oldest(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(48))

    maintain(tmp_path, Storage(max_bytes=100_000, min_free=0), now=START + 48 * HOUR)

    left = names(tmp_path)
    assert (left, 0 < len(left) < 25) == (sorted(left)[-len(left) :], True)
    assert left[-1] == "load-20261122T110000Z-1h.jsonl"


def test_what_has_to_go_is_gone_before_anything_else_is_begun(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(72))
    keep = Storage(retention=Retention(rows=2 * DAY), compress_after=DAY, min_free=0)
    seen: list[int] = []

    maintain(tmp_path, keep, now=START + 72 * HOUR, room_made=lambda: seen.append(len(names(tmp_path))))

    assert (seen, (tmp_path / "web-01" / "rollup").is_dir()) == ([48], True)


def test_left_over_temporaries_go_and_strangers_stay(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(1))
    folder = tmp_path / "web-01" / "load"
    for name in (".load-20261120T120000Z-1h.jsonl.gz.tmp", "notes.txt", "load-mine.jsonl"):
        (folder / name).write_text("x")

    maintain(tmp_path, Storage(), now=START + HOUR)

    assert names(tmp_path) == ["load-20261120T120000Z-1h.jsonl", "load-mine.jsonl", "notes.txt"]


def test_only_one_maintains_at_a_time(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(1))
    held = open_lock(tmp_path / "maintain.lock")

    done = maintain(tmp_path, SMALL, now=START + HOUR)

    os.close(held)
    assert (done.busy, names(tmp_path)) == (True, ["load-20261120T120000Z-1h.jsonl"])


@pytest.mark.parametrize("rebuild", [False, True])
def test_a_stranger_who_holds_the_lock_is_named_and_not_waited_for(tmp_path: Path, rebuild: bool) -> None:
    write_table(tmp_path, LOAD, hours(1))

    with locked(tmp_path / "maintain.lock", "SH") as stranger, pytest.raises(BlockedError) as refused:
        maintain(tmp_path, SMALL, now=START + HOUR, rebuild=rebuild)

    assert (str(refused.value), refused.value.exit_code) == (
        f"{tmp_path}/maintain.lock is held by {stranger}, which is no sysmon: nothing was done: end it",
        75,
    )


def test_a_stranger_who_holds_an_old_segment_is_named(tmp_path: Path) -> None:
    (path,) = write_table(tmp_path, LOAD, hours(1))

    with locked(path, "SH") as stranger:
        done = maintain(tmp_path, Storage(), now=START + timedelta(days=3))

    assert (done.problems, names(tmp_path)) == (
        [f"{path}: its lock is held by {stranger}: it stays as it is until that ends"],
        [path.name],
    )


def test_doing_it_twice_changes_nothing(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(30))
    maintain(tmp_path, SMALL, now=START + 30 * HOUR)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    done = maintain(tmp_path, SMALL, now=START + 30 * HOUR)

    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert (after, done.compressed, done.rolled_up, done.deleted) == (before, 0, 0, 0)


def test_one_file_that_cannot_be_packed_does_not_stop_the_others(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(2))
    folder = tmp_path / "web-01" / "load"
    (folder / "load-20261120T120000Z-1h.jsonl.gz").mkdir()

    done = maintain(tmp_path, SMALL, now=START + 2 * HOUR)

    assert (done.compressed, len(done.problems), (folder / "load-20261120T120000Z-1h.jsonl").exists()) == (1, 1, True)


def test_where_nothing_is_there_is_nothing_to_maintain(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        maintain(tmp_path / "none", SMALL, now=START)


def test_what_a_newer_sysmon_wrote_is_left_alone(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(1))
    (tmp_path / "format").write_text("2\n")

    with pytest.raises(StorageError, match="newer"):
        maintain(tmp_path, SMALL, now=START + DAY)

    assert names(tmp_path) == ["load-20261120T120000Z-1h.jsonl"]


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        pytest.param(timedelta(0), [], id="none"),
        pytest.param(HOUR, ["load-20261120T14.jsonl.gz"], id="an hour"),
        pytest.param(DAY, [f"load-20261120T{hour}.jsonl.gz" for hour in (12, 13, 14)], id="a day"),
    ],
)
def test_minutes_are_made_where_they_are_kept_and_go_by_an_age_of_their_own(
    tmp_path: Path, kept: timedelta, left: list[str]
) -> None:
    write_table(tmp_path, LOAD, hours(3))
    now = START + 3 * HOUR + timedelta(minutes=1)
    maintain(tmp_path, Storage(retention=Retention(minutes=2 * DAY), min_free=0), now=now)

    maintain(tmp_path, Storage(retention=Retention(minutes=kept), min_free=0), now=now)

    folder = tmp_path / "web-01" / "rollup" / "1m"
    assert sorted(path.name for path in folder.iterdir()) == left


def test_minutes_are_made_anew_when_asked_for(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, hours(2))
    keep = Storage(retention=Retention(minutes=DAY), min_free=0)
    maintain(tmp_path, keep, now=START + 2 * HOUR)
    path = tmp_path / "web-01" / "rollup" / "1m" / "load-20261120T12.jsonl.gz"
    whole = path.read_bytes()
    path.write_bytes(b"broken")

    done = maintain(tmp_path, keep, now=START + 2 * HOUR, rebuild=True)

    assert (gzip.decompress(path.read_bytes()), done.rolled_up) == (gzip.decompress(whole), 4)


JUMP = timedelta(days=40)


def write_jump(data: Path, events: Sequence[Event] = ()) -> datetime:
    """Write five days, and 26 hours of a clock that had jumped by forty days; return the instant of the clock."""
    write_table(data, LOAD, hours(120, begin=START - 120 * HOUR))
    write_table(data, LOAD, hours(26, begin=START + JUMP))
    if events:
        write_log(data, "events", event_lines(events), begin=START + JUMP)
    return START + JUMP + 26 * HOUR


def test_a_clock_that_was_wrong_for_a_day_deletes_nothing_and_that_is_told(tmp_path: Path) -> None:
    now = write_jump(tmp_path)

    done = maintain(tmp_path, Storage(min_free=0), now=now)
    health = assess_health(tmp_path, Storage(min_free=0), None, now=now)

    hold = (
        "deletion by age is held since 2026-12-30 12:00 UTC, to which the clock may have jumped, and 120 files are kept"
    )
    assert (done.deleted, [fault.text for fault in health.faults if hold in fault.text]) == (
        0,
        [f"{hold} longer: if the clock is right, run `sysmon maintain --trust-clock`"],
    )


def test_what_is_held_goes_when_somebody_vouches_for_the_clock(tmp_path: Path) -> None:
    now = write_jump(tmp_path)

    done = maintain(tmp_path, Storage(min_free=0), now=now, trust_clock=True)
    health = assess_health(tmp_path, Storage(min_free=0), None, now=now)

    assert (done.deleted, health.disk.holds) == (120, ())


def test_what_is_held_goes_when_the_clock_came_through_two_starts_of_the_machine(tmp_path: Path) -> None:
    boots = [
        Event(START + JUMP + number * HOUR, "started", {"run": f"{number}", "boot": f"b{number}"}) for number in (1, 2)
    ]
    now = write_jump(tmp_path, boots)

    done = maintain(tmp_path, Storage(min_free=0), now=now)

    assert done.deleted == 120


def test_the_size_is_bounded_while_deletion_by_age_is_held(tmp_path: Path) -> None:
    now = write_jump(tmp_path)

    done = maintain(tmp_path, Storage(min_free=0, max_bytes=100_000), now=now)

    assert done.deleted > 100
