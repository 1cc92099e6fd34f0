"""A file is there whole or not at all: short writes, crashes, left-overs, modes and links."""

import errno
import os
import resource
import stat
from pathlib import Path

import pytest

from sysmon.datadir.files import FILE_MODE
from sysmon.storage.files import make_directory, new_file, replacing, sync_directory, write_all, write_atomic


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("mask", [pytest.param(0o000, id="open mask"), pytest.param(0o077, id="strict mask")])
@pytest.mark.parametrize("mode", [FILE_MODE, 0o600, 0o644])
def test_the_mode_is_the_one_that_was_given_whatever_the_mask_says(tmp_path: Path, mask: int, mode: int) -> None:
    before = os.umask(mask)
    try:
        write_atomic(tmp_path / "file", b"text", mode=mode)
    finally:
        os.umask(before)

    assert (stat.S_IMODE((tmp_path / "file").stat().st_mode), content(tmp_path)) == (mode, {"file": b"text"})


def test_without_a_mode_the_mask_decides_as_for_any_new_file(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_atomic(tmp_path / "file", b"text", mode=None)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640


def test_after_a_write_that_took_only_some_the_rest_is_tried_and_a_refusal_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        with pytest.raises(OSError, match="File too large"):
            write_atomic(tmp_path / "file", bytes(4000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert content(tmp_path) == {"file": b"old"}


def write_half(path: Path, error: BaseException) -> None:
    with replacing(path) as descriptor:
        write_all(descriptor, b"half")
        raise error


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(errno.ENOSPC, "No space"), MemoryError()], ids=repr)
def test_what_goes_wrong_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: BaseException) -> None:
    (tmp_path / "file").write_bytes(b"old")

    with pytest.raises(type(error)):
        write_half(tmp_path / "file", error)

    assert content(tmp_path) == {"file": b"old"}


def test_what_does_not_stand_up_to_a_look_never_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")

    def refuse(made: Path) -> None:
        raise OSError(errno.EIO, made.read_bytes().decode())

    with pytest.raises(OSError, match="new"), replacing(tmp_path / "file", verify=refuse) as descriptor:
        write_all(descriptor, b"new")

    assert content(tmp_path) == {"file": b"old"}


@pytest.mark.parametrize("left", ["half", "link"])
def test_what_a_killed_process_left_is_replaced_and_a_link_there_is_not_followed(tmp_path: Path, left: str) -> None:
    (tmp_path / "precious").write_bytes(b"precious")
    if left == "link":
        (tmp_path / ".file.tmp").symlink_to("precious")
    else:
        (tmp_path / ".file.tmp").write_bytes(b"half")

    write_atomic(tmp_path / "file", b"text")

    assert content(tmp_path) == {"file": b"text", "precious": b"precious"}


def test_what_is_there_stays_where_nothing_may_be_overwritten(tmp_path: Path) -> None:
    write_atomic(tmp_path / "file", b"first", overwrite=False)

    with pytest.raises(FileExistsError):
        write_atomic(tmp_path / "file", b"second", overwrite=False)

    assert content(tmp_path) == {"file": b"first"}


def test_a_new_file_is_there_at_once_and_gone_when_it_cannot_be_finished(tmp_path: Path) -> None:
    with new_file(tmp_path / "whole") as descriptor:
        write_all(descriptor, b"text")
    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "half") as descriptor:
        write_all(descriptor, b"%d" % (1 // (len(b"half") - 4)))

    assert content(tmp_path) == {"whole": b"text"}


def test_a_folder_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(NotADirectoryError, match="file/below/deeper"):
        make_directory(tmp_path / "file" / "below" / "deeper")


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="only Linux has a directory that cannot be synced")
def test_a_directory_that_its_file_system_cannot_sync_is_left_as_it_is() -> None:
    sync_directory(Path("/proc/self/fd"))
