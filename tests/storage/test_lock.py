import os
import stat
from pathlib import Path

import pytest

from sysmon.errors import LockHeldError, StorageError
from sysmon.storage.lock import DataDirectory, holder


def test_a_second_writer_is_refused_and_told_who_holds_the_directory(tmp_path: Path) -> None:
    held = DataDirectory(tmp_path / "data")

    with pytest.raises(LockHeldError) as refused:
        DataDirectory(tmp_path / "data")

    held.close()
    assert str(refused.value) == (
        f"{tmp_path}/data is written by the sysmon with pid {os.getpid()}: "
        "end it, or name another directory with --data"
    )


def test_a_directory_that_was_let_go_can_be_taken_again(tmp_path: Path) -> None:
    DataDirectory(tmp_path).close()

    DataDirectory(tmp_path).close()

    assert sorted(path.name for path in tmp_path.iterdir()) == ["format", "lock"]


@pytest.mark.parametrize("mask", [pytest.param(0o000, id="open mask"), pytest.param(0o077, id="strict mask")])
def test_modes_are_set_whatever_the_mask_says(tmp_path: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        DataDirectory(tmp_path / "a" / "b").close()
    finally:
        os.umask(before)

    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("a", "a/b")]
    assert modes == [0o750, 0o750]


def test_a_newer_format_is_named_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("2\n")

    with pytest.raises(StorageError) as refused:
        DataDirectory(tmp_path)

    assert str(refused.value) == (
        f"{tmp_path}/format says '2', and this sysmon writes format 1: "
        "use the sysmon that wrote it, or name another directory with --data"
    )


def test_a_refusal_for_the_format_gives_the_lock_back(tmp_path: Path) -> None:
    (tmp_path / "format").write_text("2\n")
    with pytest.raises(StorageError):
        DataDirectory(tmp_path)

    (tmp_path / "format").write_text("1\n")

    DataDirectory(tmp_path).close()

    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"


def test_a_file_in_the_way_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("not a folder")

    with pytest.raises(StorageError) as refused:
        DataDirectory(tmp_path / "data")

    assert str(refused.value) == f"{tmp_path}/data: cannot be written (File exists): name another with --data"


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "target")

    with pytest.raises(StorageError):
        DataDirectory(tmp_path)

    assert (tmp_path / "target").read_text() == "precious"


def test_a_directory_that_stays_is_held_without_doing_anything(tmp_path: Path) -> None:
    held = DataDirectory(tmp_path / "data")

    begun_anew = held.hold()

    held.close()
    assert not begun_anew


def test_a_directory_that_was_moved_away_is_made_and_locked_anew(tmp_path: Path) -> None:
    held = DataDirectory(tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "old")

    begun_anew = held.hold()

    with pytest.raises(LockHeldError):
        DataDirectory(tmp_path / "data")
    held.close()
    assert (begun_anew, sorted(path.name for path in (tmp_path / "data").iterdir())) == (True, ["format", "lock"])


def test_a_directory_that_another_took_meanwhile_is_refused_by_its_name(tmp_path: Path) -> None:
    held = DataDirectory(tmp_path / "data")
    (tmp_path / "data").rename(tmp_path / "old")
    other = DataDirectory(tmp_path / "data")

    with pytest.raises(OSError, match="is written by the sysmon with pid"):
        held.hold()

    other.close()
    held.close()


def test_who_holds_a_lock_is_told_by_the_kernel_and_not_by_what_the_file_says(tmp_path: Path) -> None:
    held = DataDirectory(tmp_path)
    during = holder(tmp_path / "lock")
    held.close()

    assert (during, holder(tmp_path / "lock"), holder(tmp_path / "none")) == (os.getpid(), None, None)


def test_lock_files_are_for_their_owner_only_also_those_of_earlier_versions(tmp_path: Path) -> None:
    for name in ("lock", "maintain.lock"):
        (tmp_path / name).touch()
        (tmp_path / name).chmod(0o640)

    DataDirectory(tmp_path).close()

    assert [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("lock", "maintain.lock")] == [0o600, 0o600]
