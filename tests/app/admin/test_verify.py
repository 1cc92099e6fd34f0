"""Checking and repairing whole data directories."""

import gzip
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from sysmon.app.admin.verify import verify_files
from sysmon.datadir.segments import Form
from sysmon.errors import NothingFoundError
from sysmon.model import Event, Row
from sysmon.text.instants import format_instant
from tests.reading.stored import AGENT, LOAD, START, at, event_lines, write_log, write_table

GOOD = [(START + timedelta(seconds=10 * index), [(float(index), 1.0)]) for index in range(20)]


def without_folder(data: Path, lines: list[str]) -> list[str]:
    """Return lines without the folder, which is another one each time."""
    return [line.replace(f"{data}/", "") for line in lines]


def test_what_was_written_is_sound(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, GOOD)
    write_table(tmp_path, LOAD, GOOD, form=Form.CSV, packed=True)

    report = verify_files(tmp_path, repair=False)

    assert (report.files, report.lines, report.faults, report.remarks) == (2, 41, [], [])


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        pytest.param(lambda text: text.replace(b"12:00:50", b"11:00:50"), "comes after", id="out of order"),
        pytest.param(lambda text: text.replace(b"T12:03:10", b"T13:03:10"), "does not belong", id="of another hour"),
        pytest.param(lambda text: text.replace(b'"hostname"', b'"host"', 3).replace(b'"host"', b'"hostname"', 2),
                     "other columns", id="another column"),
        pytest.param(lambda text: text + b"garbage\n", "no row", id="garbage"),
        pytest.param(lambda text: text + bytes(99), "99 bytes with NULs", id="NULs"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_line(tmp_path: Path, spoil: object, fault: str) -> None:
    (path,) = write_table(tmp_path, LOAD, GOOD)
    path.write_bytes(spoil(path.read_bytes()))  # type: ignore[operator]  # each of them is a function

    report = verify_files(tmp_path, repair=False)

    assert [fault in line and line.startswith(f"{path}:") for line in report.faults] == [True]


def test_a_torn_tail_is_mentioned_and_is_no_fault(tmp_path: Path) -> None:
    (path,) = write_table(tmp_path, LOAD, GOOD)
    path.write_bytes(path.read_bytes()[:-5])

    report = verify_files(tmp_path, repair=False)

    assert (report.faults, without_folder(tmp_path, report.remarks)) == (
        [],
        ["web-01/load/load-20261120T120000Z-1h.jsonl: the last line is not finished"],
    )


@pytest.mark.parametrize("packed", [False, True])
def test_a_repair_keeps_what_can_be_read_and_sets_the_rest_aside(tmp_path: Path, packed: bool) -> None:
    (path,) = write_table(tmp_path, LOAD, GOOD)
    sound = path.read_bytes()
    broken = sound[:500] + b"\n" + sound[500:]
    path.write_bytes(broken)
    if packed:
        path.unlink()
        path = path.with_name(f"{path.name}.gz")
        path.write_bytes(gzip.compress(broken))

    report = verify_files(tmp_path, repair=True)

    (kept,) = (tmp_path / "quarantine").iterdir()
    left = gzip.decompress(path.read_bytes()) if packed else path.read_bytes()
    aside = gzip.decompress(kept.read_bytes()) if packed else kept.read_bytes()
    lost = set(sound.splitlines()) - set(left.splitlines())
    assert (aside, kept.stat().st_mode & 0o777, len(report.repaired), len(lost)) == (broken, 0o600, 1, 1)
    assert verify_files(tmp_path, repair=False).faults == []


def test_a_roll_up_that_cannot_be_read_is_set_aside_whole(tmp_path: Path) -> None:
    write_table(tmp_path, LOAD, GOOD)
    path = tmp_path / "web-01" / "rollup" / "1h" / "load-20261120T12.jsonl.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"")

    report = verify_files(tmp_path, repair=True)

    assert (without_folder(tmp_path, report.faults), path.exists(), len(report.repaired)) == (
        ["web-01/rollup/1h/load-20261120T12.jsonl.gz:1: the packed file is empty"],
        False,
        1,
    )


def _agent(numbers: list[int]) -> list[tuple[object, list[Row]]]:
    return [(at(10 * number), [("0badcafe", number)]) for number in numbers]


@pytest.mark.parametrize(
    ("numbers", "count", "faults", "remarks"),
    [
        pytest.param([1, 2, 3], 0, 0, 0, id="complete"),
        pytest.param([1, 2, 6, 7], 3, 0, 1, id="lost, and told"),
        pytest.param([1, 2, 6, 7], 2, 1, 0, id="lost, and not all of it told"),
        pytest.param([1, 2, 2, 3], 0, 1, 0, id="there twice"),
    ],
)
def test_the_numbers_of_the_ticks_tell_what_is_lost(
    tmp_path: Path, numbers: list[int], count: int, faults: int, remarks: int
) -> None:
    write_table(tmp_path, AGENT, _agent(numbers))  # type: ignore[arg-type]  # instants are made by `at`
    gap = Event(at(60), "gap", {"from": format_instant(at(30)), "to": format_instant(at(50)), "count": count})
    write_log(tmp_path, "events", event_lines([gap] if count else []))

    report = verify_files(tmp_path, repair=False)

    assert (len(report.faults), len(report.remarks)) == (faults, remarks)


@pytest.mark.parametrize(
    ("held", "fault"),
    [
        pytest.param(lambda text: text, [], id="the same"),
        pytest.param(lambda text: text[:-70], ["not all of the text beside it"], id="less"),
        pytest.param(lambda text: text[::-1], ["other rows than the text beside it"], id="other rows"),
    ],
)
def test_a_text_beside_its_packed_form_is_compared_with_it(
    tmp_path: Path, held: Callable[[bytes], bytes], fault: list[str]
) -> None:
    (path,) = write_table(tmp_path, LOAD, GOOD)
    packed = path.with_name(f"{path.name}.gz")
    packed.write_bytes(gzip.compress(held(path.read_bytes())))

    report = verify_files(tmp_path, repair=False)

    beside = [line.removeprefix(f"{packed}: ").split(":")[0] for line in report.faults if "beside it" in line]
    assert beside == fault


def test_where_no_samples_are_there_is_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(NothingFoundError):
        verify_files(tmp_path, repair=False)
